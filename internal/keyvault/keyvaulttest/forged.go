package keyvaulttest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
)

// A Forged is a token that a face must judge: good in an unusual way, or wrong in one.
type Forged struct {
	Name, Authorization string
	Reason              string // of package directory; "" if the token is good
}

// Forged returns what may stand in the header Authorization of a request by c, for an audience:
// the bad input of rows KV-90 and KV-136.
func (w *World) Forged(c directory.Caller, audience string) []Forged {
	w.t.Helper()
	m := w.issuer()
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		w.t.Fatal(err)
	}
	now := w.Now()
	claims := func(change map[string]any) map[string]any {
		all := map[string]any{
			"aud": audience, "iss": issuerOf(c.Tenant), "tid": c.Tenant, "oid": c.ID, "appid": c.App, "idtyp": string(c.Kind),
			"nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		}
		for name, value := range change {
			if all[name] = value; value == nil {
				delete(all, name)
			}
		}
		return all
	}
	token := func(change map[string]any) string { return w.sign(jose.RS256, m.key, "test", claims(change)) }
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	parts := strings.Split(token(nil), ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"test","typ":"JWT"}`))
	public := x509.MarshalPKCS1PublicKey(&m.key.PublicKey)
	other := uuid.NewString()

	list := []Forged{{"no header", "", directory.MissingToken}, {"another scheme", "Basic YTpi", directory.MissingToken}, {"nothing behind Bearer", "Bearer ", directory.MissingToken}}
	for _, f := range []Forged{
		{"good", token(nil), ""},
		{"expired 59 s ago", token(map[string]any{"exp": at(-59 * time.Second)}), ""},
		{"good in 60 s", token(map[string]any{"nbf": at(60 * time.Second)}), ""},
		{"audience with a slash", token(map[string]any{"aud": audience + "/"}), ""},

		{"noise", "noise", directory.BadSignature},
		{"alg none", none + "." + parts[1] + ".", directory.BadSignature},
		{"alg none with a signature", none + "." + parts[1] + "." + parts[2], directory.BadSignature},
		{"HS256 with the public key", w.sign(jose.HS256, public, "test", claims(nil)), directory.BadSignature},
		{"PS256", w.sign(jose.PS256, m.key, "test", claims(nil)), directory.BadSignature},
		{"another key under the known kid", w.sign(jose.RS256, stranger, "test", claims(nil)), directory.BadSignature},
		{"unknown kid", w.sign(jose.RS256, m.key, "unknown", claims(nil)), directory.BadSignature},
		{"no kid", w.sign(jose.RS256, m.key, "", claims(nil)), directory.BadSignature},
		{"no signature", parts[0] + "." + parts[1] + ".", directory.BadSignature},
		{"another's claims", parts[0] + "." + strings.Split(token(map[string]any{"oid": other}), ".")[1] + "." + parts[2], directory.BadSignature},
		{"an id token", token(map[string]any{"idtyp": nil}), directory.BadSignature},

		{"foreign issuer", token(map[string]any{"iss": "https://sts.windows.net/" + c.Tenant + "/"}), directory.InvalidIssuer},
		{"issuer of another tenant", token(map[string]any{"iss": issuerOf(other)}), directory.InvalidIssuer},
		{"tenant without its issuer", token(map[string]any{"tid": other}), directory.InvalidIssuer},
		{"no tenant", token(map[string]any{"tid": nil}), directory.InvalidIssuer},

		{"another face's audience", token(map[string]any{"aud": "https://graph." + w.Domain()}), directory.InvalidAudience},
		{"audience with a tail", token(map[string]any{"aud": audience + ".evil.example"}), directory.InvalidAudience},
		{"no audience", token(map[string]any{"aud": nil}), directory.InvalidAudience},

		{"expired", token(map[string]any{"exp": at(-60 * time.Second)}), directory.TokenExpired},
		{"not yet valid", token(map[string]any{"nbf": at(61 * time.Second)}), directory.TokenExpired},
		{"no end", token(map[string]any{"exp": nil}), directory.TokenExpired},
	} {
		f.Authorization = "Bearer " + f.Authorization
		list = append(list, f)
	}
	return list
}

func (w *World) sign(algorithm jose.SignatureAlgorithm, key any, kid string, claims map[string]any) string {
	w.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", kid))
	if err != nil {
		w.t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		w.t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		w.t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}
