-- +goose Up

-- One row per generation of a policy: the policy key wrapped by two roots and the availability
-- key, and a commitment to the clear key. Destroying one empties the four and keeps the row.
-- state is active (at most one per policy), draining or destroyed; destroyed_at is 0 until then.
CREATE TABLE generations (
    tenant_id            TEXT   NOT NULL,
    id                   TEXT   NOT NULL,
    policy_id            TEXT   NOT NULL,
    number               BIGINT NOT NULL,
    state                TEXT   NOT NULL,
    root1_tenant         TEXT   NOT NULL,
    root1_app            TEXT   NOT NULL,
    root1_uri            TEXT   NOT NULL,
    root1_kid            TEXT   NOT NULL,
    root1_alg            TEXT   NOT NULL,
    root1_wrapped        BYTEA  NOT NULL,
    root2_tenant         TEXT   NOT NULL,
    root2_app            TEXT   NOT NULL,
    root2_uri            TEXT   NOT NULL,
    root2_kid            TEXT   NOT NULL,
    root2_alg            TEXT   NOT NULL,
    root2_wrapped        BYTEA  NOT NULL,
    availability_key     TEXT   NOT NULL,
    availability_wrapped BYTEA  NOT NULL,
    commitment           BYTEA  NOT NULL,
    created_at           BIGINT NOT NULL,
    destroyed_at         BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, policy_id, number)
);

-- One row per version of a container's key, wrapped under the policy key of a generation.
-- The row of a version is only ever rewrapped: its clear key stays the same.
CREATE TABLE container_keys (
    tenant_id     TEXT   NOT NULL,
    container_id  TEXT   NOT NULL,
    version       BIGINT NOT NULL,
    workload      TEXT   NOT NULL,
    policy_id     TEXT   NOT NULL,
    generation_id TEXT   NOT NULL,
    wrapped       BYTEA  NOT NULL,
    created_at    BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, container_id, version)
);

CREATE INDEX container_keys_by_generation ON container_keys (tenant_id, generation_id, container_id, version);
