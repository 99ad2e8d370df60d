-- name: AddTenant :exec
INSERT INTO directory_tenants (tenant_id, name, domain, created) VALUES ($1, $2, $3, $4);

-- name: GetTenant :one
SELECT tenant_id, name, domain, created FROM directory_tenants WHERE tenant_id = $1;

-- name: GetTenantByDomain :one
SELECT tenant_id, name, domain, created FROM directory_tenants WHERE domain = $1;

-- name: ListTenants :many
SELECT tenant_id, name, domain, created FROM directory_tenants WHERE tenant_id > $1 ORDER BY tenant_id LIMIT $2;

-- name: AddPerson :exec
INSERT INTO directory_people (tenant_id, id, upn, display_name, roles, disabled, must_change, password, epoch, created, licences)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: GetPerson :one
SELECT tenant_id, id, upn, display_name, roles, disabled, must_change, password, epoch, created, licences
FROM directory_people WHERE tenant_id = $1 AND id = $2;

-- name: GetPersonByUPN :one
SELECT tenant_id, id, upn, display_name, roles, disabled, must_change, password, epoch, created, licences
FROM directory_people WHERE tenant_id = $1 AND upn = $2;

-- name: SetPassword :execrows
UPDATE directory_people SET password = $1, must_change = $2, epoch = epoch + 1
WHERE tenant_id = $3 AND id = $4 AND epoch = $5;

-- name: SetDisabled :execrows
UPDATE directory_people SET disabled = $1, epoch = epoch + 1 WHERE tenant_id = $2 AND id = $3;

-- name: AddApp :exec
INSERT INTO directory_apps (tenant_id, id, display_name, created) VALUES ($1, $2, $3, $4);

-- name: AddAppSecret :exec
INSERT INTO directory_app_secrets (tenant_id, app_id, id, name, hash, created, expires) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: ListAppSecrets :many
SELECT id, name, hash, created, expires FROM directory_app_secrets WHERE tenant_id = $1 AND app_id = $2 ORDER BY created, id;

-- name: AddPrincipal :exec
INSERT INTO directory_principals (tenant_id, id, app_id, home, display_name, roles, disabled, created)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: GetPrincipal :one
SELECT tenant_id, id, app_id, home, display_name, roles, disabled, created
FROM directory_principals WHERE tenant_id = $1 AND id = $2;

-- name: GetPrincipalByApp :one
SELECT tenant_id, id, app_id, home, display_name, roles, disabled, created
FROM directory_principals WHERE tenant_id = $1 AND app_id = $2;

-- name: AddIssuerKey :exec
INSERT INTO directory_issuer_keys (id, state, sealed, created, since) VALUES ($1, $2, $3, $4, $5);

-- name: ListIssuerKeys :many
SELECT id, state, sealed, created, since FROM directory_issuer_keys ORDER BY created, id;

-- name: DeleteExpiredDevices :exec
DELETE FROM directory_device_codes WHERE expires < $1;

-- name: CountDevices :one
SELECT COUNT(*) FROM directory_device_codes;

-- name: AddDevice :exec
INSERT INTO directory_device_codes (hash, user_hash, authority, client, scope, state, tenant_id, person, epoch, polled, created, expires)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: GetDevice :one
SELECT hash, user_hash, authority, client, scope, state, tenant_id, person, epoch, polled, created, expires
FROM directory_device_codes WHERE hash = $1;

-- name: GetDeviceByUserCode :one
SELECT hash, user_hash, authority, client, scope, state, tenant_id, person, epoch, polled, created, expires
FROM directory_device_codes WHERE user_hash = $1;

-- name: SetDevicePolled :exec
UPDATE directory_device_codes SET polled = $1 WHERE hash = $2;

-- name: ApproveDevice :execrows
UPDATE directory_device_codes SET state = 'approved', tenant_id = $1, person = $2, epoch = $3
WHERE hash = $4 AND state = 'pending';

-- name: RedeemDevice :execrows
UPDATE directory_device_codes SET state = 'redeemed' WHERE hash = $1 AND state = 'approved';

-- name: AddGrant :exec
INSERT INTO directory_grants (tenant_id, id, person, client, scope, epoch, created, expires)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: ExtendGrant :execrows
UPDATE directory_grants SET expires = $1 WHERE tenant_id = $2 AND id = $3;

-- name: DeleteGrant :exec
DELETE FROM directory_grants WHERE tenant_id = $1 AND id = $2;

-- name: DeleteGrantsOf :exec
DELETE FROM directory_grants WHERE tenant_id = $1 AND person = $2 AND expires < $3;

-- name: AddRefreshToken :exec
INSERT INTO directory_refresh_tokens (tenant_id, hash, grant_id, expires, used) VALUES ($1, $2, $3, $4, $5);

-- name: GetRefreshToken :one
SELECT t.hash, t.expires AS token_expires, t.used, g.tenant_id, g.id, g.person, g.client, g.scope, g.epoch, g.created, g.expires
FROM directory_refresh_tokens t JOIN directory_grants g ON g.tenant_id = t.tenant_id AND g.id = t.grant_id
WHERE t.tenant_id = $1 AND t.hash = $2;

-- name: UseRefreshToken :exec
UPDATE directory_refresh_tokens SET used = $1 WHERE tenant_id = $2 AND hash = $3 AND used = 0;

-- name: DeleteRefreshTokens :exec
DELETE FROM directory_refresh_tokens WHERE tenant_id = $1 AND grant_id = $2;

-- name: DeleteRefreshTokensOf :exec
DELETE FROM directory_refresh_tokens WHERE directory_refresh_tokens.tenant_id = $1 AND grant_id IN (
    SELECT g.id FROM directory_grants g WHERE g.tenant_id = $1 AND g.person = $2 AND g.expires < $3);

-- name: DeleteExpiredRefreshTokens :exec
DELETE FROM directory_refresh_tokens WHERE tenant_id = $1 AND grant_id = $2 AND expires < $3;
