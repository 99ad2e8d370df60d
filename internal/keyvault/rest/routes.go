package rest

import (
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/face"
)

// A row says what a route does, and which action its requests are recorded as.
type row struct {
	action keyvault.Action
	handle func(*request) error
}

// routes is the whole API (section 4). A version may be left out where it says so: the newest
// is meant.
var routes = []face.Route[row]{
	{Method: "GET", Path: "keys", Do: row{keyvault.ListKeys, (*request).listKeys}},
	{Method: "POST", Path: "keys/restore", Only: true, Do: row{keyvault.RestoreKey, (*request).restoreKey}},
	{Method: "GET", Path: "keys/{name}", Do: row{keyvault.GetKey, (*request).getKey}},
	{Method: "PATCH", Path: "keys/{name}", Do: row{keyvault.UpdateKey, (*request).updateKey}},
	{Method: "PUT", Path: "keys/{name}", Do: row{keyvault.ImportKey, (*request).importKey}},
	{Method: "DELETE", Path: "keys/{name}", Do: row{keyvault.DeleteKey, (*request).deleteKey}},

	{Method: "POST", Path: "keys/{name}/create", Do: row{keyvault.CreateKey, (*request).createKey}},
	{Method: "GET", Path: "keys/{name}/versions", Do: row{keyvault.ListVersions, (*request).listVersions}},
	{Method: "POST", Path: "keys/{name}/rotate", Do: row{keyvault.RotateKey, (*request).rotateKey}},
	{Method: "GET", Path: "keys/{name}/rotationpolicy", Do: row{keyvault.GetRotation, (*request).getRotation}},
	{Method: "PUT", Path: "keys/{name}/rotationpolicy", Do: row{keyvault.SetRotation, (*request).setRotation}},
	{Method: "POST", Path: "keys/{name}/backup", Do: row{keyvault.BackupKey, (*request).backupKey}},
	{Method: "POST", Path: "keys/{name}/wrapkey", Do: row{keyvault.Wrap, (*request).wrapKey}},
	{Method: "POST", Path: "keys/{name}/unwrapkey", Do: row{keyvault.Unwrap, (*request).unwrapKey}},
	{Method: "POST", Path: "keys/{name}/encrypt", Do: row{keyvault.Encrypt, (*request).encrypt}},
	{Method: "POST", Path: "keys/{name}/decrypt", Do: row{keyvault.Decrypt, (*request).decrypt}},
	{Method: "POST", Path: "keys/{name}/sign", Do: row{keyvault.Sign, (*request).sign}},
	{Method: "POST", Path: "keys/{name}/verify", Do: row{keyvault.Verify, (*request).verifySignature}},

	{Method: "GET", Path: "keys/{name}/attestation", Do: row{keyvault.GetAttestation, (*request).refuseAttestation}},
	{Method: "POST", Path: "keys/{name}/release", Do: row{keyvault.ReleaseKey, (*request).refuseRelease}},

	{Method: "GET", Path: "keys/{name}/{version}", Do: row{keyvault.GetKey, (*request).getKey}},
	{Method: "PATCH", Path: "keys/{name}/{version}", Do: row{keyvault.UpdateKey, (*request).updateKey}},
	{Method: "POST", Path: "keys/{name}/{version}/wrapkey", Do: row{keyvault.Wrap, (*request).wrapKey}},
	{Method: "POST", Path: "keys/{name}/{version}/unwrapkey", Do: row{keyvault.Unwrap, (*request).unwrapKey}},
	{Method: "POST", Path: "keys/{name}/{version}/encrypt", Do: row{keyvault.Encrypt, (*request).encrypt}},
	{Method: "POST", Path: "keys/{name}/{version}/decrypt", Do: row{keyvault.Decrypt, (*request).decrypt}},
	{Method: "POST", Path: "keys/{name}/{version}/sign", Do: row{keyvault.Sign, (*request).sign}},
	{Method: "POST", Path: "keys/{name}/{version}/verify", Do: row{keyvault.Verify, (*request).verifySignature}},

	{Method: "GET", Path: "keys/{name}/{version}/attestation", Do: row{keyvault.GetAttestation, (*request).refuseAttestation}},
	{Method: "POST", Path: "keys/{name}/{version}/release", Do: row{keyvault.ReleaseKey, (*request).refuseRelease}},

	{Method: "GET", Path: "deletedkeys", Do: row{keyvault.ListDeleted, (*request).listDeleted}},
	{Method: "GET", Path: "deletedkeys/{name}", Do: row{keyvault.GetDeleted, (*request).getDeleted}},
	{Method: "DELETE", Path: "deletedkeys/{name}", Do: row{keyvault.PurgeKey, (*request).purgeKey}},
	{Method: "POST", Path: "deletedkeys/{name}/recover", Do: row{keyvault.RecoverKey, (*request).recoverKey}},

	{Method: "POST", Path: "rng", Do: row{keyvault.RandomBytes, (*request).randomBytes}},
}
