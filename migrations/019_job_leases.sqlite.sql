-- Who does the work that one program at a time shall do, of all that share the database (src/jobs/job_lease.h).

-- step: job_leases
-- probe: table job_leases
CREATE TABLE job_leases (
  job TEXT NOT NULL PRIMARY KEY,
  holder TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
