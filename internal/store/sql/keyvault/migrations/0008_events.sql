-- +goose Up

-- What happened in vaults, in the order in which it was committed in a tenant. A row is written
-- in the transaction of the change that it tells of, and goes when every webhook has had it.
CREATE TABLE keyvault_events (
    tenant_id  TEXT   NOT NULL,
    seq        BIGINT NOT NULL,
    id         TEXT   NOT NULL,
    type       TEXT   NOT NULL,
    vault      TEXT   NOT NULL,
    display    TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    version    TEXT   NOT NULL,
    not_before BIGINT,
    expires    BIGINT,
    created    BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, seq)
);
CREATE INDEX keyvault_events_by_vault ON keyvault_events (tenant_id, vault, seq);
CREATE INDEX keyvault_events_by_age ON keyvault_events (created);

-- The number of a tenant's last event. Its row is the last that a change takes, and holds other
-- changes of the tenant back until the commit: no number appears after a higher one.
CREATE TABLE keyvault_event_heads (
    tenant_id TEXT   NOT NULL,
    seq       BIGINT NOT NULL,
    PRIMARY KEY (tenant_id)
);

-- When the key's newest version is to be looked at again, because it is to be rotated, nears
-- its expiry or reaches it; absent where nothing is to come. What was there before is looked
-- at once.
ALTER TABLE keyvault_keys ADD COLUMN due BIGINT;
UPDATE keyvault_keys SET due = 0 WHERE deleted IS NULL;
CREATE INDEX keyvault_keys_by_next ON keyvault_keys (due, tenant_id, vault, name);

-- The expiry that was told to be near, and that was told to have come; -1 for a version without
-- an expiry, absent where nothing was told.
ALTER TABLE keyvault_versions ADD COLUMN near_told BIGINT;
ALTER TABLE keyvault_versions ADD COLUMN expired_told BIGINT;

-- Webhooks: event subscriptions of a vault. endpoint is the URL without its query; sealed holds
-- the whole of it and the secret that deliveries are signed with. types is a JSON list, '' for
-- all. reached is the event that was dealt with last, due when to try the next one, absent where
-- none waits. After the event
-- ends, if set, the row goes: its vault was purged.
CREATE TABLE keyvault_hooks (
    tenant_id       TEXT   NOT NULL,
    vault           TEXT   NOT NULL,
    name            TEXT   NOT NULL,
    display         TEXT   NOT NULL,
    subscription_id TEXT   NOT NULL,
    group_name      TEXT   NOT NULL,
    vault_display   TEXT   NOT NULL,
    endpoint        TEXT   NOT NULL,
    sealed          BYTEA  NOT NULL,
    schema_name     TEXT   NOT NULL,
    types           TEXT   NOT NULL,
    created         BIGINT NOT NULL,
    updated         BIGINT NOT NULL,
    reached         BIGINT NOT NULL,
    due             BIGINT,
    attempts        BIGINT NOT NULL,
    delivered       BIGINT NOT NULL,
    dropped         BIGINT NOT NULL,
    ends            BIGINT,
    PRIMARY KEY (tenant_id, vault, name)
);
CREATE INDEX keyvault_hooks_by_due ON keyvault_hooks (due);
