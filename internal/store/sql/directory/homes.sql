-- name: GetAppHome :one
SELECT tenant_id FROM directory_apps WHERE id = $1;
