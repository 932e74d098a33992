-- Who may do what: users, their sessions, their API keys.

-- step: users
-- probe: table users
CREATE TABLE users (
  id BIGINT NOT NULL AUTO_INCREMENT,
  username VARCHAR(64) NOT NULL,
  password_hash VARCHAR(128) NOT NULL,
  phone VARCHAR(32) NOT NULL DEFAULT '',
  email VARCHAR(254),
  role VARCHAR(16) NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'admin')),
  identity VARCHAR(16) NOT NULL DEFAULT 'consumer' CHECK (identity IN ('provider', 'consumer')),
  user_type VARCHAR(16) NOT NULL DEFAULT 'personal' CHECK (user_type IN ('personal', 'enterprise')),
  enabled BOOLEAN NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY username (username),
  UNIQUE KEY email (email)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- step: user_sessions
-- probe: table user_sessions
CREATE TABLE user_sessions (
  id BIGINT NOT NULL AUTO_INCREMENT,
  user_id BIGINT NOT NULL,
  token_hash BINARY(32) NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  last_seen_at BIGINT NOT NULL,
  ip VARCHAR(64) NOT NULL DEFAULT '',
  user_agent VARCHAR(256) NOT NULL DEFAULT '',
  PRIMARY KEY (id),
  UNIQUE KEY token_hash (token_hash),
  KEY user_sessions_user (user_id),
  KEY user_sessions_expiry (expires_at),
  FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- step: api_keys
-- probe: table api_keys
CREATE TABLE api_keys (
  id BIGINT NOT NULL AUTO_INCREMENT,
  user_id BIGINT NOT NULL,
  name VARCHAR(128) NOT NULL,
  key_hash BINARY(32) NOT NULL,
  key_prefix VARCHAR(16) NOT NULL,
  key_sealed BLOB NOT NULL,
  rate_limit_rpm BIGINT NOT NULL DEFAULT 0,
  rate_limit_tpm BIGINT NOT NULL DEFAULT 0,
  quota_total BIGINT NOT NULL DEFAULT -1,
  quota_used BIGINT NOT NULL DEFAULT 0,
  allowed_models MEDIUMTEXT NOT NULL,
  expires_at BIGINT,
  enabled BOOLEAN NOT NULL DEFAULT 1,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  last_used_at BIGINT,
  PRIMARY KEY (id),
  UNIQUE KEY key_hash (key_hash),
  KEY api_keys_user (user_id),
  FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
