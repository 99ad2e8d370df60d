-- name: AddPolicy :execrows
INSERT INTO policies (tenant_id, id, family, name, name_key, description, enabled, state,
    root1_tenant, root1_app, root1_uri, root2_tenant, root2_app, root2_uri,
    availability_key, generation_id, generation_number, revision, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, 1, $18, $19)
ON CONFLICT DO NOTHING;

-- name: ReplacePolicy :execrows
UPDATE policies SET name = $1, name_key = $2, description = $3, enabled = $4, state = $5,
    generation_id = $6, generation_number = $7, availability_key = $8, revision = revision + 1, updated_at = $9,
    root1_tenant = $13, root1_app = $14, root1_uri = $15, root2_tenant = $16, root2_app = $17, root2_uri = $18
WHERE tenant_id = $10 AND id = $11 AND revision = $12;

-- name: GetPolicy :one
SELECT * FROM policies WHERE tenant_id = $1 AND id = $2;

-- name: GetPolicyByName :one
SELECT * FROM policies WHERE tenant_id = $1 AND family = $2 AND name_key = $3;

-- name: ListPolicies :many
SELECT * FROM policies WHERE tenant_id = $1 AND family = $2 ORDER BY name_key LIMIT $3;

-- name: ListCurrentGenerations :many
SELECT id, generation_id FROM policies WHERE tenant_id = $1;

-- name: ListInForce :many
SELECT f.family, f.geo, f.policy_id, p.generation_id FROM policies_in_force AS f
JOIN policies AS p ON p.tenant_id = f.tenant_id AND p.id = f.policy_id
WHERE f.tenant_id = $1 ORDER BY f.family, f.geo;

-- name: GetOwn :one
SELECT a.policy_id, p.generation_id FROM container_assignments AS a
JOIN policies AS p ON p.tenant_id = a.tenant_id AND p.id = a.policy_id
WHERE a.tenant_id = $1 AND a.container_id = $2;

-- name: ListOwn :many
SELECT container_id, policy_id FROM container_assignments
WHERE tenant_id = sqlc.arg(tenant_id) AND container_id >= sqlc.arg(first) AND container_id <= sqlc.arg(last);

-- name: SetInForce :exec
INSERT INTO policies_in_force (tenant_id, family, geo, policy_id) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, family, geo) DO UPDATE SET policy_id = excluded.policy_id;

-- name: ClearInForce :exec
DELETE FROM policies_in_force WHERE tenant_id = $1 AND family = $2 AND geo = $3;

-- name: ClearEverywhere :exec
DELETE FROM policies_in_force WHERE tenant_id = $1 AND policy_id = $2;

-- name: SetOwn :exec
INSERT INTO container_assignments (tenant_id, container_id, policy_id) VALUES ($1, $2, $3)
ON CONFLICT (tenant_id, container_id) DO UPDATE SET policy_id = excluded.policy_id;

-- name: ClearOwn :exec
DELETE FROM container_assignments WHERE tenant_id = $1 AND container_id = $2;

-- name: CountOwn :one
SELECT COUNT(*) FROM container_assignments WHERE tenant_id = $1 AND policy_id = $2;

-- name: ListLiveGenerations :many
SELECT * FROM generations WHERE tenant_id = $1 AND state <> 'destroyed' ORDER BY policy_id, number;

-- name: GetOwnPolicy :one
SELECT policy_id FROM container_assignments WHERE tenant_id = $1 AND container_id = $2;
