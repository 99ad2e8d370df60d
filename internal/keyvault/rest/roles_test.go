package rest_test

import (
	"crypto/elliptic"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

const keyActions = "Microsoft.KeyVault/vaults/keys/"

// byRole is the table of KV-106, as it stands there; rotation policies are Azure's addition.
var byRole = map[string][]string{
	rights.VaultAdmin:    {"*"},
	rights.CryptoOfficer: {"*"},
	rights.CryptoUser: {
		"read", "update/action", "backup/action", "encrypt/action", "decrypt/action", "wrap/action", "unwrap/action", "sign/action", "verify/action",
	},
	rights.ServiceEncryption: {"read", "wrap/action", "unwrap/action"},
	rights.VaultReader:       {"read", "policy"},
	rights.VaultContributor:  {},
}

// An operation is one of the official client's, by the action that it needs. prepare is done
// by who may do everything.
type operation struct {
	name, action string
	prepare, do  func(*azkeys.Client) error
}

// operations are all of them, over the RSA key "root1".
func operations(t *testing.T, admin *azkeys.Client) []operation {
	ctx := t.Context()
	ec := azkeys.CreateKeyParameters{Kty: to.Ptr(azkeys.KeyTypeEC)}
	nothing := func(*azkeys.Client) error { return nil }
	made := func(name string) func(*azkeys.Client) error {
		return func(c *azkeys.Client) error {
			if _, err := c.GetKey(ctx, name, "", nil); err == nil {
				return nil
			}
			if _, err := c.RecoverDeletedKey(ctx, name, nil); err == nil {
				return nil
			}
			_, err := c.CreateKey(ctx, name, ec, nil)
			return err
		}
	}
	deleted := func(name string) func(*azkeys.Client) error {
		return func(c *azkeys.Client) error {
			if err := made(name)(c); err != nil {
				return err
			}
			_, err := c.DeleteKey(ctx, name, nil)
			return err
		}
	}
	purged := func(name string) func(*azkeys.Client) error {
		return func(c *azkeys.Client) error {
			if err := deleted(name)(c); err != nil {
				return err
			}
			_, err := c.PurgeDeletedKey(ctx, name, nil)
			return err
		}
	}
	if err := made("spare")(admin); err != nil {
		t.Fatal(err)
	}
	blob, err := admin.BackupKey(ctx, "spare", nil)
	if err != nil {
		t.Fatal(err)
	}
	value := azkeys.KeyOperationParameters{Algorithm: to.Ptr(azkeys.EncryptionAlgorithmRSAOAEP256), Value: []byte("key")}
	wrapped, err := admin.WrapKey(ctx, "root1", "", value, nil)
	if err != nil {
		t.Fatal(err)
	}
	sealed := value
	sealed.Value = wrapped.Result
	digest := make([]byte, 32)
	signed, err := admin.Sign(ctx, "root1", "", azkeys.SignParameters{Algorithm: to.Ptr(azkeys.SignatureAlgorithmPS256), Value: digest}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, d, x, y := mustEC(t, elliptic.P256())
	jwk := &azkeys.JSONWebKey{Kty: to.Ptr(azkeys.KeyTypeEC), Crv: to.Ptr(azkeys.CurveNameP256), X: x, Y: y, D: d}
	return []operation{
		{"create", keyActions + "create/action", nothing, func(c *azkeys.Client) error { _, err := c.CreateKey(ctx, "spare", ec, nil); return err }},
		{"import", keyActions + "import/action", nothing, func(c *azkeys.Client) error {
			_, err := c.ImportKey(ctx, "spare", azkeys.ImportKeyParameters{Key: jwk}, nil)
			return err
		}},
		{"get", keyActions + "read", nothing, func(c *azkeys.Client) error { _, err := c.GetKey(ctx, "root1", "", nil); return err }},
		{"list", keyActions + "read", nothing, func(c *azkeys.Client) error { _, err := c.NewListKeyPropertiesPager(nil).NextPage(ctx); return err }},
		{"versions", keyActions + "read", nothing, func(c *azkeys.Client) error {
			_, err := c.NewListKeyPropertiesVersionsPager("root1", nil).NextPage(ctx)
			return err
		}},
		{"update", keyActions + "update/action", nothing, func(c *azkeys.Client) error {
			_, err := c.UpdateKey(ctx, "root1", "", azkeys.UpdateKeyParameters{Tags: map[string]*string{"a": to.Ptr("b")}}, nil)
			return err
		}},
		{"delete", keyActions + "delete", made("doomed"), func(c *azkeys.Client) error { _, err := c.DeleteKey(ctx, "doomed", nil); return err }},
		{"get deleted", keyActions + "read", deleted("doomed"), func(c *azkeys.Client) error { _, err := c.GetDeletedKey(ctx, "doomed", nil); return err }},
		{"list deleted", keyActions + "read", nothing, func(c *azkeys.Client) error {
			_, err := c.NewListDeletedKeyPropertiesPager(nil).NextPage(ctx)
			return err
		}},
		{"recover", keyActions + "recover/action", deleted("doomed"), func(c *azkeys.Client) error { _, err := c.RecoverDeletedKey(ctx, "doomed", nil); return err }},
		{"purge", keyActions + "purge/action", deleted("doomed"), func(c *azkeys.Client) error { _, err := c.PurgeDeletedKey(ctx, "doomed", nil); return err }},
		{"backup", keyActions + "backup/action", made("spare"), func(c *azkeys.Client) error { _, err := c.BackupKey(ctx, "spare", nil); return err }},
		{"restore", keyActions + "restore/action", purged("spare"), func(c *azkeys.Client) error {
			_, err := c.RestoreKey(ctx, azkeys.RestoreKeyParameters{KeyBackup: blob.Value}, nil)
			return err
		}},
		{"wrap", keyActions + "wrap/action", nothing, func(c *azkeys.Client) error { _, err := c.WrapKey(ctx, "root1", "", value, nil); return err }},
		{"unwrap", keyActions + "unwrap/action", nothing, func(c *azkeys.Client) error { _, err := c.UnwrapKey(ctx, "root1", "", sealed, nil); return err }},
		{"encrypt", keyActions + "encrypt/action", nothing, func(c *azkeys.Client) error { _, err := c.Encrypt(ctx, "root1", "", value, nil); return err }},
		{"decrypt", keyActions + "decrypt/action", nothing, func(c *azkeys.Client) error { _, err := c.Decrypt(ctx, "root1", "", sealed, nil); return err }},
		{"sign", keyActions + "sign/action", nothing, func(c *azkeys.Client) error {
			_, err := c.Sign(ctx, "root1", "", azkeys.SignParameters{Algorithm: to.Ptr(azkeys.SignatureAlgorithmPS256), Value: digest}, nil)
			return err
		}},
		{"verify", keyActions + "verify/action", nothing, func(c *azkeys.Client) error {
			_, err := c.Verify(ctx, "root1", "", azkeys.VerifyParameters{Algorithm: to.Ptr(azkeys.SignatureAlgorithmPS256), Digest: digest, Signature: signed.Result}, nil)
			return err
		}},
		{"rotate", keyActions + "rotate/action", made("spare"), func(c *azkeys.Client) error { _, err := c.RotateKey(ctx, "spare", nil); return err }},
		{"get policy", "Microsoft.KeyVault/vaults/keyrotationpolicies/read", made("spare"), func(c *azkeys.Client) error {
			_, err := c.GetKeyRotationPolicy(ctx, "spare", nil)
			return err
		}},
		{"set policy", "Microsoft.KeyVault/vaults/keyrotationpolicies/write", made("spare"), func(c *azkeys.Client) error {
			_, err := c.UpdateKeyRotationPolicy(ctx, "spare", azkeys.KeyRotationPolicy{Attributes: &azkeys.KeyRotationPolicyAttributes{ExpiryTime: to.Ptr("P90D")}}, nil)
			return err
		}},
	}
}

// gives reports whether a row of byRole includes an action.
func gives(row []string, action string) bool {
	for _, has := range row {
		if has == "*" || keyActions+has == action || has == "policy" && action == "Microsoft.KeyVault/vaults/keyrotationpolicies/read" {
			return true
		}
	}
	return false
}

// TestAzkeysRoles: each role of KV-106 against each operation of the official client.
func TestAzkeysRoles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	on := true
	vault := w.MustPutVault(keyvault.VaultSpec{Name: "contoso-east", RBAC: &on})
	assign := func(c directory.Caller, role string) {
		t.Helper()
		at := rights.Scope{Subscription: vault.Subscription, Group: vault.Group, Vault: vault.Name}
		if _, _, err := w.AssignRole(t.Context(), w.Owner, rights.Assignment{ID: uuid.NewString(), Scope: at, Role: role, Principal: c.ID}); err != nil {
			t.Fatal(err)
		}
	}
	chief := w.Person("chief@contoso.example")
	assign(chief, rights.VaultAdmin)
	admin := mustClient(t, w, chief, "contoso-east")
	mustCreate(t, admin, "root1", rsaKey(2048))
	operations := operations(t, admin)
	for role, row := range byRole {
		holder := w.Person("holder@contoso.example")
		assign(holder, role)
		client := mustClient(t, w, holder, "contoso-east")
		for _, op := range operations {
			if err := op.prepare(admin); err != nil {
				t.Fatalf("preparing %s: %v", op.name, err)
			}
			err := op.do(client)
			if gives(row, op.action) {
				if err != nil {
					t.Errorf("%s, %s: %v", role, op.name, err)
				}
				continue
			}
			wantRefusal(t, err, "ForbiddenByRbac", "Action: '"+op.action+"'\r\n")
		}
	}
}

// wantRefusal checks a 403, its inner code and what its message says.
func wantRefusal(t *testing.T, err error, inner, says string) {
	t.Helper()
	wantError(t, err, http.StatusForbidden, "Forbidden")
	var e *azcore.ResponseError
	errors.As(err, &e)
	text, err := runtime.Payload(e.RawResponse)
	if err != nil {
		t.Fatal(err)
	}
	var body struct {
		Error struct {
			Message    string
			InnerError struct{ Code string }
		}
	}
	if err := json.Unmarshal(text, &body); err != nil || body.Error.InnerError.Code != inner || !strings.Contains(body.Error.Message, says) {
		t.Errorf("refused by %s, %v; want %s and %q", text, err, inner, says)
	}
}

// TestAzkeysNetwork: the address that counts is the connection's own, whatever a header says,
// and it counts after the token and before everything about keys (KV-102).
func TestAzkeysNetwork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	admin := w.Person("admin@contoso.example")
	w.MustVault("contoso-east", keyvaulttest.Can(admin, "all"))
	client := mustClient(t, w, admin, "contoso-east")
	mustCreate(t, client, "curve", azkeys.CreateKeyParameters{Kty: to.Ptr(azkeys.KeyTypeEC)})
	get := func() error { _, err := client.GetKey(t.Context(), "curve", "", nil); return err }
	wall := func(rules ...string) {
		t.Helper()
		f := &rights.Firewall{Deny: true}
		for _, text := range rules {
			p, err := rights.ParseRule(text)
			if err != nil {
				t.Fatal(err)
			}
			f.Allowed = append(f.Allowed, p)
		}
		w.MustPutVault(keyvault.VaultSpec{Name: "contoso-east", Firewall: keyvaulttest.Rules(f)})
	}
	wall("192.0.2.0/24", "127.0.0.0/8")
	if err := get(); err != nil {
		t.Errorf("from a listed address: %v", err)
	}
	wall("192.0.2.0/24")
	wantRefusal(t, get(), "ForbiddenByFirewall", "Client address is not authorized and caller is not a trusted service.\r\nClient address: 127.0.0.1\r\n")
	private := true
	w.MustPutVault(keyvault.VaultSpec{Name: "contoso-east", Private: &private})
	wantRefusal(t, get(), "ForbiddenByConnection", "Public network access is disabled")

	for _, tt := range []struct {
		name, token string
		status      int
	}{{"no token", "", 401}, {"a stranger's", w.Token(w.Stranger("spy@fabrikam.example"), w.Audience()), 401}, {"one without rights", w.Token(w.Person("nobody"), w.Audience()), 403}} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", w.VaultURL("contoso-east")+"/keys/none?"+version, nil)
		if err != nil {
			t.Fatal(err)
		}
		if tt.token != "" {
			req.Header.Set("Authorization", "Bearer "+tt.token)
		}
		for _, name := range []string{"X-Forwarded-For", "Forwarded", "X-Real-Ip"} {
			req.Header.Set(name, "192.0.2.1")
		}
		res, err := w.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != tt.status {
			t.Errorf("%s: %d, want %d", tt.name, res.StatusCode, tt.status)
		}
	}
}
