package rest

import "github.com/customerkey/customerkey/internal/keyvault/face"

func (x *request) randomBytes() error {
	var in randomIn
	if err := face.Decode(x.r, &in); err != nil {
		return err
	}
	count, err := positive("count", in.Count)
	if err != nil {
		return face.Malformed{Cause: err}
	}
	b, err := x.vaults.RandomBytes(x.r.Context(), x.caller, x.vault, count)
	if err != nil {
		return err
	}
	return x.reply(randomOut{base64url(b)})
}
