-- Money that administrators want back from leases while requests run, and what tells that users' terms have changed.

-- step: recalled_until of user_wallets
-- probe: column user_wallets.recalled_until
ALTER TABLE user_wallets ADD COLUMN recalled_until BIGINT NOT NULL DEFAULT 0, ALGORITHM=INSTANT;

-- step: terms_version of config_version
-- probe: column config_version.terms_version
ALTER TABLE config_version ADD COLUMN terms_version BIGINT NOT NULL DEFAULT 1, ALGORITHM=INSTANT;
