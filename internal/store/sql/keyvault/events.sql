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
WHERE k.tenant_id = $1 AND k.vault = $2 AND k.name = $3 AND k.deleted IS NULL AND a.deleted IS NULL;

-- name: SetNext :exec
UPDATE keyvault_keys SET due = $1 WHERE tenant_id = $2 AND vault = $3 AND name = $4;

-- name: SetTold :exec
UPDATE keyvault_versions SET near_told = $1, expired_told = $2
WHERE tenant_id = $3 AND vault = $4 AND name = $5 AND version = $6;

-- name: ListAging :many
SELECT k.tenant_id, k.vault, k.name, k.due FROM keyvault_keys k
JOIN keyvault_vaults a ON a.tenant_id = k.tenant_id AND a.name = k.vault
WHERE k.due IS NOT NULL AND k.due <= CAST(sqlc.arg(now) AS BIGINT) AND a.deleted IS NULL
    AND (k.due, k.tenant_id, k.vault, k.name) > (CAST(sqlc.arg(after_time) AS BIGINT), CAST(sqlc.arg(after_tenant) AS TEXT),
        CAST(sqlc.arg(after_vault) AS TEXT), CAST(sqlc.arg(after_name) AS TEXT))
ORDER BY k.due, k.tenant_id, k.vault, k.name LIMIT sqlc.arg(most);

-- name: FirstAging :one
SELECT k.due FROM keyvault_keys k
JOIN keyvault_vaults a ON a.tenant_id = k.tenant_id AND a.name = k.vault
WHERE k.due IS NOT NULL AND a.deleted IS NULL ORDER BY k.due LIMIT 1;

-- name: PutHook :one
INSERT INTO keyvault_hooks (tenant_id, vault, name, display, subscription_id, group_name, vault_display, endpoint, sealed,
    schema_name, types, created, updated, reached, attempts, delivered, dropped)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, 0, 0)
ON CONFLICT (tenant_id, vault, name) DO UPDATE SET display = excluded.display, subscription_id = excluded.subscription_id,
    group_name = excluded.group_name, vault_display = excluded.vault_display, endpoint = excluded.endpoint,
    sealed = excluded.sealed, schema_name = excluded.schema_name, types = excluded.types, updated = excluded.updated,
    attempts = 0, due = 0, ends = NULL,
    reached = CASE WHEN keyvault_hooks.ends IS NULL THEN keyvault_hooks.reached ELSE excluded.reached END,
    created = CASE WHEN keyvault_hooks.ends IS NULL THEN keyvault_hooks.created ELSE excluded.created END
RETURNING created, delivered, dropped;

-- name: GetHook :one
SELECT tenant_id, vault, name, display, subscription_id, group_name, vault_display, endpoint, sealed, schema_name, types,
    created, updated, reached, due, attempts, delivered, dropped, ends
FROM keyvault_hooks WHERE tenant_id = $1 AND vault = $2 AND name = $3 AND ends IS NULL;

-- name: ListHooks :many
SELECT tenant_id, vault, name, display, subscription_id, group_name, vault_display, endpoint, sealed, schema_name, types,
    created, updated, reached, due, attempts, delivered, dropped, ends
FROM keyvault_hooks WHERE tenant_id = $1 AND vault = $2 AND ends IS NULL ORDER BY name;

-- name: DeleteHook :execrows
DELETE FROM keyvault_hooks WHERE tenant_id = $1 AND vault = $2 AND name = $3 AND ends IS NULL;

-- name: ListDueHooks :many
SELECT tenant_id, vault, name, display, subscription_id, group_name, vault_display, endpoint, sealed, schema_name, types,
    created, updated, reached, due, attempts, delivered, dropped, ends
FROM keyvault_hooks WHERE due IS NOT NULL AND (due <= CAST(sqlc.arg(now) AS BIGINT) OR due > CAST(sqlc.arg(never) AS BIGINT))
ORDER BY due, tenant_id, vault, name LIMIT sqlc.arg(most);

-- name: ClaimHook :execrows
UPDATE keyvault_hooks SET due = sqlc.arg(until)
WHERE tenant_id = sqlc.arg(tenant_id) AND vault = sqlc.arg(vault) AND name = sqlc.arg(name) AND due = sqlc.arg(was);

-- name: SettleHook :execrows
UPDATE keyvault_hooks SET reached = sqlc.arg(reached), attempts = sqlc.arg(attempts), delivered = sqlc.arg(delivered),
    dropped = sqlc.arg(dropped), due = sqlc.arg(due)
WHERE tenant_id = sqlc.arg(tenant_id) AND vault = sqlc.arg(vault) AND name = sqlc.arg(name) AND updated = sqlc.arg(updated)
    AND due = sqlc.arg(was);

-- name: LastEvent :one
SELECT CAST(COALESCE(MAX(seq), 0) AS BIGINT) AS seq FROM keyvault_events WHERE tenant_id = $1 AND vault = $2;

-- name: RestHook :exec
UPDATE keyvault_hooks SET due = NULL WHERE tenant_id = $1 AND vault = $2 AND name = $3;

-- name: EndHooks :exec
UPDATE keyvault_hooks SET ends = sqlc.arg(seq), due = CASE WHEN due IS NULL THEN 0 ELSE due END
WHERE tenant_id = sqlc.arg(tenant_id) AND vault = sqlc.arg(vault) AND ends IS NULL;

-- name: RemoveEndedHooks :exec
DELETE FROM keyvault_hooks WHERE tenant_id = $1 AND vault = $2 AND reached >= ends;

-- name: CountOlder :one
SELECT COUNT(*) AS events, CAST(COALESCE(MAX(seq), 0) AS BIGINT) AS last FROM keyvault_events
WHERE tenant_id = $1 AND vault = $2 AND seq > $3 AND created < $4;

-- name: OldestEvent :one
SELECT CAST(COALESCE(MIN(created), 0) AS BIGINT) AS created FROM keyvault_events;

-- name: PruneEvents :execrows
DELETE FROM keyvault_events WHERE keyvault_events.created < $1 AND NOT EXISTS (
    SELECT 1 FROM keyvault_hooks h
    WHERE h.tenant_id = keyvault_events.tenant_id AND h.vault = keyvault_events.vault AND h.reached < keyvault_events.seq);
