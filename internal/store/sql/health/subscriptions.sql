-- name: AddSubscription :execrows
INSERT INTO health_subscriptions (tenant_id, name, display, endpoint, sealed, types, families, created_at, reached, attempts, delivered, dropped)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, 0)
ON CONFLICT DO NOTHING;

-- name: GetSubscription :one
SELECT * FROM health_subscriptions WHERE tenant_id = $1 AND name = $2;

-- name: ListSubscriptions :many
SELECT * FROM health_subscriptions WHERE tenant_id = $1 ORDER BY name;

-- name: CountSubscriptions :one
SELECT COUNT(*) FROM health_subscriptions WHERE tenant_id = $1;

-- name: RemoveSubscription :execrows
DELETE FROM health_subscriptions WHERE tenant_id = $1 AND name = $2;

-- name: WakeSubscriptions :exec
UPDATE health_subscriptions SET due = CASE WHEN due IS NULL THEN CAST(sqlc.arg(now) AS BIGINT) ELSE due END
WHERE tenant_id = sqlc.arg(tenant_id);

-- name: ListDueSubscriptions :many
SELECT * FROM health_subscriptions WHERE due <= $1 ORDER BY due, tenant_id, name LIMIT $2;

-- name: ListStraySubscriptions :many
SELECT * FROM health_subscriptions WHERE due > $1 ORDER BY due, tenant_id, name LIMIT $2;

-- name: ClaimSubscription :execrows
UPDATE health_subscriptions SET due = sqlc.arg(until)
WHERE tenant_id = sqlc.arg(tenant_id) AND name = sqlc.arg(name) AND due = sqlc.arg(was);

-- name: SettleSubscription :execrows
UPDATE health_subscriptions SET reached = sqlc.arg(reached), attempts = sqlc.arg(attempts), delivered = sqlc.arg(delivered),
    dropped = sqlc.arg(dropped), due = sqlc.arg(due)
WHERE tenant_id = sqlc.arg(tenant_id) AND name = sqlc.arg(name) AND created_at = sqlc.arg(created_at) AND due = sqlc.arg(was);

-- name: RestSubscription :exec
UPDATE health_subscriptions SET due = NULL WHERE tenant_id = $1 AND name = $2;

-- name: CountOlderChanges :one
SELECT COUNT(*) AS changes, CAST(COALESCE(MAX(seq), 0) AS BIGINT) AS last FROM health_changes
WHERE tenant_id = $1 AND seq > $2 AND changed_at < $3;

-- name: CountSealedSubscriptions :one
SELECT COUNT(*) FROM health_subscriptions;

-- name: ListSealedSubscriptions :many
SELECT tenant_id, name, sealed FROM health_subscriptions
WHERE (tenant_id, name) > (CAST(sqlc.arg(after_tenant) AS TEXT), CAST(sqlc.arg(after_name) AS TEXT))
ORDER BY tenant_id, name LIMIT sqlc.arg(most);

-- name: SwapSubscription :exec
UPDATE health_subscriptions SET sealed = sqlc.arg(fresh)
WHERE tenant_id = sqlc.arg(tenant_id) AND name = sqlc.arg(name) AND sealed = sqlc.arg(was);
