-- Who wants to hear when balance or quota runs low, what there was to hear, and where it is sent.

-- step: alert_rules
-- probe: table alert_rules
-- key_id 0 is every key of the user.
CREATE TABLE alert_rules (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('balance', 'quota')),
  key_id INTEGER NOT NULL DEFAULT 0,
  below INTEGER NOT NULL DEFAULT 0,
  share_percent INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL
) STRICT;

-- step: alert rules of a user
-- probe: index alert_rules_user on alert_rules
CREATE INDEX alert_rules_user ON alert_rules (user_id);

-- step: alerts
-- probe: table alerts
-- open_mark is 1 until the alert recovers, then null: a rule has one open alert for a key at most.
CREATE TABLE alerts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  rule_id INTEGER NOT NULL,
  key_id INTEGER NOT NULL,
  open_mark INTEGER,
  user_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  below INTEGER NOT NULL DEFAULT 0,
  balance INTEGER NOT NULL DEFAULT 0,
  share_percent INTEGER NOT NULL DEFAULT 0,
  quota_used INTEGER NOT NULL DEFAULT 0,
  quota_total INTEGER NOT NULL DEFAULT 0,
  raised_at INTEGER NOT NULL,
  recovered_at INTEGER,
  acknowledged_at INTEGER,
  delivery TEXT NOT NULL DEFAULT 'none' CHECK (delivery IN ('none', 'pending', 'sent', 'failed')),
  attempts INTEGER NOT NULL DEFAULT 0,
  next_attempt_at INTEGER,
  UNIQUE (rule_id, key_id, open_mark)
) STRICT;

-- step: alerts of a user
-- probe: index alerts_user on alerts
CREATE INDEX alerts_user ON alerts (user_id, id);

-- step: alerts that are to be sent
-- probe: index alerts_due on alerts
CREATE INDEX alerts_due ON alerts (delivery, next_attempt_at);

-- step: alert_webhooks
-- probe: table alert_webhooks
CREATE TABLE alert_webhooks (
  user_id INTEGER NOT NULL PRIMARY KEY,
  url TEXT NOT NULL,
  secret_sealed BLOB NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
