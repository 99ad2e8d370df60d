-- name: ListKeysOfPolicy :many
SELECT * FROM availability_keys WHERE tenant_id = $1 AND policy_id = $2 AND kind = 'policy' ORDER BY id;

-- name: ListLedger :many
SELECT seq, line FROM purge_ledger WHERE seq > sqlc.arg(after) ORDER BY seq LIMIT sqlc.arg(most);

-- name: LastOfLedger :one
SELECT CAST(COALESCE(MAX(seq), 0) AS BIGINT) FROM purge_ledger;

-- name: AddToLedger :exec
INSERT INTO purge_ledger (seq, line) VALUES ($1, $2);
