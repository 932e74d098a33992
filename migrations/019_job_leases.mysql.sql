-- Who does the work that one program at a time shall do, of all that share the database (src/jobs/job_lease.h).

-- step: job_leases
-- probe: table job_leases
CREATE TABLE job_leases (
  job VARCHAR(64) NOT NULL,
  holder VARCHAR(64) NOT NULL,
  epoch BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (job)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
