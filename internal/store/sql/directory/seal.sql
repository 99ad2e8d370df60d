-- name: CountIssuerKeys :one
SELECT count(*) FROM directory_issuer_keys;

-- name: ListSealedIssuerKeys :many
SELECT id, sealed FROM directory_issuer_keys WHERE id > $1 ORDER BY id LIMIT $2;

-- name: SwapIssuerKey :exec
UPDATE directory_issuer_keys SET sealed = sqlc.arg(fresh) WHERE id = $1 AND sealed = sqlc.arg(was);
