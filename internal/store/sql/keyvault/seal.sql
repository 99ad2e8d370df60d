-- name: CountHandles :one
SELECT count(*) FROM keyvault_versions WHERE protector = $1;

-- name: ListSealedHandles :many
SELECT tenant_id, vault, name, ordinal, version, handle FROM keyvault_versions
WHERE protector = sqlc.arg(protector)
    AND (tenant_id, vault, name, ordinal) > (CAST(sqlc.arg(after_tenant) AS TEXT), CAST(sqlc.arg(after_vault) AS TEXT),
        CAST(sqlc.arg(after_name) AS TEXT), CAST(sqlc.arg(after_ordinal) AS BIGINT))
ORDER BY tenant_id, vault, name, ordinal LIMIT sqlc.arg(most);

-- name: SwapHandle :exec
UPDATE keyvault_versions SET handle = sqlc.arg(fresh)
WHERE tenant_id = $1 AND vault = $2 AND name = $3 AND ordinal = $4 AND handle = sqlc.arg(was);

-- name: CountBackupKeys :one
SELECT count(*) FROM keyvault_backup_keys;

-- name: ListBackupKeys :many
SELECT id, sealed FROM keyvault_backup_keys WHERE id > $1 ORDER BY id LIMIT $2;

-- name: SwapBackupKey :exec
UPDATE keyvault_backup_keys SET sealed = sqlc.arg(fresh) WHERE id = $1 AND sealed = sqlc.arg(was);

-- name: CountHooks :one
SELECT count(*) FROM keyvault_hooks;

-- name: ListSealedHooks :many
SELECT tenant_id, vault, name, sealed FROM keyvault_hooks
WHERE (tenant_id, vault, name) > (CAST(sqlc.arg(after_tenant) AS TEXT), CAST(sqlc.arg(after_vault) AS TEXT), CAST(sqlc.arg(after_name) AS TEXT))
ORDER BY tenant_id, vault, name LIMIT sqlc.arg(most);

-- name: SwapHook :exec
UPDATE keyvault_hooks SET sealed = sqlc.arg(fresh)
WHERE tenant_id = $1 AND vault = $2 AND name = $3 AND sealed = sqlc.arg(was);
