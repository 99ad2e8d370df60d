-- +goose Up

-- The geo of the container, '' where it has none: which SharePoint policy covers it (row CK-298).
ALTER TABLE container_keys ADD COLUMN geo TEXT NOT NULL DEFAULT '';
