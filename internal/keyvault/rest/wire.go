package rest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"time"

	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
)

// What clients send (section 4.1). Members that are read further stay as they came, so that
// a mistake can be told by the member's name.

type createIn struct {
	KTY           string            `json:"kty"`
	Size          *int              `json:"key_size"`
	Curve         string            `json:"crv"`
	Exponent      *int              `json:"public_exponent"`
	Ops           []string          `json:"key_ops"`
	Attributes    attributesIn      `json:"attributes"`
	Tags          map[string]string `json:"tags"`
	ReleasePolicy json.RawMessage   `json:"release_policy"`
}

type updateIn struct {
	Ops           []string          `json:"key_ops"`
	Attributes    attributesIn      `json:"attributes"`
	Tags          map[string]string `json:"tags"`
	ReleasePolicy json.RawMessage   `json:"release_policy"`
}

type attributesIn struct {
	Enabled    *bool           `json:"enabled"`
	NotBefore  json.RawMessage `json:"nbf"`
	Expires    json.RawMessage `json:"exp"`
	Exportable bool            `json:"exportable"`
}

type operationIn struct {
	Alg   string  `json:"alg"`
	Value *string `json:"value"`
}

type verifyIn struct {
	Alg    string  `json:"alg"`
	Digest *string `json:"digest"`
	Value  *string `json:"value"` // the signature
}

type randomIn struct {
	Count *int `json:"count"`
}

func (in createIn) newKey() (keyvault.NewKey, error) {
	n := keyvault.NewKey{
		Type: in.KTY, Curve: in.Curve, Ops: in.Ops, Tags: in.Tags,
		Exportable: in.Attributes.Exportable, ReleasePolicy: given(in.ReleasePolicy),
	}
	var err error
	if n.Bits, err = positive("key_size", in.Size); err != nil {
		return n, err
	}
	if n.Exponent, err = positive("public_exponent", in.Exponent); err != nil {
		return n, err
	}
	n.Attributes, err = in.Attributes.parse()
	return n, err
}

// change reads an update. An expiry cannot be taken away (KV-57): null is not "not given".
func (in updateIn) change() (keyvault.KeyChange, error) {
	attributes, err := in.Attributes.parse()
	if err == nil && in.Attributes.Expires != nil && attributes.Expires == nil {
		err = naming.Invalid("exp").WithHint("An expiry can be changed, not removed.")
	}
	return keyvault.KeyChange{
		Ops: in.Ops, Tags: in.Tags, Attributes: attributes,
		Exportable: in.Attributes.Exportable, ReleasePolicy: given(in.ReleasePolicy),
	}, err
}

func (in attributesIn) parse() (a keyvault.Attributes, err error) {
	a.Enabled = in.Enabled
	if a.NotBefore, err = parseTime("nbf", in.NotBefore); err != nil {
		return a, err
	}
	a.Expires, err = parseTime("exp", in.Expires)
	return a, err
}

// given reports whether a member is there and not null.
func given(raw json.RawMessage) bool { return raw != nil && !bytes.Equal(raw, []byte("null")) }

func positive(name string, n *int) (int, error) {
	switch {
	case n == nil:
		return 0, nil
	case *n <= 0:
		return 0, naming.Invalid(name)
	}
	return *n, nil
}

// parseTime reads whole seconds since 1970 in 64 bits (KV-15): no sign, fraction or exponent.
func parseTime(name string, raw json.RawMessage) (*time.Time, error) {
	if !given(raw) {
		return nil, nil
	}
	seconds, err := strconv.ParseUint(string(raw), 10, 63)
	if err != nil || seconds > 1<<40 {
		return nil, naming.Invalid(name)
	}
	t := time.Unix(int64(seconds), 0).UTC()
	return &t, nil
}

// parseBytes reads base64url with or without padding, and base64 in its place (KV-14). Every
// value has one encoding: spaces, line breaks and stray bits are refused.
func parseBytes(name string, s *string) ([]byte, error) {
	if s == nil {
		return nil, naming.Invalid(name)
	}
	value, ok := decodeBytes([]byte(*s))
	if !ok {
		return nil, naming.Invalid(name)
	}
	return value, nil
}

// decodeBytes decodes text, which it changes and leaves cleared.
func decodeBytes(text []byte) (value []byte, ok bool) {
	defer clear(text)
	for i, c := range text {
		switch c {
		case '+':
			text[i] = '-'
		case '/':
			text[i] = '_'
		case '\r', '\n': // which the decoder would skip
			return nil, false
		}
	}
	if whole := bytes.TrimRight(text, "="); len(whole) != len(text) {
		if len(text)%4 != 0 || len(text)-len(whole) > 2 {
			return nil, false
		}
		text = whole
	}
	value = make([]byte, base64.RawURLEncoding.DecodedLen(len(text)))
	n, err := base64.RawURLEncoding.Strict().Decode(value, text)
	if err != nil {
		clear(value)
		return nil, false
	}
	return value[:n], true
}

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
