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

// maxBackup is how many versions a backup holds (KV-70).
const maxBackup = 500

// backupFormat is the version of backupContent, checked when it is restored.
const backupFormat = 1

// backupContent is what a backup says, in JSON. Times are microseconds since 1970.
type backupContent struct {
	Format       int             `json:"format"`
	Tenant       string          `json:"tenant"`
	Subscription string          `json:"subscription"`
	Geography    string          `json:"geography"`
	Vault        string          `json:"vault"` // the source
	Time         int64           `json:"time"`
	Name         string          `json:"name"`
	Rotation     RotationPolicy  `json:"rotation,omitzero"`
	Versions     []backupVersion `json:"versions"` // oldest first
}

type backupVersion struct {
	Version   string            `json:"version"`
	Type      string            `json:"type"`              // as KTY
	HeldBy    string            `json:"held_by,omitempty"` // the protector's name; none for the software's
	Bits      int               `json:"bits,omitempty"`
	Curve     string            `json:"curve,omitempty"`
	Ops       []string          `json:"ops"`
	Enabled   bool              `json:"enabled"`
	NotBefore *int64            `json:"nbf,omitempty"`
	Expires   *int64            `json:"exp,omitempty"`
	Tags      map[string]string `json:"tags,omitempty"`
	Created   int64             `json:"created"`
	Updated   int64             `json:"updated"`
	Private   []byte            `json:"private"` // sealed by the protector
}

// BackupKey returns all versions of a key as one opaque blob of at most backup.MaxBlob bytes.
// It opens in this deployment only, and stays restorable after the key was purged.
func (s *Service) BackupKey(ctx context.Context, c directory.Caller, vault, name string) ([]byte, error) {
	return through(ctx, s, c, BackupKey, Target{Vault: vault, Name: name}, func(v *visit) (func() ([]byte, error), error) {
		versions, rotation, err := s.store.Whole(ctx, v.key.Tenant, v.key.Vault, v.key.Name, maxBackup+1)
		switch {
		case err != nil:
			return nil, err
		case len(versions) == 0: // deleted meanwhile
			return nil, errKeyNotFound(name, "")
		case len(versions) > maxBackup:
			return nil, fault.New(fault.Invalid, "The key has more than %d versions and cannot be backed up", maxBackup)
		}
		v.note("versions", strconv.Itoa(len(versions)))
		return func() ([]byte, error) {
			blob, err := s.backup(ctx, v, versions, rotation)
			if fault.Is(err, fault.TooLarge) {
				return nil, fault.New(fault.Invalid, "The key is too large to be backed up").
					WithHint("A backup holds at most %d bytes; shorter tags make it smaller.", backup.MaxBlob)
			}
			return blob, err
		}, nil
	})
}

func (s *Service) backup(ctx context.Context, v *visit, versions []Stored, rotation RotationPolicy) ([]byte, error) {
	ring, err := s.backups.Newest(ctx)
	if err != nil {
		return nil, err
	}
	content := backupContent{
		Format: backupFormat, Tenant: v.vault.Tenant, Subscription: v.vault.Subscription, Geography: naming.Geography(v.vault.Location),
		Vault: v.vault.Name, Time: v.now.UnixMicro(), Name: v.key.Name, Rotation: rotation,
	}
	for _, stored := range versions {
		out, err := s.export(ctx, stored, ring)
		if err != nil {
			return nil, err
		}
		content.Versions = append(content.Versions, out)
	}
	text, err := json.Marshal(content)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the backup cannot be encoded")
	}
	return ring.Seal(text)
}

// export writes one version down, its private half sealed.
func (s *Service) export(ctx context.Context, stored Stored, ring *backup.Key) (backupVersion, error) {
	p, err := s.holder(stored.Protector)
	if err != nil {
		return backupVersion{}, err
	}
	k := stored.Key
	private, err := p.Export(ctx, k.id(), stored.Handle, ring.Export())
	return backupVersion{
		Version: k.Version, Type: k.KTY(), HeldBy: heldBy(p.Name()), Bits: k.Bits, Curve: k.Curve, Ops: k.Ops, Enabled: k.Enabled,
		NotBefore: micros(k.NotBefore), Expires: micros(k.Expires), Tags: k.Tags,
		Created: k.Created.UnixMicro(), Updated: k.Updated.UnixMicro(), Private: private,
	}, err
}

// heldBy is how a backup names a protector: as it did when there was one alone.
func heldBy(protector string) string {
	if protector == protect.SoftwareName {
		return ""
	}
	return protector
}

// micros is nil for a time that is not set.
func micros(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	us := t.UnixMicro()
	return &us
}

func fromMicros(us *int64) time.Time {
	if us == nil {
		return time.Time{}
	}
	return time.UnixMicro(*us).UTC()
}
