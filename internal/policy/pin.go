package policy

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// A RootKey names a version of a root key for files: by its URI, or by names. Policies for files
// pin the version: a newer one counts once it is given in another change.
type RootKey struct {
	URI string // without a version the newest is taken, and pinned

	Vault, Name, Version string // in place of URI; Version has 32 hexadecimal digits, as a GUID or not (CK-141)
}

// uri returns the URI of the key.
func (k RootKey) uri(roots Roots) (string, error) {
	if k.URI != "" {
		return plainURI(k.URI), nil
	}
	version, err := plainVersion(k.Version)
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "the key version %q is not one", clip(k.Version)).WithReason("CK-141").
			WithHint("give the 32 hexadecimal digits that the vault shows, with or without hyphens")
	}
	return roots.URI(k.Vault, k.Name, version), nil
}

// plainVersion returns the form of a key version that vaults use: 32 digits, lower case.
func plainVersion(text string) (string, error) {
	id, err := uuid.Parse(text)
	return strings.ReplaceAll(id.String(), "-", ""), err
}

// plainURI brings a version that is written as a GUID into the form that vaults use.
func plainURI(uri string) string {
	uri = strings.TrimSuffix(uri, "/")
	i := strings.LastIndex(uri, "/") + 1
	if len(uri)-i != len(uuid.UUID{}.String()) {
		return uri
	}
	if version, err := plainVersion(uri[i:]); err == nil {
		return uri[:i] + version
	}
	return uri
}

// versionOf returns the version in a URI that is known to be right, "" if there is none.
func versionOf(uri string) string {
	_, path, _ := strings.Cut(uri, "/keys/")
	_, version, _ := strings.Cut(strings.TrimSuffix(path, "/"), "/")
	return strings.ToLower(version)
}

// pin turns what was given into root keys of a policy for files: two, in two vaults of two
// subscriptions, each pinned to a version that is all that a root must be. Everything that is
// wrong is in the one fault that comes back.
func (s *Service) pin(ctx context.Context, tenant string, keys [2]RootKey) (refs [2]hierarchy.RootRef, err error) {
	uris := make([]string, len(keys))
	for i, k := range keys {
		if uris[i], err = k.uri(s.c.Roots); err != nil {
			return refs, err
		}
	}
	roots, found, err := s.parse(uris)
	if err != nil {
		return refs, err
	}
	apart, err := s.apart(ctx, tenant, roots)
	if err != nil {
		return refs, err
	}
	refs = refsOf(tenant, SharePoint, roots)
	for i := range refs {
		if version := versionOf(uris[i]); version != "" {
			refs[i].URI += "/" + version
		}
	}
	if err := s.validate(ctx, refs, roots, append(found, apart...)); err != nil {
		return refs, err
	}
	return refs, s.pinNewest(ctx, &refs)
}

// pinNewest pins the roots that were given without a version to their newest one.
func (s *Service) pinNewest(ctx context.Context, refs *[2]hierarchy.RootRef) error {
	for i, ref := range refs {
		if ref.URI != ref.Key() {
			continue
		}
		facts, err := s.c.Roots.Inspect(ctx, ref.Tenant, ref.App, ref.URI)
		if err != nil {
			return fmt.Errorf("looking for the newest version of root key %d: %w", i+1, err)
		}
		refs[i].URI += "/" + versionOf(facts.KeyID)
	}
	return nil
}
