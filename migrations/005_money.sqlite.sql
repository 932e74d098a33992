-- Money: who has what, what every movement was, what a token costs and what was charged by it.
-- Amounts are yuan, exact: units of 10^-10 yuan here, DECIMAL(20,10) in MySQL.
-- No foreign keys: books outlive users, keys and models.

-- step: price_snapshots
-- probe: table price_snapshots
CREATE TABLE price_snapshots (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  digest BLOB NOT NULL UNIQUE,
  tiers TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

-- step: user_wallets
-- probe: table user_wallets
CREATE TABLE user_wallets (
  user_id INTEGER NOT NULL PRIMARY KEY,
  posted INTEGER NOT NULL DEFAULT 0,
  leased INTEGER NOT NULL DEFAULT 0,
  allow_overdraft INTEGER NOT NULL DEFAULT 0,
  max_overdraft INTEGER NOT NULL DEFAULT 0 CHECK (max_overdraft >= 0),
  version INTEGER NOT NULL DEFAULT 0,
  updated_at INTEGER NOT NULL
) STRICT;

-- step: ledger_txns
-- probe: table ledger_txns
CREATE TABLE ledger_txns (
  txn_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('use', 'topup', 'grant', 'refund', 'payout', 'adjust')),
  ref TEXT NOT NULL DEFAULT '',
  remark TEXT NOT NULL DEFAULT '',
  actor_user_id INTEGER,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (txn_id)
) STRICT, WITHOUT ROWID;

-- step: ledger_entries
-- probe: table ledger_entries
CREATE TABLE ledger_entries (
  txn_id TEXT NOT NULL,
  account TEXT NOT NULL,
  user_id INTEGER,
  amount INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (txn_id, account)
) STRICT, WITHOUT ROWID;

-- step: entries of a user by time
-- probe: index ledger_entries_user on ledger_entries
CREATE INDEX ledger_entries_user ON ledger_entries (user_id, created_at) WHERE user_id IS NOT NULL;

-- step: token_grants
-- probe: table token_grants
CREATE TABLE token_grants (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL,
  tokens_total INTEGER NOT NULL CHECK (tokens_total > 0),
  tokens_used INTEGER NOT NULL DEFAULT 0,
  tokens_leased INTEGER NOT NULL DEFAULT 0,
  expires_at INTEGER,
  remark TEXT NOT NULL DEFAULT '',
  created_by INTEGER,
  created_at INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT;

-- step: grants of a user
-- probe: index token_grants_user on token_grants
CREATE INDEX token_grants_user ON token_grants (user_id);

-- step: token_grant_uses
-- probe: table token_grant_uses
CREATE TABLE token_grant_uses (
  grant_id INTEGER NOT NULL,
  request_id BLOB NOT NULL,
  tokens INTEGER NOT NULL CHECK (tokens > 0),
  PRIMARY KEY (grant_id, request_id)
) STRICT, WITHOUT ROWID;

-- step: discounts
-- probe: table discounts
CREATE TABLE discounts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER,
  discount_ppm INTEGER NOT NULL CHECK (discount_ppm > 0 AND discount_ppm <= 1000000),
  starts_at INTEGER NOT NULL,
  ends_at INTEGER,
  remark TEXT NOT NULL DEFAULT '',
  created_by INTEGER,
  created_at INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT;

-- step: discounts of a user
-- probe: index discounts_user on discounts
CREATE INDEX discounts_user ON discounts (user_id);

-- step: instances
-- probe: table instances
CREATE TABLE instances (
  instance TEXT NOT NULL,
  host TEXT NOT NULL DEFAULT '',
  started_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  drained_at INTEGER,
  lost_at INTEGER,
  PRIMARY KEY (instance)
) STRICT, WITHOUT ROWID;

-- step: fund_leases
-- probe: table fund_leases
CREATE TABLE fund_leases (
  kind TEXT NOT NULL CHECK (kind IN ('quota', 'grant', 'wallet')),
  fund_id INTEGER NOT NULL,
  instance TEXT NOT NULL,
  amount INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (kind, fund_id, instance)
) STRICT, WITHOUT ROWID;

-- step: leases of an instance
-- probe: index fund_leases_instance on fund_leases
CREATE INDEX fund_leases_instance ON fund_leases (instance);

-- step: quota_leased of api_keys
-- probe: column api_keys.quota_leased
ALTER TABLE api_keys ADD COLUMN quota_leased INTEGER NOT NULL DEFAULT 0;

-- step: max_inflight of api_keys
-- probe: column api_keys.max_inflight
ALTER TABLE api_keys ADD COLUMN max_inflight INTEGER NOT NULL DEFAULT 0;

-- step: image_input_tokens of usage_records
-- probe: column usage_records.image_input_tokens
ALTER TABLE usage_records ADD COLUMN image_input_tokens INTEGER NOT NULL DEFAULT 0;

-- step: audio_input_tokens of usage_records
-- probe: column usage_records.audio_input_tokens
ALTER TABLE usage_records ADD COLUMN audio_input_tokens INTEGER NOT NULL DEFAULT 0;

-- step: image_output_tokens of usage_records
-- probe: column usage_records.image_output_tokens
ALTER TABLE usage_records ADD COLUMN image_output_tokens INTEGER NOT NULL DEFAULT 0;

-- step: audio_output_tokens of usage_records
-- probe: column usage_records.audio_output_tokens
ALTER TABLE usage_records ADD COLUMN audio_output_tokens INTEGER NOT NULL DEFAULT 0;

-- step: price_id of usage_records
-- probe: column usage_records.price_id
ALTER TABLE usage_records ADD COLUMN price_id INTEGER;

-- step: grant_tokens of usage_records
-- probe: column usage_records.grant_tokens
ALTER TABLE usage_records ADD COLUMN grant_tokens INTEGER NOT NULL DEFAULT 0;

-- step: discount_ppm of usage_records
-- probe: column usage_records.discount_ppm
ALTER TABLE usage_records ADD COLUMN discount_ppm INTEGER NOT NULL DEFAULT 0;

-- step: charged of usage_records
-- probe: column usage_records.charged
ALTER TABLE usage_records ADD COLUMN charged INTEGER NOT NULL DEFAULT 0;

-- step: held_tokens of usage_records
-- probe: column usage_records.held_tokens
ALTER TABLE usage_records ADD COLUMN held_tokens INTEGER;

-- step: held_money of usage_records
-- probe: column usage_records.held_money
ALTER TABLE usage_records ADD COLUMN held_money INTEGER;

-- step: deviates of usage_records
-- probe: column usage_records.deviates
ALTER TABLE usage_records ADD COLUMN deviates INTEGER NOT NULL DEFAULT 0;

-- step: cache_write_tokens of token_usage_daily
-- probe: column token_usage_daily.cache_write_tokens
ALTER TABLE token_usage_daily ADD COLUMN cache_write_tokens INTEGER NOT NULL DEFAULT 0;

-- step: charged of token_usage_daily
-- probe: column token_usage_daily.charged
ALTER TABLE token_usage_daily ADD COLUMN charged INTEGER NOT NULL DEFAULT 0;

-- step: a wallet's movements
-- probe: view wallet_transactions
CREATE VIEW wallet_transactions AS
SELECT e.user_id AS user_id, e.created_at AS created_at, e.txn_id AS txn_id, t.kind AS kind, e.amount AS amount,
  t.ref AS ref, t.remark AS remark
FROM ledger_entries e JOIN ledger_txns t ON t.txn_id = e.txn_id
WHERE e.user_id IS NOT NULL;
