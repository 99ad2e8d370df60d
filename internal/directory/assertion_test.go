package directory_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// mustCertificate returns a self-signed certificate of a key, DER.
func mustCertificate(t testing.TB, key crypto.Signer, from, until time.Time) []byte {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "importer"}, NotBefore: from, NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func mustEC(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// An asserter signs assertions of an app.
type asserter struct {
	*world
	m      *mint // for RSA
	ec     *ecdsa.PrivateKey
	tenant directory.Tenant
	app    directory.ServicePrincipal
}

func newAsserter(t *testing.T) *asserter {
	t.Helper()
	a := &asserter{world: newWorld(t), m: newMint(t), ec: mustEC(t, elliptic.P256())}
	a.tenant = a.mustTenant("contoso.example")
	a.app, _ = a.mustApp(a.tenant)
	for _, key := range []crypto.Signer{a.m.key, a.ec} {
		der := mustCertificate(t, key, a.now.Add(-time.Hour), a.now.Add(1000*time.Hour))
		if _, err := a.AddCertificate(t.Context(), system, a.tenant.ID, a.app.AppID, "", der); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

// claims are those that official clients write, with changes.
func (a *asserter) claims(change map[string]any) map[string]any {
	c := map[string]any{
		"aud": "https://login.localhost:8443/" + a.tenant.ID + "/oauth2/v2.0/token", "iss": a.app.AppID, "sub": a.app.AppID,
		"jti": uuid.NewString(), "nbf": a.clock().Unix(), "exp": a.clock().Add(10 * time.Minute).Unix(),
	}
	for k, v := range change {
		if c[k] = v; v == nil {
			delete(c, k)
		}
	}
	return c
}

func (a *asserter) try(assertion string) error {
	tokens, err := a.ClientCredentials(a.t.Context(), a.tenant.Domain, directory.Client{ID: a.app.AppID, Assertion: assertion}, vaultAudience+"/.default", directory.Origin{})
	if err == nil && tokens.Access == "" {
		a.t.Error("no token and no error")
	}
	return err
}

func TestAssertions(t *testing.T) {
	t.Parallel()
	a := newAsserter(t)
	stranger := newOtherMint(t)
	sign := func(change map[string]any) string { return a.m.sign(jose.RS256, a.m.key, "", a.claims(change)) }
	at := func(d time.Duration) int64 { return a.clock().Add(d).Unix() }
	login := "https://login.localhost:8443/"
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
	parts := strings.Split(sign(nil), ".")
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&a.m.key.PublicKey)})
	for _, tt := range []struct{ name, assertion, reason string }{
		{"RS256", sign(nil), ""},
		{"PS256", a.m.sign(jose.PS256, a.m.key, "", a.claims(nil)), ""},
		{"ES256", a.m.sign(jose.ES256, a.ec, "some kid", a.claims(nil)), ""},
		{"no nbf, no jti", sign(map[string]any{"nbf": nil, "jti": nil}), ""},
		{"aud v1", sign(map[string]any{"aud": login + "contoso.example/oauth2/token"}), ""},
		{"aud issuer", sign(map[string]any{"aud": login + a.tenant.ID + "/v2.0"}), ""},
		{"aud v1 issuer", sign(map[string]any{"aud": a.Issuer(a.tenant.ID)}), ""},
		{"aud list", sign(map[string]any{"aud": []string{"x", login + "common/oauth2/v2.0/token"}}), ""},
		{"expired 59 s ago", sign(map[string]any{"nbf": at(-time.Hour), "exp": at(-59 * time.Second)}), ""},

		{"noise", "noise", directory.InvalidAssertion},
		{"too long", strings.Repeat("a", 20<<10), directory.InvalidAssertion},
		{"alg none", none + "." + parts[1] + ".", directory.InvalidAssertion},
		{"HS256 by the public key", a.m.sign(jose.HS256, public, "", a.claims(nil)), directory.InvalidAssertion},
		{"RS512", a.m.sign(jose.RS512, a.m.key, "", a.claims(nil)), directory.InvalidAssertion},
		{"another's key", a.m.sign(jose.RS256, stranger.key, "", a.claims(nil)), directory.UnknownCertificate},
		{"payload swapped", parts[0] + "." + strings.Split(sign(nil), ".")[1] + "." + parts[2], directory.UnknownCertificate},
		{"claims are a list", a.m.sign(jose.RS256, a.m.key, "", []int{1}), directory.InvalidAssertion},
		{"another subject", sign(map[string]any{"sub": a.tenant.ID}), directory.AssertionSubject},
		{"another issuer", sign(map[string]any{"iss": nil}), directory.AssertionSubject},
		{"another service", sign(map[string]any{"aud": "https://login.microsoftonline.com/" + a.tenant.ID + "/v2.0"}), directory.AssertionAudience},
		{"a longer host", sign(map[string]any{"aud": "https://login.localhost:8443.evil.example/" + a.tenant.ID + "/v2.0"}), directory.AssertionAudience},
		{"another tenant", sign(map[string]any{"aud": login + a.app.AppID + "/oauth2/v2.0/token"}), directory.AssertionAudience},
		{"no aud", sign(map[string]any{"aud": nil}), directory.AssertionAudience},
		{"expired", sign(map[string]any{"exp": at(-61 * time.Second)}), directory.AssertionTime},
		{"not yet", sign(map[string]any{"nbf": at(62 * time.Second)}), directory.AssertionTime},
		{"no exp", sign(map[string]any{"exp": nil}), directory.AssertionTime},
		{"an hour", sign(map[string]any{"exp": at(time.Hour)}), directory.AssertionTime},
		{"for ever", sign(map[string]any{"exp": int64(1) << 60}), directory.AssertionTime},
	} {
		err := a.try(tt.assertion)
		if tt.reason == "" {
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
			} else if again := a.try(tt.assertion); fault.As(again).Reason != directory.InvalidAssertion {
				t.Errorf("%s, shown again: %v, want %s", tt.name, again, directory.InvalidAssertion)
			}
			continue
		}
		if e := fault.As(err); err == nil || e.Reason != tt.reason || e.Code != fault.Unauthenticated || e.Hint == "" {
			t.Errorf("%s: %v (%s), want %s", tt.name, err, e.Reason, tt.reason)
		}
		if e := a.last(); e.decision != "deny" {
			t.Errorf("%s: recorded %+v", tt.name, e)
		}
		if err := a.try(sign(nil)); err != nil { // so that the throttle stays open
			t.Fatal(err)
		}
	}
}

