package policy

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
	"github.com/customerkey/customerkey/internal/rootcheck"
	"github.com/customerkey/customerkey/internal/rootkey"
)

// Roots understands key URIs and looks at root keys: see [RootsOf]. Its errors are faults,
// or that of ctx.
type Roots interface {
	// Parse returns the versionless form of a key URI and the vault it is in. It refuses hosts
	// that are no vaults of this environment, and connects to nothing.
	Parse(uri string) (canonical, vault string, err error)
	// URI names a version of a key by the name of its vault, in the environment's usual one.
	URI(vault, name, version string) string
	// Inspect asks the vault, as the app's service principal in tenant, for the version
	// of the key that the URI names, or its newest: fault.Denied if its owner refuses, fault.Unavailable if it cannot answer.
	Inspect(ctx context.Context, tenant, app, uri string) (rootkey.Facts, error)
}

// RootsOf returns the Roots that c reaches.
func RootsOf(c *rootkey.Client) Roots { return client{c} }

type client struct{ c *rootkey.Client }

func (k client) Parse(uri string) (canonical, vault string, err error) {
	u, err := k.c.Parse(uri)
	if err != nil {
		return "", "", err
	}
	return u.String(), u.Vault, nil
}

func (k client) URI(vault, name, version string) string { return k.c.URI(vault, name, version) }

func (k client) Inspect(ctx context.Context, tenant, app, uri string) (rootkey.Facts, error) {
	key, err := k.c.Key(tenant, app, uri)
	if err != nil {
		return rootkey.Facts{}, err
	}
	return key.Inspect(ctx)
}

// A root is a parsed key URI.
type root struct{ uri, vault string }

// short names the key in messages.
func (r root) short() string {
	name := r.uri[strings.LastIndex(r.uri, "/")+1:]
	vault, _, _ := strings.Cut(r.vault, ".")
	return vault + "/" + name
}

// parse turns exactly two key URIs (CK-164, X-5) in two vaults (CK-165) into roots. Whether
// the vaults lie in two subscriptions is for apart to see. An error means that no
// vault was asked, and none may be.
func (s *Service) parse(uris []string) (roots [2]root, same Findings, err error) {
	if len(uris) != len(roots) {
		return roots, nil, fault.New(fault.Invalid, "a policy takes exactly two root keys, not %d", len(uris)).WithReason("CK-164").
			WithHint("give two key URIs, of keys in two vaults: -AzureKeyIDs https://vault1.../keys/key1,https://vault2.../keys/key2")
	}
	var found Findings
	for i, uri := range uris {
		canonical, vault, err := s.c.Roots.Parse(uri)
		if err != nil {
			bad := fault.As(err)
			found = append(found, Finding{Row: "CK-85", Key: clip(uri), Message: bad.Message, Hint: bad.Hint, code: bad.Code})
			continue
		}
		roots[i] = root{canonical, vault}
	}
	if len(found) > 0 {
		return roots, nil, found.fault()
	}
	if strings.EqualFold(roots[0].vault, roots[1].vault) {
		same = Findings{{
			Row: "CK-165", Key: roots[1].uri, code: fault.Invalid,
			Message: fmt.Sprintf("both root keys are in the vault of %s", roots[0].short()),
			Hint:    "use a key in a second vault, in another subscription",
		}}
	}
	return roots, same, nil
}

// validate returns all that is wrong with two roots as one fault, found before included.
func (s *Service) validate(ctx context.Context, refs [2]hierarchy.RootRef, roots [2]root, found Findings) error {
	more, err := s.examine(ctx, refs, roots)
	if err != nil {
		return err
	}
	return append(found, more...).fault()
}

// examine asks both vaults about their keys at the same time, and returns all that is wrong.
// The error is that of ctx, if it ended meanwhile.
func (s *Service) examine(ctx context.Context, refs [2]hierarchy.RootRef, roots [2]root) (Findings, error) {
	var found [2]Findings
	var both sync.WaitGroup
	for i, r := range roots {
		both.Go(func() {
			facts, err := s.c.Roots.Inspect(ctx, refs[i].Tenant, refs[i].App, refs[i].URI)
			if err != nil {
				found[i] = Findings{notSeen(r, err)}
				return
			}
			found[i] = s.inspect(r.uri, r.short(), facts)
		})
	}
	both.Wait()
	return append(found[0], found[1]...), ctx.Err()
}

// notSeen is the finding for a key that could not be looked at, or not be used.
func notSeen(r root, err error) Finding {
	return findingOf(r.uri, rootcheck.Answer("get", r.short(), err))
}

// refsOf returns how the service asks for roots of a family's policy: as the service
// principal in the customer's own tenant (CK-38, CK-221).
func refsOf(tenant string, f Family, roots [2]root) (refs [2]hierarchy.RootRef) {
	for i, r := range roots {
		refs[i] = hierarchy.RootRef{Tenant: tenant, App: apps[f], URI: r.uri}
	}
	return refs
}
