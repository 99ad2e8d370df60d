-- name: GetContainer :one
SELECT * FROM containers WHERE tenant_id = $1 AND workload = $2 AND name = $3;

-- name: AddContainer :execrows
INSERT INTO containers (tenant_id, workload, name, container_id, owner_id, created_at, secret, secret_version, geo)
VALUES ($1, $2, $3, $4, $5, $6, NULL, 0, $7)
ON CONFLICT (tenant_id, workload, name) DO NOTHING;

-- name: SetSecret :execrows
UPDATE containers SET secret = sqlc.arg(secret), secret_version = sqlc.arg(secret_version)
WHERE tenant_id = sqlc.arg(tenant_id) AND workload = sqlc.arg(workload) AND name = sqlc.arg(name)
  AND secret_version = CAST(sqlc.arg(from_version) AS BIGINT) AND key_floor <= sqlc.arg(secret_version);

-- name: ListContainers :many
SELECT * FROM containers
WHERE tenant_id = sqlc.arg(tenant_id) AND workload = sqlc.arg(workload) AND name > sqlc.arg(after)
ORDER BY name LIMIT CAST(sqlc.arg(most) AS BIGINT);

-- name: ListOwnedContainers :many
SELECT * FROM containers
WHERE tenant_id = sqlc.arg(tenant_id) AND workload = sqlc.arg(workload) AND owner_id = sqlc.arg(owner_id) AND name > sqlc.arg(after)
ORDER BY name LIMIT CAST(sqlc.arg(most) AS BIGINT);

-- name: GetItem :one
SELECT * FROM items WHERE tenant_id = $1 AND container_id = $2 AND item_id = $3;

-- name: ListItems :many
SELECT * FROM items
WHERE tenant_id = sqlc.arg(tenant_id) AND container_id = sqlc.arg(container_id) AND item_id > sqlc.arg(after)
ORDER BY item_id LIMIT CAST(sqlc.arg(most) AS BIGINT);

-- name: PutItem :exec
INSERT INTO items (tenant_id, container_id, item_id, version, blob_id, key_version, item_key, metadata, size, created_at, modified_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (tenant_id, container_id, item_id) DO UPDATE SET
    version = excluded.version, blob_id = excluded.blob_id, key_version = excluded.key_version,
    item_key = excluded.item_key, metadata = excluded.metadata, size = excluded.size,
    created_at = excluded.created_at, modified_at = excluded.modified_at;

-- name: DeleteItem :one
DELETE FROM items WHERE tenant_id = $1 AND container_id = $2 AND item_id = $3
RETURNING blob_id;

-- name: CountBlobUsers :one
SELECT COUNT(*) FROM items WHERE tenant_id = $1 AND blob_id = $2;

-- name: AddIntent :exec
INSERT INTO blob_intents (tenant_id, blob_id, due_at, condemned) VALUES ($1, $2, $3, FALSE)
ON CONFLICT (tenant_id, blob_id) DO UPDATE SET due_at = excluded.due_at;

-- name: ExtendIntent :execrows
UPDATE blob_intents SET due_at = $1 WHERE tenant_id = $2 AND blob_id = $3 AND condemned = FALSE;

-- name: CondemnIntent :execrows
UPDATE blob_intents SET condemned = TRUE WHERE tenant_id = $1 AND blob_id = $2;

-- name: TakeIntent :execrows
DELETE FROM blob_intents WHERE tenant_id = $1 AND blob_id = $2 AND condemned = FALSE;

-- name: DropIntent :exec
DELETE FROM blob_intents WHERE tenant_id = $1 AND blob_id = $2;

-- name: ListIntents :many
SELECT tenant_id, blob_id, due_at FROM blob_intents
WHERE due_at <= sqlc.arg(now)
  AND (due_at, tenant_id, blob_id) > (CAST(sqlc.arg(after_due) AS BIGINT), CAST(sqlc.arg(after_tenant) AS TEXT), CAST(sqlc.arg(after_blob) AS TEXT))
ORDER BY due_at, tenant_id, blob_id LIMIT CAST(sqlc.arg(most) AS BIGINT);
