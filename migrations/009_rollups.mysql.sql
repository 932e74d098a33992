-- Sums of everybody's usage, so that an administrator's page does not read every key's days.

-- step: token_usage_daily_totals
-- probe: table token_usage_daily_totals
CREATE TABLE token_usage_daily_totals (
  day BIGINT NOT NULL,
  model_name VARCHAR(191) NOT NULL,
  source VARCHAR(16) NOT NULL,
  requests BIGINT NOT NULL DEFAULT 0,
  prompt_tokens BIGINT NOT NULL DEFAULT 0,
  cached_tokens BIGINT NOT NULL DEFAULT 0,
  cache_write_tokens BIGINT NOT NULL DEFAULT 0,
  completion_tokens BIGINT NOT NULL DEFAULT 0,
  reasoning_tokens BIGINT NOT NULL DEFAULT 0,
  charged DECIMAL(20,10) NOT NULL DEFAULT 0,
  PRIMARY KEY (day, model_name, source)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- step: what was used so far, by model and source
-- probe: rows SELECT CASE WHEN EXISTS (SELECT 1 FROM token_usage_daily_totals) OR NOT EXISTS (SELECT 1 FROM token_usage_daily) THEN 1 ELSE 0 END
INSERT INTO token_usage_daily_totals SELECT day, model_name, source, SUM(requests), SUM(prompt_tokens),
  SUM(cached_tokens), SUM(cache_write_tokens), SUM(completion_tokens), SUM(reasoning_tokens), SUM(charged)
FROM token_usage_daily GROUP BY day, model_name, source;

-- step: token_usage_daily_keys
-- probe: table token_usage_daily_keys
CREATE TABLE token_usage_daily_keys (
  day BIGINT NOT NULL,
  user_id BIGINT NOT NULL,
  key_id BIGINT NOT NULL,
  requests BIGINT NOT NULL DEFAULT 0,
  prompt_tokens BIGINT NOT NULL DEFAULT 0,
  cached_tokens BIGINT NOT NULL DEFAULT 0,
  cache_write_tokens BIGINT NOT NULL DEFAULT 0,
  completion_tokens BIGINT NOT NULL DEFAULT 0,
  reasoning_tokens BIGINT NOT NULL DEFAULT 0,
  charged DECIMAL(20,10) NOT NULL DEFAULT 0,
  PRIMARY KEY (day, user_id, key_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- step: what was used so far, by key
-- probe: rows SELECT CASE WHEN EXISTS (SELECT 1 FROM token_usage_daily_keys) OR NOT EXISTS (SELECT 1 FROM token_usage_daily) THEN 1 ELSE 0 END
INSERT INTO token_usage_daily_keys SELECT day, user_id, key_id, SUM(requests), SUM(prompt_tokens),
  SUM(cached_tokens), SUM(cache_write_tokens), SUM(completion_tokens), SUM(reasoning_tokens), SUM(charged)
FROM token_usage_daily GROUP BY day, user_id, key_id;
