-- +goose Up

-- Which policies still name an availability key that was rolled; one may serve many tenants.
CREATE INDEX policies_by_availability_key ON policies (availability_key, tenant_id);