// TestAssertionsAndClocks walks the clock to and fro: what was taken once is never taken again,
// and a new assertion is, unless the clock is more than a day behind what it was.
func TestAssertionsAndClocks(t *testing.T) {
	t.Parallel()
	a := newAsserter(t)
	const day = 24 * time.Hour
	start, taken := a.clock(), map[string]time.Duration{}
	for i, step := range []struct {
		at      time.Duration // on the clock, since the start
		refused bool
	}{
		{at: 0}, {at: time.Minute},
		{at: 30 * day}, {at: 2 * time.Minute}, // ahead for a moment
		{at: 20 * day}, {at: 20*day + time.Hour}, {at: 22 * day}, // so long that these are forgotten, too
		{at: 3 * time.Minute, refused: true}, {at: 20*day + 30*time.Minute, refused: true},
		{at: 20*day + 2*time.Hour}, {at: 22*day + time.Minute}, {at: 30*day + 5*time.Minute},
	} {
		a.pass(start.Add(step.at).Sub(a.clock()))
		if i%2 == 0 {
			a.start()
		}
		fresh := a.m.sign(jose.RS256, a.m.key, "", a.claims(nil))
		switch err := a.try(fresh); {
		case step.refused:
			if e := fault.As(err); e.Reason != directory.InvalidAssertion || !strings.Contains(e.Hint, "gone back by more than a day") {
				t.Errorf("at %s: %v (%s), want %s", step.at, err, e.Hint, directory.InvalidAssertion)
			}
		case err != nil:
			t.Errorf("at %s: %v", step.at, err)
		}
		for old, from := range taken {
			if a.try(old) == nil {
				t.Errorf("at %s one of %s is taken again", step.at, from)
			}
		}
		if !step.refused {
			taken[fresh] = step.at
		}
	}
}

func TestAssertionNamesItsCertificate(t *testing.T) {
	t.Parallel()
	a := newAsserter(t)
	list, err := a.Credentials(t.Context(), system, a.tenant.ID, a.app.AppID)
	if err != nil || len(list.Certificates) != 2 || list.Certificates[0].Name != "importer" {
		t.Fatalf("%+v, %v", list.Certificates, err)
	}
	sign := func(thumbprint string) string {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: a.m.key}, (&jose.SignerOptions{}).WithHeader("x5t#S256", thumbprint))
		if err != nil {
			t.Fatal(err)
		}
		return mustSign(t, signer, a.claims(nil))
	}
	for i, c := range list.Certificates {
		sum, want := sha256.Sum256(c.DER), directory.UnknownCertificate
		if parsed, err := x509.ParseCertificate(c.DER); err == nil && parsed.PublicKeyAlgorithm == x509.RSA {
			want = ""
		}
		for _, thumbprint := range []string{base64.StdEncoding.EncodeToString(sum[:]), base64.RawURLEncoding.EncodeToString(sum[:])} {
			if got := fault.As(a.try(sign(thumbprint))).Reason; got != want {
				t.Errorf("thumbprint of certificate %d: %q, want %q", i, got, want)
			}
		}
	}
	if got := fault.As(a.try(sign("!"))).Reason; got != directory.UnknownCertificate {
		t.Errorf("an odd thumbprint: %q", got)
	}

	for _, c := range list.Certificates {
		if err := a.RemoveCredential(t.Context(), system, a.tenant.ID, a.app.AppID, c.ID); err != nil {
			t.Error(err)
		}
	}
	if err := a.try(a.m.sign(jose.RS256, a.m.key, "", a.claims(nil))); fault.As(err).Reason != directory.UnknownCertificate {
		t.Errorf("by a certificate that was removed: %v", err)
	}
}

