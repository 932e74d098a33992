-- Sums of everybody's usage, so that an administrator's page does not read every key's days.

-- step: token_usage_daily_totals
-- probe: table token_usage_daily_totals
CREATE TABLE token_usage_daily_totals (
  day INTEGER NOT NULL,
  model_name TEXT NOT NULL,
  source TEXT NOT NULL,
  requests INTEGER NOT NULL DEFAULT 0,
  prompt_tokens INTEGER NOT NULL DEFAULT 0,
  cached_tokens INTEGER NOT NULL DEFAULT 0,
  cache_write_tokens INTEGER NOT NULL DEFAULT 0,
  completion_tokens INTEGER NOT NULL DEFAULT 0,
  reasoning_tokens INTEGER NOT NULL DEFAULT 0,
  charged INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (day, model_name, source)
) STRICT, WITHOUT ROWID;

-- step: what was used so far, by model and source
-- probe: rows SELECT CASE WHEN EXISTS (SELECT 1 FROM token_usage_daily_totals) OR NOT EXISTS (SELECT 1 FROM token_usage_daily) THEN 1 ELSE 0 END
INSERT INTO token_usage_daily_totals SELECT day, model_name, source, SUM(requests), SUM(prompt_tokens),
  SUM(cached_tokens), SUM(cache_write_tokens), SUM(completion_tokens), SUM(reasoning_tokens), SUM(charged)
FROM token_usage_daily GROUP BY day, model_name, source;

-- step: token_usage_daily_keys
-- probe: table token_usage_daily_keys
CREATE TABLE token_usage_daily_keys (
  day INTEGER NOT NULL,
  user_id INTEGER NOT NULL,
  key_id INTEGER NOT NULL,
  requests INTEGER NOT NULL DEFAULT 0,
  prompt_tokens INTEGER NOT NULL DEFAULT 0,
  cached_tokens INTEGER NOT NULL DEFAULT 0,
  cache_write_tokens INTEGER NOT NULL DEFAULT 0,
  completion_tokens INTEGER NOT NULL DEFAULT 0,
  reasoning_tokens INTEGER NOT NULL DEFAULT 0,
  charged INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (day, user_id, key_id)
) STRICT, WITHOUT ROWID;

-- step: what was used so far, by key
-- probe: rows SELECT CASE WHEN EXISTS (SELECT 1 FROM token_usage_daily_keys) OR NOT EXISTS (SELECT 1 FROM token_usage_daily) THEN 1 ELSE 0 END
INSERT INTO token_usage_daily_keys SELECT day, user_id, key_id, SUM(requests), SUM(prompt_tokens),
  SUM(cached_tokens), SUM(cache_write_tokens), SUM(completion_tokens), SUM(reasoning_tokens), SUM(charged)
FROM token_usage_daily GROUP BY day, user_id, key_id;
