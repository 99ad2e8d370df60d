-- +goose Up

-- Lists of the live keys, and of the deleted ones, do not read past the others: a vault may
-- have a hundred thousand of either.
CREATE INDEX keyvault_keys_live ON keyvault_keys (tenant_id, vault, name) WHERE deleted IS NULL;
CREATE INDEX keyvault_keys_deleted ON keyvault_keys (tenant_id, vault, name) WHERE deleted IS NOT NULL;
