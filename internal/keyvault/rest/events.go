package rest

import (
	"net/url"
	"time"

	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/eventlog"
	"github.com/customerkey/customerkey/internal/keyvault/face"
)

// operations are the names of CK-375; those that it lacks follow its pattern.
var operations = map[keyvault.Action]string{
	keyvault.CreateKey:      "KeyCreate",
	keyvault.ImportKey:      "KeyImport",
	keyvault.GetKey:         "KeyGet",
	keyvault.ListKeys:       "KeyList",
	keyvault.ListVersions:   "KeyListVersions",
	keyvault.UpdateKey:      "KeyUpdate",
	keyvault.DeleteKey:      "KeyDelete",
	keyvault.GetDeleted:     "KeyGetDeleted",
	keyvault.ListDeleted:    "KeyListDeleted",
	keyvault.RecoverKey:     "KeyRecover",
	keyvault.PurgeKey:       "KeyPurge",
	keyvault.BackupKey:      "KeyBackup",
	keyvault.RestoreKey:     "KeyRestore",
	keyvault.Encrypt:        "KeyEncrypt",
	keyvault.Decrypt:        "KeyDecrypt",
	keyvault.Wrap:           "KeyWrap",
	keyvault.Unwrap:         "KeyUnwrap",
	keyvault.Sign:           "KeySign",
	keyvault.Verify:         "KeyVerify",
	keyvault.RotateKey:      "KeyRotate",
	keyvault.GetRotation:    "KeyRotationPolicyGet",
	keyvault.SetRotation:    "KeyRotationPolicySet",
	keyvault.RandomBytes:    "KeyGetRandomBytes",
	keyvault.GetAttestation: "KeyGetAttestation",
	keyvault.ReleaseKey:     "KeyRelease",
}

const (
	authentication = "Authentication" // a request whose token was not accepted
	noOperation    = "VaultRequest"   // one with a token for an address or a method that is not there
)

// tell makes the record of a request that was answered. Of a vault that is not there is no
// one to tell.
func (x *request) tell(begun time.Time) {
	if x.events == nil || x.place.Tenant == "" {
		return
	}
	e := face.Event(x.r, x.w, x.caller, x.id, x.place.Tenant, begun, x.now())
	e.Resource = eventlog.VaultID(x.place.Subscription, x.place.Group, x.place.Name)
	e.Operation = operations[x.action]
	switch {
	case x.caller.Tenant != x.place.Tenant:
		e.Operation = authentication
	case e.Operation == "":
		e.Operation = noOperation
	}
	e.Version = x.query.Get("api-version")
	e.Properties.ID = x.base(keyvault.Key{Vault: x.place.Name}) + "/"
	if name := x.params["name"]; name != "" {
		e.Properties.ID += "keys/" + url.PathEscape(name)
	}
	if version := x.params["version"]; version != "" {
		e.Properties.ID += "/" + url.PathEscape(version)
	}
	x.events(e)
}
