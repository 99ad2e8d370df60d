-- +goose Up

-- An availability key is destroyed once no living generation names it; one may serve many tenants.
CREATE INDEX generations_by_availability_key ON generations (availability_key, state);
