package rest

import (
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/face"
)

// refuseAttestation answers KV-31: there is no hardware here whose word could be given. API
// versions before 7.6 do not have the address.
func (x *request) refuseAttestation() error {
	if old, is7 := strings.CutPrefix(x.query.Get("api-version"), "7."); is7 && len(old) > 0 && old[0] < '6' && (len(old) == 1 || old[1] == '-') {
		return face.ErrPath()
	}
	cause := fault.New(fault.Invalid, "Key attestation is not supported by this key vault")
	return x.vaults.Refuse(x.r.Context(), x.caller, x.action, x.target(), cause)
}

// refuseRelease answers KV-41. Keys can never be made exportable (KV-53).
func (x *request) refuseRelease() error {
	cause := fault.New(fault.Forbidden, "Operation release is not permitted on this key, which is not exportable").
		WithHint("A private key never leaves this vault but sealed in a backup.")
	return x.vaults.Refuse(x.r.Context(), x.caller, x.action, x.target(), cause)
}
