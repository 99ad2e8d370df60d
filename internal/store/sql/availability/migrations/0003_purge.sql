-- +goose Up

-- The ledger of purges: one signed line per row, in the order in which they were written. The
-- same lines are kept in files. It belongs to no tenant: it is read as a whole at each start.
CREATE TABLE purge_ledger (
    seq  BIGINT NOT NULL PRIMARY KEY,
    line TEXT   NOT NULL
);
