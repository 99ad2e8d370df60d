-- name: RestoreGeneration :execrows
UPDATE generations
SET root1_tenant = $1, root1_app = $2, root1_uri = $3, root1_kid = $4, root1_alg = $5, root1_wrapped = $6,
    root2_tenant = $7, root2_app = $8, root2_uri = $9, root2_kid = $10, root2_alg = $11, root2_wrapped = $12
WHERE tenant_id = $13 AND id = $14 AND state <> 'destroyed';
