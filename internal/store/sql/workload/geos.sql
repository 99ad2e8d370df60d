-- name: ListGeos :many
SELECT geo, is_default FROM tenant_geos WHERE tenant_id = $1 ORDER BY geo;

-- name: AddGeo :exec
INSERT INTO tenant_geos (tenant_id, geo, is_default, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, geo) DO UPDATE SET is_default = excluded.is_default;

-- name: UnsetDefaultGeo :exec
UPDATE tenant_geos SET is_default = FALSE WHERE tenant_id = $1;
