-- name: AddKey :exec
INSERT INTO availability_keys (tenant_id, id, policy_id, sealed, created_at, destroyed_at) VALUES ($1, $2, $3, $4, $5, 0);

-- name: GetKey :one
SELECT * FROM availability_keys WHERE tenant_id = $1 AND id = $2;

-- name: DestroyKey :execrows
UPDATE availability_keys SET sealed = sqlc.arg(nothing), destroyed_at = sqlc.arg(destroyed_at)
WHERE tenant_id = sqlc.arg(tenant_id) AND id = sqlc.arg(id) AND destroyed_at = 0;
