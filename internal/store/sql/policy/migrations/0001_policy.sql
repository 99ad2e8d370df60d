-- +goose Up

-- One row per policy. name_key is the folded name: unique in tenant and family. The family
-- "service" is the policy that the service owns, one per tenant. generation_id is the active
-- generation (table generations), written in the transaction that makes it. revision counts
-- the changes; each one names the revision it was decided on.
CREATE TABLE policies (
    tenant_id         TEXT    NOT NULL,
    id                TEXT    NOT NULL,
    family            TEXT    NOT NULL,
    name              TEXT    NOT NULL,
    name_key          TEXT    NOT NULL,
    description       TEXT    NOT NULL,
    enabled           BOOLEAN NOT NULL,
    state             TEXT    NOT NULL,
    root1_tenant      TEXT    NOT NULL,
    root1_app         TEXT    NOT NULL,
    root1_uri         TEXT    NOT NULL,
    root2_tenant      TEXT    NOT NULL,
    root2_app         TEXT    NOT NULL,
    root2_uri         TEXT    NOT NULL,
    availability_key  TEXT    NOT NULL,
    generation_id     TEXT    NOT NULL,
    generation_number BIGINT  NOT NULL,
    revision          BIGINT  NOT NULL,
    created_at        BIGINT  NOT NULL,
    updated_at        BIGINT  NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, family, name_key)
);

-- Which policy is in force, one row per tenant and family that has one.
CREATE TABLE policy_assignments (
    tenant_id TEXT NOT NULL,
    family    TEXT NOT NULL,
    policy_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, family)
);
