-- +goose Up

-- One row per piece of long work. due_at is when it may be claimed: for a waiting one the
-- next try, for a running one the end of its lease, for a final one never (the largest
-- BIGINT), so that the index below meets open rows only. fence counts the claims; every
-- write of a runner names the fence it was given.
CREATE TABLE operations (
    tenant_id   TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    checkpoint  TEXT    NOT NULL,
    done        BIGINT  NOT NULL,
    total       BIGINT  NOT NULL,
    error       TEXT    NOT NULL,
    hint        TEXT    NOT NULL,
    attempts    BIGINT  NOT NULL,
    cancelling  BOOLEAN NOT NULL,
    fence       BIGINT  NOT NULL,
    owner       TEXT    NOT NULL,
    due_at      BIGINT  NOT NULL,
    created_at  BIGINT  NOT NULL,
    started_at  BIGINT  NOT NULL,
    updated_at  BIGINT  NOT NULL,
    finished_at BIGINT  NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE INDEX operations_due ON operations (kind, due_at);
CREATE INDEX operations_of_kind ON operations (tenant_id, kind, state);
