-- name: GetProgress :one
SELECT CAST(COALESCE(MAX(percent), 0) AS BIGINT) AS percent FROM policy_progress WHERE tenant_id = $1 AND generation_id = $2;

-- name: RaiseProgress :exec
INSERT INTO policy_progress (tenant_id, generation_id, percent) VALUES ($1, $2, $3)
ON CONFLICT (tenant_id, generation_id) DO UPDATE SET percent = excluded.percent
WHERE policy_progress.percent < excluded.percent;
