package rest

import "github.com/customerkey/customerkey/internal/keyvault/face"

// verifySignature answers whether a signature is valid; one that is not is an answer, no error.
func (x *request) verifySignature() error {
	var in verifyIn
	if err := face.Decode(x.r, &in); err != nil {
		return err
	}
	digest, err := parseBytes("digest", in.Digest)
	if err != nil {
		return face.Malformed{Cause: err}
	}
	signature, err := parseBytes("value", in.Value)
	if err != nil {
		return face.Malformed{Cause: err}
	}
	valid, err := x.vaults.Verify(x.r.Context(), x.caller, x.vault, x.params["name"], x.params["version"], in.Alg, digest, signature)
	if err != nil {
		return err
	}
	return x.reply(verifyOut{valid})
}
