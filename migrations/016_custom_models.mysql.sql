-- Models of users: hybrids over public models, and provider endpoints of their own.

-- step: user_custom_models
-- probe: table user_custom_models
CREATE TABLE user_custom_models (
  id BIGINT NOT NULL AUTO_INCREMENT,
  user_id BIGINT NOT NULL,
  name VARCHAR(32) NOT NULL,
  model_name VARCHAR(191) NOT NULL,
  vendor_type VARCHAR(16) NOT NULL,
  child_models MEDIUMTEXT NOT NULL,
  routing_policy MEDIUMTEXT NOT NULL,
  provider_type VARCHAR(32) NOT NULL DEFAULT '',
  endpoint VARCHAR(1024) NOT NULL DEFAULT '',
  api_key_sealed BLOB,
  upstream_model VARCHAR(255) NOT NULL DEFAULT '',
  max_context_length BIGINT NOT NULL DEFAULT 0,
  max_output_tokens BIGINT NOT NULL DEFAULT 0,
  supports_reasoning BOOLEAN NOT NULL DEFAULT 0,
  supports_function_call BOOLEAN NOT NULL DEFAULT 0,
  supports_vision BOOLEAN NOT NULL DEFAULT 0,
  enabled BOOLEAN NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY model_name (model_name),
  KEY user_custom_models_user (user_id),
  FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
