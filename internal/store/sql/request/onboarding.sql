-- name: AddOnboarding :exec
INSERT INTO onboardings (tenant_id, id, input, checks, by_id, by_name, request_id, already, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: OldestKeptOnboarding :one
SELECT id FROM onboardings WHERE tenant_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2;

-- name: ForgetOnboardings :exec
DELETE FROM onboardings WHERE tenant_id = $1 AND id < $2;

-- name: GetOnboarding :one
SELECT * FROM onboardings WHERE tenant_id = $1 AND id = $2;

-- name: ListOnboardings :many
SELECT * FROM onboardings WHERE tenant_id = $1 ORDER BY id DESC LIMIT $2;

-- name: EnableFamily :exec
INSERT INTO enabled_families (tenant_id, family, request_id, enabled_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, family) DO NOTHING;

-- name: CountEnabled :one
SELECT COUNT(*) FROM enabled_families WHERE tenant_id = $1 AND family = $2;
