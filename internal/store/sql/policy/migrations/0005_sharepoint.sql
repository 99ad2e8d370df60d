-- +goose Up

-- Until when lost roots of the policy may be replaced by way of the availability key (row CK-78); 0 if not.
ALTER TABLE policies ADD COLUMN recover_until BIGINT NOT NULL DEFAULT 0;

-- How many percent of the sites are under a generation, as it was shown: a request that was under
-- way at the change may add a site elsewhere, and what is shown never goes back (row CK-144).
CREATE TABLE policy_progress (
    tenant_id     TEXT   NOT NULL,
    generation_id TEXT   NOT NULL,
    percent       BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, generation_id)
);
