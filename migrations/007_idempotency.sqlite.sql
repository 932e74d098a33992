-- Answers kept for callers that send an Idempotency-Key, sealed, for a day.

-- step: idempotency_keys
-- probe: table idempotency_keys
CREATE TABLE idempotency_keys (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  api_key_id INTEGER NOT NULL,
  name_hash BLOB NOT NULL,
  body_hash BLOB NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('running', 'answered', 'too_large', 'cut')),
  claim BLOB NOT NULL,
  instance BLOB NOT NULL,
  lease_until INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  answer BLOB,
  answer_bytes INTEGER NOT NULL DEFAULT 0,
  UNIQUE (api_key_id, name_hash)
) STRICT;

-- step: idempotency keys by expiry
-- probe: index idempotency_keys_expires_at on idempotency_keys
CREATE INDEX idempotency_keys_expires_at ON idempotency_keys (expires_at);

-- step: stored bytes by API key
-- probe: index idempotency_keys_bytes on idempotency_keys
CREATE INDEX idempotency_keys_bytes ON idempotency_keys (api_key_id, answer_bytes);

-- step: claims by instance
-- probe: index idempotency_keys_instance on idempotency_keys
CREATE INDEX idempotency_keys_instance ON idempotency_keys (instance, state);
