-- name: GetApp :one
SELECT tenant_id, id, display_name, redirects, created FROM directory_apps WHERE tenant_id = $1 AND id = $2;

-- name: SetRedirects :execrows
UPDATE directory_apps SET redirects = $1 WHERE tenant_id = $2 AND id = $3;

-- name: CountAppSecrets :one
SELECT COUNT(*) FROM directory_app_secrets WHERE tenant_id = $1 AND app_id = $2;

-- name: DeleteAppSecret :execrows
DELETE FROM directory_app_secrets WHERE tenant_id = $1 AND app_id = $2 AND id = $3;

-- name: AddCertificate :exec
INSERT INTO directory_app_certificates (tenant_id, app_id, id, name, certificate, created, expires)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: CountCertificates :one
SELECT COUNT(*) FROM directory_app_certificates WHERE tenant_id = $1 AND app_id = $2;

-- name: ListCertificates :many
SELECT id, name, certificate, created, expires FROM directory_app_certificates
WHERE tenant_id = $1 AND app_id = $2 ORDER BY created, id;

-- name: DeleteCertificate :execrows
DELETE FROM directory_app_certificates WHERE tenant_id = $1 AND app_id = $2 AND id = $3;

-- name: AddAssertion :exec
INSERT INTO directory_assertions (tenant_id, app_id, hash, expires) VALUES ($1, $2, $3, $4);

-- name: NoteForgotten :exec
INSERT INTO directory_forgotten_assertions (tenant_id, app_id, until)
SELECT a.tenant_id, a.app_id, MAX(a.expires) FROM directory_assertions a
WHERE a.tenant_id = $1 AND a.app_id = $2 AND a.expires < $3 GROUP BY a.tenant_id, a.app_id
ON CONFLICT (tenant_id, app_id) DO UPDATE SET until = excluded.until WHERE directory_forgotten_assertions.until < excluded.until;

-- name: DeleteExpiredAssertions :exec
DELETE FROM directory_assertions WHERE tenant_id = $1 AND app_id = $2 AND expires < $3;

-- name: ForgottenUntil :one
SELECT until FROM directory_forgotten_assertions WHERE tenant_id = $1 AND app_id = $2;

-- name: AddAuthCode :exec
INSERT INTO directory_auth_codes (tenant_id, hash, client, redirect, challenge, scope, nonce, person, epoch, grant_id, created, expires)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', $10, $11);

-- name: GetAuthCode :one
SELECT tenant_id, hash, client, redirect, challenge, scope, nonce, person, epoch, grant_id, created, expires
FROM directory_auth_codes WHERE tenant_id = $1 AND hash = $2;

-- name: RedeemAuthCode :execrows
UPDATE directory_auth_codes SET grant_id = $1 WHERE tenant_id = $2 AND hash = $3 AND grant_id = '';

-- name: DeleteExpiredAuthCodes :exec
DELETE FROM directory_auth_codes WHERE tenant_id = $1 AND expires < $2;

-- name: CountPeople :one
SELECT COUNT(*) FROM directory_people WHERE tenant_id = $1;

-- name: SetIssuerKeyState :execrows
UPDATE directory_issuer_keys SET state = $1, since = $2 WHERE id = $3 AND state = $4;

-- name: DeleteIssuerKey :execrows
DELETE FROM directory_issuer_keys WHERE id = $1;
