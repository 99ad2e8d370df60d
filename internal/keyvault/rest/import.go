package rest

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/face"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
)

// importIn is the body of an import (section 4.1).
type importIn struct {
	Key           jwkIn             `json:"key"`
	HSM           bool              `json:"Hsm"`
	Attributes    attributesIn      `json:"attributes"`
	Tags          map[string]string `json:"tags"`
	ReleasePolicy json.RawMessage   `json:"release_policy"`
}

// jwkIn is a JSON web key with its private half, which is held so that nothing prints it.
type jwkIn struct {
	KTY   string          `json:"kty"`
	Ops   []string        `json:"key_ops"`
	N     *string         `json:"n"`
	E     *string         `json:"e"`
	Curve string          `json:"crv"`
	X     *string         `json:"x"`
	Y     *string         `json:"y"`
	D     secretIn        `json:"d"`
	P     secretIn        `json:"p"`
	Q     secretIn        `json:"q"`
	DP    secretIn        `json:"dp"`
	DQ    secretIn        `json:"dq"`
	QI    secretIn        `json:"qi"`
	HSM   json.RawMessage `json:"key_hsm"`
}

// A secretIn is a private member. One that cannot be read is told later, by its name.
type secretIn struct {
	keyvault.Secret
	bad bool
}

// UnmarshalJSON reads base64url from the body into bytes that can be cleared, by way of no
// string, which cannot.
func (s *secretIn) UnmarshalJSON(raw []byte) error {
	s.Destroy()
	*s = secretIn{}
	if bytes.Equal(raw, []byte("null")) {
		return nil
	}
	text := bytes.Clone(raw)
	defer clear(text)
	inner, quoted := bytes.CutPrefix(text, []byte{'"'})
	inner, ended := bytes.CutSuffix(inner, []byte{'"'})
	b, ok := decodeBytes(unescape(inner))
	s.Secret, s.bad = keyvault.NewSecret(b), !quoted || !ended || !ok || len(b) == 0
	return nil
}

// unescape undoes, in place, what JSON may write in place of the letters of base64 (RFC 8259
// section 7): "\/", and "\u002B" for any of them. Other escapes stay, and are no base64.
func unescape(text []byte) []byte {
	plain := text[:0]
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch rest := text[i+1:]; {
		case c != '\\' || len(rest) == 0:
		case rest[0] == '/':
			c, i = '/', i+1
		case rest[0] == 'u' && len(rest) >= 5:
			if code, err := strconv.ParseUint(string(rest[1:5]), 16, 7); err == nil {
				c, i = byte(code), i+5
			}
		}
		plain = append(plain, c)
	}
	return plain
}

// newKey reads what the key is to be, but for its key pair. Hsm asks for the type that a
// hardware module holds (KV-52).
func (in importIn) newKey() (keyvault.NewKey, error) {
	n := keyvault.NewKey{
		Type: in.Key.KTY, Ops: in.Key.Ops, Tags: in.Tags,
		Exportable: in.Attributes.Exportable, ReleasePolicy: given(in.ReleasePolicy),
	}
	if in.HSM && !strings.HasSuffix(n.Type, "-HSM") {
		n.Type += "-HSM"
	}
	if given(in.Key.HSM) {
		return n, naming.Invalid("key.key_hsm").WithHint("No hardware module takes keys here.")
	}
	var err error
	n.Attributes, err = in.Attributes.parse()
	return n, err
}

// jwk reads the key pair. What is missing is left out: which members a type needs is not
// decided here.
func (in jwkIn) jwk() (keyvault.JWK, error) {
	j := keyvault.JWK{
		Curve: in.Curve, D: in.D.Secret, P: in.P.Secret, Q: in.Q.Secret, DP: in.DP.Secret, DQ: in.DQ.Secret, QI: in.QI.Secret,
	}
	for _, m := range in.secrets() {
		if m.secret.bad {
			return j, naming.Invalid("key." + m.name)
		}
	}
	for _, m := range []struct {
		name string
		in   *string
		to   *[]byte
	}{{"n", in.N, &j.N}, {"e", in.E, &j.E}, {"x", in.X, &j.X}, {"y", in.Y, &j.Y}} {
		if m.in == nil {
			continue
		}
		var err error
		if *m.to, err = parseBytes("key."+m.name, m.in); err != nil {
			return j, err
		}
	}
	return j, nil
}

type namedSecret struct {
	name   string
	secret secretIn
}

func (in jwkIn) secrets() []namedSecret {
	return []namedSecret{{"d", in.D}, {"p", in.P}, {"q", in.Q}, {"dp", in.DP}, {"dq", in.DQ}, {"qi", in.QI}}
}

// destroy clears what was read of the private half.
func (in jwkIn) destroy() {
	for _, m := range in.secrets() {
		m.secret.Destroy()
	}
}

func (x *request) importKey() error {
	var in importIn
	defer func() { in.Key.destroy() }()
	if err := face.Decode(x.r, &in); err != nil {
		return err
	}
	n, err := in.newKey()
	if err != nil {
		return face.Malformed{Cause: err}
	}
	jwk, err := in.Key.jwk()
	if err != nil {
		return face.Malformed{Cause: err}
	}
	k, err := x.vaults.ImportKey(x.r.Context(), x.caller, x.vault, x.params["name"], n, jwk)
	if err != nil {
		return err
	}
	return x.reply(x.bundle(k))
}
