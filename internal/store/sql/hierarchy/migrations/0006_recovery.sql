-- +goose Up

-- One row per policy whose content users may have, or had, without its roots: the newest
-- recovery. It ends at until_at by the clock, and when spent reaches span whatever the clock
-- says: spent is how much had passed at seen_at. ended_at is 0 while it goes on.
CREATE TABLE recoveries (
    tenant_id  TEXT   NOT NULL,
    policy_id  TEXT   NOT NULL,
    request_id TEXT   NOT NULL,
    started_at BIGINT NOT NULL,
    until_at   BIGINT NOT NULL,
    span       BIGINT NOT NULL,
    spent      BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    ended_at   BIGINT NOT NULL,
    why        TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, policy_id)
);

CREATE INDEX recoveries_open ON recoveries (ended_at, tenant_id, policy_id);
