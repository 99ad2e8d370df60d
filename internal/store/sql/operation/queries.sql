-- name: AddOperation :execrows
INSERT INTO operations (tenant_id, id, kind, subject, state, checkpoint, done, total, error, hint,
    attempts, cancelling, fence, owner, due_at, created_at, started_at, updated_at, finished_at,
    pausing, max_rate, calls, reached, rate)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)
ON CONFLICT (tenant_id, id) DO NOTHING;

-- name: GetOperation :one
SELECT * FROM operations WHERE tenant_id = $1 AND id = $2;

-- name: ListOperations :many
SELECT * FROM operations WHERE tenant_id = $1 ORDER BY id DESC LIMIT $2;

-- name: ListOperationsBefore :many
SELECT * FROM operations WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3;

-- name: DueOperation :one
SELECT * FROM operations AS o
WHERE o.kind = $1 AND o.due_at <= $2 AND NOT EXISTS (
    SELECT 1 FROM operations AS r
    WHERE r.tenant_id = o.tenant_id AND r.kind = o.kind AND r.state IN ('running', 'paused')
    AND (r.state = 'running' AND r.due_at > $2 OR r.state = 'paused' AND r.id < o.id))
ORDER BY o.created_at, o.tenant_id, o.id LIMIT 1;

-- name: ClaimOperation :one
UPDATE operations SET state = 'running', owner = $1, fence = fence + 1, attempts = attempts + 1,
    due_at = $2, updated_at = $3, started_at = CASE WHEN started_at = 0 THEN $3 ELSE started_at END
WHERE tenant_id = $4 AND id = $5
RETURNING *;

-- name: ExtendOperation :one
UPDATE operations SET due_at = $1
WHERE tenant_id = $2 AND id = $3 AND fence = $4 AND state = 'running'
RETURNING cancelling, pausing, max_rate;

-- name: SaveOperation :execrows
UPDATE operations SET checkpoint = $1, done = $2, total = $3, reached = $4, rate = $5, updated_at = $6,
    attempts = CASE WHEN done < $2 THEN 0 ELSE attempts END,
    error = CASE WHEN done < $2 THEN '' ELSE error END, hint = CASE WHEN done < $2 THEN '' ELSE hint END
WHERE tenant_id = $7 AND id = $8 AND fence = $9 AND state = 'running';

-- name: SettleOperation :execrows
UPDATE operations SET state = $1, error = $2, hint = $3, attempts = $4, due_at = $5,
    updated_at = $6, finished_at = $7, pausing = FALSE, rate = 0
WHERE tenant_id = $8 AND id = $9 AND fence = $10 AND state = 'running';
