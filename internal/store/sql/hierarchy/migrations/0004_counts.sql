-- +goose Up

-- How many container keys lie where, for which the same things decide where they belong: own is
-- the policy that their containers have for themselves (container_assignments), '' if none.
-- Written in each transaction that adds, moves or removes a key or changes such an assignment,
-- so that nobody has to count a million rows to know how far a million rows are.
CREATE TABLE container_key_counts (
    tenant_id     TEXT   NOT NULL,
    workload      TEXT   NOT NULL,
    geo           TEXT   NOT NULL,
    own           TEXT   NOT NULL,
    policy_id     TEXT   NOT NULL,
    generation_id TEXT   NOT NULL,
    keys          BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, workload, geo, own, policy_id, generation_id)
);

-- Containers have had no policies of their own until now.
INSERT INTO container_key_counts (tenant_id, workload, geo, own, policy_id, generation_id, keys)
SELECT tenant_id, workload, geo, '', policy_id, generation_id, COUNT(*) FROM container_keys
GROUP BY tenant_id, workload, geo, policy_id, generation_id;

-- It made each move write in three places, two of them in random order.
DROP INDEX container_keys_by_generation;
