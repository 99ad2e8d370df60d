-- name: AddGeneration :execrows
INSERT INTO generations (
    tenant_id, id, policy_id, number, state,
    root1_tenant, root1_app, root1_uri, root1_kid, root1_alg, root1_wrapped,
    root2_tenant, root2_app, root2_uri, root2_kid, root2_alg, root2_wrapped,
    availability_key, availability_wrapped, commitment, created_at, destroyed_at, unwrapping
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, 0, $22)
ON CONFLICT DO NOTHING;

-- name: DrainGenerations :exec
UPDATE generations SET state = 'draining' WHERE tenant_id = $1 AND policy_id = $2 AND state = 'active';

-- name: GetGeneration :one
SELECT * FROM generations WHERE tenant_id = $1 AND id = $2;

-- name: ListGenerations :many
SELECT * FROM generations WHERE tenant_id = $1 AND policy_id = $2 ORDER BY number;

-- name: DestroyGeneration :execrows
UPDATE generations
SET state = 'destroyed', root1_wrapped = sqlc.arg(nothing), root2_wrapped = sqlc.arg(nothing),
    availability_wrapped = sqlc.arg(nothing), commitment = sqlc.arg(nothing), destroyed_at = sqlc.arg(destroyed_at)
WHERE tenant_id = sqlc.arg(tenant_id) AND id = sqlc.arg(id) AND state = 'draining';

-- name: AddContainerKey :execrows
INSERT INTO container_keys (tenant_id, container_id, version, workload, policy_id, generation_id, wrapped, created_at, geo)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT DO NOTHING;

-- name: GetContainerKey :one
SELECT * FROM container_keys WHERE tenant_id = $1 AND container_id = $2 AND version = $3;

-- name: GetNewestContainerKey :one
SELECT * FROM container_keys WHERE tenant_id = $1 AND container_id = $2 ORDER BY version DESC LIMIT 1;

-- name: MoveContainerKey :execrows
UPDATE container_keys
SET wrapped = sqlc.arg(wrapped), policy_id = sqlc.arg(policy_id), generation_id = sqlc.arg(generation_id)
WHERE tenant_id = sqlc.arg(tenant_id) AND container_id = sqlc.arg(container_id) AND version = sqlc.arg(version)
AND generation_id = sqlc.arg(from_generation);

-- name: CountActive :one
SELECT COUNT(*) FROM generations WHERE tenant_id = $1 AND policy_id = $2 AND id = $3 AND state = 'active';

-- name: ListContainerKeys :many
SELECT * FROM container_keys
WHERE tenant_id = sqlc.arg(tenant_id)
AND (container_id, version) > (CAST(sqlc.arg(after_container) AS TEXT), CAST(sqlc.arg(after_version) AS BIGINT))
ORDER BY container_id, version LIMIT sqlc.arg(page);
