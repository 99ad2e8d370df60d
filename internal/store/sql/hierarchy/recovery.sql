-- name: GetRecovery :one
SELECT * FROM recoveries WHERE tenant_id = $1 AND policy_id = $2;

-- name: StartRecovery :execrows
INSERT INTO recoveries (tenant_id, policy_id, request_id, roots_only, started_at, until_at, span, spent, seen_at, ended_at, why)
VALUES (sqlc.arg(tenant_id), sqlc.arg(policy_id), sqlc.arg(request_id), sqlc.arg(roots_only), sqlc.arg(started_at), sqlc.arg(until_at), sqlc.arg(span), 0, sqlc.arg(started_at), 0, '')
ON CONFLICT (tenant_id, policy_id) DO UPDATE SET request_id = excluded.request_id, roots_only = excluded.roots_only, started_at = excluded.started_at,
    until_at = excluded.until_at, span = excluded.span, spent = 0, seen_at = excluded.seen_at, ended_at = 0, why = ''
WHERE recoveries.request_id <> excluded.request_id;

-- name: ListOpenRecoveries :many
SELECT * FROM recoveries WHERE ended_at = 0 AND (tenant_id > $1 OR tenant_id = $1 AND policy_id > $2)
ORDER BY tenant_id, policy_id LIMIT $3;

-- name: SeeRecovery :execrows
UPDATE recoveries SET spent = sqlc.arg(spent), seen_at = sqlc.arg(seen_at), until_at = sqlc.arg(until_at)
WHERE tenant_id = sqlc.arg(tenant_id) AND policy_id = sqlc.arg(policy_id) AND request_id = sqlc.arg(request_id)
    AND spent = sqlc.arg(was) AND ended_at = 0;

-- name: EndRecovery :execrows
UPDATE recoveries SET ended_at = $1, why = $2
WHERE tenant_id = $3 AND policy_id = $4 AND request_id = $5 AND ended_at = 0;
