-- Who wants to hear when balance or quota runs low, what there was to hear, and where it is sent.

-- step: alert_rules
-- probe: table alert_rules
-- key_id 0 is every key of the user.
CREATE TABLE alert_rules (
  id BIGINT NOT NULL AUTO_INCREMENT,
  user_id BIGINT NOT NULL,
  kind VARCHAR(16) NOT NULL CHECK (kind IN ('balance', 'quota')),
  key_id BIGINT NOT NULL DEFAULT 0,
  below DECIMAL(20,10) NOT NULL DEFAULT 0,
  share_percent BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (id),
  KEY alert_rules_user (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- step: alerts
-- probe: table alerts
-- open_mark is 1 until the alert recovers, then null: a rule has one open alert for a key at most.
CREATE TABLE alerts (
  id BIGINT NOT NULL AUTO_INCREMENT,
  rule_id BIGINT NOT NULL,
  key_id BIGINT NOT NULL,
  open_mark BIGINT,
  user_id BIGINT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  below DECIMAL(20,10) NOT NULL DEFAULT 0,
  balance DECIMAL(20,10) NOT NULL DEFAULT 0,
  share_percent BIGINT NOT NULL DEFAULT 0,
  quota_used BIGINT NOT NULL DEFAULT 0,
  quota_total BIGINT NOT NULL DEFAULT 0,
  raised_at BIGINT NOT NULL,
  recovered_at BIGINT,
  acknowledged_at BIGINT,
  delivery VARCHAR(16) NOT NULL DEFAULT 'none' CHECK (delivery IN ('none', 'pending', 'sent', 'failed')),
  attempts BIGINT NOT NULL DEFAULT 0,
  next_attempt_at BIGINT,
  PRIMARY KEY (id),
  UNIQUE KEY rule_id (rule_id, key_id, open_mark),
  KEY alerts_user (user_id, id),
  KEY alerts_due (delivery, next_attempt_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- step: alert_webhooks
-- probe: table alert_webhooks
CREATE TABLE alert_webhooks (
  user_id BIGINT NOT NULL,
  url VARCHAR(1024) NOT NULL,
  secret_sealed VARBINARY(512) NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
