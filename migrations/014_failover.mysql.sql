-- How endpoints are spoken to, and which models' slow requests are asked a second time.

-- step: api_version of model_endpoints
-- probe: column model_endpoints.api_version
-- Of Anthropic's API; empty: the adapter's choice.
ALTER TABLE model_endpoints ADD COLUMN api_version VARCHAR(64) NOT NULL DEFAULT '', ALGORITHM=INSTANT;

-- step: prefix_continuation of model_endpoints
-- probe: column model_endpoints.prefix_continuation
-- It goes on behind a given beginning of an answer.
ALTER TABLE model_endpoints ADD COLUMN prefix_continuation BOOLEAN NOT NULL DEFAULT 0, ALGORITHM=INSTANT;

-- step: param_policy of model_endpoints
-- probe: column model_endpoints.param_policy
-- What becomes of parameters that the endpoint does not take: drop, refuse.
ALTER TABLE model_endpoints ADD COLUMN param_policy VARCHAR(16) NOT NULL DEFAULT 'drop', ALGORITHM=INSTANT;

-- step: hedge_after_ms of model_registry
-- probe: column model_registry.hedge_after_ms
-- 0: never hedged.
ALTER TABLE model_registry ADD COLUMN hedge_after_ms BIGINT NOT NULL DEFAULT 0, ALGORITHM=INSTANT;

-- step: hedge_max_percent of model_registry
-- probe: column model_registry.hedge_max_percent
-- Of the model's requests.
ALTER TABLE model_registry ADD COLUMN hedge_max_percent BIGINT NOT NULL DEFAULT 5, ALGORITHM=INSTANT;
