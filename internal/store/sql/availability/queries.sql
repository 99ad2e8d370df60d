-- name: AddKey :exec
INSERT INTO availability_keys (tenant_id, id, policy_id, kind, number, sealed, created_at, superseded_at, destroyed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0);

-- name: GetKey :one
SELECT * FROM availability_keys WHERE (tenant_id = $1 OR tenant_id = '') AND id = $2;

-- name: NewestKey :one
SELECT * FROM availability_keys WHERE tenant_id = $1 AND kind = $2 AND policy_id = $3
ORDER BY number DESC LIMIT 1;

-- name: SupersedeKeys :exec
UPDATE availability_keys SET superseded_at = $1
WHERE tenant_id = $2 AND kind = $3 AND policy_id = $4 AND superseded_at = 0;

-- name: DestroyKey :execrows
UPDATE availability_keys SET sealed = sqlc.arg(nothing), destroyed_at = sqlc.arg(destroyed_at)
WHERE tenant_id = sqlc.arg(tenant_id) AND id = sqlc.arg(id) AND destroyed_at = 0;

-- name: ListOldKeys :many
SELECT * FROM availability_keys WHERE destroyed_at = 0 AND superseded_at = 0 AND created_at < sqlc.arg(before)
AND (created_at, tenant_id, id) > (CAST(sqlc.arg(after_created) AS BIGINT), CAST(sqlc.arg(after_tenant) AS TEXT), CAST(sqlc.arg(after_id) AS TEXT))
ORDER BY created_at, tenant_id, id LIMIT sqlc.arg(most);

-- name: ListSupersededKeys :many
SELECT * FROM availability_keys
WHERE destroyed_at = 0 AND superseded_at > 0
AND (tenant_id, id) > (CAST(sqlc.arg(after_tenant) AS TEXT), CAST(sqlc.arg(after_id) AS TEXT))
ORDER BY tenant_id, id LIMIT sqlc.arg(most);

-- name: AskRenewal :exec
INSERT INTO availability_renewals (scope, made_before) VALUES ('all', $1)
ON CONFLICT (scope) DO UPDATE SET made_before = excluded.made_before
WHERE excluded.made_before > availability_renewals.made_before;

-- name: GetRenewal :one
SELECT made_before FROM availability_renewals WHERE scope = 'all';
