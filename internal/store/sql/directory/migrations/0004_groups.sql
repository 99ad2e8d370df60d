-- +goose Up

CREATE TABLE directory_groups (
    tenant_id    TEXT   NOT NULL,
    id           TEXT   NOT NULL,
    display_name TEXT   NOT NULL,
    folded       TEXT   NOT NULL, -- display_name in lower case
    created      BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX directory_groups_folded ON directory_groups (tenant_id, folded);

-- Who is in a group: people and principals of its tenant.
CREATE TABLE directory_members (
    tenant_id TEXT NOT NULL,
    group_id  TEXT NOT NULL,
    member_id TEXT NOT NULL, -- of a person or a principal
    PRIMARY KEY (tenant_id, group_id, member_id)
);
CREATE INDEX directory_members_member ON directory_members (tenant_id, member_id, group_id);
