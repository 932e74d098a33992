-- Sums of seven days for pages about every key and every user: a quarter of what ninety single days are.

-- step: token_usage_weekly_keys
-- probe: table token_usage_weekly_keys
-- first_day is a multiple of 7.
CREATE TABLE token_usage_weekly_keys (
  first_day INTEGER NOT NULL,
  user_id INTEGER NOT NULL,
  key_id INTEGER NOT NULL,
  requests INTEGER NOT NULL DEFAULT 0,
  prompt_tokens INTEGER NOT NULL DEFAULT 0,
  cached_tokens INTEGER NOT NULL DEFAULT 0,
  cache_write_tokens INTEGER NOT NULL DEFAULT 0,
  completion_tokens INTEGER NOT NULL DEFAULT 0,
  reasoning_tokens INTEGER NOT NULL DEFAULT 0,
  charged INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (first_day, user_id, key_id)
) STRICT, WITHOUT ROWID;

-- step: what was used so far, by week and key
-- probe: rows SELECT CASE WHEN EXISTS (SELECT 1 FROM token_usage_weekly_keys) OR NOT EXISTS (SELECT 1 FROM token_usage_daily_keys) THEN 1 ELSE 0 END
INSERT INTO token_usage_weekly_keys SELECT day - day % 7, user_id, key_id, SUM(requests), SUM(prompt_tokens),
  SUM(cached_tokens), SUM(cache_write_tokens), SUM(completion_tokens), SUM(reasoning_tokens), SUM(charged)
FROM token_usage_daily_keys GROUP BY day - day % 7, user_id, key_id;
