-- +goose Up

-- An app id is unique in the deployment: old clients name the app alone, and no tenant.
CREATE UNIQUE INDEX directory_apps_id ON directory_apps (id);
