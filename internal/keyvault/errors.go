package keyvault

import (
	"errors"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// Reasons of the faults that this package returns: the finer code by which faces choose
// status and codes of their protocol (section 9).
const (
	ReasonAccessDenied      = "AccessDenied"
	ReasonForbidden         = "ForbiddenByPolicy"
	ReasonKeyDisabled       = "KeyDisabled"
	ReasonOperation         = "KeyOperationForbidden"
	ReasonExpired           = "KeyExpired"
	ReasonNotYetValid       = "KeyNotYetValid"
	ReasonKeyType           = "KeyTypeNotSupported"
	ReasonVaultNotFound     = "VaultNotFound"
	ReasonKeyNotFound       = "KeyNotFound"
	ReasonDeletedKey        = "ObjectIsDeletedButRecoverable"
	ReasonVaultLimit        = "VaultRequestTypeLimitReached"
	ReasonSubscriptionLimit = "SubscriptionRequestTypeLimitReached"
	ReasonChanged           = "Changed" // another change came between
	ReasonNotOwner          = "AuthorizationFailed"
	ReasonNoSubscription    = "SubscriptionNotFound"
	ReasonNoGroup           = "ResourceGroupNotFound"
	ReasonNoResource        = "ResourceNotFound"
	ReasonVaultTaken        = "VaultAlreadyExists"
	ReasonLocationMismatch  = "InvalidResourceLocation"
	ReasonNoDeletedVault    = "DeletedVaultNotFound"
	ReasonGroupInUse        = "ResourceGroupInUse"
	ReasonVaultHeld         = "VaultIsDeletedButRecoverable"
	ReasonProviderInUse     = "ProviderInUse"
	ReasonNoProvider        = "MissingSubscriptionRegistration"
	ReasonInUse             = "KeyInUse"
	ReasonNoRequest         = "RequestNotFound"
	ReasonReadOnly          = "ReadOnlyDisabledSubscription"
	ReasonSuspended         = "SubscriptionDisabled"
	ReasonRetention         = "MandatoryRetention"
	ReasonSamePerson        = "SamePerson"
	ReasonVaultPurge        = "DeletedVaultPurge"
)

// Reasons about roles.
const (
	ReasonRBAC         = "ForbiddenByRbac"
	ReasonRoleID       = "InvalidRoleAssignmentId"
	ReasonNoRole       = "RoleDefinitionDoesNotExist"
	ReasonNoAssignment = "RoleAssignmentNotFound"
	ReasonRoleAssigned = "RoleAssignmentExists"
	ReasonRoleFixed    = "RoleAssignmentUpdateNotPermitted"
	ReasonRoleLimit    = "RoleAssignmentLimitExceeded"
)

// ErrChanged is what a store answers where another change came between reading and writing.
func ErrChanged() error {
	return fault.New(fault.Conflict, "Another change was made at the same time").
		WithReason(ReasonChanged).WithHint("Try again.")
}

// hasReason reports whether err is a fault with that reason.
func hasReason(err error, reason string) bool {
	e, ok := errors.AsType[*fault.Error](err)
	return ok && e.Reason == reason
}

func errKeyType(t string) *fault.Error {
	return fault.New(fault.Invalid, "Invalid kty value: %.32s", t).WithReason(ReasonKeyType)
}

func errVaultNotFound() error {
	return fault.New(fault.NotFound, "There is no such key vault").WithReason(ReasonVaultNotFound)
}

func errForeign() error {
	return fault.New(fault.Unauthenticated, "Invalid issuer. The token was issued by another tenant than the vault's").
		WithReason(directory.InvalidIssuer)
}

// errPermission is KV-91: one inner code for callers that the access policy does not name,
// another for those it does.
func errPermission(c directory.Caller, v Vault, p rights.Permission, named bool) error {
	reason := ReasonAccessDenied
	if named {
		reason = ReasonForbidden
	}
	return fault.New(fault.Forbidden,
		"The user, group or application 'appid=%s;oid=%s' does not have keys %s permission on key vault '%s;location=%s'",
		c.App, c.ID, p, v.Name, v.Location).WithReason(reason).
		WithHint("The owner of the vault's subscription can grant it in the vault's access policy.")
}

// errNetwork is KV-91's text for callers whom the rules of the network keep out.
func errNetwork(reason string, c directory.Caller, v Vault) error {
	text := "Client address is not authorized and caller is not a trusted service.\r\nClient address: " + c.Address
	if reason == rights.ReasonPrivate {
		text = "Public network access is disabled and request is not from a trusted service nor via an approved private link."
	}
	return fault.New(fault.Forbidden, "%s\r\nCaller: appid=%s;oid=%s\r\nVault: %s;location=%s", text, c.App, c.ID, v.Name, v.Location).
		WithReason(reason)
}

func errKeyNotFound(name, version string) error {
	if version != "" {
		name += "/" + version
	}
	return fault.New(fault.NotFound, "A key with (name/id) %s was not found in this key vault", name).
		WithReason(ReasonKeyNotFound).
		WithHint("If you recently deleted this key you may be able to recover it using the correct recovery command.")
}

func errDeletedNotFound(name string) error {
	return fault.New(fault.NotFound, "Deleted Key not found: %s", name).WithReason(ReasonKeyNotFound)
}

func errNameHeld(name string) error {
	return fault.New(fault.Conflict,
		"Key %s is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the key can only be recovered or purged", name).
		WithReason(ReasonDeletedKey)
}

func errPurge(v Vault) error {
	return fault.New(fault.Forbidden,
		`Operation "purge" is not allowed because purge protection is enabled for this vault. Key Vault service will automatically purge it after the retention period has passed. Vault: %s;location=%s`,
		v.Name, v.Location).WithReason(ReasonForbidden)
}

func errNoVault(group, name string) error {
	return fault.New(fault.NotFound, "The Resource 'Microsoft.KeyVault/vaults/%.64s' under resource group '%.90s' was not found", name, group).
		WithReason(ReasonNoResource)
}

func errNoGroup(name string) error {
	return fault.New(fault.NotFound, "Resource group '%.90s' could not be found", name).WithReason(ReasonNoGroup)
}

func errNoDeletedVault(name string) error {
	return fault.New(fault.NotFound, "The specified deleted vault '%.64s' does not exist", name).WithReason(ReasonNoDeletedVault)
}

func errNotDeleted(name string) error {
	return fault.New(fault.Conflict, "The vault '%s' is not deleted, so there is nothing to recover", name).WithReason(ReasonVaultHeld)
}

// errVaultTaken tells nothing of who has the name.
func errVaultTaken(name string) error {
	return fault.New(fault.Conflict, "The vault name '%s' is already in use", name).WithReason(ReasonVaultTaken).
		WithHint("Vault names are globally unique, also those of vaults that are deleted and not purged yet; choose another one.")
}

// errVaultHeld is for the subscription whose deleted vault has the name (KV-126).
func errVaultHeld(v Vault) error {
	return fault.New(fault.Conflict, "A vault with the name '%s' exists already in deleted state", v.Name).WithReason(ReasonVaultHeld).
		WithHint(`Take it back with createMode "recover" in group '%s' and location '%s', or purge it first.`, v.Group, v.Location)
}

func errNoProvider() error {
	return fault.New(fault.Conflict, "The subscription is not registered to use namespace '%s'", ProviderNamespace).
		WithReason(ReasonNoProvider).WithHint("Register the provider %s with the subscription first.", ProviderNamespace)
}

func errVaultPurge() error {
	return fault.New(fault.Forbidden, "Operation 'DeletedVaultPurge' is not allowed").WithReason(ReasonVaultPurge).
		WithHint("The vault's recovery level forbids it to everybody; it is purged when its retention has passed.")
}
