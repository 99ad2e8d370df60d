-- +goose Up

-- The recovery of a SharePoint policy is a row of recoveries. One that goes on while the server is
-- updated ends, and can be asked for again.
ALTER TABLE policies DROP COLUMN recover_until;
