-- +goose Up

-- kind says whom a key serves: "policy" (one policy), "tenant" (the SharePoint policies of one
-- tenant; policy_id is '') or "forest" (those of all tenants; tenant_id is '' too). number counts
-- the keys of one scope from 1. superseded_at is when the next one was made, 0 for the newest.
ALTER TABLE availability_keys ADD COLUMN kind TEXT NOT NULL DEFAULT 'policy';
ALTER TABLE availability_keys ADD COLUMN number BIGINT NOT NULL DEFAULT 1;
ALTER TABLE availability_keys ADD COLUMN superseded_at BIGINT NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX availability_keys_scope ON availability_keys (tenant_id, kind, policy_id, number);
CREATE INDEX availability_keys_age ON availability_keys (destroyed_at, superseded_at, created_at);

-- One row per use of a key after both roots have failed, written before it.
CREATE TABLE availability_uses (
    tenant_id     TEXT    NOT NULL,
    id            TEXT    NOT NULL,
    policy_id     TEXT    NOT NULL,
    generation_id TEXT    NOT NULL,
    key_id        TEXT    NOT NULL,
    cause         TEXT    NOT NULL,
    after_denial  BOOLEAN NOT NULL,
    caller_kind   TEXT    NOT NULL,
    caller_id     TEXT    NOT NULL,
    caller_name   TEXT    NOT NULL,
    caller_app    TEXT    NOT NULL,
    address       TEXT    NOT NULL,
    request       TEXT    NOT NULL,
    used_at       BIGINT  NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX availability_uses_by_policy ON availability_uses (tenant_id, policy_id, id);

-- How many there were, by policy and day: days since 1970 in UTC, and never one before the last
-- that is here already. denials counts those in spite of a denial.
CREATE TABLE availability_days (
    tenant_id TEXT   NOT NULL,
    policy_id TEXT   NOT NULL,
    day       BIGINT NOT NULL,
    outages   BIGINT NOT NULL,
    denials   BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, policy_id, day)
);

-- How many uses a day in spite of a denial the tenant allows; without a row, any number.
CREATE TABLE availability_limits (
    tenant_id TEXT   NOT NULL,
    policy_id TEXT   NOT NULL,
    per_day   BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, policy_id)
);

-- An operator has asked for new keys in place of all that were made before a time. One row.
CREATE TABLE availability_renewals (
    scope       TEXT   NOT NULL PRIMARY KEY,
    made_before BIGINT NOT NULL
);
