package main

import (
	"context"
	"net/http"
	"strings"

	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/eventlog"
)

// notices are the events that have a record in the key vault log, and its name (CK-375).
var notices = map[keyvault.EventType]string{
	keyvault.KeyNearExpiry:            "KeyNearExpiryEventGridNotification",
	keyvault.KeyExpired:               "KeyExpiredEventGridNotification",
	keyvault.VaultAccessPolicyChanged: "VaultAccessPolicyChangedEventGridNotification",
}

// maxNotices is how many may wait until their vault was looked up.
const maxNotices = 1024

// notice takes an event that may have a record. It must not wait, so where too many do, the
// event has none, and the log of the server says so.
func (n *node) notice(e keyvault.Event) {
	if n.events == nil || notices[e.Type] == "" {
		return
	}
	select {
	case n.noticed <- e:
	default:
		n.log.Error("key vault event without a record", "type", e.Type)
	}
}

// tellNotices makes the records of events until ctx ends.
func (n *node) tellNotices(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-n.noticed:
			n.tellNotice(ctx, e)
		}
	}
}

func (n *node) tellNotice(ctx context.Context, e keyvault.Event) {
	place, err := n.vaults.Locate(ctx, e.Vault)
	if err != nil || place.Tenant != e.Tenant {
		return // the vault is gone, and its records with it
	}
	r := eventlog.Record{
		Tenant: e.Tenant, Time: e.Time, Operation: notices[e.Type],
		Resource: eventlog.VaultID(place.Subscription, place.Group, place.Name),
	}
	r.Outcome(http.StatusOK, "", 0)
	r.Properties.ID = "https://" + strings.ToLower(place.Name) + "." + n.host("vault") + "/"
	if e.Name != "" {
		r.Properties.ID += "keys/" + e.Name + "/" + e.Version
	}
	n.events.Write(r)
}
