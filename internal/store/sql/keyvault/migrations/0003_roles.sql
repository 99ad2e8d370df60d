-- +goose Up

-- rbac: role assignments decide who may use the vault's keys, not its access policy; both are
-- kept. network is JSON, '' where everybody may reach the vault.
ALTER TABLE keyvault_vaults ADD COLUMN rbac BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE keyvault_vaults ADD COLUMN network TEXT NOT NULL DEFAULT '';

-- Role assignments. group_name, vault and key_name are folded, and '' where the scope is
-- wider; scope is "Group/Vault/Key" as they were given. The unique index finds what a
-- principal holds.
CREATE TABLE keyvault_roles (
    tenant_id       TEXT   NOT NULL,
    subscription_id TEXT   NOT NULL,
    id              TEXT   NOT NULL,
    group_name      TEXT   NOT NULL,
    vault           TEXT   NOT NULL,
    key_name        TEXT   NOT NULL,
    scope           TEXT   NOT NULL,
    role_id         TEXT   NOT NULL,
    principal_id    TEXT   NOT NULL,
    principal_type  TEXT   NOT NULL,
    description     TEXT   NOT NULL,
    created         BIGINT NOT NULL,
    created_by      TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, subscription_id, id),
    UNIQUE (tenant_id, principal_id, subscription_id, group_name, vault, key_name, role_id)
);
