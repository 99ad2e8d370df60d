-- name: CancelWaiting :exec
UPDATE operations SET state = 'cancelled', due_at = 9223372036854775807, updated_at = $1, finished_at = $1
WHERE tenant_id = $2 AND id = $3 AND state IN ('waiting', 'paused');

-- name: CancelRunning :exec
UPDATE operations SET cancelling = TRUE, updated_at = $1
WHERE tenant_id = $2 AND id = $3 AND state = 'running';

-- name: PauseWaiting :exec
UPDATE operations SET state = 'paused', due_at = 9223372036854775807, updated_at = $1
WHERE tenant_id = $2 AND id = $3 AND state = 'waiting';

-- name: PauseRunning :exec
UPDATE operations SET pausing = TRUE, updated_at = $1
WHERE tenant_id = $2 AND id = $3 AND state = 'running';

-- name: ResumeWaiting :exec
UPDATE operations SET state = 'waiting', due_at = $1, attempts = 0, updated_at = $1
WHERE tenant_id = $2 AND id = $3 AND state IN ('waiting', 'paused');

-- name: ResumeRunning :exec
UPDATE operations SET pausing = FALSE, updated_at = $1
WHERE tenant_id = $2 AND id = $3 AND state = 'running';

-- name: HastenWaiting :exec
UPDATE operations SET due_at = $1
WHERE tenant_id = $2 AND id = $3 AND state = 'waiting' AND due_at > $1;

-- name: HastenRetries :exec
UPDATE operations SET due_at = $1
WHERE tenant_id = $2 AND state = 'waiting' AND attempts > 0 AND due_at > $1;

-- name: LimitOperation :exec
UPDATE operations SET max_rate = $1, updated_at = $2
WHERE tenant_id = $3 AND id = $4 AND state IN ('waiting', 'running', 'paused');

-- name: CallOperation :execrows
UPDATE operations SET calls = calls + 1, attempts = 0,
    due_at = CASE WHEN state = 'waiting' THEN $1 ELSE due_at END
WHERE tenant_id = $2 AND kind = $3 AND state IN ('waiting', 'running', 'paused') AND cancelling = FALSE;

-- name: WishOfOperation :one
SELECT state, pausing, calls FROM operations WHERE tenant_id = $1 AND id = $2;

-- name: PresentOperation :one
SELECT * FROM operations WHERE tenant_id = $1 AND kind = $2
ORDER BY CASE WHEN state IN ('waiting', 'running', 'paused') THEN 0 ELSE 1 END, id DESC LIMIT 1;

-- name: CountStray :one
SELECT COUNT(*) FROM operations
WHERE kind = sqlc.arg(kind) AND due_at > sqlc.arg(beyond) AND due_at < 9223372036854775807
AND (state = 'running' OR state = 'waiting' AND (attempts > 0 OR created_at > sqlc.arg(beyond)));

-- name: FreeStray :exec
UPDATE operations SET due_at = sqlc.arg(now)
WHERE kind = sqlc.arg(kind) AND due_at > sqlc.arg(beyond) AND due_at < 9223372036854775807
AND (state = 'running' OR state = 'waiting' AND (attempts > 0 OR created_at > sqlc.arg(beyond)));
