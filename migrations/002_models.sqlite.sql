-- What can be called: upstream endpoints, models, and which endpoints serve which model.

-- step: model_endpoints
-- probe: table model_endpoints
CREATE TABLE model_endpoints (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  model_family TEXT NOT NULL DEFAULT '',
  provider_type TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  ca_file TEXT NOT NULL DEFAULT '',
  api_key_sealed BLOB,
  upstream_model TEXT NOT NULL DEFAULT '',
  weight INTEGER NOT NULL DEFAULT 1,
  priority INTEGER NOT NULL DEFAULT 0,
  max_inflight INTEGER NOT NULL DEFAULT 0,
  enabled INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

-- step: endpoints of a family
-- probe: index model_endpoints_family on model_endpoints
CREATE INDEX model_endpoints_family ON model_endpoints (model_family);

-- step: model_registry
-- probe: table model_registry
CREATE TABLE model_registry (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  model_name TEXT NOT NULL UNIQUE,
  vendor_type TEXT NOT NULL,
  child_models TEXT NOT NULL,
  routing_policy TEXT NOT NULL,
  pricing_tiers TEXT NOT NULL,
  contributor_tiers TEXT NOT NULL,
  max_context_length INTEGER NOT NULL DEFAULT 0,
  max_output_tokens INTEGER NOT NULL DEFAULT 0,
  param_scale TEXT NOT NULL DEFAULT '',
  supports_reasoning INTEGER NOT NULL DEFAULT 0,
  supports_function_call INTEGER NOT NULL DEFAULT 0,
  supports_vision INTEGER NOT NULL DEFAULT 0,
  tags TEXT NOT NULL,
  priority INTEGER NOT NULL DEFAULT 0,
  enabled INTEGER NOT NULL DEFAULT 1,
  repo_id TEXT NOT NULL DEFAULT '',
  engine TEXT NOT NULL DEFAULT '',
  supported_engines TEXT NOT NULL,
  min_memory_gb REAL NOT NULL DEFAULT 0,
  min_gpu_memory_gb REAL NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

-- step: model_endpoint_links
-- probe: table model_endpoint_links
CREATE TABLE model_endpoint_links (
  model_id INTEGER NOT NULL REFERENCES model_registry (id) ON DELETE CASCADE,
  endpoint_id INTEGER NOT NULL REFERENCES model_endpoints (id),
  position INTEGER NOT NULL,
  PRIMARY KEY (model_id, endpoint_id)
) STRICT, WITHOUT ROWID;

-- step: models of an endpoint
-- probe: index model_endpoint_links_endpoint on model_endpoint_links
CREATE INDEX model_endpoint_links_endpoint ON model_endpoint_links (endpoint_id);
