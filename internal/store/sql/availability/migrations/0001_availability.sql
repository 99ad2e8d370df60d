-- +goose Up

-- One row per availability key, sealed under the seal of this database. Destroying one empties
-- sealed and keeps the row; destroyed_at is 0 until then.
CREATE TABLE availability_keys (
    tenant_id    TEXT   NOT NULL,
    id           TEXT   NOT NULL,
    policy_id    TEXT   NOT NULL,
    sealed       BYTEA  NOT NULL,
    created_at   BIGINT NOT NULL,
    destroyed_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
