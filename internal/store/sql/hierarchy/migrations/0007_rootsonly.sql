-- +goose Up

-- Recoveries of SharePoint policies are counted like all others, and open nothing by themselves:
-- while one goes on, new root keys may be put in place of the lost ones.
ALTER TABLE recoveries ADD COLUMN roots_only BOOLEAN NOT NULL DEFAULT FALSE;
