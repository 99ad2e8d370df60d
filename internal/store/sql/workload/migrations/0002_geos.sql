-- +goose Up

-- Where the container's content is kept, fixed when it is made; '' for workloads that go by no geo.
ALTER TABLE containers ADD COLUMN geo TEXT NOT NULL DEFAULT '';

-- The geos of a tenant that has more than one, one of them for new sites. Names are lower case.
CREATE TABLE tenant_geos (
    tenant_id  TEXT    NOT NULL,
    geo        TEXT    NOT NULL,
    is_default BOOLEAN NOT NULL,
    created_at BIGINT  NOT NULL,
    PRIMARY KEY (tenant_id, geo)
);
