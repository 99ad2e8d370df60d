package keyvault

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/backup"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
)

// RestoreKey brings a key back from a blob of BackupKey, with all its versions, their ids and
// attributes (KV-74), and returns the newest. The vault must be of the same subscription and
// geography (KV-72), and the name free.
func (s *Service) RestoreKey(ctx context.Context, c directory.Caller, vault string, blob []byte) (Key, error) {
	return through(ctx, s, c, RestoreKey, Target{Vault: vault}, func(v *visit) (func() (Key, error), error) {
		ring, content, err := s.openBackup(ctx, v.vault, blob)
		if err != nil {
			return nil, err
		}
		v.entry.Object = object(v.vault, Target{Name: content.Name})
		v.note("versions", strconv.Itoa(len(content.Versions)))
		v.note("from_vault", content.Vault)
		v.note("backed_up", time.UnixMicro(content.Time).UTC().Format(time.RFC3339))
		if err := s.free(ctx, v.vault, content.Name); err != nil {
			return nil, err
		}
		for _, in := range content.Versions {
			if err := v.vault.checkType(in.Type); err != nil {
				return nil, err
			}
		}
		return func() (Key, error) { return s.restore(ctx, v.vault, ring, content) }, nil
	})
}

// openBackup reads a blob that may be restored into v. There is one answer to all others: who
// holds a blob does not learn where it comes from.
func (s *Service) openBackup(ctx context.Context, v Vault, blob []byte) (*backup.Key, backupContent, error) {
	ring, text, err := s.backups.Open(ctx, blob)
	if err != nil {
		return nil, backupContent{}, err
	}
	var content backupContent
	if json.Unmarshal(text, &content) != nil || !content.fits(v) {
		return nil, backupContent{}, backup.ErrBlob()
	}
	return ring, content, nil
}

// fits reports whether the content may be restored into v, and is of a form that this release
// can read.
func (b backupContent) fits(v Vault) bool {
	if b.Format != backupFormat || b.Tenant != v.Tenant || !naming.Same(b.Subscription, v.Subscription) || b.Geography != naming.Geography(v.Location) {
		return false
	}
	if naming.CheckKey(b.Name) != nil || len(b.Versions) == 0 || len(b.Versions) > maxBackup {
		return false
	}
	for _, version := range b.Versions {
		if !naming.IsVersion(version.Version) {
			return false
		}
	}
	return true
}

// free checks that no key has the name, live or deleted (KV-73).
func (s *Service) free(ctx context.Context, v Vault, name string) error {
	k, _, err := s.store.Key(ctx, v.Tenant, v.Name, name, "")
	switch {
	case fault.Is(err, fault.NotFound):
		return nil
	case err != nil:
		return err
	case k.IsDeleted():
		return errNameHeld(k.Name)
	}
	return errRestoreConflict(k.Name)
}

// restore makes all versions and stores them at once.
func (s *Service) restore(ctx context.Context, v Vault, ring *backup.Key, content backupContent) (Key, error) {
	versions := make([]Stored, len(content.Versions))
	for i, in := range content.Versions {
		var err error
		if versions[i], err = s.adopt(ctx, in.key(v, content.Name), in, ring); err != nil {
			return Key{}, err
		}
	}
	newest := versions[len(versions)-1].Key
	told := eventOf(KeyNewVersionCreated, newest, s.now())
	err := s.tell(s.store.Restore(ctx, versions, content.Rotation, told), told)
	if fault.Is(err, fault.Conflict) { // someone was faster
		return Key{}, errRestoreConflict(content.Name)
	}
	return newest.in(v), err
}

// key is the version to be, but for its key pair.
func (in backupVersion) key(v Vault, name string) Key {
	t, hsm := splitType(in.Type)
	return Key{
		Tenant: v.Tenant, Vault: v.Name, VaultMade: v.Created, Name: name, Version: in.Version,
		Type: t, HSM: hsm, Bits: in.Bits, Curve: in.Curve, Ops: in.Ops, Enabled: in.Enabled,
		NotBefore: fromMicros(in.NotBefore), Expires: fromMicros(in.Expires), Tags: in.Tags,
		Created: time.UnixMicro(in.Created).UTC(), Updated: time.UnixMicro(in.Updated).UTC(),
	}
}

// adopt has the protector that held the key pair hold it again. Where that is not set up, or
// does not know what it made, the blob is as foreign as any other (KV-72).
func (s *Service) adopt(ctx context.Context, k Key, in backupVersion, ring *backup.Key) (Stored, error) {
	name := in.HeldBy
	if name == "" {
		name = protect.SoftwareName
	}
	p, err := s.holder(name)
	if err != nil {
		return Stored{}, backup.ErrBlob()
	}
	handle, pub, err := p.Adopt(ctx, k.id(), k.spec(), ring.Export(), in.Private)
	if fault.Is(err, fault.Corrupt) {
		return Stored{}, backup.ErrBlob()
	}
	k.Public, k.HeldBy = pub, name
	return Stored{k, Material{Protector: name, Handle: handle}}, err
}

func errRestoreConflict(name string) error {
	return fault.New(fault.Conflict, "There was a conflict restoring the key '%s'", name).
		WithHint("A key of that name is in this vault; delete and purge it first, or restore into another vault.")
}
