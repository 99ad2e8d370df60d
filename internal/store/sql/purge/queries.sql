-- name: ListKeysOf :many
SELECT k.container_id, k.version,
    NOT EXISTS (SELECT 1 FROM container_keys AS o WHERE o.tenant_id = k.tenant_id AND o.container_id = k.container_id AND o.version < k.version) AS oldest
FROM container_keys AS k
WHERE k.tenant_id = sqlc.arg(tenant_id)
  AND (k.container_id, k.version) > (CAST(sqlc.arg(after_container) AS TEXT), CAST(sqlc.arg(after_version) AS BIGINT))
  AND k.policy_id = sqlc.arg(policy_id)
ORDER BY k.container_id, k.version LIMIT CAST(sqlc.arg(most) AS BIGINT);

-- name: ListOwnersOf :many
SELECT a.container_id FROM container_assignments AS a
WHERE a.tenant_id = sqlc.arg(tenant_id) AND a.policy_id = sqlc.arg(policy_id) AND a.container_id > sqlc.arg(after)
  AND NOT EXISTS (SELECT 1 FROM container_keys AS k WHERE k.tenant_id = a.tenant_id AND k.container_id = a.container_id AND k.policy_id = a.policy_id)
ORDER BY a.container_id LIMIT CAST(sqlc.arg(most) AS BIGINT);

-- name: CountHalfway :one
SELECT COUNT(*) FROM containers AS c
WHERE c.tenant_id = sqlc.arg(tenant_id) AND c.key_floor > 0
  AND EXISTS (SELECT 1 FROM container_keys AS k
    JOIN container_keys AS o ON o.tenant_id = k.tenant_id AND o.container_id = k.container_id AND o.version < k.version
    WHERE k.tenant_id = c.tenant_id AND k.container_id = c.container_id
      AND k.policy_id = sqlc.arg(policy_id) AND o.policy_id <> sqlc.arg(policy_id) AND o.version < c.key_floor);

-- name: SumItemsOf :one
SELECT COUNT(*) AS items, CAST(COALESCE(SUM(i.size), 0) AS BIGINT) AS bytes
FROM container_keys AS k
JOIN items AS i ON i.tenant_id = k.tenant_id AND i.container_id = k.container_id AND i.key_version = k.version
WHERE k.tenant_id = $1 AND k.policy_id = $2;

-- name: ListContainersOf :many
SELECT c.container_id, c.workload, c.name,
    CAST((SELECT COUNT(*) FROM items AS i JOIN container_keys AS k
        ON k.tenant_id = i.tenant_id AND k.container_id = i.container_id AND k.version = i.key_version
        WHERE i.tenant_id = c.tenant_id AND i.container_id = c.container_id AND k.policy_id = sqlc.arg(policy_id)) AS BIGINT) AS items,
    CAST((SELECT COALESCE(SUM(i.size), 0) FROM items AS i JOIN container_keys AS k
        ON k.tenant_id = i.tenant_id AND k.container_id = i.container_id AND k.version = i.key_version
        WHERE i.tenant_id = c.tenant_id AND i.container_id = c.container_id AND k.policy_id = sqlc.arg(policy_id)) AS BIGINT) AS bytes
FROM containers AS c
WHERE c.tenant_id = sqlc.arg(tenant_id) AND c.container_id > sqlc.arg(after) AND (
    EXISTS (SELECT 1 FROM container_keys AS k WHERE k.tenant_id = c.tenant_id AND k.container_id = c.container_id AND k.policy_id = sqlc.arg(policy_id))
    OR EXISTS (SELECT 1 FROM container_assignments AS a WHERE a.tenant_id = c.tenant_id AND a.container_id = c.container_id AND a.policy_id = sqlc.arg(policy_id)))
ORDER BY c.container_id LIMIT CAST(sqlc.arg(most) AS BIGINT);

-- name: GetOrder :one
SELECT * FROM purge_orders WHERE tenant_id = $1 AND policy_id = $2;

-- name: ListPendingOrders :many
SELECT tenant_id, policy_id FROM purge_orders
WHERE done_at = 0 AND (tenant_id, policy_id) > (CAST(sqlc.arg(after_tenant) AS TEXT), CAST(sqlc.arg(after_policy) AS TEXT))
ORDER BY tenant_id, policy_id LIMIT CAST(sqlc.arg(most) AS BIGINT);

-- name: PutOrder :exec
INSERT INTO purge_orders (tenant_id, policy_id, request_id, reason, contact, forced, digest, plan,
    asked_by, asked_name, asked_at, was_state, keys_gone, items_gone, bytes_gone, done_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, 0, 0, 0)
