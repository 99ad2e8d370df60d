-- +goose Up

-- One row per policy whose purge was asked for: what was said, and the plan that people approve
-- (JSON) with its digest. was_state is the state of the policy before. The last four say how far the destruction is; done_at is 0 until all
-- that this database holds is gone. A purge in force that has no such row, or one that is not
-- done, is carried out again: the database was put back from a backup.
CREATE TABLE purge_orders (
    tenant_id  TEXT    NOT NULL,
    policy_id  TEXT    NOT NULL,
    request_id TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    contact    TEXT    NOT NULL,
    forced     BOOLEAN NOT NULL,
    digest     TEXT    NOT NULL,
    plan       TEXT    NOT NULL,
    asked_by   TEXT    NOT NULL,
    asked_name TEXT    NOT NULL,
    asked_at   BIGINT  NOT NULL,
    was_state  TEXT    NOT NULL,
    keys_gone  BIGINT  NOT NULL,
    items_gone BIGINT  NOT NULL,
    bytes_gone BIGINT  NOT NULL,
    done_at    BIGINT  NOT NULL,
    PRIMARY KEY (tenant_id, policy_id)
);

-- One row per version of a container's key that was purged: no item is written under it any
-- more, also by a write that began before.
CREATE TABLE purged_keys (
    tenant_id    TEXT   NOT NULL,
    container_id TEXT   NOT NULL,
    version      BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, container_id, version)
);
