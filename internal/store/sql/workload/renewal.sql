-- name: GetContainerByID :one
SELECT * FROM containers WHERE tenant_id = $1 AND container_id = $2;

-- name: RaiseFloor :exec
UPDATE containers SET key_floor = sqlc.arg(floor)
WHERE tenant_id = sqlc.arg(tenant_id) AND container_id = sqlc.arg(container_id) AND key_floor < sqlc.arg(floor);

-- name: GetFloor :one
SELECT key_floor FROM containers WHERE tenant_id = $1 AND container_id = $2;

-- name: ListItemsBelow :many
SELECT * FROM items
WHERE tenant_id = sqlc.arg(tenant_id) AND container_id = sqlc.arg(container_id) AND item_id > sqlc.arg(after)
  AND key_version < sqlc.arg(floor)
ORDER BY item_id LIMIT CAST(sqlc.arg(most) AS BIGINT);

-- name: CountItems :one
SELECT COUNT(*) AS items, CAST(COALESCE(SUM(size), 0) AS BIGINT) AS bytes,
    CAST(COALESCE(SUM(CASE WHEN size < CAST(sqlc.arg(least) AS BIGINT) THEN CAST(sqlc.arg(least) AS BIGINT) ELSE size END), 0) AS BIGINT) AS weight
FROM items WHERE tenant_id = sqlc.arg(tenant_id) AND container_id = sqlc.arg(container_id);

-- name: CountItemsBelow :one
SELECT COUNT(*) FROM items WHERE tenant_id = $1 AND container_id = $2 AND key_version < $3;

-- name: CountSecretBelow :one
SELECT COUNT(*) FROM containers WHERE tenant_id = $1 AND container_id = $2 AND secret_version > 0 AND secret_version < $3;

-- name: ReplaceSealed :execrows
UPDATE items SET blob_id = sqlc.arg(blob_id), key_version = sqlc.arg(key_version), item_key = sqlc.arg(item_key), metadata = sqlc.arg(metadata)
WHERE tenant_id = sqlc.arg(tenant_id) AND container_id = sqlc.arg(container_id) AND item_id = sqlc.arg(item_id)
  AND version = sqlc.arg(version) AND blob_id = sqlc.arg(from_blob);

-- name: ListContainersByID :many
SELECT * FROM containers WHERE tenant_id = sqlc.arg(tenant_id) AND container_id > sqlc.arg(after)
ORDER BY container_id LIMIT CAST(sqlc.arg(most) AS BIGINT);
