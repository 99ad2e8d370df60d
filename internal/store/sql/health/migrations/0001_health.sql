-- +goose Up

-- Each root key that a generation of a policy key is wrapped under, as one service principal
-- reaches it. tenant_id is the tenant that its vault belongs to. since_at is when it came into
-- its state; reason to key_id say why it is not healthy. checks is the JSON list of the verdicts
-- of the last look, misses counts looks in a row that got no answer. due_at is when to look
-- again; revision counts all changes but claims.
CREATE TABLE health_roots (
    tenant_id  TEXT   NOT NULL,
    app        TEXT   NOT NULL,
    uri        TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    since_at   BIGINT NOT NULL,
    reason     TEXT   NOT NULL,
    message    TEXT   NOT NULL,
    hint       TEXT   NOT NULL,
    key_id     TEXT   NOT NULL,
    checks     TEXT   NOT NULL,
    misses     BIGINT NOT NULL,
    checked_at BIGINT NOT NULL,
    looked_at  BIGINT NOT NULL,
    due_at     BIGINT NOT NULL,
    revision   BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, app, uri)
);
CREATE INDEX health_roots_by_due ON health_roots (due_at, tenant_id, app, uri);

-- What was there before is looked at at once.
INSERT INTO health_roots (tenant_id, app, uri, state, since_at, reason, message, hint, key_id, checks, misses, checked_at, looked_at, due_at, revision)
SELECT root1_tenant, root1_app, root1_uri, 'Unknown', 0, '', '', '', '', '[]', 0, 0, 0, 0, 1 FROM generations WHERE state <> 'destroyed'
UNION
SELECT root2_tenant, root2_app, root2_uri, 'Unknown', 0, '', '', '', '', '[]', 0, 0, 0, 0, 1 FROM generations WHERE state <> 'destroyed';

-- What the states of its roots make of a policy.
CREATE TABLE health_policies (
    tenant_id TEXT   NOT NULL,
    policy_id TEXT   NOT NULL,
    state     TEXT   NOT NULL,
    since_at  BIGINT NOT NULL,
    message   TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, policy_id)
);

-- The number of a tenant's last change of health. Whoever writes changes names the number that
-- he saw; so states of two roots never change past each other.
CREATE TABLE health_heads (
    tenant_id TEXT   NOT NULL,
    seq       BIGINT NOT NULL,
    PRIMARY KEY (tenant_id)
);

-- The last changes of a tenant: the history that is shown, and what webhooks are sent. policies
-- is a JSON list of the policies concerned.
CREATE TABLE health_changes (
    tenant_id  TEXT   NOT NULL,
    seq        BIGINT NOT NULL,
    id         TEXT   NOT NULL,
    type       TEXT   NOT NULL,
    policies   TEXT   NOT NULL,
    app        TEXT   NOT NULL,
    uri        TEXT   NOT NULL,
    was        TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    reason     TEXT   NOT NULL,
    message    TEXT   NOT NULL,
    hint       TEXT   NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, seq)
);

-- Webhooks that are sent the changes. name is folded, display as given; endpoint is the URL
-- without its query; sealed holds the whole of it and the secret that deliveries are signed
-- with. types is a JSON list, '' for all. reached is the change that was dealt with last, due
-- when to try the next one, absent where none waits.
CREATE TABLE health_subscriptions (
    tenant_id  TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    display    TEXT   NOT NULL,
    endpoint   TEXT   NOT NULL,
    sealed     BYTEA  NOT NULL,
    types      TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    reached    BIGINT NOT NULL,
    due        BIGINT,
    attempts   BIGINT NOT NULL,
    delivered  BIGINT NOT NULL,
    dropped    BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, name)
);
CREATE INDEX health_subscriptions_by_due ON health_subscriptions (due, tenant_id, name);
