-- name: CountEnabled :one
SELECT COUNT(*) FROM policies WHERE tenant_id = $1 AND family = $2 AND enabled = TRUE;

-- name: MoveOwns :exec
UPDATE container_assignments SET policy_id = sqlc.arg(to_policy)
WHERE tenant_id = sqlc.arg(tenant_id) AND policy_id = sqlc.arg(from_policy);

-- name: ClearOwns :exec
DELETE FROM container_assignments WHERE tenant_id = $1 AND policy_id = $2;
