-- name: WatchRoot :exec
INSERT INTO health_roots (tenant_id, app, uri, state, since_at, reason, message, hint, key_id, checks, misses, checked_at, looked_at, due_at, revision)
VALUES ($1, $2, $3, $4, $5, '', '', '', '', '[]', 0, 0, 0, 0, 1)
ON CONFLICT DO NOTHING;

-- name: HastenRoot :execrows
UPDATE health_roots SET due_at = sqlc.arg(due), revision = revision + 1
WHERE tenant_id = sqlc.arg(tenant_id) AND app = sqlc.arg(app) AND uri = sqlc.arg(uri);

-- name: GetRoot :one
SELECT * FROM health_roots WHERE tenant_id = $1 AND app = $2 AND uri = $3;

-- name: ListRoots :many
SELECT * FROM health_roots WHERE tenant_id = $1 ORDER BY app, uri;

-- name: ListDueRoots :many
SELECT * FROM health_roots WHERE due_at <= $1 ORDER BY due_at, tenant_id, app, uri LIMIT $2;

-- name: ListStrayRoots :many
SELECT * FROM health_roots WHERE due_at > $1 ORDER BY due_at, tenant_id, app, uri LIMIT $2;

-- name: ClaimRoot :execrows
UPDATE health_roots SET due_at = sqlc.arg(until)
WHERE tenant_id = sqlc.arg(tenant_id) AND app = sqlc.arg(app) AND uri = sqlc.arg(uri) AND due_at = sqlc.arg(was) AND revision = sqlc.arg(revision);

-- name: NextDueRoot :one
SELECT CAST(COALESCE(MIN(due_at), -1) AS BIGINT) AS due_at FROM health_roots;

-- name: PutRoot :execrows
UPDATE health_roots SET state = $1, since_at = $2, reason = $3, message = $4, hint = $5, key_id = $6, checks = $7, misses = $8,
    checked_at = $9, looked_at = $10, due_at = $11, revision = revision + 1
WHERE tenant_id = $12 AND app = $13 AND uri = $14 AND revision = $15;

-- name: RemoveRoot :execrows
DELETE FROM health_roots WHERE tenant_id = $1 AND app = $2 AND uri = $3 AND revision = $4;

-- name: ListUses :many
SELECT p.id, p.name, p.family, g.id AS generation, g.state, g.root1_tenant, g.root1_app, g.root1_uri, g.root1_kid,
    g.root2_tenant, g.root2_app, g.root2_uri, g.root2_kid
FROM generations AS g JOIN policies AS p ON p.tenant_id = g.tenant_id AND p.id = g.policy_id
WHERE g.tenant_id = $1 AND g.state <> 'destroyed' ORDER BY p.family, p.name_key, g.number DESC;

-- name: ListPolicyStates :many
SELECT * FROM health_policies WHERE tenant_id = $1 ORDER BY policy_id;

-- name: PutPolicyState :exec
INSERT INTO health_policies (tenant_id, policy_id, state, since_at, message) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant_id, policy_id) DO UPDATE SET state = excluded.state, since_at = excluded.since_at, message = excluded.message;

-- name: RemovePolicyState :exec
DELETE FROM health_policies WHERE tenant_id = $1 AND policy_id = $2;

-- name: GetHead :one
SELECT seq FROM health_heads WHERE tenant_id = $1;

-- name: MoveHead :execrows
INSERT INTO health_heads (tenant_id, seq) VALUES (sqlc.arg(tenant_id), sqlc.arg(seq))
ON CONFLICT (tenant_id) DO UPDATE SET seq = excluded.seq WHERE health_heads.seq = sqlc.arg(was);

-- name: AddChange :exec
INSERT INTO health_changes (tenant_id, seq, id, type, policies, app, uri, was, state, reason, message, hint, changed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);

-- name: PruneChanges :exec
DELETE FROM health_changes WHERE tenant_id = $1 AND seq <= $2;

-- name: ListChanges :many
SELECT * FROM health_changes WHERE tenant_id = $1 AND seq > $2 ORDER BY seq LIMIT $3;

-- name: ListNewestChanges :many
SELECT * FROM health_changes WHERE tenant_id = $1 ORDER BY seq DESC LIMIT $2;
