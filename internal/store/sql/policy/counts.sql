-- name: ForgetCounts :exec
DELETE FROM container_key_counts WHERE tenant_id = $1;

-- name: CountAnew :exec
INSERT INTO container_key_counts (tenant_id, workload, geo, own, policy_id, generation_id, keys)
SELECT k.tenant_id, k.workload, k.geo, COALESCE(a.policy_id, ''), k.policy_id, k.generation_id, COUNT(*)
FROM container_keys AS k
LEFT JOIN container_assignments AS a ON a.tenant_id = k.tenant_id AND a.container_id = k.container_id
WHERE k.tenant_id = $1 GROUP BY k.tenant_id, k.workload, k.geo, COALESCE(a.policy_id, ''), k.policy_id, k.generation_id;
