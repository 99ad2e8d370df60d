package main

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"time"

	"github.com/customerkey/customerkey/internal/datafolder"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/seal/holder"
)

// defaultTokenKey is the label of the AES key in a token.
const defaultTokenKey = "customerkey-seal"

// holderFlags say what holds the sealing keys. All but secrets is kept beside the sealing keys,
// so a later start needs none of them.
type holderFlags struct {
	kind       string
	file       string
	passphrase string // path
	vault      holder.VaultSettings
	token      holder.TokenSettings
	wait       time.Duration
}

// addHolderFlags adds them to the flags of a verb; kind is the name of the one that says which
// holder.
func addHolderFlags(set *flag.FlagSet, kind, usage string) *holderFlags {
	h := &holderFlags{}
	set.StringVar(&h.kind, kind, "", usage)
	set.StringVar(&h.file, "seal-file", "", "file: `PATH` of the key file (default: beside the sealing keys)")
	set.StringVar(&h.passphrase, "seal-passphrase-file", "", "passphrase: `PATH` of a file, or /dev/fd/N, whose first line it is (default: systemd's credential "+passphraseCredential+", else it is asked for)")
	set.StringVar(&h.vault.Key, "seal-vault-key", "", "vault: `URI` of an RSA key in another key vault, https://VAULT/keys/NAME")
	set.StringVar(&h.vault.Tenant, "seal-vault-tenant", "", "vault: `ID` of the tenant that signs in")
	set.StringVar(&h.vault.Client, "seal-vault-client", "", "vault: `ID` of the application that signs in (default: what the environment has: AZURE_* variables, a workload or managed identity)")
	set.StringVar(&h.vault.Secret, "seal-vault-secret-file", "", "vault: `PATH` of the file with the application's secret")
	set.StringVar(&h.vault.Authority, "seal-vault-authority", "", "vault: `URL` of the token service (default: Azure's)")
	set.StringVar(&h.vault.CA, "seal-vault-ca", "", "vault: `PATH` of a PEM file with the authority to trust, instead of the system's")
	set.StringVar(&h.token.Module, "seal-module", "", "pkcs11: `PATH` of the module")
	set.StringVar(&h.token.Token, "seal-token", "", "pkcs11: `LABEL` of the token")
	set.StringVar(&h.token.PIN, "seal-pin-file", "", "pkcs11: `PATH` of the file with the PIN")
	set.StringVar(&h.token.Key, "seal-token-key", "", "pkcs11: `LABEL` of the AES key in the token (default "+defaultTokenKey+")")
	set.DurationVar(&h.wait, "seal-wait", 0, "how long to wait for a vault or token that holds the sealing keys and cannot be reached")
	return h
}

// holders are the ways to what the flags name.
func (c *command) holders(h *holderFlags) datafolder.Holders {
	return datafolder.Holders{
		New: func(ctx context.Context, dir string) (holder.Settings, holder.Holder, error) {
			return c.newHolder(ctx, h, dir)
		},
		Open: func(ctx context.Context, dir string, s holder.Settings) (holder.Holder, error) {
			if h.kind != "" && holder.Kind(h.kind) != s.Kind {
				return nil, fault.New(fault.Invalid, "the sealing keys are held by %s", s).
					WithHint("to have them held by another holder, stop the server and use: ck seal move --to %s", h.kind)
			}
			return c.openHolder(ctx, h.over(s), dir)
		},
	}
}

// newHolder makes the holder that the flags name, for keys that it does not hold yet.
func (c *command) newHolder(ctx context.Context, h *holderFlags, dir string) (holder.Settings, holder.Holder, error) {
	kind := holder.Kind(h.kind)
	switch {
	case (kind == "" || kind == holder.KindFile) && h.file == "":
		return datafolder.NewFile(ctx, dir)
	case kind == "" || kind == holder.KindFile:
		path, err := filepath.Abs(h.file)
		return holder.Settings{Kind: holder.KindFile, File: &holder.FileSettings{Path: path}}, holder.NewFile(path), err
	case kind == holder.KindPassphrase:
		return c.newPassphrase(h)
	case kind == holder.KindVault, kind == holder.KindToken:
		s := h.over(holder.Settings{Kind: kind})
		opened, err := c.openHolder(ctx, s, dir)
		return s, opened, err
	}
	return holder.Settings{}, nil, fault.New(fault.Invalid, "%q is no holder of sealing keys", h.kind).WithHint("the holders are file, passphrase, vault and pkcs11")
}

// over returns settings with what the flags say put over them. Paths become absolute: a later
// start may be in another folder.
func (h *holderFlags) over(s holder.Settings) holder.Settings {
	put := func(to *string, value string) {
		if value != "" {
			*to = value
		}
	}
	path := func(to *string, value string) {
		if abs, err := filepath.Abs(value); err == nil && value != "" {
			*to = abs
		}
	}
	switch s.Kind {
	case holder.KindFile:
		s.File = copyOf(s.File)
		path(&s.File.Path, h.file)
	case holder.KindPassphrase:
		s.Passphrase = copyOf(s.Passphrase)
		put(&s.Passphrase.File, credentialFile()) // it is of this very start
		path(&s.Passphrase.File, h.passphrase)
	case holder.KindVault:
		s.Vault = copyOf(s.Vault)
		put(&s.Vault.Key, h.vault.Key)
		put(&s.Vault.Tenant, h.vault.Tenant)
		put(&s.Vault.Client, h.vault.Client)
		path(&s.Vault.Secret, h.vault.Secret)
		put(&s.Vault.Authority, h.vault.Authority)
		path(&s.Vault.CA, h.vault.CA)
	case holder.KindToken:
		s.Token = copyOf(s.Token)
		path(&s.Token.Module, h.token.Module)
		put(&s.Token.Token, h.token.Token)
		path(&s.Token.PIN, h.token.PIN)
		put(&s.Token.Key, h.token.Key)
		if s.Token.Key == "" {
			s.Token.Key = defaultTokenKey
		}
	}
	return s
}

func copyOf[T any](p *T) *T {
	var v T
	if p != nil {
		v = *p
	}
	return &v
}

// openHolder opens the holder that settings describe.
func (c *command) openHolder(ctx context.Context, s holder.Settings, dir string) (holder.Holder, error) {
	switch {
	case s.Kind == holder.KindPassphrase && s.Passphrase != nil:
		words, err := c.passphrase(s.Passphrase.File, "Passphrase of the sealing keys: ")
		if err != nil {
			return nil, err
		}
		defer clear(words)
		return holder.NewPassphrase(*s.Passphrase, words)
	case s.Kind == holder.KindVault && s.Vault != nil:
		return openVaultHolder(*s.Vault)
	case s.Kind == holder.KindToken && s.Token != nil:
		return holder.NewToken(*s.Token)
	}
	return datafolder.OpenFile(ctx, dir, s)
}

// openFolder opens the data folder; what holds the sealing keys may be away for as long as the
// flags say.
func (c *command) openFolder(ctx context.Context, config datafolder.Config, wait time.Duration) (*datafolder.Folder, error) {
	deadline := time.Now().Add(wait)
	for told := false; ; told = true {
		folder, err := datafolder.Open(ctx, config)
		if !fault.Is(err, fault.Unavailable) || !time.Now().Before(deadline) {
			return folder, err
		}
		if !told {
			fmt.Fprintf(c.err, "ck: %s; trying again for %v\n", fault.As(err).Message, wait)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(min(time.Second, time.Until(deadline))):
		}
	}
}
