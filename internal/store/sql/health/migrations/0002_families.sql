-- +goose Up

-- The families of policies whose changes a webhook is sent: those that its maker may read. A JSON
-- list.
ALTER TABLE health_subscriptions ADD COLUMN families TEXT NOT NULL DEFAULT '[]';
