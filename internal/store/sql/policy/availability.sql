-- name: ListKeyTenants :many
SELECT DISTINCT tenant_id FROM policies WHERE availability_key = $1 AND tenant_id > $2 ORDER BY tenant_id LIMIT $3;

-- name: ListNamedKeys :many
SELECT DISTINCT availability_key, tenant_id FROM policies
WHERE state <> 'Purged' AND (availability_key, tenant_id) > (CAST(sqlc.arg(after_key) AS TEXT), CAST(sqlc.arg(after_tenant) AS TEXT))
ORDER BY availability_key, tenant_id LIMIT CAST(sqlc.arg(most) AS BIGINT);

-- name: CountKeyPolicies :one
SELECT COUNT(*) FROM policies WHERE availability_key = $1;

-- name: CountKeyGenerations :one
SELECT COUNT(*) FROM generations WHERE availability_key = $1 AND state <> 'destroyed';

-- name: LastKeyGeneration :one
SELECT COUNT(*) AS known, CAST(COALESCE(MAX(destroyed_at), 0) AS BIGINT) AS last FROM generations WHERE availability_key = $1;

-- name: CountKeyPurged :one
SELECT COUNT(*) FROM policies WHERE availability_key = $1 AND id <> $2 AND state = 'Purged';

-- name: CountKeyClosed :one
SELECT COUNT(*) FROM generations WHERE availability_key = $1 AND policy_id <> $2 AND state = 'closed';
