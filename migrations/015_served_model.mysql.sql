-- Which child of a hybrid answered a request.

-- step: served_model of usage_records
-- probe: column usage_records.served_model
ALTER TABLE usage_records ADD COLUMN served_model VARCHAR(191) NOT NULL DEFAULT '', ALGORITHM=INSTANT;