ON CONFLICT (tenant_id, policy_id) DO UPDATE SET request_id = excluded.request_id, reason = excluded.reason,
    contact = excluded.contact, forced = excluded.forced, digest = excluded.digest, plan = excluded.plan,
    asked_by = excluded.asked_by, asked_name = excluded.asked_name, asked_at = excluded.asked_at, was_state = excluded.was_state,
    keys_gone = 0, items_gone = 0, bytes_gone = 0, done_at = 0;

-- name: DropOrder :execrows
DELETE FROM purge_orders WHERE tenant_id = $1 AND policy_id = $2 AND request_id = $3;

-- name: AddGone :exec
UPDATE purge_orders SET keys_gone = keys_gone + $1, items_gone = items_gone + $2, bytes_gone = bytes_gone + $3
WHERE tenant_id = $4 AND policy_id = $5;

-- name: CompleteOrder :execrows
UPDATE purge_orders SET request_id = $1, digest = $2, plan = $3
WHERE tenant_id = $4 AND policy_id = $5 AND request_id = '' AND asked_at = $6;

-- name: FinishOrder :exec
INSERT INTO purge_orders (tenant_id, policy_id, request_id, reason, contact, forced, digest, plan,
    asked_by, asked_name, asked_at, was_state, keys_gone, items_gone, bytes_gone, done_at)
VALUES ($1, $2, $3, '', '', FALSE, $4, '', '', '', 0, '', 0, 0, 0, $5)
ON CONFLICT (tenant_id, policy_id) DO UPDATE SET done_at = excluded.done_at;

-- name: GetPolicyState :one
SELECT state, generation_id FROM policies WHERE tenant_id = $1 AND id = $2;

-- name: CountOpenOperations :one
SELECT COUNT(*) FROM operations WHERE tenant_id = $1 AND kind = $2 AND subject = $3 AND finished_at = 0;

-- name: MarkPolicy :execrows
UPDATE policies SET state = 'PendingDeletion', revision = revision + 1, updated_at = $1
WHERE tenant_id = $2 AND id = $3 AND revision = $4;

-- name: UnmarkPolicy :execrows
UPDATE policies SET state = $1, revision = revision + 1, updated_at = $2
WHERE tenant_id = $3 AND id = $4 AND state = 'PendingDeletion';

-- name: PurgePolicy :exec
UPDATE policies SET state = 'Purged', enabled = FALSE, revision = revision + 1, updated_at = $1
WHERE tenant_id = $2 AND id = $3;

-- name: CloseGenerations :exec
UPDATE generations SET state = 'closed' WHERE tenant_id = $1 AND policy_id = $2 AND state <> 'destroyed';

-- name: ReopenGenerations :exec
UPDATE generations SET state = 'draining' WHERE tenant_id = $1 AND policy_id = $2 AND state = 'closed';

-- name: ActivateGeneration :exec
UPDATE generations SET state = 'active' WHERE tenant_id = $1 AND id = $2 AND state = 'draining';

-- name: ShredGenerations :exec
UPDATE generations
SET state = 'destroyed', root1_wrapped = sqlc.arg(nothing), root2_wrapped = sqlc.arg(nothing),
    availability_wrapped = sqlc.arg(nothing), commitment = sqlc.arg(nothing), destroyed_at = sqlc.arg(destroyed_at)
WHERE tenant_id = sqlc.arg(tenant_id) AND policy_id = sqlc.arg(policy_id) AND state <> 'destroyed';

-- name: ClearAllInForce :exec
DELETE FROM policies_in_force WHERE tenant_id = $1 AND policy_id = $2;

-- name: CountPurged :one
SELECT COUNT(*) FROM purged_keys WHERE tenant_id = sqlc.arg(tenant_id) AND container_id = sqlc.arg(container_id) AND version IN (0, CAST(sqlc.arg(version) AS BIGINT));

-- name: AddPurged :exec
INSERT INTO purged_keys (tenant_id, container_id, version) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- name: DropContainerKey :execrows
DELETE FROM container_keys WHERE tenant_id = $1 AND container_id = $2 AND version = $3;

-- name: DropSecret :exec
UPDATE containers SET secret = NULL, secret_version = 0 WHERE tenant_id = $1 AND container_id = $2 AND secret_version = $3;

-- name: ListItemsUnder :many
SELECT item_id, blob_id, size FROM items
WHERE tenant_id = sqlc.arg(tenant_id) AND container_id = sqlc.arg(container_id) AND key_version = sqlc.arg(key_version)
ORDER BY item_id LIMIT CAST(sqlc.arg(most) AS BIGINT);

-- name: DropItem :exec
DELETE FROM items WHERE tenant_id = $1 AND container_id = $2 AND item_id = $3;

-- name: AddBlobIntent :exec
INSERT INTO blob_intents (tenant_id, blob_id, due_at, condemned) VALUES ($1, $2, $3, FALSE)
ON CONFLICT (tenant_id, blob_id) DO UPDATE SET due_at = excluded.due_at;