func TestCertificateEnds(t *testing.T) {
	t.Parallel()
	a := newAsserter(t)
	a.pass(1000*time.Hour + 61*time.Second)
	if err := a.try(a.m.sign(jose.RS256, a.m.key, "", a.claims(nil))); fault.As(err).Reason != directory.UnknownCertificate {
		t.Errorf("%v, want %s", err, directory.UnknownCertificate)
	}
}

func TestBadCertificatesAreRefused(t *testing.T) {
	t.Parallel()
	a := newAsserter(t)
	now := a.clock()
	good := mustCertificate(t, a.ec, now, now.Add(time.Hour))
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err == nil { // where weak keys can be made at all
		if _, err := a.AddCertificate(t.Context(), system, a.tenant.ID, a.app.AppID, "", mustCertificate(t, small, now, now.Add(time.Hour))); !fault.Is(err, fault.Invalid) {
			t.Errorf("RSA of 1024 bits: %v", err)
		}
	}
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	for name, encoded := range map[string][]byte{
		"nothing":     nil,
		"noise":       []byte("noise"),
		"long":        make([]byte, 20<<10),
		"private key": block("PRIVATE KEY", good),
		"two":         append(block("CERTIFICATE", good), block("CERTIFICATE", good)...),
		"P-384":       mustCertificate(t, mustEC(t, elliptic.P384()), now, now.Add(time.Hour)),
		"expired":     mustCertificate(t, a.ec, now.Add(-time.Hour), now),
	} {
		if _, err := a.AddCertificate(t.Context(), system, a.tenant.ID, a.app.AppID, "", encoded); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want %s", name, err, fault.Invalid)
		}
	}
	for range 8 {
		if _, err := a.AddCertificate(t.Context(), system, a.tenant.ID, a.app.AppID, "one more", block("CERTIFICATE", good)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.AddCertificate(t.Context(), system, a.tenant.ID, a.app.AppID, "", good); !fault.Is(err, fault.Conflict) {
		t.Errorf("the eleventh: %v, want %s", err, fault.Conflict)
	}
}

func TestSecretsComeAndGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	contoso, fabrikam := w.mustTenant("contoso.example"), w.mustTenant("fabrikam.example")
	app, first := w.mustApp(contoso)
	try := func(secret string) error {
		_, err := w.ClientCredentials(t.Context(), contoso.ID, directory.Client{ID: app.AppID, Secret: secret}, apiAudience, directory.Origin{})
		return err
	}
	admin := directory.Caller{Tenant: contoso.ID, ID: "admin", Kind: directory.User, Roles: []directory.Role{directory.GlobalAdministrator}}
	added, second, err := w.AddSecret(t.Context(), admin, contoso.ID, app.ID, "nightly", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if try(first) != nil || try(second) != nil {
		t.Errorf("the secrets: %v, %v", try(first), try(second))
	}
	stranger := directory.Caller{Tenant: fabrikam.ID, ID: "admin", Kind: directory.User, Roles: admin.Roles}
	for name, do := range map[string]func(c directory.Caller, tenant string) error{
		"add": func(c directory.Caller, tenant string) error {
			_, _, err := w.AddSecret(t.Context(), c, tenant, app.AppID, "", 0)
			return err
		},
		"remove": func(c directory.Caller, tenant string) error {
			return w.RemoveCredential(t.Context(), c, tenant, app.AppID, added.ID)
		},
		"list": func(c directory.Caller, tenant string) error {
			_, err := w.Credentials(t.Context(), c, tenant, app.AppID)
			return err
		},
		"redirect": func(c directory.Caller, tenant string) error {
			return w.SetRedirects(t.Context(), c, tenant, app.AppID, []string{"https://evil.example/"})
		},
	} {
		if err := do(stranger, contoso.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("a stranger's %s: %v", name, err)
		}
		if err := do(stranger, fabrikam.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("a stranger's %s at home: %v", name, err)
		}
		if err := do(directory.Caller{Tenant: contoso.ID, ID: "reader", Kind: directory.User}, contoso.ID); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a reader's %s: %v", name, err)
		}
	}
	w.pass(time.Hour)
	if err := try(second); fault.As(err).Reason != directory.InvalidSecret {
		t.Errorf("an expired secret: %v", err)
	}
	if err := w.RemoveCredential(t.Context(), admin, contoso.ID, app.AppID, added.ID); err != nil {
		t.Error(err)
	}
	if err := w.RemoveCredential(t.Context(), admin, contoso.ID, app.AppID, added.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("twice: %v", err)
	}
	if try(first) != nil {
		t.Errorf("the first secret: %v", try(first))
	}
}

