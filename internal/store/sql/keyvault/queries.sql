-- name: GetGroup :one
SELECT tenant_id, subscription_id, name, display, location, tags, created FROM keyvault_groups
WHERE tenant_id = $1 AND subscription_id = $2 AND name = $3;

-- name: ListGroups :many
SELECT tenant_id, subscription_id, name, display, location, tags, created FROM keyvault_groups
WHERE tenant_id = $1 AND subscription_id = $2 ORDER BY name;

-- name: AddGroup :execrows
INSERT INTO keyvault_groups (tenant_id, subscription_id, name, display, location, tags, created)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant_id, subscription_id, name) DO NOTHING;

-- name: TagGroup :exec
UPDATE keyvault_groups SET tags = $1 WHERE tenant_id = $2 AND subscription_id = $3 AND name = $4;

-- name: TagSameGroup :execrows
UPDATE keyvault_groups SET tags = $1 WHERE tenant_id = $2 AND subscription_id = $3 AND name = $4 AND created = $5;

-- name: AddName :execrows
INSERT INTO keyvault_names (name, tenant_id) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING;

-- name: AddVault :exec
INSERT INTO keyvault_vaults (tenant_id, name, display, subscription_id, group_name, location, sku,
    retention_days, purge_protection, tags, created, updated, revision, enabled_for, created_by, updated_by, rbac, network)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18);

-- name: SetVault :execrows
UPDATE keyvault_vaults SET sku = $1, purge_protection = $2, tags = $3, updated = $4, enabled_for = $5, updated_by = $6,
    rbac = $7, network = $8, revision = revision + 1
WHERE tenant_id = $9 AND name = $10 AND revision = $11 AND created = $12 AND deleted IS NULL;

-- name: GetVault :one
SELECT v.tenant_id, v.name, v.display, v.subscription_id, v.group_name, v.location, v.sku, v.retention_days,
    v.purge_protection, v.tags, v.created, v.updated, v.revision, v.enabled_for, v.created_by, v.updated_by, v.rbac, v.network,
    v.deleted, v.purge_at, v.purging, s.state, s.feature_state, s.feature_order, s.provider_state, s.provider_order
FROM keyvault_names n
JOIN keyvault_vaults v ON v.tenant_id = n.tenant_id AND v.name = n.name
JOIN keyvault_subscriptions s ON s.tenant_id = v.tenant_id AND s.id = v.subscription_id
WHERE n.name = $1;

-- name: ListVaults :many
SELECT name FROM keyvault_vaults
WHERE tenant_id = $1 AND subscription_id = $2 AND deleted IS NULL AND name > $3 ORDER BY name LIMIT $4;

-- name: ListAccess :many
SELECT object_id, application_id, permissions FROM keyvault_access
WHERE tenant_id = $1 AND vault = $2 ORDER BY position;

-- name: ClearAccess :exec
DELETE FROM keyvault_access WHERE tenant_id = $1 AND vault = $2;

-- name: AddAccess :exec
INSERT INTO keyvault_access (tenant_id, vault, position, object_id, application_id, permissions)
VALUES ($1, $2, $3, $4, $5, $6);

-- name: GetKey :one
SELECT tenant_id, vault, name, display, newest, deleted, purge_at FROM keyvault_keys
WHERE tenant_id = $1 AND vault = $2 AND name = $3;

-- name: AddKey :exec
INSERT INTO keyvault_keys (tenant_id, vault, name, display, newest) VALUES ($1, $2, $3, $4, 1);

-- name: RaiseNewest :exec
UPDATE keyvault_keys SET newest = $1 WHERE tenant_id = $2 AND vault = $3 AND name = $4;

-- name: AddVersion :exec
INSERT INTO keyvault_versions (tenant_id, vault, name, ordinal, version, kty, bits, curve, public_key, protector,
    handle, ops, enabled, not_before, expires, tags, created, updated)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18);

-- name: GetNewest :one
SELECT v.tenant_id, v.vault, v.name, v.ordinal, v.version, v.kty, v.bits, v.curve, v.public_key, v.protector,
    v.handle, v.ops, v.enabled, v.not_before, v.expires, v.tags, v.created, v.updated, k.display, k.deleted, k.purge_at
FROM keyvault_keys k
JOIN keyvault_versions v ON v.tenant_id = k.tenant_id AND v.vault = k.vault AND v.name = k.name AND v.ordinal = k.newest
WHERE k.tenant_id = $1 AND k.vault = $2 AND k.name = $3;

-- name: GetVersion :one
SELECT v.tenant_id, v.vault, v.name, v.ordinal, v.version, v.kty, v.bits, v.curve, v.public_key, v.protector,
    v.handle, v.ops, v.enabled, v.not_before, v.expires, v.tags, v.created, v.updated, k.display, k.deleted, k.purge_at
FROM keyvault_keys k
JOIN keyvault_versions v ON v.tenant_id = k.tenant_id AND v.vault = k.vault AND v.name = k.name
WHERE k.tenant_id = $1 AND k.vault = $2 AND k.name = $3 AND v.version = $4;

-- name: ListLive :many
SELECT v.ordinal, v.version, v.kty, v.protector, v.bits, v.curve, v.ops, v.enabled, v.not_before, v.expires, v.tags, v.created,
    v.updated, k.display, k.deleted, k.purge_at
