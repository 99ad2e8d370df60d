-- name: AddToCount :exec
INSERT INTO container_key_counts (tenant_id, workload, geo, own, policy_id, generation_id, keys)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (tenant_id, workload, geo, own, policy_id, generation_id) DO UPDATE SET keys = container_key_counts.keys + excluded.keys;

-- name: ListCounts :many
SELECT workload, geo, own, policy_id, generation_id, keys FROM container_key_counts
WHERE tenant_id = $1 AND keys <> 0 ORDER BY workload, geo, own, policy_id, generation_id;

-- name: ForgetEmptyCounts :exec
DELETE FROM container_key_counts WHERE tenant_id = $1 AND keys = 0;

-- name: CountKeysUnder :one
SELECT CAST(COALESCE(SUM(keys), 0) AS BIGINT) FROM container_key_counts WHERE tenant_id = $1 AND generation_id = $2;

-- name: CountByGeneration :many
SELECT generation_id, COUNT(*) AS keys FROM container_keys WHERE tenant_id = $1 GROUP BY generation_id;
