-- +goose Up

-- One row per customer (and one for the operator's own people).
CREATE TABLE directory_tenants (
    tenant_id TEXT   NOT NULL,
    name      TEXT   NOT NULL,
    domain    TEXT   NOT NULL, -- lower case, "contoso.example"
    created   BIGINT NOT NULL,
    PRIMARY KEY (tenant_id)
);
CREATE UNIQUE INDEX directory_tenants_domain ON directory_tenants (domain);

-- epoch counts what ends every sign-in of a person: a new password, being disabled. A grant
-- or device code that carries an older number gives no tokens.
CREATE TABLE directory_people (
    tenant_id    TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    upn          TEXT    NOT NULL, -- lower case
    display_name TEXT    NOT NULL,
    roles        TEXT    NOT NULL, -- JSON array of role names
    disabled     BOOLEAN NOT NULL,
    must_change  BOOLEAN NOT NULL,
    password     TEXT    NOT NULL, -- $argon2id$v=19$m=...,t=...,p=...$salt$hash
    epoch        BIGINT  NOT NULL,
    created      BIGINT  NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX directory_people_upn ON directory_people (tenant_id, upn);

-- tenant_id is the tenant that registered the app; other tenants know it by a principal.
CREATE TABLE directory_apps (
    tenant_id    TEXT   NOT NULL,
    id           TEXT   NOT NULL,
    display_name TEXT   NOT NULL,
    created      BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE directory_app_secrets (
    tenant_id TEXT   NOT NULL, -- of the app
    app_id    TEXT   NOT NULL,
    id        TEXT   NOT NULL,
    hash      BYTEA  NOT NULL, -- SHA-256; secrets are random, 256 bits
    created   BIGINT NOT NULL,
    expires   BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, app_id, id)
);

-- An app as one tenant knows it.
CREATE TABLE directory_principals (
    tenant_id    TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    app_id       TEXT    NOT NULL,
    home         TEXT    NOT NULL, -- tenant of the registration; empty for the service's own apps
    display_name TEXT    NOT NULL,
    roles        TEXT    NOT NULL, -- JSON array
    disabled     BOOLEAN NOT NULL,
    created      BIGINT  NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX directory_principals_app ON directory_principals (tenant_id, app_id);

-- Keys that sign tokens, for all tenants: one is current, a next one is published ahead of
-- its use, a retired one until the last token it signed has expired.
CREATE TABLE directory_issuer_keys (
    id      TEXT   NOT NULL, -- the kid
    state   TEXT   NOT NULL, -- current, next, retired
    sealed  BYTEA  NOT NULL, -- PKCS #8, sealed under the service's seal
    created BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX directory_issuer_keys_current ON directory_issuer_keys (state) WHERE state = 'current';

-- Sign-ins that wait for a person. The tenant may be unknown until someone approves.
CREATE TABLE directory_device_codes (
    hash      BYTEA  NOT NULL, -- SHA-256 of the device code
    user_hash BYTEA  NOT NULL, -- keyed hash of the user code, which is short
    authority TEXT   NOT NULL, -- a tenant id, "common" or "organizations"
    client    TEXT   NOT NULL,
    scope     TEXT   NOT NULL,
    state     TEXT   NOT NULL, -- pending, approved, redeemed
    tenant_id TEXT   NOT NULL, -- who approved; empty before
    person    TEXT   NOT NULL,
    epoch     BIGINT NOT NULL,
    polled    BIGINT NOT NULL,
    created   BIGINT NOT NULL,
    expires   BIGINT NOT NULL,
    PRIMARY KEY (hash)
);
CREATE UNIQUE INDEX directory_device_codes_user ON directory_device_codes (user_hash);
CREATE INDEX directory_device_codes_expires ON directory_device_codes (expires);

-- One row per signed-in client of a person: what a chain of refresh tokens hangs on.
-- Revoking it deletes the row and the chain.
CREATE TABLE directory_grants (
    tenant_id TEXT   NOT NULL,
    id        TEXT   NOT NULL,
    person    TEXT   NOT NULL,
    client    TEXT   NOT NULL,
    scope     TEXT   NOT NULL, -- as first asked for
    epoch     BIGINT NOT NULL,
    created   BIGINT NOT NULL,
    expires   BIGINT NOT NULL, -- of its youngest token
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX directory_grants_person ON directory_grants (tenant_id, person);

CREATE TABLE directory_refresh_tokens (
    tenant_id TEXT   NOT NULL,
    hash      BYTEA  NOT NULL, -- SHA-256
    grant_id  TEXT   NOT NULL,
    expires   BIGINT NOT NULL,
    used      BIGINT NOT NULL, -- when it was first exchanged for the next one; 0 before
    PRIMARY KEY (tenant_id, hash)
);
CREATE INDEX directory_refresh_tokens_grant ON directory_refresh_tokens (tenant_id, grant_id);
