-- Answers kept for callers that send an Idempotency-Key, sealed, for a day.

-- step: idempotency_keys
-- probe: table idempotency_keys
CREATE TABLE idempotency_keys (
  id BIGINT NOT NULL AUTO_INCREMENT,
  api_key_id BIGINT NOT NULL,
  name_hash BINARY(32) NOT NULL,
  body_hash BINARY(32) NOT NULL,
  state VARCHAR(16) NOT NULL CHECK (state IN ('running', 'answered', 'too_large', 'cut')),
  claim BINARY(16) NOT NULL,
  instance BINARY(16) NOT NULL,
  lease_until BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  answer MEDIUMBLOB,
  answer_bytes BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  UNIQUE KEY api_key_id (api_key_id, name_hash),
  KEY idempotency_keys_expires_at (expires_at),
  KEY idempotency_keys_bytes (api_key_id, answer_bytes),
  KEY idempotency_keys_instance (instance, state)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
