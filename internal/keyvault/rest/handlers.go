package rest

import (
	"context"
	"net/http"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/face"
)

func (x *request) createKey() error {
	var in createIn
	if err := face.Decode(x.r, &in); err != nil {
		return err
	}
	n, err := in.newKey()
	if err != nil {
		return face.Malformed{Cause: err}
	}
	k, err := x.vaults.CreateKey(x.r.Context(), x.caller, x.vault, x.params["name"], n)
	if err != nil {
		return err
	}
	return x.reply(x.bundle(k))
}

func (x *request) getKey() error {
	k, err := x.vaults.Key(x.r.Context(), x.caller, x.vault, x.params["name"], x.params["version"])
	if err != nil {
		return err
	}
	return x.reply(x.bundle(k))
}

func (x *request) updateKey() error {
	var in updateIn
	if err := face.Decode(x.r, &in); err != nil {
		return err
	}
	change, err := in.change()
	if err != nil {
		return face.Malformed{Cause: err}
	}
	k, err := x.vaults.UpdateKey(x.r.Context(), x.caller, x.vault, x.params["name"], x.params["version"], change)
	if err != nil {
		return err
	}
	return x.reply(x.bundle(k))
}

func (x *request) deleteKey() error {
	k, err := x.vaults.DeleteKey(x.r.Context(), x.caller, x.vault, x.params["name"])
	if err != nil {
		return err
	}
	return x.reply(x.bundle(k))
}

func (x *request) getDeleted() error {
	k, err := x.vaults.DeletedKey(x.r.Context(), x.caller, x.vault, x.params["name"])
	if err != nil {
		return err
	}
	return x.reply(x.bundle(k))
}

func (x *request) recoverKey() error {
	k, err := x.vaults.RecoverKey(x.r.Context(), x.caller, x.vault, x.params["name"])
	if err != nil {
		return err
	}
	return x.reply(x.bundle(k))
}

func (x *request) purgeKey() error {
	if err := x.vaults.PurgeKey(x.r.Context(), x.caller, x.vault, x.params["name"]); err != nil {
		return err
	}
	x.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (x *request) wrapKey() error   { return x.operate(x.vaults.Wrap) }
func (x *request) unwrapKey() error { return x.operate(x.vaults.Unwrap) }
func (x *request) encrypt() error   { return x.operate(x.vaults.Encrypt) }
func (x *request) decrypt() error   { return x.operate(x.vaults.Decrypt) }
func (x *request) sign() error      { return x.operate(x.vaults.Sign) }

// operate is the five operations that take a value and return one.
func (x *request) operate(do func(ctx context.Context, c directory.Caller, vault, name, version, alg string, value []byte) (keyvault.Result, error)) error {
	var in operationIn
	if err := face.Decode(x.r, &in); err != nil {
		return err
	}
	value, err := parseBytes("value", in.Value)
	if err != nil {
		return face.Malformed{Cause: err}
	}
	res, err := do(x.r.Context(), x.caller, x.vault, x.params["name"], x.params["version"], in.Alg, value)
	if err != nil {
		return err
	}
	return x.reply(operationOut{KID: x.kid(res.Key), Value: base64url(res.Value)})
}
