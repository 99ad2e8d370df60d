-- name: AddGroup :exec
INSERT INTO directory_groups (tenant_id, id, display_name, folded, created) VALUES ($1, $2, $3, $4, $5);

-- name: CountGroups :one
SELECT COUNT(*) FROM directory_groups WHERE tenant_id = $1;

-- name: GetGroup :one
SELECT tenant_id, id, display_name, folded, created FROM directory_groups WHERE tenant_id = $1 AND id = $2;

-- name: GetGroupByName :one
SELECT tenant_id, id, display_name, folded, created FROM directory_groups WHERE tenant_id = $1 AND folded = $2;

-- name: ListGroups :many
SELECT tenant_id, id, display_name, folded, created FROM directory_groups
WHERE tenant_id = $1 AND folded > $2 ORDER BY folded LIMIT $3;

-- name: DeleteGroup :execrows
DELETE FROM directory_groups WHERE tenant_id = $1 AND id = $2;

-- name: DeleteMembers :exec
DELETE FROM directory_members WHERE tenant_id = $1 AND group_id = $2;

-- name: AddMember :exec
INSERT INTO directory_members (tenant_id, group_id, member_id) VALUES ($1, $2, $3);

-- name: IsMember :one
SELECT COUNT(*) FROM directory_members WHERE tenant_id = $1 AND group_id = $2 AND member_id = $3;

-- name: CountMembers :one
SELECT COUNT(*) FROM directory_members WHERE tenant_id = $1 AND group_id = $2;

-- name: CountGroupsOf :one
SELECT COUNT(*) FROM directory_members WHERE tenant_id = $1 AND member_id = $2;

-- name: ListGroupsOf :many
SELECT group_id FROM directory_members WHERE tenant_id = $1 AND member_id = $2 ORDER BY group_id;

-- name: DeleteMember :execrows
DELETE FROM directory_members WHERE tenant_id = $1 AND group_id = $2 AND member_id = $3;

-- name: ListMembers :many
SELECT m.member_id, COALESCE(p.upn, '') AS upn, COALESCE(a.app_id, '') AS app_id,
    COALESCE(p.display_name, a.display_name, '') AS display_name, COALESCE(p.disabled, a.disabled, FALSE) AS disabled
FROM directory_members m
LEFT JOIN directory_people p ON p.tenant_id = m.tenant_id AND p.id = m.member_id
LEFT JOIN directory_principals a ON a.tenant_id = m.tenant_id AND a.id = m.member_id
WHERE m.tenant_id = $1 AND m.group_id = $2 AND m.member_id > $3 ORDER BY m.member_id LIMIT $4;

-- name: ListPeople :many
SELECT id, upn, display_name, roles, disabled, must_change, created, licences FROM directory_people
WHERE tenant_id = $1 AND upn > $2 ORDER BY upn LIMIT $3;
