package directory_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

const (
	tid = "11111111-2222-4333-8444-555555555555"
	oid = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
)

// A mint makes tokens of every kind, good and bad, without the code under test.
type mint struct {
	t   testing.TB
	key *rsa.PrivateKey
	now time.Time
}

func newMint(t testing.TB) *mint { return newMintOf(t, 0) }

// newOtherMint returns a mint with another key.
func newOtherMint(t testing.TB) *mint { return newMintOf(t, 1) }

// testKeys are made once: making RSA keys takes longer than most tests. The third signs for
// the worlds.
var testKeys = [3]func() (*rsa.PrivateKey, error){sync.OnceValues(generate), sync.OnceValues(generate), sync.OnceValues(generate)}

func generate() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) }

func newMintOf(t testing.TB, i int) *mint {
	t.Helper()
	key, err := testKeys[i]()
	if err != nil {
		t.Fatal(err)
	}
	return &mint{t: t, key: key, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
}

func (m *mint) claims(change map[string]any) map[string]any {
	c := map[string]any{
		"aud": vaultAudience, "iss": "https://sts.localhost:8443/" + tid + "/", "tid": tid, "oid": oid, "appid": directory.CommandLineApp,
		"nbf": m.now.Unix(), "exp": m.now.Add(time.Hour).Unix(), "idtyp": "user", "upn": "alice@contoso.example",
		"roles": []string{"Global Reader"}, "groups": []string{oid},
	}
	for k, v := range change {
		if v == nil {
			delete(c, k)
		} else {
			c[k] = v
		}
	}
	return c
}

func (m *mint) sign(alg jose.SignatureAlgorithm, key any, kid string, claims any) string {
	m.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", kid))
	if err != nil {
		m.t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		m.t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		m.t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		m.t.Fatal(err)
	}
	return token
}

func (m *mint) token(change map[string]any) string {
	m.t.Helper()
	return m.sign(jose.RS256, m.key, "k1", m.claims(change))
}

func (m *mint) keys(context.Context) (jose.JSONWebKeySet, error) {
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: m.key.Public(), KeyID: "k1", Algorithm: "RS256", Use: "sig"}}}, nil
}

