package onboarding

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/resourcemanager"
	"github.com/customerkey/customerkey/internal/rootcheck"
	"github.com/customerkey/customerkey/internal/rootkey"
)

// A side is one of the two roots, and what was seen of it.
type side struct {
	number       int // 1 or 2
	subscription string
	given        string      // the key URI as it was given
	uri          rootkey.URI // zero if that is none
	vault        resourcemanager.Vault
	owners       []string // object ids of the subscription's owners, as far as they are told
	checks       []Check
}

// add notes a condition: met if message is "".
func (s *side) add(row, name, target string, outcome rootcheck.Outcome, message, next string) {
	c := Check{Row: row, Name: name, Target: target, Outcome: rootcheck.Pass}
	if message != "" {
		c.Outcome, c.Message, c.Next = outcome, message, next
	}
	s.checks = append(s.checks, c)
}

// fail is add for what cannot be let pass.
func (s *side) fail(row, name, target, message, next string) {
	s.add(row, name, target, rootcheck.Fail, message, next)
}

// failedBy notes a condition by the error that looking at it gave, nil for none.
func (s *side) failedBy(row, name, target string, err error, next string) {
	e := fault.As(err)
	switch {
	case err == nil:
		s.fail(row, name, target, "", "")
		return
	case e.Code == fault.Internal:
		e = fault.New(fault.Unavailable, "it cannot be looked at now")
	}
	s.fail(row, name, target, e.Message, next)
	if e.Code == fault.Unavailable {
		last := &s.checks[len(s.checks)-1]
		last.outage, last.Next = true, "try again when it can be reached"
	}
}

func (s *side) name() string { return fmt.Sprintf("subscription %d", s.number) }

// short names the key: "vault/key".
func (s *side) short() string {
	if s.uri.Name == "" {
		return fmt.Sprintf("key %d", s.number)
	}
	return s.uri.Short()
}

// check looks at everything, both sides at the same time. The error is that of ctx.
func (s *Service) check(ctx context.Context, tenant string, f policy.Family, in Input) ([]Check, error) {
	limited, cancel := context.WithTimeout(ctx, s.c.Timeout)
	defer cancel()
	reader := s.c.Places.As(tenant)
	var sides [2]side
	var both sync.WaitGroup
	for i := range sides {
		sides[i] = side{number: i + 1, subscription: in.Subscriptions[i], given: in.Keys[i]}
		one := &sides[i]
		both.Go(func() {
			s.checkSubscription(limited, reader, tenant, one)
			s.checkKeyURI(one)
			if one.uri.Name != "" {
				s.checkVault(limited, reader, tenant, f, one)
				s.checkKey(limited, tenant, f, one)
			}
		})
	}
	both.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var pair side
	s.checkLicence(ctx, tenant, &pair)
	together(&pair, &sides[0], &sides[1])
	return append(pair.checks, append(sides[0].checks, sides[1].checks...)...), nil
}

// checkLicence warns where nobody is licensed (row CK-212): each person is looked at when a mailbox
// is given a policy.
func (s *Service) checkLicence(ctx context.Context, tenant string, pair *side) {
	if s.c.Licensed == nil {
		return
	}
	some, err := s.c.Licensed(ctx, tenant)
	if err != nil {
		return // advice only
	}
	message := ""
	if !some {
		message = "nobody in the organization has a licence that includes Customer Key"
	}
	pair.add("CK-212", "licences", "organization", rootcheck.Warn, message, "give one to everybody who benefits, such as SPE_E5")
}

// together are the conditions on the pair (rows CK-37, CK-41 and CK-43).
func together(pair, a, b *side) {
	same := ""
	if strings.EqualFold(a.subscription, b.subscription) {
		same = "both keys are said to be in the same subscription"
	}
	pair.fail("CK-165", "two subscriptions", "both subscriptions", same, "make a second one, with another owner: New-AzSubscriptionAlias -AliasName keys-west")
	if len(a.owners) > 0 && len(b.owners) > 0 && same == "" {
		one := ""
		if slices.ContainsFunc(a.owners, func(o string) bool { return slices.Contains(b.owners, o) }) {
			one = "somebody owns both subscriptions, and could take both keys away alone"
		}
		pair.add("CK-40", "two owners", "both subscriptions", rootcheck.Warn, one, "let different people be responsible for the two keys")
	}
	if a.uri.Name == "" || b.uri.Name == "" {
		return
	}
	same = ""
	if a.uri.Host == b.uri.Host {
		same = "both keys are in the vault " + a.uri.Vault
	}
	pair.fail("CK-165", "two vaults", "both keys", same, "make a key in a second vault, in the other subscription")
	if a.vault.Location != "" && b.vault.Location != "" {
		message, next := regions(a.vault.Location, b.vault.Location)
		pair.add("CK-41", "two regions", "both vaults", rootcheck.Warn, message, next)
	}
	message := ""
	if commonPrefix(a.uri.Vault, b.uri.Vault) < leastPrefix {
		message = fmt.Sprintf("the names %s and %s do not begin alike", a.uri.Vault, b.uri.Vault)
	}
	pair.add("CK-43", "names that belong together", "both vaults", rootcheck.Warn, message, "names of vaults cannot change: a common beginning and the place behind it help those who look for them")
}

// leastPrefix is how many letters names have to have in common to be said to begin alike.
const leastPrefix = 3

func commonPrefix(a, b string) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// checkKeyURI reads the key's URI and judges its names (rows CK-85, CK-209 and X-19).
func (s *Service) checkKeyURI(one *side) {
	uri, err := s.c.Roots.Parse(one.given)
	one.failedBy("CK-85", "key URI", one.short(), err, "copy it from the vault: (Get-AzKeyVaultKey -VaultName VAULT -Name KEY).Id")
	if err != nil {
		return
	}
	one.uri = uri
	message := ""
	switch {
	case len(uri.Vault) > 24 || strings.Contains(uri.Vault, "_"):
		message = fmt.Sprintf("the name %s is one that vaults of Azure cannot have", uri.Vault)
	case strings.Contains(uri.Name, "_"):
		message = fmt.Sprintf("the name %s is one that keys in Azure cannot have", uri.Name)
	}
	one.add("X-19", "names", one.short(), rootcheck.Warn, message, "nothing has to be done; in Azure vaults have 3 to 24 letters, digits and dashes, keys up to 127")
}

// grant is what to type to give somebody a role at a scope.
func grant(app, role, scope string) string {
	return fmt.Sprintf("New-AzRoleAssignment -ApplicationId %s -RoleDefinitionName %q -Scope %s", app, role, scope)
}

func isGUID(id string) bool { return len(id) == 36 && uuid.Validate(id) == nil }
