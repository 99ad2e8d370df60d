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
