-- +goose Up

-- What an app may prove itself by besides its secrets: keys whose public half stands here.
CREATE TABLE directory_app_certificates (
    tenant_id   TEXT   NOT NULL, -- of the app
    app_id      TEXT   NOT NULL,
    id          TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    certificate BYTEA  NOT NULL, -- X.509, DER
    created     BIGINT NOT NULL,
    expires     BIGINT NOT NULL, -- of the certificate
    PRIMARY KEY (tenant_id, app_id, id)
);

ALTER TABLE directory_app_secrets ADD COLUMN name TEXT NOT NULL DEFAULT '';

-- Where the app lets browsers come back to: a JSON array of addresses.
ALTER TABLE directory_apps ADD COLUMN redirects TEXT NOT NULL DEFAULT '[]';

-- Assertions that were used, until they have expired: none is good twice.
CREATE TABLE directory_assertions (
    tenant_id TEXT   NOT NULL,
    app_id    TEXT   NOT NULL,
    hash      BYTEA  NOT NULL, -- SHA-256 of the jti
    expires   BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, app_id, hash)
);

-- Authorization codes. A redeemed one stays for a day: whoever shows it again has a copy, and
-- the grant that it gave ends.
CREATE TABLE directory_auth_codes (
    tenant_id TEXT   NOT NULL, -- of the person
    hash      BYTEA  NOT NULL, -- SHA-256 of the code
    client    TEXT   NOT NULL,
    redirect  TEXT   NOT NULL,
    challenge TEXT   NOT NULL, -- S256, base64url
    scope     TEXT   NOT NULL,
    nonce     TEXT   NOT NULL,
    person    TEXT   NOT NULL,
    epoch     BIGINT NOT NULL,
    grant_id  TEXT   NOT NULL, -- that it gave; empty before
    created   BIGINT NOT NULL,
    expires   BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, hash)
);

-- When a key came to its state: it signs, or has stopped to, since then.
ALTER TABLE directory_issuer_keys ADD COLUMN since BIGINT NOT NULL DEFAULT 0;
UPDATE directory_issuer_keys SET since = created;
CREATE UNIQUE INDEX directory_issuer_keys_next ON directory_issuer_keys (state) WHERE state = 'next';
