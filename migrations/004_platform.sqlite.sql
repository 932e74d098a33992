-- The platform itself: settings, the audit log, and the number that tells other processes to reload.

-- step: platform_config
-- probe: table platform_config
CREATE TABLE platform_config (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- step: audit_log
-- probe: table audit_log
CREATE TABLE audit_log (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  actor_user_id INTEGER,
  actor_name TEXT NOT NULL,
  action TEXT NOT NULL,
  object_type TEXT NOT NULL,
  object_id TEXT NOT NULL,
  detail TEXT NOT NULL,
  ip TEXT NOT NULL DEFAULT ''
) STRICT;

-- step: audit log by time
-- probe: index audit_log_at on audit_log
CREATE INDEX audit_log_at ON audit_log (at);

-- step: config_version
-- probe: table config_version
CREATE TABLE config_version (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  version INTEGER NOT NULL
) STRICT;

-- step: the one row of config_version
-- probe: rows SELECT COUNT(*) FROM config_version WHERE id = 1
INSERT INTO config_version (id, version) VALUES (1, 1);
