-- name: AddLoose :exec
INSERT INTO keyvault_loose (tenant_id, handle, protector, vault, name, version, due, condemned)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: OwnLoose :execrows
DELETE FROM keyvault_loose WHERE tenant_id = $1 AND handle = $2 AND NOT condemned;

-- name: CondemnLoose :execrows
UPDATE keyvault_loose SET condemned = true WHERE tenant_id = $1 AND handle = $2;

-- name: RemoveLoose :exec
DELETE FROM keyvault_loose WHERE tenant_id = $1 AND handle = $2;

-- name: ListLoose :many
SELECT tenant_id, handle, protector, vault, name, version, due FROM keyvault_loose
WHERE due <= CAST(sqlc.arg(now) AS BIGINT)
    AND (due, tenant_id, handle) > (CAST(sqlc.arg(after_due) AS BIGINT), CAST(sqlc.arg(after_tenant) AS TEXT), CAST(sqlc.arg(after_handle) AS TEXT))
ORDER BY due, tenant_id, handle LIMIT sqlc.arg(most);
