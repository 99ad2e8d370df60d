-- name: GetRole :one
SELECT tenant_id, subscription_id, id, group_name, vault, key_name, scope, role_id, principal_id, principal_type, description,
    created, created_by
FROM keyvault_roles WHERE tenant_id = $1 AND subscription_id = $2 AND id = $3;

-- name: ListRoles :many
SELECT tenant_id, subscription_id, id, group_name, vault, key_name, scope, role_id, principal_id, principal_type, description,
    created, created_by
FROM keyvault_roles WHERE tenant_id = $1 AND subscription_id = $2 ORDER BY id LIMIT $3;

-- name: ListRolesOf :many
SELECT tenant_id, subscription_id, id, group_name, vault, key_name, scope, role_id, principal_id, principal_type, description,
    created, created_by
FROM keyvault_roles WHERE tenant_id = $1 AND principal_id = $2 AND subscription_id = $3 ORDER BY id;

-- Whatever has no vault has no key, and so on: each row that is found covers the scope.
-- name: ListRolesAt :many
SELECT tenant_id, subscription_id, id, group_name, vault, key_name, scope, role_id, principal_id, principal_type, description,
    created, created_by
FROM keyvault_roles
WHERE tenant_id = $1 AND principal_id = $2 AND subscription_id = $3 AND group_name IN ('', $4) AND vault IN ('', $5)
    AND key_name IN ('', $6)
ORDER BY id;

-- name: ListRoleSubscriptions :many
SELECT DISTINCT subscription_id FROM keyvault_roles WHERE tenant_id = $1 AND principal_id = $2;

-- name: CountRoles :one
SELECT COUNT(*) FROM keyvault_roles WHERE tenant_id = $1 AND subscription_id = $2;

-- name: AddRole :execrows
INSERT INTO keyvault_roles (tenant_id, subscription_id, id, group_name, vault, key_name, scope, role_id, principal_id,
    principal_type, description, created, created_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING;

-- name: DescribeRole :execrows
UPDATE keyvault_roles SET description = $1 WHERE tenant_id = $2 AND subscription_id = $3 AND id = $4;

-- name: RemoveRole :execrows
DELETE FROM keyvault_roles WHERE tenant_id = $1 AND subscription_id = $2 AND id = $3;

-- name: ClearVaultRoles :exec
DELETE FROM keyvault_roles WHERE tenant_id = $1 AND vault = $2;

-- name: ClearGroupRoles :exec
DELETE FROM keyvault_roles WHERE tenant_id = $1 AND subscription_id = $2 AND group_name = $3 AND vault = '';

-- name: ListVaultRefs :many
SELECT name, display, group_name, rbac FROM keyvault_vaults
WHERE tenant_id = $1 AND subscription_id = $2 AND deleted IS NULL AND name > $3 ORDER BY name LIMIT $4;
