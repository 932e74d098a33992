-- Who may do what: users, their sessions, their API keys.

-- step: users
-- probe: table users
CREATE TABLE users (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  username TEXT NOT NULL UNIQUE,
  password_hash TEXT NOT NULL,
  phone TEXT NOT NULL DEFAULT '',
  email TEXT UNIQUE,
  role TEXT NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'admin')),
  identity TEXT NOT NULL DEFAULT 'consumer' CHECK (identity IN ('provider', 'consumer')),
  user_type TEXT NOT NULL DEFAULT 'personal' CHECK (user_type IN ('personal', 'enterprise')),
  enabled INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

-- step: user_sessions
-- probe: table user_sessions
CREATE TABLE user_sessions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  token_hash BLOB NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  ip TEXT NOT NULL DEFAULT '',
  user_agent TEXT NOT NULL DEFAULT ''
) STRICT;

-- step: sessions of a user
-- probe: index user_sessions_user on user_sessions
CREATE INDEX user_sessions_user ON user_sessions (user_id);

-- step: sessions that have expired
-- probe: index user_sessions_expiry on user_sessions
CREATE INDEX user_sessions_expiry ON user_sessions (expires_at);

-- step: api_keys
-- probe: table api_keys
CREATE TABLE api_keys (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  key_hash BLOB NOT NULL UNIQUE,
  key_prefix TEXT NOT NULL,
  key_sealed BLOB NOT NULL,
  rate_limit_rpm INTEGER NOT NULL DEFAULT 0,
  rate_limit_tpm INTEGER NOT NULL DEFAULT 0,
  quota_total INTEGER NOT NULL DEFAULT -1,
  quota_used INTEGER NOT NULL DEFAULT 0,
  allowed_models TEXT NOT NULL,
  expires_at INTEGER,
  enabled INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  last_used_at INTEGER
) STRICT;

-- step: keys of a user
-- probe: index api_keys_user on api_keys
CREATE INDEX api_keys_user ON api_keys (user_id);
