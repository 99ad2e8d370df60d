-- +goose Up

-- A deleted vault keeps its row, its keys and its name. One that is being destroyed has
-- purging set and purge_at 0, and is not to be recovered any more. enabled_for is a list with
-- a space between; created_by and updated_by are a kind of caller, a space, and a name.
ALTER TABLE keyvault_vaults ADD COLUMN deleted BIGINT;
ALTER TABLE keyvault_vaults ADD COLUMN purge_at BIGINT;
ALTER TABLE keyvault_vaults ADD COLUMN purging BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE keyvault_vaults ADD COLUMN enabled_for TEXT NOT NULL DEFAULT '';
ALTER TABLE keyvault_vaults ADD COLUMN created_by TEXT NOT NULL DEFAULT '';
ALTER TABLE keyvault_vaults ADD COLUMN updated_by TEXT NOT NULL DEFAULT '';
CREATE INDEX keyvault_vaults_due ON keyvault_vaults (purge_at, tenant_id, name);

-- The two registrations of a subscription that decide whether it is protected: the feature
-- mandatoryRetentionPeriodEnabled and the provider Microsoft.KeyVault. An order counts the
-- registrations of the subscription, so that a clock set back changes nothing.
ALTER TABLE keyvault_subscriptions ADD COLUMN state TEXT NOT NULL DEFAULT 'Enabled';
ALTER TABLE keyvault_subscriptions ADD COLUMN state_since BIGINT NOT NULL DEFAULT 0;
ALTER TABLE keyvault_subscriptions ADD COLUMN feature_state TEXT NOT NULL DEFAULT 'NotRegistered';
ALTER TABLE keyvault_subscriptions ADD COLUMN feature_since BIGINT NOT NULL DEFAULT 0;
ALTER TABLE keyvault_subscriptions ADD COLUMN feature_order BIGINT NOT NULL DEFAULT 0;
ALTER TABLE keyvault_subscriptions ADD COLUMN feature_asked_by TEXT NOT NULL DEFAULT '';
ALTER TABLE keyvault_subscriptions ADD COLUMN feature_asked_name TEXT NOT NULL DEFAULT '';
ALTER TABLE keyvault_subscriptions ADD COLUMN feature_asked_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE keyvault_subscriptions ADD COLUMN provider_state TEXT NOT NULL DEFAULT 'Registered';
ALTER TABLE keyvault_subscriptions ADD COLUMN provider_since BIGINT NOT NULL DEFAULT 0;
ALTER TABLE keyvault_subscriptions ADD COLUMN provider_order BIGINT NOT NULL DEFAULT 0;
ALTER TABLE keyvault_subscriptions ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;

-- What was protected by a flag is so by registrations now.
UPDATE keyvault_subscriptions SET state_since = created, provider_since = created;
UPDATE keyvault_subscriptions SET feature_state = 'Registered', feature_since = created, feature_order = 1, provider_order = 2
WHERE protected;
ALTER TABLE keyvault_subscriptions DROP COLUMN protected;
CREATE INDEX keyvault_subscriptions_waiting ON keyvault_subscriptions (feature_state, tenant_id, id);
