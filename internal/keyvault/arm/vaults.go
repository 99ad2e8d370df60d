package arm

import (
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/face"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// rbacByDefault is the first api-version in which a new vault uses role assignments unless it
// says otherwise (KV-125).
const rbacByDefault = "2026-02-01"

func (x *request) getVault() error {
	v, err := x.vault()
	if err != nil {
		return err
	}
	return x.reply(x.vaultOut(v))
}

// vault reads the vault of the path.
func (x *request) vault() (keyvault.Vault, error) {
	return x.vaults.Vault(x.r.Context(), x.caller, x.params["subscription"], x.params["group"], x.params["vault"])
}

func (x *request) putVault() error {
	in, err := x.readVault()
	if err != nil {
		return err
	}
	if in.recovers() {
		return x.recoverVault(in.Location)
	}
	spec, err := x.spec(in, x.version >= rbacByDefault)
	if err != nil {
		return err
	}
	v, created, err := x.vaults.PutVault(x.r.Context(), x.caller, spec)
	if err != nil {
		return err
	}
	return x.replyPut(created, x.vaultOut(v))
}

func (x *request) patchVault() error {
	in, err := x.readVault()
	if err != nil {
		return err
	}
	spec, err := x.spec(in, false)
	if err != nil {
		return err
	}
	v, err := x.vaults.UpdateVault(x.r.Context(), x.caller, spec)
	if err != nil {
		return err
	}
	return x.reply(x.vaultOut(v))
}

// headVault tells whether a vault is there, by its status alone.
func (x *request) headVault() error {
	_, err := x.vault()
	return x.replyHead(err, keyvault.ReasonNoResource)
}

func (x *request) readVault() (in vaultIn, err error) {
	err = face.Decode(x.r, &in)
	return in, err
}

// spec is what the vault of the path shall be.
func (x *request) spec(in vaultIn, rbacDefault bool) (keyvault.VaultSpec, error) {
	spec, err := in.spec(x.caller.Tenant, rbacDefault)
	if err != nil {
		return spec, face.Malformed{Cause: err}
	}
	spec.Subscription, spec.Group, spec.Name = x.params["subscription"], x.params["group"], x.params["vault"]
	return spec, nil
}

type accessIn struct {
	Properties struct {
		AccessPolicies []policyIn `json:"accessPolicies"`
	} `json:"properties"`
}

func (x *request) setAccess() error {
	var in accessIn
	if err := face.Decode(x.r, &in); err != nil {
		return err
	}
	list, err := grants(x.caller.Tenant, in.Properties.AccessPolicies)
	if err != nil {
		return face.Malformed{Cause: err}
	}
	how := rights.AccessChange(strings.ToLower(x.params["how"]))
	v, err := x.vaults.SetAccess(x.r.Context(), x.caller, x.params["subscription"], x.params["group"], x.params["vault"], how, list)
	if err != nil {
		return err
	}
	return x.reply(x.accessOut(v))
}

type nameIn struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

type nameOut struct {
	Available bool   `json:"nameAvailable"`
	Reason    string `json:"reason,omitempty"`
	Message   string `json:"message,omitempty"`
}

// checkName answers KV-120: that a name cannot be had is an answer, not an error.
func (x *request) checkName() error {
	var in nameIn
	if err := face.Decode(x.r, &in); err != nil {
		return err
	}
	err := x.vaults.NameAvailable(x.r.Context(), x.caller, x.params["subscription"], in.Name)
	if err == nil {
		return x.reply(nameOut{Available: true})
	}
	f := fault.As(err)
	switch f.Reason {
	case naming.ReasonVault:
		return x.reply(nameOut{Reason: "AccountNameInvalid", Message: face.Message(f)})
	case keyvault.ReasonVaultTaken:
		return x.reply(nameOut{Reason: "AlreadyExists", Message: face.Message(f)})
	}
	return err
}
