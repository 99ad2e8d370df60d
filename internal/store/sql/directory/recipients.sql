-- name: SetLicences :execrows
UPDATE directory_people SET licences = sqlc.arg(licences)
WHERE tenant_id = sqlc.arg(tenant_id) AND id = sqlc.arg(id) AND licences = CAST(sqlc.arg(was) AS TEXT);

-- name: CountMailboxesNamed :one
SELECT COUNT(*) FROM directory_mailboxes WHERE tenant_id = $1 AND name = $2;
