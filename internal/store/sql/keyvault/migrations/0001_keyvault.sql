-- +goose Up

-- Names are stored twice: folded to lower case, by which they are found and sorted, and as
-- they were given. JSON columns hold what is only ever read whole.

CREATE TABLE keyvault_subscriptions (
    tenant_id    TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    display_name TEXT    NOT NULL,
    owner_id     TEXT    NOT NULL,
    protected    BOOLEAN NOT NULL,
    created      BIGINT  NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE keyvault_groups (
    tenant_id       TEXT   NOT NULL,
    subscription_id TEXT   NOT NULL,
    name            TEXT   NOT NULL,
    display         TEXT   NOT NULL,
    location        TEXT   NOT NULL,
    tags            TEXT   NOT NULL,
    created         BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, subscription_id, name)
);

-- A vault's name is unique in the deployment and stays taken while the vault is deleted. This
-- table belongs to no tenant: it says where to look.
CREATE TABLE keyvault_names (
    name      TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE keyvault_vaults (
    tenant_id        TEXT    NOT NULL,
    name             TEXT    NOT NULL,
    display          TEXT    NOT NULL,
    subscription_id  TEXT    NOT NULL,
    group_name       TEXT    NOT NULL,
    location         TEXT    NOT NULL,
    sku              TEXT    NOT NULL,
    retention_days   BIGINT  NOT NULL,
    purge_protection BOOLEAN NOT NULL,
    tags             TEXT    NOT NULL,
    created          BIGINT  NOT NULL,
    updated          BIGINT  NOT NULL,
    revision         BIGINT  NOT NULL,
    PRIMARY KEY (tenant_id, name)
);
CREATE INDEX keyvault_vaults_by_subscription ON keyvault_vaults (tenant_id, subscription_id, name);

-- Access policy entries in the order given. application_id is '' where the entry does not
-- ask for one. permissions is a list with a space between.
CREATE TABLE keyvault_access (
    tenant_id      TEXT   NOT NULL,
    vault          TEXT   NOT NULL,
    position       BIGINT NOT NULL,
    object_id      TEXT   NOT NULL,
    application_id TEXT   NOT NULL,
    permissions    TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, vault, position)
);

-- A key is its name, its newest version, and whether it is deleted.
CREATE TABLE keyvault_keys (
    tenant_id TEXT   NOT NULL,
    vault     TEXT   NOT NULL,
    name      TEXT   NOT NULL,
    display   TEXT   NOT NULL,
    newest    BIGINT NOT NULL,
    deleted   BIGINT,
    purge_at  BIGINT,
    PRIMARY KEY (tenant_id, vault, name)
);
CREATE INDEX keyvault_keys_due ON keyvault_keys (purge_at, tenant_id, vault, name);

-- Versions count from 1. public_key is the SubjectPublicKeyInfo in DER, handle what the
-- protector of that name needs to use the private half.
CREATE TABLE keyvault_versions (
    tenant_id  TEXT    NOT NULL,
    vault      TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    ordinal    BIGINT  NOT NULL,
    version    TEXT    NOT NULL,
    kty        TEXT    NOT NULL,
    bits       BIGINT  NOT NULL,
    curve      TEXT    NOT NULL,
    public_key BYTEA   NOT NULL,
    protector  TEXT    NOT NULL,
    handle     BYTEA   NOT NULL,
    ops        TEXT    NOT NULL,
    enabled    BOOLEAN NOT NULL,
    not_before BIGINT,
    expires    BIGINT,
    tags       TEXT    NOT NULL,
    created    BIGINT  NOT NULL,
    updated    BIGINT  NOT NULL,
    PRIMARY KEY (tenant_id, vault, name, ordinal),
    UNIQUE (tenant_id, vault, name, version)
);