func TestWrongProofsAreThrottledAndRightOnesAreNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	contoso := w.mustTenant("contoso.example")
	app, secret := w.mustApp(contoso)
	try := func(secret string) error {
		_, err := w.ClientCredentials(t.Context(), contoso.ID, directory.Client{ID: app.AppID, Secret: secret}, apiAudience, directory.Origin{})
		return err
	}
	for range 20 {
		if err := try("wrong"); fault.As(err).Reason != directory.InvalidSecret {
			t.Fatal(err)
		}
	}
	recorded := w.count()
	for range 50 {
		if err := try("wrong"); !fault.Is(err, fault.Throttled) {
			t.Fatalf("after twenty: %v, want %s", err, fault.Throttled)
		}
	}
	if w.count() != recorded {
		t.Errorf("%d records of refusals that nobody looked at", w.count()-recorded)
	}
	if err := try(secret); err != nil {
		t.Errorf("the right secret is kept waiting: %v", err)
	}
	if err := try("wrong"); fault.As(err).Reason != directory.InvalidSecret {
		t.Errorf("after the right one: %v", err)
	}
}

func mustSign(t testing.TB, signer jose.Signer, claims any) string {
	t.Helper()
	text, err := signClaims(signer, claims)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func signClaims(signer jose.Signer, claims any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// FuzzAssertion: whatever an app shows, it is refused unless its key has signed it, and never
// with another code than the two.
func FuzzAssertion(f *testing.F) {
	w := newWorld(f)
	m := newMint(f)
	contoso := w.mustTenant("contoso.example")
	app, _ := w.mustApp(contoso)
	if _, err := w.AddCertificate(f.Context(), system, contoso.ID, app.AppID, "", mustCertificate(f, m.key, w.now.Add(-time.Hour), w.now.Add(time.Hour))); err != nil {
		f.Fatal(err)
	}
	good := m.sign(jose.RS256, m.key, "", map[string]any{"aud": "https://login.localhost:8443/common", "iss": app.AppID, "sub": app.AppID, "exp": w.now.Unix()})
	for _, seed := range []string{good, good + ".", "a.b.c", "{}", strings.Replace(good, ".", "..", 1)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, assertion string) {
		_, err := w.ClientCredentials(t.Context(), contoso.ID, directory.Client{ID: app.AppID, Assertion: assertion}, apiAudience, directory.Origin{})
		if err == nil && !strings.HasPrefix(assertion, good[:strings.IndexByte(good, '.')]) {
			t.Errorf("%q was taken", assertion)
		}
		if assertion != "" && err != nil && !fault.Is(err, fault.Unauthenticated) && !fault.Is(err, fault.Throttled) {
			t.Errorf("%q: %v", assertion, err)
		}
	})
}

// TestAssertionOtherSignature: of an ECDSA signature anybody makes another one that is right, too;
// an assertion does not become a new one by it.
func TestAssertionOtherSignature(t *testing.T) {
	t.Parallel()
	a := newAsserter(t)
	assertion := a.m.sign(jose.ES256, a.ec, "", a.claims(map[string]any{"jti": nil}))
	if err := a.try(assertion); err != nil {
		t.Fatal(err)
	}
	cut := strings.LastIndexByte(assertion, '.') + 1
	signature, err := base64.RawURLEncoding.DecodeString(assertion[cut:])
	if err != nil {
		t.Fatal(err)
	}
	s := new(big.Int).SetBytes(signature[32:])
	s.Sub(elliptic.P256().Params().N, s).FillBytes(signature[32:])
	twin := assertion[:cut] + base64.RawURLEncoding.EncodeToString(signature)
	if err := a.try(twin); fault.As(err).Reason != directory.InvalidAssertion {
		t.Errorf("the same assertion under its other signature: %v", err)
	}
}
