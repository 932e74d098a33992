-- What was used: one row per request, sums per day, and how far each spool has been applied.
-- No foreign keys: usage outlives the keys and models that it names.

-- step: usage_records
-- probe: table usage_records
CREATE TABLE usage_records (
  request_id BINARY(16) NOT NULL,
  user_id BIGINT NOT NULL,
  key_id BIGINT NOT NULL,
  model_name VARCHAR(191) NOT NULL,
  endpoint_id BIGINT,
  api VARCHAR(32) NOT NULL,
  source VARCHAR(16) NOT NULL CHECK (source IN ('provider', 'deepnode', 'hybrid')),
  outcome VARCHAR(32) NOT NULL,
  status BIGINT NOT NULL,
  stream BOOLEAN NOT NULL,
  started_at BIGINT NOT NULL,
  duration_ms BIGINT NOT NULL,
  first_token_ms BIGINT,
  prompt_tokens BIGINT NOT NULL DEFAULT 0,
  cached_tokens BIGINT NOT NULL DEFAULT 0,
  cache_write_tokens BIGINT NOT NULL DEFAULT 0,
  completion_tokens BIGINT NOT NULL DEFAULT 0,
  reasoning_tokens BIGINT NOT NULL DEFAULT 0,
  usage_source VARCHAR(16) NOT NULL CHECK (usage_source IN ('upstream', 'estimated')),
  attempts BIGINT NOT NULL DEFAULT 1,
  error_code VARCHAR(64) NOT NULL DEFAULT '',
  upstream_request_id VARCHAR(255) NOT NULL DEFAULT '',
  instance VARCHAR(64) NOT NULL,
  PRIMARY KEY (request_id),
  KEY usage_records_user (user_id, started_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- step: token_usage_daily
-- probe: table token_usage_daily
CREATE TABLE token_usage_daily (
  day BIGINT NOT NULL,
  user_id BIGINT NOT NULL,
  key_id BIGINT NOT NULL,
  model_name VARCHAR(191) NOT NULL,
  source VARCHAR(16) NOT NULL,
  device_id VARCHAR(64) NOT NULL DEFAULT '',
  requests BIGINT NOT NULL DEFAULT 0,
  prompt_tokens BIGINT NOT NULL DEFAULT 0,
  cached_tokens BIGINT NOT NULL DEFAULT 0,
  completion_tokens BIGINT NOT NULL DEFAULT 0,
  reasoning_tokens BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (user_id, day, key_id, model_name, source, device_id),
  KEY token_usage_daily_day (day)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- step: spool_cursors
-- probe: table spool_cursors
CREATE TABLE spool_cursors (
  instance VARCHAR(64) NOT NULL,
  stream VARCHAR(64) NOT NULL,
  segment BIGINT NOT NULL,
  position BIGINT NOT NULL,
  PRIMARY KEY (instance, stream)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
