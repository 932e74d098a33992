-- What can be called: upstream endpoints, models, and which endpoints serve which model.

-- step: model_endpoints
-- probe: table model_endpoints
CREATE TABLE model_endpoints (
  id BIGINT NOT NULL AUTO_INCREMENT,
  name VARCHAR(128) NOT NULL,
  model_family VARCHAR(128) NOT NULL DEFAULT '',
  provider_type VARCHAR(32) NOT NULL,
  endpoint VARCHAR(1024) NOT NULL,
  ca_file VARCHAR(1024) NOT NULL DEFAULT '',
  api_key_sealed BLOB,
  upstream_model VARCHAR(255) NOT NULL DEFAULT '',
  weight BIGINT NOT NULL DEFAULT 1,
  priority BIGINT NOT NULL DEFAULT 0,
  max_inflight BIGINT NOT NULL DEFAULT 0,
  enabled BOOLEAN NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY name (name),
  KEY model_endpoints_family (model_family)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- step: model_registry
-- probe: table model_registry
CREATE TABLE model_registry (
  id BIGINT NOT NULL AUTO_INCREMENT,
  model_name VARCHAR(191) NOT NULL,
  vendor_type VARCHAR(16) NOT NULL,
  child_models MEDIUMTEXT NOT NULL,
  routing_policy MEDIUMTEXT NOT NULL,
  pricing_tiers MEDIUMTEXT NOT NULL,
  contributor_tiers MEDIUMTEXT NOT NULL,
  max_context_length BIGINT NOT NULL DEFAULT 0,
  max_output_tokens BIGINT NOT NULL DEFAULT 0,
  param_scale VARCHAR(32) NOT NULL DEFAULT '',
  supports_reasoning BOOLEAN NOT NULL DEFAULT 0,
  supports_function_call BOOLEAN NOT NULL DEFAULT 0,
  supports_vision BOOLEAN NOT NULL DEFAULT 0,
  tags MEDIUMTEXT NOT NULL,
  priority BIGINT NOT NULL DEFAULT 0,
  enabled BOOLEAN NOT NULL DEFAULT 1,
  repo_id VARCHAR(255) NOT NULL DEFAULT '',
  engine VARCHAR(64) NOT NULL DEFAULT '',
  supported_engines MEDIUMTEXT NOT NULL,
  min_memory_gb DOUBLE NOT NULL DEFAULT 0,
  min_gpu_memory_gb DOUBLE NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY model_name (model_name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- step: model_endpoint_links
-- probe: table model_endpoint_links
CREATE TABLE model_endpoint_links (
  model_id BIGINT NOT NULL,
  endpoint_id BIGINT NOT NULL,
  position BIGINT NOT NULL,
  PRIMARY KEY (model_id, endpoint_id),
  KEY model_endpoint_links_endpoint (endpoint_id),
  FOREIGN KEY (model_id) REFERENCES model_registry (id) ON DELETE CASCADE,
  FOREIGN KEY (endpoint_id) REFERENCES model_endpoints (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
