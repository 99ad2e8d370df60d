-- +goose Up

-- The rotation policy as JSON, '' where none was set. It goes with the key's row.
ALTER TABLE keyvault_keys ADD COLUMN rotation TEXT NOT NULL DEFAULT '';

-- Keys that backups are sealed under. No row is ever removed: every backup stays restorable.
-- The table belongs to no tenant; backups name the subscription they are of.
CREATE TABLE keyvault_backup_keys (
    id      TEXT   NOT NULL,
    created BIGINT NOT NULL,
    sealed  BYTEA  NOT NULL,
    PRIMARY KEY (id)
);
