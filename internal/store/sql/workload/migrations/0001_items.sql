-- +goose Up

-- One row per mailbox, team, folder tree. Names are metadata and stay readable, as list items do
-- in row CK-13. secret is the container's fingerprint secret, wrapped under version
-- secret_version of its container key; NULL and 0 until content is first added by fingerprint.
CREATE TABLE containers (
    tenant_id      TEXT   NOT NULL,
    workload       TEXT   NOT NULL,
    name           TEXT   NOT NULL,
    container_id   TEXT   NOT NULL,
    owner_id       TEXT   NOT NULL,
    created_at     BIGINT NOT NULL,
    secret         BYTEA,
    secret_version BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, workload, name)
);
CREATE UNIQUE INDEX containers_by_id ON containers (tenant_id, container_id);
CREATE INDEX containers_by_owner ON containers (tenant_id, workload, owner_id, name);

-- One row per item: where its sealed content lies and the only copy of the key that opens it.
-- item_key is wrapped under version key_version of the container key; metadata is sealed under
-- a key derived from the item key. Deleting the row shreds the content, also in old backups of
-- the blobs. Item ids stay readable, as list items do in row CK-13.
CREATE TABLE items (
    tenant_id    TEXT   NOT NULL,
    container_id TEXT   NOT NULL,
    item_id      TEXT   NOT NULL,
    version      TEXT   NOT NULL,
    blob_id      TEXT   NOT NULL,
    key_version  BIGINT NOT NULL,
    item_key     BYTEA  NOT NULL,
    metadata     BYTEA  NOT NULL,
    size         BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    modified_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, container_id, item_id)
);
CREATE UNIQUE INDEX items_by_blob ON items (tenant_id, blob_id);

-- One row per blob that may have to go: written before the blob is, and again when an item lets
-- go of it. A blob without an item is removed once due_at has passed. From condemned on, no item
-- can be made of it any more, so that removing the file and writing the item cannot both happen.
CREATE TABLE blob_intents (
    tenant_id TEXT    NOT NULL,
    blob_id   TEXT    NOT NULL,
    due_at    BIGINT  NOT NULL,
    condemned BOOLEAN NOT NULL,
    PRIMARY KEY (tenant_id, blob_id)
);
CREATE INDEX blob_intents_by_due ON blob_intents (due_at, tenant_id, blob_id);
