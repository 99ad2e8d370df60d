-- name: NextEvent :one
INSERT INTO keyvault_event_heads (tenant_id, seq) VALUES ($1, 1)
ON CONFLICT (tenant_id) DO UPDATE SET seq = keyvault_event_heads.seq + 1 RETURNING seq;

-- name: AddEvent :exec
INSERT INTO keyvault_events (tenant_id, seq, id, type, vault, display, name, version, not_before, expires, created)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: WakeHooks :exec
UPDATE keyvault_hooks SET due = CASE WHEN due IS NULL THEN CAST(sqlc.arg(now) AS BIGINT) ELSE due END
WHERE tenant_id = sqlc.arg(tenant_id) AND vault = sqlc.arg(vault);

-- name: ListEvents :many
SELECT seq, id, type, display, name, version, not_before, expires, created FROM keyvault_events
WHERE tenant_id = $1 AND vault = $2 AND seq > $3 ORDER BY seq LIMIT $4;

-- name: GetLifetime :one
SELECT k.rotation, k.due, v.near_told, v.expired_told, a.display
FROM keyvault_keys k
JOIN keyvault_versions v ON v.tenant_id = k.tenant_id AND v.vault = k.vault AND v.name = k.name AND v.ordinal = k.newest
JOIN keyvault_vaults a ON a.tenant_id = k.tenant_id AND a.name = k.vault
WHERE k.tenant_id = $1 AND k.vault = $2 AND k.name = $3 AND k.deleted IS NULL;

-- name: SetNext :exec
UPDATE keyvault_keys SET due = $1 WHERE tenant_id = $2 AND vault = $3 AND name = $4;

-- name: SetTold :exec
UPDATE keyvault_versions SET near_told = $1, expired_told = $2
WHERE tenant_id = $3 AND vault = $4 AND name = $5 AND version = $6;

-- name: ListAging :many
SELECT tenant_id, vault, name, due FROM keyvault_keys
WHERE due IS NOT NULL AND due <= CAST(sqlc.arg(now) AS BIGINT)
    AND (due, tenant_id, vault, name) > (CAST(sqlc.arg(after_time) AS BIGINT), CAST(sqlc.arg(after_tenant) AS TEXT),
        CAST(sqlc.arg(after_vault) AS TEXT), CAST(sqlc.arg(after_name) AS TEXT))
ORDER BY due, tenant_id, vault, name LIMIT sqlc.arg(most);

-- name: FirstAging :one
SELECT due FROM keyvault_keys WHERE due IS NOT NULL ORDER BY due LIMIT 1;
