package rest

import (
	"github.com/customerkey/customerkey/internal/keyvault/face"
)

// maxRestore is how long the body of a restore may be (KV-12).
const maxRestore = 1 << 20

type backupOut struct {
	Value string `json:"value"`
}

type restoreIn struct {
	Value *string `json:"value"`
}

func (x *request) backupKey() error {
	blob, err := x.vaults.BackupKey(x.r.Context(), x.caller, x.vault, x.params["name"])
	if err != nil {
		return err
	}
	return x.reply(backupOut{base64url(blob)})
}

func (x *request) restoreKey() error {
	var in restoreIn
	if err := face.DecodeLong(x.r, &in, maxRestore); err != nil {
		return err
	}
	blob, err := parseBytes("value", in.Value)
	switch {
	case err != nil && in.Value == nil:
		return face.Malformed{Cause: err}
	case err != nil:
		blob = nil // damaged on its way: answered as any other blob that is none of ours (KV-72)
	}
	k, err := x.vaults.RestoreKey(x.r.Context(), x.caller, x.vault, blob)
	if err != nil {
		return err
	}
	return x.reply(x.bundle(k))
}
