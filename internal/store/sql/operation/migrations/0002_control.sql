-- +goose Up

-- What somebody asks of an operation: pausing like cancelling while it runs, max_rate in units
-- per second (0: none). calls counts how often the work was asked for: a change that comes
-- while it is open raises it, and what was called since the claim is not done. reached is the
-- most that was ever finished, in millionths; rate is in thousandths of a unit per second.
ALTER TABLE operations ADD COLUMN pausing BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE operations ADD COLUMN max_rate BIGINT NOT NULL DEFAULT 0;
ALTER TABLE operations ADD COLUMN calls BIGINT NOT NULL DEFAULT 0;
ALTER TABLE operations ADD COLUMN reached BIGINT NOT NULL DEFAULT 0;
ALTER TABLE operations ADD COLUMN rate BIGINT NOT NULL DEFAULT 0;
