-- Usage as users and administrators look at it.

-- step: requests of a user, newest first
-- probe: index usage_records_user_request on usage_records
CREATE INDEX usage_records_user_request ON usage_records (user_id, request_id) ALGORITHM=INPLACE LOCK=NONE;

-- step: requests of a key, newest first
-- probe: index usage_records_key_request on usage_records
CREATE INDEX usage_records_key_request ON usage_records (key_id, request_id) ALGORITHM=INPLACE LOCK=NONE;

-- step: ids grow with time, so the index by start is not used any more
-- probe: no index usage_records_user on usage_records
ALTER TABLE usage_records DROP INDEX usage_records_user, ALGORITHM=INPLACE, LOCK=NONE;

-- step: charged of api_keys
-- probe: column api_keys.charged
ALTER TABLE api_keys ADD COLUMN charged DECIMAL(20,10) NOT NULL DEFAULT 0, ALGORITHM=INSTANT;

-- step: what keys were charged so far
-- probe: rows SELECT CASE WHEN COUNT(*) = 0 THEN 1 ELSE 0 END FROM api_keys k WHERE k.charged = 0 AND EXISTS (SELECT 1 FROM token_usage_daily d WHERE d.user_id = k.user_id AND d.key_id = k.id AND d.charged <> 0)
UPDATE api_keys SET charged = (SELECT COALESCE(SUM(d.charged), 0) FROM token_usage_daily d
  WHERE d.user_id = api_keys.user_id AND d.key_id = api_keys.id);
