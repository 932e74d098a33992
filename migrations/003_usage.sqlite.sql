-- What was used: one row per request, sums per day, and how far each spool has been applied.
-- No foreign keys: usage outlives the keys and models that it names.

-- step: usage_records
-- probe: table usage_records
-- `source` is compared, not looked up: IN with three values builds a table in every INSERT.
CREATE TABLE usage_records (
  request_id BLOB NOT NULL PRIMARY KEY,
  user_id INTEGER NOT NULL,
  key_id INTEGER NOT NULL,
  model_name TEXT NOT NULL,
  endpoint_id INTEGER,
  api TEXT NOT NULL,
  source TEXT NOT NULL CHECK (source = 'provider' OR source = 'deepnode' OR source = 'hybrid'),
  outcome TEXT NOT NULL,
  status INTEGER NOT NULL,
  stream INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  first_token_ms INTEGER,
  prompt_tokens INTEGER NOT NULL DEFAULT 0,
  cached_tokens INTEGER NOT NULL DEFAULT 0,
  cache_write_tokens INTEGER NOT NULL DEFAULT 0,
  completion_tokens INTEGER NOT NULL DEFAULT 0,
  reasoning_tokens INTEGER NOT NULL DEFAULT 0,
  usage_source TEXT NOT NULL CHECK (usage_source IN ('upstream', 'estimated')),
  attempts INTEGER NOT NULL DEFAULT 1,
  error_code TEXT NOT NULL DEFAULT '',
  upstream_request_id TEXT NOT NULL DEFAULT '',
  instance TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- step: usage of a user by time
-- probe: index usage_records_user on usage_records
CREATE INDEX usage_records_user ON usage_records (user_id, started_at);

-- step: token_usage_daily
-- probe: table token_usage_daily
CREATE TABLE token_usage_daily (
  day INTEGER NOT NULL,
  user_id INTEGER NOT NULL,
  key_id INTEGER NOT NULL,
  model_name TEXT NOT NULL,
  source TEXT NOT NULL,
  device_id TEXT NOT NULL DEFAULT '',
  requests INTEGER NOT NULL DEFAULT 0,
  prompt_tokens INTEGER NOT NULL DEFAULT 0,
  cached_tokens INTEGER NOT NULL DEFAULT 0,
  completion_tokens INTEGER NOT NULL DEFAULT 0,
  reasoning_tokens INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (user_id, day, key_id, model_name, source, device_id)
) STRICT, WITHOUT ROWID;

-- step: daily sums of all users
-- probe: index token_usage_daily_day on token_usage_daily
CREATE INDEX token_usage_daily_day ON token_usage_daily (day);

-- step: spool_cursors
-- probe: table spool_cursors
CREATE TABLE spool_cursors (
  instance TEXT NOT NULL,
  stream TEXT NOT NULL,
  segment INTEGER NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (instance, stream)
) STRICT, WITHOUT ROWID;
