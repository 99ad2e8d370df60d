-- +goose Up

-- Which policies are in force: one row per tenant and family that has one, and per geo where
-- the family goes by geo (row CK-298). geo is '' for all other families.
CREATE TABLE policies_in_force (
    tenant_id TEXT NOT NULL,
    family    TEXT NOT NULL,
    geo       TEXT NOT NULL,
    policy_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, family, geo)
);

INSERT INTO policies_in_force (tenant_id, family, geo, policy_id)
SELECT tenant_id, family, '', policy_id FROM policy_assignments;

DROP TABLE policy_assignments;

-- One row per container that has a policy of its own: a mailbox (rows CK-120, CK-233).
CREATE TABLE container_assignments (
    tenant_id    TEXT NOT NULL,
    container_id TEXT NOT NULL,
    policy_id    TEXT NOT NULL,
    PRIMARY KEY (tenant_id, container_id)
);

CREATE INDEX container_assignments_by_policy ON container_assignments (tenant_id, policy_id, container_id);
