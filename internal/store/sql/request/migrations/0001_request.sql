-- +goose Up

-- One row per request for approval. Everything up to asked_at is fixed when it is asked for;
-- detail is a JSON array of {"name", "value"}, approvals one of {"side", "by", "at", "digest"}.
-- is_open and for_operator follow from state and needs, for the lists. A row is changed by naming
-- the revision that the change was decided on.
CREATE TABLE requests (
    tenant_id       TEXT    NOT NULL,
    id              TEXT    NOT NULL,
    kind            TEXT    NOT NULL,
    family          TEXT    NOT NULL,
    subject         TEXT    NOT NULL,
    reason          TEXT    NOT NULL,
    contact         TEXT    NOT NULL,
    detail          TEXT    NOT NULL,
    needs           TEXT    NOT NULL,
    wait            BIGINT  NOT NULL,
    asker_id        TEXT    NOT NULL,
    asker_name      TEXT    NOT NULL,
    asked_at        BIGINT  NOT NULL,
    state           TEXT    NOT NULL,
    approvals       TEXT    NOT NULL,
    expires_at      BIGINT  NOT NULL,
    not_before      BIGINT  NOT NULL,
    operation_id    TEXT    NOT NULL,
    ended_by_tenant TEXT    NOT NULL,
    ended_by_id     TEXT    NOT NULL,
    ended_by_name   TEXT    NOT NULL,
    outcome         TEXT    NOT NULL,
    ended_at        BIGINT  NOT NULL,
    updated_at      BIGINT  NOT NULL,
    revision        BIGINT  NOT NULL,
    is_open         BOOLEAN NOT NULL,
    for_operator    BOOLEAN NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE INDEX requests_open ON requests (tenant_id, is_open, kind, subject);
CREATE INDEX requests_for_operator ON requests (for_operator, id);
CREATE INDEX requests_due ON requests (state, expires_at);

-- Who may approve on behalf of an organization, by family of policies.
CREATE TABLE officers (
    tenant_id      TEXT   NOT NULL,
    family         TEXT   NOT NULL,
    person_id      TEXT   NOT NULL,
    name           TEXT   NOT NULL,
    named_by_id    TEXT   NOT NULL,
    named_by_name  TEXT   NOT NULL,
    named_at       BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, family, person_id)
);
