-- A place is where container keys lie: workload/geo/own policy/policy/generation. The own
-- policy is that of container_assignments, but for what an edit in view would change.

-- name: HeldItems :many
SELECT CAST(k.workload || '/' || k.geo || '/' || CASE WHEN k.container_id = sqlc.arg(container) THEN CAST(sqlc.arg(own) AS TEXT)
        WHEN a.policy_id = sqlc.arg(from_policy) THEN CAST(sqlc.arg(to_policy) AS TEXT) ELSE COALESCE(a.policy_id, '') END || '/' || k.policy_id || '/' || k.generation_id AS TEXT) AS place,
    COUNT(*) AS items, CAST(SUM(i.size) AS BIGINT) AS bytes
FROM container_keys AS k
JOIN items AS i ON i.tenant_id = k.tenant_id AND i.container_id = k.container_id AND i.key_version = k.version
LEFT JOIN container_assignments AS a ON a.tenant_id = k.tenant_id AND a.container_id = k.container_id
WHERE k.tenant_id = sqlc.arg(tenant_id)
GROUP BY 1;

-- name: HeldContainers :many
SELECT CAST(h.places AS TEXT) AS places, COUNT(*) AS containers FROM (
    SELECT p.container_id, string_agg(p.place, ',') AS places FROM (
        SELECT DISTINCT k.container_id,
            k.workload || '/' || k.geo || '/' || CASE WHEN k.container_id = sqlc.arg(container) THEN CAST(sqlc.arg(own) AS TEXT)
        WHEN a.policy_id = sqlc.arg(from_policy) THEN CAST(sqlc.arg(to_policy) AS TEXT) ELSE COALESCE(a.policy_id, '') END || '/' || k.policy_id || '/' || k.generation_id AS place
        FROM container_keys AS k
        LEFT JOIN container_assignments AS a ON a.tenant_id = k.tenant_id AND a.container_id = k.container_id
        WHERE k.tenant_id = sqlc.arg(tenant_id)
    ) AS p GROUP BY p.container_id
) AS h GROUP BY 1;

-- name: HeldPeople :many
SELECT CAST(h.places AS TEXT) AS places, COUNT(*) AS people FROM (
    SELECT p.owner_id, string_agg(p.place, ',') AS places FROM (
        SELECT DISTINCT c.owner_id,
            k.workload || '/' || k.geo || '/' || CASE WHEN k.container_id = sqlc.arg(container) THEN CAST(sqlc.arg(own) AS TEXT)
        WHEN a.policy_id = sqlc.arg(from_policy) THEN CAST(sqlc.arg(to_policy) AS TEXT) ELSE COALESCE(a.policy_id, '') END || '/' || k.policy_id || '/' || k.generation_id AS place
        FROM container_keys AS k
        JOIN containers AS c ON c.tenant_id = k.tenant_id AND c.container_id = k.container_id
        LEFT JOIN container_assignments AS a ON a.tenant_id = k.tenant_id AND a.container_id = k.container_id
        WHERE k.tenant_id = sqlc.arg(tenant_id) AND c.owner_id <> ''
    ) AS p GROUP BY p.owner_id
) AS h GROUP BY 1;

-- What lies under a policy, by workload, and some of it by chance.

-- name: UnderPolicy :many
SELECT k.workload, COUNT(DISTINCT k.container_id) AS containers, COUNT(i.item_id) AS items
FROM container_keys AS k
LEFT JOIN items AS i ON i.tenant_id = k.tenant_id AND i.container_id = k.container_id AND i.key_version = k.version
WHERE k.tenant_id = $1 AND k.policy_id = $2
GROUP BY k.workload;

-- name: SampleItems :many
SELECT i.container_id, i.item_id
FROM container_keys AS k
JOIN items AS i ON i.tenant_id = k.tenant_id AND i.container_id = k.container_id AND i.key_version = k.version
WHERE k.tenant_id = $1 AND k.policy_id = $2 AND k.workload = $3
ORDER BY random()
LIMIT $4;