FROM keyvault_keys k
JOIN keyvault_versions v ON v.tenant_id = k.tenant_id AND v.vault = k.vault AND v.name = k.name AND v.ordinal = k.newest
WHERE k.tenant_id = $1 AND k.vault = $2 AND k.deleted IS NULL AND k.name > $3 ORDER BY k.name LIMIT $4;

-- name: ListDeleted :many
SELECT v.ordinal, v.version, v.kty, v.protector, v.bits, v.curve, v.ops, v.enabled, v.not_before, v.expires, v.tags, v.created,
    v.updated, k.display, k.deleted, k.purge_at
FROM keyvault_keys k
JOIN keyvault_versions v ON v.tenant_id = k.tenant_id AND v.vault = k.vault AND v.name = k.name AND v.ordinal = k.newest
WHERE k.tenant_id = $1 AND k.vault = $2 AND k.deleted IS NOT NULL AND k.name > $3 ORDER BY k.name LIMIT $4;

-- name: ListVersions :many
SELECT v.ordinal, v.version, v.kty, v.protector, v.bits, v.curve, v.ops, v.enabled, v.not_before, v.expires, v.tags, v.created,
    v.updated, k.display, k.deleted, k.purge_at
FROM keyvault_keys k
JOIN keyvault_versions v ON v.tenant_id = k.tenant_id AND v.vault = k.vault AND v.name = k.name
WHERE k.tenant_id = $1 AND k.vault = $2 AND k.name = $3 AND k.deleted IS NULL AND v.ordinal > $4 ORDER BY v.ordinal LIMIT $5;

-- name: SetVersion :execrows
UPDATE keyvault_versions SET ops = $1, enabled = $2, not_before = $3, expires = $4, tags = $5, updated = $6
WHERE tenant_id = $7 AND vault = $8 AND name = $9 AND version = $10 AND updated = sqlc.arg(was);

-- name: DeleteKey :execrows
UPDATE keyvault_keys SET deleted = $1, purge_at = $2, due = NULL
WHERE tenant_id = $3 AND vault = $4 AND name = $5 AND deleted IS NULL;

-- name: RecoverKey :execrows
UPDATE keyvault_keys SET deleted = NULL, purge_at = NULL
WHERE tenant_id = $1 AND vault = $2 AND name = $3 AND deleted IS NOT NULL;

-- name: RemoveKey :execrows
DELETE FROM keyvault_keys WHERE tenant_id = $1 AND vault = $2 AND name = $3 AND deleted = $4;

-- name: ListHandles :many
SELECT version, protector, handle FROM keyvault_versions WHERE tenant_id = $1 AND vault = $2 AND name = $3;

-- name: OverwriteHandle :exec
UPDATE keyvault_versions SET handle = $1 WHERE tenant_id = $2 AND vault = $3 AND name = $4 AND version = $5;

-- name: RemoveVersions :exec
DELETE FROM keyvault_versions WHERE tenant_id = $1 AND vault = $2 AND name = $3;

-- name: ListDue :many
SELECT tenant_id, vault, name, deleted, purge_at FROM keyvault_keys
WHERE deleted IS NOT NULL AND purge_at <= CAST(sqlc.arg(now) AS BIGINT)
    AND (purge_at, tenant_id, vault, name) > (CAST(sqlc.arg(after_time) AS BIGINT), CAST(sqlc.arg(after_tenant) AS TEXT),
        CAST(sqlc.arg(after_vault) AS TEXT), CAST(sqlc.arg(after_name) AS TEXT))
ORDER BY purge_at, tenant_id, vault, name LIMIT sqlc.arg(most);

-- name: SetRotation :execrows
UPDATE keyvault_keys SET rotation = $1
WHERE tenant_id = $2 AND vault = $3 AND name = $4 AND deleted IS NULL AND rotation = sqlc.arg(was);

-- name: GetRotation :one
SELECT rotation FROM keyvault_keys WHERE tenant_id = $1 AND vault = $2 AND name = $3 AND deleted IS NULL;

-- name: ListWhole :many
SELECT v.tenant_id, v.vault, v.name, v.ordinal, v.version, v.kty, v.bits, v.curve, v.public_key, v.protector,
    v.handle, v.ops, v.enabled, v.not_before, v.expires, v.tags, v.created, v.updated, k.display, k.deleted, k.purge_at
FROM keyvault_keys k
JOIN keyvault_versions v ON v.tenant_id = k.tenant_id AND v.vault = k.vault AND v.name = k.name
WHERE k.tenant_id = $1 AND k.vault = $2 AND k.name = $3 AND k.deleted IS NULL ORDER BY v.ordinal LIMIT $4;

-- name: RestoreKey :execrows
INSERT INTO keyvault_keys (tenant_id, vault, name, display, newest, rotation) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (tenant_id, vault, name) DO NOTHING;

-- name: AddBackupKey :exec
INSERT INTO keyvault_backup_keys (id, created, sealed) VALUES ($1, $2, $3);

-- name: GetBackupKey :one
SELECT id, created, sealed FROM keyvault_backup_keys WHERE id = $1;

-- name: NewestBackupKey :one
SELECT id, created, sealed FROM keyvault_backup_keys ORDER BY created DESC, id LIMIT 1;
