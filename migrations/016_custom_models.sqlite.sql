-- Models of users: hybrids over public models, and provider endpoints of their own.

-- step: user_custom_models
-- probe: table user_custom_models
CREATE TABLE user_custom_models (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  model_name TEXT NOT NULL UNIQUE,
  vendor_type TEXT NOT NULL,
  child_models TEXT NOT NULL,
  routing_policy TEXT NOT NULL,
  provider_type TEXT NOT NULL DEFAULT '',
  endpoint TEXT NOT NULL DEFAULT '',
  api_key_sealed BLOB,
  upstream_model TEXT NOT NULL DEFAULT '',
  max_context_length INTEGER NOT NULL DEFAULT 0,
  max_output_tokens INTEGER NOT NULL DEFAULT 0,
  supports_reasoning INTEGER NOT NULL DEFAULT 0,
  supports_function_call INTEGER NOT NULL DEFAULT 0,
  supports_vision INTEGER NOT NULL DEFAULT 0,
  enabled INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

-- step: models of a user
-- probe: index user_custom_models_user on user_custom_models
CREATE INDEX user_custom_models_user ON user_custom_models (user_id);
