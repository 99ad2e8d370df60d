-- +goose Up

-- How much of wait has passed since the last approval, in microseconds, as running processes saw
-- it pass; not_before is only what the clock says about the rest. A request that was approved
-- under an older program waits anew.
ALTER TABLE requests ADD COLUMN waited BIGINT NOT NULL DEFAULT 0;
