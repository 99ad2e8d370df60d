package holder

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/rootkey"
)

// VaultSettings say which key of which vault, and who asks. Where Client is set, he shows the
// secret in the file; else the credential is what the environment gives (variables AZURE_*, a
// workload or managed identity).
type VaultSettings struct {
	Key       string `json:"key"`                  // https://{vault}/keys/{name}
	Tenant    string `json:"tenant,omitempty"`     // GUID
	Client    string `json:"client,omitempty"`     // application id
	Secret    string `json:"secretFile,omitempty"` // path of the file with the client's secret
	Authority string `json:"authority,omitempty"`  // base URL of the token service; Azure's public one if ""
	CA        string `json:"ca,omitempty"`         // path of a PEM file to trust, and nothing else; the system's trust if ""
}

// VaultConfig is what a Vault needs.
type VaultConfig struct {
	Key        string                 // required: https://{vault}/keys/{name}, a version is left aside
	Credential azcore.TokenCredential // required
	Transport  policy.Transporter     // one of its own if nil
}

// A Vault holds sealing keys under an RSA key in a key vault elsewhere, by RSA-OAEP-256. Wrapping
// takes the newest version of that key, unwrapping the one that wrapped, which may have expired:
// a key that rolls by itself does not lock anybody out, one that is disabled or deleted does.
type Vault struct{ key *rootkey.Key }

// NewVault connects to nothing.
func NewVault(c VaultConfig) (*Vault, error) {
	u, err := url.Parse(c.Key)
	if err != nil {
		return nil, badKey(c.Key)
	}
	_, suffix, dotted := strings.Cut(u.Host, ".")
	if u.Scheme != "https" || !dotted || suffix == "" {
		return nil, badKey(c.Key)
	}
	client, err := rootkey.New(rootkey.Config{
		Suffixes: []string{suffix}, Transport: c.Transport, AllowExpired: true,
		AttemptTimeout: 5 * time.Second, Timeout: 15 * time.Second,
		Credential: func(string, string) azcore.TokenCredential { return c.Credential },
	})
	if err != nil {
		return nil, badKey(c.Key)
	}
	key, err := client.Key("", "", c.Key)
	if err != nil {
		return nil, badKey(c.Key)
	}
	return &Vault{key}, nil
}

func badKey(uri string) error {
	return fault.New(fault.Invalid, "%.200q names no key of a vault", uri).
		WithHint("give it like https://ops.vault.azure.net/keys/customerkey-seal")
}

// Wrap implements Holder.
func (v *Vault) Wrap(ctx context.Context, key envelope.Key, _ []byte) (Held, error) {
	kid, wrapped, err := v.key.Wrap(ctx, key)
	if err != nil {
		return Held{}, v.explain(ctx, err)
	}
	return Held{Under: kid, Bytes: wrapped}, nil
}

// Unwrap implements Holder.
func (v *Vault) Unwrap(ctx context.Context, h Held, _ []byte) (envelope.Key, error) {
	key, err := v.key.Unwrap(ctx, h.Under, h.Bytes)
	if err != nil {
		return envelope.Key{}, v.explain(ctx, err)
	}
	return key, nil
}

// explain says of a root key's trouble what it means here.
func (v *Vault) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	e := fault.As(err)
	hint := "see in the vault why; the service principal needs get, wrapKey and unwrapKey"
	switch e.Code {
	case fault.Unavailable:
		hint = "try again when it answers, or let ck serve wait with --seal-wait"
	case fault.Invalid:
		hint = "name the key that wrapped them with --seal-vault-key URI"
	}
	return fault.Wrap(e.Code, err, "the vault key %s gives no answer that helps: %s", v.key.URI(), e.Message).WithReason(e.Reason).WithHint("%s", hint)
}
