-- Leases of funds: which process of an instance may lease, and which of its orders came last.

-- step: epoch of instances
-- probe: column instances.epoch
ALTER TABLE instances ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;

-- step: sequence of fund_leases
-- probe: column fund_leases.sequence
ALTER TABLE fund_leases ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
