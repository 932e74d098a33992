-- The platform itself: settings, the audit log, and the number that tells other processes to reload.

-- step: platform_config
-- probe: table platform_config
CREATE TABLE platform_config (
  name VARCHAR(128) NOT NULL,
  value MEDIUMTEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- step: audit_log
-- probe: table audit_log
CREATE TABLE audit_log (
  id BIGINT NOT NULL AUTO_INCREMENT,
  at BIGINT NOT NULL,
  actor_user_id BIGINT,
  actor_name VARCHAR(64) NOT NULL,
  action VARCHAR(64) NOT NULL,
  object_type VARCHAR(64) NOT NULL,
  object_id VARCHAR(191) NOT NULL,
  detail MEDIUMTEXT NOT NULL,
  ip VARCHAR(64) NOT NULL DEFAULT '',
  PRIMARY KEY (id),
  KEY audit_log_at (at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- step: config_version
-- probe: table config_version
CREATE TABLE config_version (
  id BIGINT NOT NULL CHECK (id = 1),
  version BIGINT NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- step: the one row of config_version
-- probe: rows SELECT COUNT(*) FROM config_version WHERE id = 1
INSERT INTO config_version (id, version) VALUES (1, 1);
