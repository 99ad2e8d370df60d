-- name: AddUse :exec
INSERT INTO availability_uses (tenant_id, id, policy_id, generation_id, key_id, cause, after_denial,
    caller_kind, caller_id, caller_name, caller_app, address, request, used_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: ListUses :many
SELECT * FROM availability_uses WHERE tenant_id = $1 AND policy_id = $2 AND id < $3
ORDER BY id DESC LIMIT $4;

-- name: LastDay :one
SELECT * FROM availability_days WHERE tenant_id = $1 AND policy_id = $2 ORDER BY day DESC LIMIT 1;

-- name: CountUse :exec
INSERT INTO availability_days (tenant_id, policy_id, day, outages, denials) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant_id, policy_id, day) DO UPDATE
SET outages = availability_days.outages + excluded.outages, denials = availability_days.denials + excluded.denials;

-- name: SumDays :one
SELECT CAST(COALESCE(SUM(outages), 0) AS BIGINT) AS outages, CAST(COALESCE(SUM(denials), 0) AS BIGINT) AS denials
FROM availability_days WHERE tenant_id = $1 AND policy_id = $2;

-- name: GetLimit :one
SELECT per_day FROM availability_limits WHERE tenant_id = $1 AND policy_id = $2;

-- name: SetLimit :exec
INSERT INTO availability_limits (tenant_id, policy_id, per_day) VALUES ($1, $2, $3)
ON CONFLICT (tenant_id, policy_id) DO UPDATE SET per_day = excluded.per_day;

-- name: ClearLimit :exec
DELETE FROM availability_limits WHERE tenant_id = $1 AND policy_id = $2;
