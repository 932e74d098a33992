-- Debts are noted of quotas too, and no longer than they are owed (src/governance/funds/debts.h).

-- step: quota_exceeded of api_keys
-- probe: column api_keys.quota_exceeded
ALTER TABLE api_keys ADD COLUMN quota_exceeded BIGINT NOT NULL DEFAULT 0, ALGORITHM=INSTANT;

-- step: what quotas are short of
-- probe: rows SELECT CASE WHEN EXISTS (SELECT 1 FROM api_keys WHERE quota_total >= 0 AND quota_exceeded < quota_used + quota_leased - quota_total) THEN 0 ELSE 1 END
UPDATE api_keys SET quota_exceeded = quota_used + quota_leased - quota_total WHERE quota_total >= 0 AND quota_exceeded < quota_used + quota_leased - quota_total;

-- step: debts of grants that are paid
-- probe: rows SELECT CASE WHEN EXISTS (SELECT 1 FROM token_grants WHERE exceeded > 0 AND exceeded > tokens_used + tokens_leased - tokens_total) THEN 0 ELSE 1 END
UPDATE token_grants SET exceeded = CASE WHEN tokens_used + tokens_leased <= tokens_total THEN 0 ELSE tokens_used + tokens_leased - tokens_total END WHERE exceeded > 0 AND exceeded > tokens_used + tokens_leased - tokens_total;

-- step: debts of wallets that are paid
-- probe: rows SELECT CASE WHEN EXISTS (SELECT 1 FROM user_wallets WHERE exceeded > 0 AND exceeded > leased - posted - allow_overdraft * max_overdraft) THEN 0 ELSE 1 END
UPDATE user_wallets SET exceeded = CASE WHEN leased <= posted + allow_overdraft * max_overdraft THEN 0 ELSE leased - posted - allow_overdraft * max_overdraft END WHERE exceeded > 0 AND exceeded > leased - posted - allow_overdraft * max_overdraft;
