-- name: ListContainerKeyVersions :many
SELECT * FROM container_keys WHERE tenant_id = $1 AND container_id = $2 ORDER BY version;

-- name: DeleteContainerKey :execrows
DELETE FROM container_keys WHERE tenant_id = $1 AND container_id = $2 AND version = $3;
