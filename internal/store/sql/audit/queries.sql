-- name: GetHead :one
SELECT size, edge, note FROM audit_heads WHERE tenant_id = $1;

-- name: PutHead :exec
INSERT INTO audit_heads (tenant_id, size, edge, note) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id) DO UPDATE SET size = excluded.size, edge = excluded.edge, note = excluded.note;

-- name: GetHashes :one
SELECT hashes FROM audit_entries WHERE tenant_id = $1 AND idx = $2;

-- name: ListLeaves :many
SELECT idx, leaf FROM audit_entries WHERE tenant_id = $1 AND idx > $2 ORDER BY idx LIMIT $3;
