-- Money: who has what, what every movement was, what a token costs and what was charged by it.
-- Amounts are yuan, exact: DECIMAL(20,10) here, units of 10^-10 yuan in SQLite.
-- No foreign keys: books outlive users, keys and models.

-- step: price_snapshots
-- probe: table price_snapshots
CREATE TABLE price_snapshots (
  id BIGINT NOT NULL AUTO_INCREMENT,
  digest BINARY(32) NOT NULL,
  tiers MEDIUMTEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY digest (digest)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- step: user_wallets
-- probe: table user_wallets
CREATE TABLE user_wallets (
  user_id BIGINT NOT NULL,
  posted DECIMAL(20,10) NOT NULL DEFAULT 0,
  leased DECIMAL(20,10) NOT NULL DEFAULT 0,
  allow_overdraft BOOLEAN NOT NULL DEFAULT 0,
  max_overdraft DECIMAL(20,10) NOT NULL DEFAULT 0 CHECK (max_overdraft >= 0),
  version BIGINT NOT NULL DEFAULT 0,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- step: ledger_txns
-- probe: table ledger_txns
CREATE TABLE ledger_txns (
  txn_id VARCHAR(160) NOT NULL,
  kind VARCHAR(16) NOT NULL CHECK (kind IN ('use', 'topup', 'grant', 'refund', 'payout', 'adjust')),
  ref VARCHAR(191) NOT NULL DEFAULT '',
  remark VARCHAR(255) NOT NULL DEFAULT '',
  actor_user_id BIGINT,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (txn_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- step: ledger_entries
-- probe: table ledger_entries
CREATE TABLE ledger_entries (
  txn_id VARCHAR(160) NOT NULL,
  account VARCHAR(64) NOT NULL,
  user_id BIGINT,
  amount DECIMAL(20,10) NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (txn_id, account),
  KEY ledger_entries_user (user_id, created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- step: token_grants
-- probe: table token_grants
CREATE TABLE token_grants (
  id BIGINT NOT NULL AUTO_INCREMENT,
  user_id BIGINT NOT NULL,
  tokens_total BIGINT NOT NULL CHECK (tokens_total > 0),
  tokens_used BIGINT NOT NULL DEFAULT 0,
  tokens_leased BIGINT NOT NULL DEFAULT 0,
  expires_at BIGINT,
  remark VARCHAR(255) NOT NULL DEFAULT '',
  created_by BIGINT,
  created_at BIGINT NOT NULL,
  revoked_at BIGINT,
  PRIMARY KEY (id),
  KEY token_grants_user (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- step: token_grant_uses
-- probe: table token_grant_uses
CREATE TABLE token_grant_uses (
  grant_id BIGINT NOT NULL,
  request_id BINARY(16) NOT NULL,
  tokens BIGINT NOT NULL CHECK (tokens > 0),
  PRIMARY KEY (grant_id, request_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- step: discounts
-- probe: table discounts
CREATE TABLE discounts (
  id BIGINT NOT NULL AUTO_INCREMENT,
  user_id BIGINT,
  discount_ppm BIGINT NOT NULL CHECK (discount_ppm > 0 AND discount_ppm <= 1000000),
  starts_at BIGINT NOT NULL,
  ends_at BIGINT,
  remark VARCHAR(255) NOT NULL DEFAULT '',
  created_by BIGINT,
  created_at BIGINT NOT NULL,
  revoked_at BIGINT,
  PRIMARY KEY (id),
  KEY discounts_user (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- step: instances
-- probe: table instances
CREATE TABLE instances (
  instance VARCHAR(64) NOT NULL,
  host VARCHAR(255) NOT NULL DEFAULT '',
  started_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  drained_at BIGINT,
  lost_at BIGINT,
  PRIMARY KEY (instance)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- step: fund_leases
-- probe: table fund_leases
CREATE TABLE fund_leases (
  kind VARCHAR(16) NOT NULL CHECK (kind IN ('quota', 'grant', 'wallet')),
  fund_id BIGINT NOT NULL,
  instance VARCHAR(64) NOT NULL,
  amount BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (kind, fund_id, instance),
  KEY fund_leases_instance (instance)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- step: quota_leased of api_keys
-- probe: column api_keys.quota_leased
ALTER TABLE api_keys ADD COLUMN quota_leased BIGINT NOT NULL DEFAULT 0, ALGORITHM=INSTANT;

-- step: max_inflight of api_keys
-- probe: column api_keys.max_inflight
ALTER TABLE api_keys ADD COLUMN max_inflight BIGINT NOT NULL DEFAULT 0, ALGORITHM=INSTANT;

-- step: image_input_tokens of usage_records
-- probe: column usage_records.image_input_tokens
ALTER TABLE usage_records ADD COLUMN image_input_tokens BIGINT NOT NULL DEFAULT 0, ALGORITHM=INSTANT;

-- step: audio_input_tokens of usage_records
-- probe: column usage_records.audio_input_tokens
ALTER TABLE usage_records ADD COLUMN audio_input_tokens BIGINT NOT NULL DEFAULT 0, ALGORITHM=INSTANT;

-- step: image_output_tokens of usage_records
-- probe: column usage_records.image_output_tokens
ALTER TABLE usage_records ADD COLUMN image_output_tokens BIGINT NOT NULL DEFAULT 0, ALGORITHM=INSTANT;

-- step: audio_output_tokens of usage_records
-- probe: column usage_records.audio_output_tokens
ALTER TABLE usage_records ADD COLUMN audio_output_tokens BIGINT NOT NULL DEFAULT 0, ALGORITHM=INSTANT;

-- step: price_id of usage_records
-- probe: column usage_records.price_id
ALTER TABLE usage_records ADD COLUMN price_id BIGINT, ALGORITHM=INSTANT;

-- step: grant_tokens of usage_records
-- probe: column usage_records.grant_tokens
ALTER TABLE usage_records ADD COLUMN grant_tokens BIGINT NOT NULL DEFAULT 0, ALGORITHM=INSTANT;

-- step: discount_ppm of usage_records
-- probe: column usage_records.discount_ppm
ALTER TABLE usage_records ADD COLUMN discount_ppm BIGINT NOT NULL DEFAULT 0, ALGORITHM=INSTANT;

-- step: charged of usage_records
-- probe: column usage_records.charged
ALTER TABLE usage_records ADD COLUMN charged DECIMAL(20,10) NOT NULL DEFAULT 0, ALGORITHM=INSTANT;

-- step: held_tokens of usage_records
-- probe: column usage_records.held_tokens
ALTER TABLE usage_records ADD COLUMN held_tokens BIGINT, ALGORITHM=INSTANT;

-- step: held_money of usage_records
-- probe: column usage_records.held_money
ALTER TABLE usage_records ADD COLUMN held_money DECIMAL(20,10), ALGORITHM=INSTANT;

-- step: deviates of usage_records
-- probe: column usage_records.deviates
ALTER TABLE usage_records ADD COLUMN deviates BOOLEAN NOT NULL DEFAULT 0, ALGORITHM=INSTANT;

-- step: cache_write_tokens of token_usage_daily
-- probe: column token_usage_daily.cache_write_tokens
ALTER TABLE token_usage_daily ADD COLUMN cache_write_tokens BIGINT NOT NULL DEFAULT 0, ALGORITHM=INSTANT;

-- step: charged of token_usage_daily
-- probe: column token_usage_daily.charged
ALTER TABLE token_usage_daily ADD COLUMN charged DECIMAL(20,10) NOT NULL DEFAULT 0, ALGORITHM=INSTANT;

-- step: a wallet's movements
-- probe: view wallet_transactions
CREATE VIEW wallet_transactions AS
SELECT e.user_id AS user_id, e.created_at AS created_at, e.txn_id AS txn_id, t.kind AS kind, e.amount AS amount,
  t.ref AS ref, t.remark AS remark
FROM ledger_entries e JOIN ledger_txns t ON t.txn_id = e.txn_id
WHERE e.user_id IS NOT NULL;
