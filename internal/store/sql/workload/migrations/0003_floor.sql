-- +goose Up

-- The oldest version of the container's key that items may still be written under; 0: any. It
-- rises when the container is encrypted anew: versions below it are on their way out.
ALTER TABLE containers ADD COLUMN key_floor BIGINT NOT NULL DEFAULT 0;
