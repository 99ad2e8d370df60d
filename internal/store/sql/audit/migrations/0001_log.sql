-- +goose Up

-- One row per entry of a tenant's log. hashes holds the tree hashes that the entry completed,
-- 32 bytes each, lowest level first: the one at level k covers the 2^k entries that end here.
CREATE TABLE audit_entries (
    tenant_id TEXT   NOT NULL,
    idx       BIGINT NOT NULL,
    leaf      BYTEA  NOT NULL,
    hashes    BYTEA  NOT NULL,
    PRIMARY KEY (tenant_id, idx)
);

-- One row per tenant: the newest signed head, and the hashes of the complete subtrees that
-- cover the first size entries (32 bytes each, largest first), so that appending reads one row.
CREATE TABLE audit_heads (
    tenant_id TEXT   NOT NULL,
    size      BIGINT NOT NULL,
    edge      BYTEA  NOT NULL,
    note      TEXT   NOT NULL,
    PRIMARY KEY (tenant_id)
);
