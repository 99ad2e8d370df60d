-- name: CountKeys :one
SELECT count(*) FROM availability_keys WHERE destroyed_at = 0;

-- name: ListKeys :many
SELECT tenant_id, id, policy_id, kind, sealed FROM availability_keys
WHERE destroyed_at = 0 AND (tenant_id, id) > (CAST(sqlc.arg(after_tenant) AS TEXT), CAST(sqlc.arg(after_id) AS TEXT))
ORDER BY tenant_id, id LIMIT sqlc.arg(most);

-- name: SwapKey :exec
UPDATE availability_keys SET sealed = sqlc.arg(fresh)
WHERE tenant_id = $1 AND id = $2 AND destroyed_at = 0 AND sealed = sqlc.arg(was);
