-- Vaults from deletion to destruction.

-- name: NameHolder :one
SELECT tenant_id FROM keyvault_names WHERE name = $1;

-- name: LiveVault :one
SELECT created FROM keyvault_vaults WHERE tenant_id = $1 AND name = $2 AND deleted IS NULL;

-- name: ListDeletedVaults :many
SELECT name FROM keyvault_vaults
WHERE tenant_id = $1 AND subscription_id = $2 AND deleted IS NOT NULL AND NOT purging AND name > $3 ORDER BY name LIMIT $4;

-- name: DeleteVault :execrows
UPDATE keyvault_vaults SET deleted = $1, purge_at = $2, revision = revision + 1
WHERE tenant_id = $3 AND name = $4 AND created = $5 AND deleted IS NULL;

-- name: RecoverVault :execrows
UPDATE keyvault_vaults SET deleted = NULL, purge_at = NULL, revision = revision + 1
WHERE tenant_id = $1 AND name = $2 AND deleted = $3 AND NOT purging;

-- name: CondemnVault :execrows
UPDATE keyvault_vaults SET purging = TRUE, purge_at = 0, revision = revision + 1
WHERE tenant_id = $1 AND name = $2 AND deleted = $3 AND NOT purging;

-- name: CondemnedVault :one
SELECT name FROM keyvault_vaults WHERE tenant_id = $1 AND name = $2 AND purging;

-- name: ListKeyNames :many
SELECT name FROM keyvault_keys WHERE tenant_id = $1 AND vault = $2 ORDER BY name LIMIT $3;

-- name: DropKey :exec
DELETE FROM keyvault_keys WHERE tenant_id = $1 AND vault = $2 AND name = $3;

-- name: RemoveVault :execrows
DELETE FROM keyvault_vaults WHERE tenant_id = $1 AND name = $2 AND purging;

-- name: RemoveName :exec
DELETE FROM keyvault_names WHERE name = $1 AND tenant_id = $2;

-- name: ListDueVaults :many
SELECT tenant_id, name, deleted, purge_at, purging FROM keyvault_vaults
WHERE deleted IS NOT NULL AND purge_at <= CAST(sqlc.arg(now) AS BIGINT)
    AND (purge_at, tenant_id, name) > (CAST(sqlc.arg(after_time) AS BIGINT), CAST(sqlc.arg(after_tenant) AS TEXT),
        CAST(sqlc.arg(after_name) AS TEXT))
ORDER BY purge_at, tenant_id, name LIMIT sqlc.arg(most);

-- Groups.

-- name: ListUsedGroups :many
SELECT DISTINCT group_name FROM keyvault_vaults WHERE tenant_id = $1 AND subscription_id = $2 AND deleted IS NULL;

-- name: RemoveGroup :execrows
DELETE FROM keyvault_groups WHERE tenant_id = $1 AND subscription_id = $2 AND name = $3;

-- Subscriptions and their registrations.

-- name: GetSubscription :one
SELECT tenant_id, id, display_name, owner_id, created, state, state_since, feature_state, feature_since, feature_order,
    feature_asked_by, feature_asked_name, feature_asked_at, provider_state, provider_since, provider_order, revision
FROM keyvault_subscriptions WHERE tenant_id = $1 AND id = $2;

-- name: ListSubscriptions :many
SELECT tenant_id, id, display_name, owner_id, created, state, state_since, feature_state, feature_since, feature_order,
    feature_asked_by, feature_asked_name, feature_asked_at, provider_state, provider_since, provider_order, revision
FROM keyvault_subscriptions WHERE tenant_id = $1 ORDER BY id;

-- name: ListWaiting :many
SELECT tenant_id, id, display_name, owner_id, created, state, state_since, feature_state, feature_since, feature_order,
    feature_asked_by, feature_asked_name, feature_asked_at, provider_state, provider_since, provider_order, revision
FROM keyvault_subscriptions
WHERE feature_state IN ('Pending', 'Unregistering') AND (tenant_id, id) > (CAST(sqlc.arg(after_tenant) AS TEXT), CAST(sqlc.arg(after_id) AS TEXT))
ORDER BY tenant_id, id LIMIT sqlc.arg(most);

-- name: AddSubscription :execrows
INSERT INTO keyvault_subscriptions (tenant_id, id, display_name, owner_id, created, state_since, provider_since, provider_order)
VALUES ($1, $2, $3, $4, $5, $5, $5, 1) ON CONFLICT DO NOTHING;

-- name: PutSubscription :exec
INSERT INTO keyvault_subscriptions (tenant_id, id, display_name, owner_id, created, state_since, provider_since, provider_order)
VALUES ($1, $2, $3, $4, $5, $5, $5, 1)
ON CONFLICT (tenant_id, id) DO UPDATE SET display_name = excluded.display_name, owner_id = excluded.owner_id,
    revision = keyvault_subscriptions.revision + 1;

-- name: SetSubscription :execrows
UPDATE keyvault_subscriptions SET display_name = $1, state = $2, state_since = $3, feature_state = $4, feature_since = $5,
    feature_order = $6, feature_asked_by = $7, feature_asked_name = $8, feature_asked_at = $9, provider_state = $10,
    provider_since = $11, provider_order = $12, revision = revision + 1
WHERE tenant_id = $13 AND id = $14 AND revision = $15;

-- name: ListCancelled :many
SELECT tenant_id, id, display_name, owner_id, created, state, state_since, feature_state, feature_since, feature_order,
    feature_asked_by, feature_asked_name, feature_asked_at, provider_state, provider_since, provider_order, revision
FROM keyvault_subscriptions
WHERE state = 'Disabled' AND state_since <= CAST(sqlc.arg(before) AS BIGINT)
    AND (tenant_id, id) > (CAST(sqlc.arg(after_tenant) AS TEXT), CAST(sqlc.arg(after_id) AS TEXT))
ORDER BY tenant_id, id LIMIT sqlc.arg(most);
