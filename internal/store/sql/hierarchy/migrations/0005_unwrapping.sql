-- +goose Up

-- How the policy key is unwrapped: '' by one root, then the other (rows CK-44 to CK-50); 'hedged' by
-- both, the second a little later (rows CK-66 to CK-73). The key is bound to it.
ALTER TABLE generations ADD COLUMN unwrapping TEXT NOT NULL DEFAULT '';
