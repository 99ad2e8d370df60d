-- +goose Up

-- What the person is licensed for: a JSON array of part numbers of products (row CK-212).
ALTER TABLE directory_people ADD COLUMN licences TEXT NOT NULL DEFAULT '[]';

-- Every person has a mailbox. One row per mailbox that is another's, or nobody's: shared ones,
-- rooms, groups, public folders (row CK-293). A row of kind MailUser says that a person's mailbox is
-- elsewhere; its id is the person's. All others have an id of their own, and a name that no person has.
CREATE TABLE directory_mailboxes (
    tenant_id    TEXT   NOT NULL,
    name         TEXT   NOT NULL, -- address in lower case
    id           TEXT   NOT NULL,
    kind         TEXT   NOT NULL,
    display_name TEXT   NOT NULL,
    created      BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, name)
);
CREATE UNIQUE INDEX directory_mailboxes_id ON directory_mailboxes (tenant_id, id);
