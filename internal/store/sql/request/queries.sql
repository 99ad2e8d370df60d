-- name: GetRequest :one
SELECT * FROM requests WHERE tenant_id = $1 AND id = $2;

-- name: GetRequestForOperator :one
SELECT * FROM requests WHERE id = $1 AND for_operator = TRUE;

-- name: ListRequests :many
SELECT * FROM requests WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3;

-- name: ListOpenRequests :many
SELECT * FROM requests WHERE tenant_id = $1 AND is_open = TRUE AND id > $2 ORDER BY id LIMIT $3;

-- name: ListOperatorRequests :many
SELECT * FROM requests WHERE for_operator = TRUE AND id > $1 ORDER BY id LIMIT $2;

-- name: ListOverdueRequests :many
SELECT * FROM requests WHERE state = 'waiting' AND expires_at < $1 AND (tenant_id > $2 OR tenant_id = $2 AND id > $3)
ORDER BY tenant_id, id LIMIT $4;

-- name: ListLostRequests :many
SELECT r.* FROM requests AS r JOIN operations AS o ON o.tenant_id = r.tenant_id AND o.id = r.operation_id
WHERE r.state IN ('approved', 'running') AND o.state IN ('failed', 'cancelled') AND (r.tenant_id > $1 OR r.tenant_id = $1 AND r.id > $2)
ORDER BY r.tenant_id, r.id LIMIT $3;

-- name: ListApprovedRequests :many
SELECT * FROM requests WHERE state = 'approved' AND waited < wait AND (tenant_id > $1 OR tenant_id = $1 AND id > $2)
ORDER BY tenant_id, id LIMIT $3;

-- name: CountWaited :execrows
UPDATE requests SET waited = sqlc.arg(waited), not_before = sqlc.arg(not_before)
WHERE tenant_id = sqlc.arg(tenant_id) AND id = sqlc.arg(id) AND state = 'approved' AND waited = sqlc.arg(was);

-- name: ListHeldRequests :many
SELECT r.* FROM requests AS r JOIN operations AS o ON o.tenant_id = r.tenant_id AND o.id = r.operation_id
WHERE r.state IN ('approved', 'running') AND r.waited >= r.wait AND o.state = 'waiting' AND o.due_at > $1
AND (r.tenant_id > $2 OR r.tenant_id = $2 AND r.id > $3)
ORDER BY r.tenant_id, r.id LIMIT $4;

-- name: GetTrouble :one
SELECT o.error, o.hint FROM requests AS r JOIN operations AS o ON o.tenant_id = r.tenant_id AND o.id = r.operation_id
WHERE r.tenant_id = $1 AND r.id = $2 AND r.state IN ('approved', 'running');

-- name: CountOpenRequests :one
SELECT COUNT(*) FROM requests WHERE tenant_id = $1 AND is_open = TRUE;

-- name: CountSameRequests :one
SELECT COUNT(*) FROM requests WHERE tenant_id = $1 AND is_open = TRUE AND kind = $2 AND subject = $3;

-- name: AddRequest :execrows
INSERT INTO requests (tenant_id, id, kind, family, subject, reason, contact, detail, needs, wait, asker_id, asker_name, asked_at,
    state, approvals, expires_at, not_before, operation_id, ended_by_tenant, ended_by_id, ended_by_name, outcome, ended_at,
    updated_at, revision, is_open, for_operator)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, 1, $25, $26)
ON CONFLICT (tenant_id, id) DO NOTHING;

-- name: ReplaceRequest :execrows
UPDATE requests SET state = $1, approvals = $2, not_before = $3, operation_id = $4, ended_by_tenant = $5, ended_by_id = $6,
    ended_by_name = $7, outcome = $8, ended_at = $9, updated_at = $10, revision = revision + 1, is_open = $11, for_operator = $12
WHERE tenant_id = $13 AND id = $14 AND revision = $15;

-- name: ListOfficers :many
SELECT * FROM officers WHERE tenant_id = $1 ORDER BY family, name, person_id;

-- name: CountOtherOfficers :one
SELECT COUNT(*) FROM officers WHERE tenant_id = $1 AND family = $2 AND person_id <> $3;

-- name: AddOfficer :exec
INSERT INTO officers (tenant_id, family, person_id, name, named_by_id, named_by_name, named_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (tenant_id, family, person_id) DO NOTHING;

-- name: RemoveOfficer :exec
DELETE FROM officers WHERE tenant_id = $1 AND family = $2 AND person_id = $3;
