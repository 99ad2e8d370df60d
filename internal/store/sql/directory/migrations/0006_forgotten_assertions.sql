-- +goose Up

-- Used assertions are forgotten a day after they have expired, by a clock that may have been
-- wrong. Of those of an app that were, the last expired at until: none that expires no later is
-- taken again, whatever the clock says then.
CREATE TABLE directory_forgotten_assertions (
    tenant_id TEXT   NOT NULL,
    app_id    TEXT   NOT NULL,
    until     BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, app_id)
);
CREATE INDEX directory_assertions_expires ON directory_assertions (tenant_id, app_id, expires);
