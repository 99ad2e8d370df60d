-- +goose Up

-- One row per onboarding request with all its checks, as JSON; the oldest of a tenant beyond 200
-- are forgotten.
CREATE TABLE onboardings (
    tenant_id  TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    input      TEXT    NOT NULL,
    checks     TEXT    NOT NULL,
    by_id      TEXT    NOT NULL,
    by_name    TEXT    NOT NULL,
    request_id TEXT    NOT NULL,
    already    BOOLEAN NOT NULL,
    created_at BIGINT  NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

-- The families of policies that a tenant may use, where they are not open to everybody.
CREATE TABLE enabled_families (
    tenant_id  TEXT   NOT NULL,
    family     TEXT   NOT NULL,
    request_id TEXT   NOT NULL,
    enabled_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, family)
);
