-- Mailboxes are told from the directory, their content from the workloads, their policies from
-- the policies: this area has queries and no tables. A container that was made before its id
-- was the mailbox's keeps the id that it has.

-- name: GetPersonBox :one
SELECT p.tenant_id, p.upn AS name, p.id, COALESCE(m.kind, 'UserMailbox') AS kind, p.display_name, p.licences, p.created,
    COALESCE(c.container_id, p.id) AS container_id, COALESCE(a.policy_id, '') AS policy_id
FROM directory_people AS p
LEFT JOIN directory_mailboxes AS m ON m.tenant_id = p.tenant_id AND m.name = p.upn
LEFT JOIN containers AS c ON c.tenant_id = p.tenant_id AND c.workload = 'exchange' AND c.name = p.upn
LEFT JOIN container_assignments AS a ON a.tenant_id = p.tenant_id AND a.container_id = COALESCE(c.container_id, p.id)
WHERE p.tenant_id = $1 AND p.upn = $2;

-- name: GetPersonBoxByID :one
SELECT p.tenant_id, p.upn AS name, p.id, COALESCE(m.kind, 'UserMailbox') AS kind, p.display_name, p.licences, p.created,
    COALESCE(c.container_id, p.id) AS container_id, COALESCE(a.policy_id, '') AS policy_id
FROM directory_people AS p
LEFT JOIN directory_mailboxes AS m ON m.tenant_id = p.tenant_id AND m.name = p.upn
LEFT JOIN containers AS c ON c.tenant_id = p.tenant_id AND c.workload = 'exchange' AND c.name = p.upn
LEFT JOIN container_assignments AS a ON a.tenant_id = p.tenant_id AND a.container_id = COALESCE(c.container_id, p.id)
WHERE p.tenant_id = $1 AND p.id = $2;

-- name: ListPersonBoxes :many
SELECT p.tenant_id, p.upn AS name, p.id, COALESCE(m.kind, 'UserMailbox') AS kind, p.display_name, p.licences, p.created,
    COALESCE(c.container_id, p.id) AS container_id, COALESCE(a.policy_id, '') AS policy_id
FROM directory_people AS p
LEFT JOIN directory_mailboxes AS m ON m.tenant_id = p.tenant_id AND m.name = p.upn
LEFT JOIN containers AS c ON c.tenant_id = p.tenant_id AND c.workload = 'exchange' AND c.name = p.upn
LEFT JOIN container_assignments AS a ON a.tenant_id = p.tenant_id AND a.container_id = COALESCE(c.container_id, p.id)
WHERE p.tenant_id = $1 AND p.upn > $2 ORDER BY p.upn LIMIT $3;

-- name: GetOtherBox :one
SELECT m.tenant_id, m.name, m.id, m.kind, m.display_name, CAST('[]' AS TEXT) AS licences, m.created,
    COALESCE(c.container_id, m.id) AS container_id, COALESCE(a.policy_id, '') AS policy_id
FROM directory_mailboxes AS m
LEFT JOIN containers AS c ON c.tenant_id = m.tenant_id AND c.workload = 'exchange' AND c.name = m.name
LEFT JOIN container_assignments AS a ON a.tenant_id = m.tenant_id AND a.container_id = COALESCE(c.container_id, m.id)
WHERE m.tenant_id = $1 AND m.name = $2 AND m.kind <> 'MailUser';

-- name: GetOtherBoxByID :one
SELECT m.tenant_id, m.name, m.id, m.kind, m.display_name, CAST('[]' AS TEXT) AS licences, m.created,
    COALESCE(c.container_id, m.id) AS container_id, COALESCE(a.policy_id, '') AS policy_id
FROM directory_mailboxes AS m
LEFT JOIN containers AS c ON c.tenant_id = m.tenant_id AND c.workload = 'exchange' AND c.name = m.name
LEFT JOIN container_assignments AS a ON a.tenant_id = m.tenant_id AND a.container_id = COALESCE(c.container_id, m.id)
WHERE m.tenant_id = $1 AND m.id = $2 AND m.kind <> 'MailUser';

-- name: ListOtherBoxes :many
SELECT m.tenant_id, m.name, m.id, m.kind, m.display_name, CAST('[]' AS TEXT) AS licences, m.created,
    COALESCE(c.container_id, m.id) AS container_id, COALESCE(a.policy_id, '') AS policy_id
FROM directory_mailboxes AS m
LEFT JOIN containers AS c ON c.tenant_id = m.tenant_id AND c.workload = 'exchange' AND c.name = m.name
LEFT JOIN container_assignments AS a ON a.tenant_id = m.tenant_id AND a.container_id = COALESCE(c.container_id, m.id)
WHERE m.tenant_id = $1 AND m.name > $2 AND m.kind <> 'MailUser' ORDER BY m.name LIMIT $3;

-- name: CountPeopleNamed :one
SELECT COUNT(*) FROM directory_people WHERE tenant_id = $1 AND upn = $2;

-- name: AddMailbox :execrows
INSERT INTO directory_mailboxes (tenant_id, name, id, kind, display_name, created) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING;

-- name: DeleteMailbox :exec
DELETE FROM directory_mailboxes WHERE tenant_id = $1 AND name = $2 AND kind = 'MailUser';

-- name: CountLicensed :one
SELECT COUNT(*) FROM (SELECT 1 FROM directory_people AS p WHERE p.tenant_id = $1 AND p.licences <> '[]' LIMIT 1) AS licensed;
