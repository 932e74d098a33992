-- What requests cost beyond what was leased for them, as far as leases have repaid it: by so much a fund may be short.

-- step: exceeded of user_wallets
-- probe: column user_wallets.exceeded
ALTER TABLE user_wallets ADD COLUMN exceeded INTEGER NOT NULL DEFAULT 0;

-- step: exceeded of token_grants
-- probe: column token_grants.exceeded
ALTER TABLE token_grants ADD COLUMN exceeded INTEGER NOT NULL DEFAULT 0;
