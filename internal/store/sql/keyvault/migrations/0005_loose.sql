-- +goose Up

-- Handles of key pairs outside of the database that no version owns: being made, or to be
-- destroyed. due is when a sweep destroys the pair; once condemned no version can own it any
-- more. handle is hexadecimal, vault and name are in lower case.
CREATE TABLE keyvault_loose (
    tenant_id TEXT    NOT NULL,
    handle    TEXT    NOT NULL,
    protector TEXT    NOT NULL,
    vault     TEXT    NOT NULL,
    name      TEXT    NOT NULL,
    version   TEXT    NOT NULL,
    due       BIGINT  NOT NULL,
    condemned BOOLEAN NOT NULL,
    PRIMARY KEY (tenant_id, handle)
);
CREATE INDEX keyvault_loose_due ON keyvault_loose (due, tenant_id, handle);