func (m *mint) verifier(keys func(context.Context) (jose.JSONWebKeySet, error)) *directory.Verifier {
	m.t.Helper()
	v, err := directory.NewVerifier(directory.VerifierConfig{
		Keys: keys, Issuer: func(tenant string) string { return "https://sts.localhost:8443/" + tenant + "/" },
		Audiences: []string{vaultAudience + "/", "https://vault.azure.net"}, Now: func() time.Time { return m.now },
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return v
}

func TestVerifyTable(t *testing.T) {
	t.Parallel()
	m := newMint(t)
	other := newOtherMint(t)
	v := m.verifier(m.keys)
	public, err := x509.MarshalPKIXPublicKey(m.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	good := m.token(nil)
	parts := strings.Split(good, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"k1"}`))
	at := func(d time.Duration) int64 { return m.now.Add(d).Unix() }

	for _, tt := range []struct{ name, token, reason string }{
		{"good", good, ""},
		{"good, aud with slash", m.token(map[string]any{"aud": vaultAudience + "/"}), ""},
		{"good, second aud", m.token(map[string]any{"aud": "https://vault.azure.net"}), ""},
		{"good, aud list", m.token(map[string]any{"aud": []string{"x", vaultAudience}}), ""},
		{"good, app", m.token(map[string]any{"idtyp": "app", "upn": nil}), ""},
		{"expired 59 s ago", m.token(map[string]any{"exp": at(-59 * time.Second)}), ""},
		{"valid in 60 s", m.token(map[string]any{"nbf": at(60 * time.Second)}), ""},

		{"empty", "", directory.MissingToken},
		{"noise", "noise", directory.BadSignature},
		{"alg none", none + "." + parts[1] + ".", directory.BadSignature},
		{"alg none, signature kept", none + "." + parts[1] + "." + parts[2], directory.BadSignature},
		{"HS256 with the public key", m.sign(jose.HS256, publicPEM, "k1", m.claims(nil)), directory.BadSignature},
		{"PS256 with the right key", m.sign(jose.PS256, m.key, "k1", m.claims(nil)), directory.BadSignature},
		{"another key, same kid", m.sign(jose.RS256, other.key, "k1", m.claims(nil)), directory.BadSignature},
		{"another key in its own header", m.sign(jose.RS256, jose.JSONWebKey{Key: other.key, KeyID: "k1"}, "k1", m.claims(nil)), directory.BadSignature},
		{"unknown kid", m.sign(jose.RS256, m.key, "k2", m.claims(nil)), directory.BadSignature},
		{"no kid", m.sign(jose.RS256, m.key, "", m.claims(nil)), directory.BadSignature},
		{"cut off", good[:len(good)-1], directory.BadSignature},
		{"no signature", parts[0] + "." + parts[1] + ".", directory.BadSignature},
		{"payload swapped", parts[0] + "." + strings.Split(m.token(map[string]any{"tid": oid}), ".")[1] + "." + parts[2], directory.BadSignature},
		{"JSON form", `{"protected":"` + parts[0] + `","payload":"` + parts[1] + `","signature":"` + parts[2] + `"}`, directory.BadSignature},
		{"too long", good + strings.Repeat("A", 40<<10), directory.BadSignature},
		{"claims are a list", m.sign(jose.RS256, m.key, "k1", []int{1}), directory.BadSignature},
		{"id token", m.token(map[string]any{"idtyp": nil}), directory.BadSignature},
		{"odd oid", m.token(map[string]any{"oid": "system"}), directory.BadSignature},
		{"kind system", m.token(map[string]any{"idtyp": "system"}), directory.BadSignature},

		{"issuer of another tenant", m.token(map[string]any{"tid": oid}), directory.InvalidIssuer},
		{"foreign issuer", m.token(map[string]any{"iss": "https://sts.evil.example/" + tid + "/"}), directory.InvalidIssuer},
		{"issuer and tid bent alike", m.token(map[string]any{"tid": "../x", "iss": "https://sts.localhost:8443/../x/"}), directory.InvalidIssuer},
		{"no tid", m.token(map[string]any{"tid": nil}), directory.InvalidIssuer},
		{"wrong audience", m.token(map[string]any{"aud": "https://api.localhost:8443"}), directory.InvalidAudience},
		{"audience with a tail", m.token(map[string]any{"aud": vaultAudience + ".evil.example"}), directory.InvalidAudience},
		{"no audience", m.token(map[string]any{"aud": nil}), directory.InvalidAudience},
		{"wrong audience and expired", m.token(map[string]any{"aud": "x", "exp": at(-time.Hour)}), directory.InvalidAudience},
		{"expired", m.token(map[string]any{"exp": at(-60 * time.Second)}), directory.TokenExpired},
		{"not yet valid", m.token(map[string]any{"nbf": at(61 * time.Second)}), directory.TokenExpired},
		{"no exp", m.token(map[string]any{"exp": nil}), directory.TokenExpired},
		{"no nbf", m.token(map[string]any{"nbf": nil}), directory.TokenExpired},
		{"exp beyond numbers", m.token(map[string]any{"exp": 1e300}), directory.BadSignature},
	} {
		c, err := v.Verify(t.Context(), tt.token)
		if tt.reason == "" {
			if err != nil || c.ID != oid || c.Tenant != tid || len(c.Roles) != 1 || len(c.Groups) != 1 {
				t.Errorf("%s: %+v, %v", tt.name, c, err)
			}
			continue
		}
		if e := fault.As(err); err == nil || e.Code != fault.Unauthenticated || e.Reason != tt.reason || e.Hint == "" {
			t.Errorf("%s: %v (%s), want %s", tt.name, err, e.Reason, tt.reason)
		}
		if c.Tenant != "" || c.Has(directory.GlobalReader) {
			t.Errorf("%s: refused, and yet a caller: %+v", tt.name, c)
		}
	}
}

func TestVerifiedTokenIsRememberedUntilItExpires(t *testing.T) {
	t.Parallel()
	m := newMint(t)
	asked := 0
	v := m.verifier(func(ctx context.Context) (jose.JSONWebKeySet, error) {
		if asked++; asked > 1 {
			return jose.JSONWebKeySet{}, errors.New("the issuer is away")
		}
		return m.keys(ctx)
	})
	token := m.token(nil)
	first, err := v.Verify(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	first.Roles[0] = directory.GlobalAdministrator // a handler that scribbles
	again, err := v.Verify(t.Context(), token)
	if err != nil || again.Has(directory.GlobalAdministrator) {
		t.Errorf("the second use gave %+v, %v", again, err)
	}
	m.now = m.now.Add(-2 * time.Minute)
	if _, err := v.Verify(t.Context(), token); fault.As(err).Reason != directory.TokenExpired {
		t.Errorf("with the clock set back: %v, want not valid yet", err)
	}
	m.now = m.now.Add(time.Hour + 3*time.Minute)
	if _, err := v.Verify(t.Context(), token); fault.As(err).Reason != directory.TokenExpired {
		t.Errorf("after its life: %v, want %s", err, directory.TokenExpired)
	}
}

func TestIssuerKeysAreAskedForSeldom(t *testing.T) {
	t.Parallel()
	m, next := newMint(t), newOtherMint(t)
	asked, rotated := 0, false
	v := m.verifier(func(ctx context.Context) (jose.JSONWebKeySet, error) {
		asked++
		set, err := m.keys(ctx)
		if rotated {
			set.Keys = append(set.Keys, jose.JSONWebKey{Key: next.key.Public(), KeyID: "k2"})
		}
		return set, err
	})
	for range 50 { // made-up kids
		if _, err := v.Verify(t.Context(), m.sign(jose.RS256, next.key, "k2", m.claims(nil))); err == nil {
			t.Fatal("a token of an unknown key was taken")
		}
	}
	if asked != 1 {
		t.Errorf("asked for keys %d times, want 1", asked)
	}
	rotated = true
	m.now = m.now.Add(11 * time.Second)
	if _, err := v.Verify(t.Context(), m.sign(jose.RS256, next.key, "k2", m.claims(nil))); err != nil {
		t.Errorf("a new key of the issuer: %v", err)
	}
}

func TestIssuerThatIsAwayIsNotAskedForEachToken(t *testing.T) {
	t.Parallel()
	m := newMint(t)
	asked, away := 0, false
	v := m.verifier(func(ctx context.Context) (jose.JSONWebKeySet, error) {
		if asked++; away {
			return jose.JSONWebKeySet{}, errors.New("away")
		}
		return m.keys(ctx)
	})
	for i := range 20 {
		if _, err := v.Verify(t.Context(), m.token(map[string]any{"exp": m.now.Add(4 * time.Hour).Unix(), "uti": i})); err != nil {
			t.Fatal(err)
		}
		if i == 9 {
			m.now, away = m.now.Add(2*time.Hour), true
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times, want 2", asked)
	}
}

func TestNoKeysIsUnavailable(t *testing.T) {
	t.Parallel()
	m := newMint(t)
	v := m.verifier(func(context.Context) (jose.JSONWebKeySet, error) { return jose.JSONWebKeySet{}, errors.New("away") })
	if _, err := v.Verify(t.Context(), m.token(nil)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v, want %s", err, fault.Unavailable)
	}
}

func TestBearerToken(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Bearer abc": "abc", "bearer  abc ": "abc", "Basic abc": "", "Bearer": "", "": "", "abc": "",
	} {
		if got := directory.BearerToken(in); got != want {
			t.Errorf("BearerToken(%q) = %q, want %q", in, got, want)
		}
	}
}

func BenchmarkVerifyAgain(b *testing.B) {
	m := newMint(b)
	v, token := m.verifier(m.keys), m.token(nil)
	for b.Loop() {
		if _, err := v.Verify(context.Background(), token); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	m := newMint(f)
	v := m.verifier(m.keys)
	good := m.token(nil)
	for _, seed := range []string{good, m.token(map[string]any{"aud": 1}), m.sign(jose.PS256, m.key, "k1", m.claims(nil)), "a.b.c", good + "."} {
		f.Add(seed)
	}
	want, err := v.Verify(f.Context(), good)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, token string) {
		c, err := v.Verify(context.Background(), token)
		if err == nil && !reflect.DeepEqual(c, want) { // the same token can be spelt in several ways
			t.Errorf("%q was taken as %+v", token, c)
		}
		if err != nil && fault.As(err).Code != fault.Unauthenticated {
			t.Errorf("%q: %v is not %s", token, err, fault.Unauthenticated)
		}
	})
}
