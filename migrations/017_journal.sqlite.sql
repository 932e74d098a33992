-- A charged usage row is itself the ledger's transaction `use:<request>`: nothing is written twice
-- (docs/decisions/0010-usage-rows-are-the-journal.md).

-- step: requests of a user, newest first, and what each was charged
-- probe: index usage_records_user_charged on usage_records
CREATE INDEX usage_records_user_charged ON usage_records (user_id, request_id, charged);

-- step: the index that it replaces
-- probe: no index usage_records_user_request on usage_records
DROP INDEX usage_records_user_request;

-- step: entries that usage rows say again
-- probe: rows SELECT CASE WHEN EXISTS (SELECT 1 FROM ledger_entries WHERE txn_id >= 'use:' AND txn_id < 'use;') THEN 0 ELSE 1 END
DELETE FROM ledger_entries WHERE txn_id >= 'use:' AND txn_id < 'use;';

-- step: transactions that usage rows say again
-- probe: rows SELECT CASE WHEN EXISTS (SELECT 1 FROM ledger_txns WHERE txn_id >= 'use:' AND txn_id < 'use;') THEN 0 ELSE 1 END
DELETE FROM ledger_txns WHERE txn_id >= 'use:' AND txn_id < 'use;';

-- step: every entry of the books: those of usage, and those of the ledger's own tables
-- probe: view ledger_journal
CREATE VIEW ledger_journal AS
SELECT 'use:' || LOWER(SUBSTR(HEX(request_id), 1, 8) || '-' || SUBSTR(HEX(request_id), 9, 4) || '-' || SUBSTR(HEX(request_id), 13, 4) || '-' || SUBSTR(HEX(request_id), 17, 4) || '-' || SUBSTR(HEX(request_id), 21, 12)) AS txn_id, 'user:' || user_id AS account, user_id AS user_id, -charged AS amount,
  started_at AS created_at FROM usage_records WHERE charged <> 0
UNION ALL SELECT 'use:' || LOWER(SUBSTR(HEX(request_id), 1, 8) || '-' || SUBSTR(HEX(request_id), 9, 4) || '-' || SUBSTR(HEX(request_id), 13, 4) || '-' || SUBSTR(HEX(request_id), 17, 4) || '-' || SUBSTR(HEX(request_id), 21, 12)), 'revenue', NULL, charged, started_at FROM usage_records WHERE charged <> 0
UNION ALL SELECT txn_id, account, user_id, amount, created_at FROM ledger_entries;

-- step: a wallet's movements, as long as they left usage out
-- probe: rows SELECT CASE WHEN EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'view' AND name = 'wallet_transactions' AND sql NOT LIKE '%usage_records%') THEN 0 ELSE 1 END
DROP VIEW wallet_transactions;

-- step: a wallet's movements
-- probe: view wallet_transactions
CREATE VIEW wallet_transactions AS
SELECT user_id AS user_id, started_at AS created_at, 'use:' || LOWER(SUBSTR(HEX(request_id), 1, 8) || '-' || SUBSTR(HEX(request_id), 9, 4) || '-' || SUBSTR(HEX(request_id), 13, 4) || '-' || SUBSTR(HEX(request_id), 17, 4) || '-' || SUBSTR(HEX(request_id), 21, 12)) AS txn_id, 'use' AS kind, -charged AS amount,
  model_name AS ref, '' AS remark FROM usage_records WHERE charged <> 0
UNION ALL SELECT e.user_id, e.created_at, e.txn_id, t.kind, e.amount, t.ref, t.remark
FROM ledger_entries e JOIN ledger_txns t ON t.txn_id = e.txn_id WHERE e.user_id IS NOT NULL;
