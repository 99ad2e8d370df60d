package main

import (
	"context"
	"maps"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/onboarding"
	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/request"
	"github.com/customerkey/customerkey/internal/store"
)

// openRequests wires what needs approval. It comes before the services that ask for some.
func (n *node) openRequests(context.Context) (err error) {
	kinds, err := n.requestKinds()
	if err != nil {
		return err
	}
	n.wired.requests = request.Config{
		Store: store.NewRequest(n.serviceDB), Audit: n.serviceLog, Kinds: kinds,
		Families: []string{string(policy.MultiWorkload), string(policy.Mailbox), string(policy.SharePoint)},
		Person: func(ctx context.Context, tenant, idOrName string) (id, name string, err error) {
			p, err := n.directory.Person(ctx, tenant, idOrName)
			if err == nil && p.Disabled { // who cannot sign in can approve nothing
				err = fault.New(fault.NotFound, "the person is disabled")
			}
			return p.ID, p.UPN, err
		},
		Wake: func() { n.operations.Wake() }, Log: n.log,
	}
	n.requests, err = request.New(n.wired.requests)
	return err
}

// requestKinds is what can be asked for, and whose approval it takes.
func (n *node) requestKinds() (map[request.Kind]request.Rule, error) {
	kinds, err := onboarding.Rules(n.onboarded.who())
	if err != nil {
		return nil, err
	}
	kinds = maps.Clone(kinds)
	maps.Copy(kinds, policy.RequestRules(n.depart.purgeWait, n.depart.offboarding == "automatically"))
	return kinds, nil
}

// merged is the handlers of all packages that have long work.
func merged(all ...map[string]operation.Handler) map[string]operation.Handler {
	handlers := map[string]operation.Handler{}
	for _, some := range all {
		maps.Copy(handlers, some)
	}
	return handlers
}
