package hierarchy

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/availability"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// A class is what a vault's answer means (section 2.2 of the requirements).
type class string

const (
	opens      class = "opens"
	denying    class = "denied"
	outOfReach class = "unreachable"
)

// vaultAnswers are the answers of rows CK-54 to CK-61.
var vaultAnswers = []struct {
	row     string
	answer  vaultAnswer
	noToken bool
	class   class
	reason  string
}{
	{row: "works", answer: works, class: opens},
	{row: "CK-54 never answers", answer: hangs, class: outOfReach, reason: "Timeout"},
	{row: "CK-54 connection refused", answer: refused, class: outOfReach, reason: "Unreachable"},
	{row: "CK-54 connection reset", answer: broken, class: outOfReach, reason: "Unreachable"},
	{row: "CK-54 TLS", answer: untrusted, class: outOfReach, reason: "TLSFailed"},
	{row: "CK-54 DNS", answer: nameless, class: outOfReach, reason: "HostNotFound"},
	{row: "CK-54 408", answer: refuses(408, "RequestTimeout", ""), class: outOfReach, reason: "Timeout"},
	{row: "CK-54 500", answer: refuses(500, "InternalServerError", ""), class: outOfReach, reason: "VaultFailed"},
	{row: "CK-54 503", answer: refuses(503, "ServiceUnavailable", ""), class: outOfReach, reason: "VaultFailed"},
	{row: "CK-55 429", answer: refuses(429, "Throttled", ""), class: outOfReach, reason: "Throttled"},
	{row: "CK-52 CK-56 no token", answer: works, noToken: true, class: outOfReach, reason: "NoToken"},
	{row: "CK-56 401", answer: refuses(401, "Unauthorized", ""), class: denying, reason: "Unauthorized"},
	{row: "CK-57 no access policy", answer: refuses(403, "Forbidden", "ForbiddenByPolicy"), class: denying, reason: "AccessDenied"},
	{row: "CK-57 no role", answer: refuses(403, "Forbidden", "ForbiddenByRbac"), class: denying, reason: "AccessDenied"},
	{row: "CK-58 firewall", answer: refuses(403, "Forbidden", "ForbiddenByFirewall"), class: denying, reason: "NetworkDenied"},
	{row: "CK-58 private link", answer: refuses(403, "Forbidden", "ForbiddenByConnection"), class: denying, reason: "NetworkDenied"},
	{row: "CK-59 disabled", answer: refuses(403, "Forbidden", "KeyDisabled"), class: denying, reason: "KeyDisabled"},
	{row: "CK-59 key_ops", answer: refuses(403, "Forbidden", "KeyOperationForbidden"), class: denying, reason: "KeyOperationForbidden"},
	{row: "CK-60 key deleted", answer: refuses(404, "KeyNotFound", ""), class: denying, reason: "KeyNotFound"},
	{row: "CK-60 vault deleted", answer: refuses(404, "VaultNotFound", ""), class: denying, reason: "VaultNotFound"},
	{row: "CK-61 X-3 expired", answer: expired, class: denying, reason: "KeyExpired"},
}

// A pairing says what two classes mean together for who asks (CK-44 to CK-50, CK-53, CK-62, X-2, X-23).
type pairing struct {
	one, other class
	user       bool // who asks: a user, or the service's own work
	setting    Mixed
}

// An outcome is what becomes of a request.
type outcome struct {
	serves string // whom the lease then serves
	cause  string // what the record of the use says
	denied bool   // the use counts against the tenant's limit
	refuse string // reason of the fault.Denied; "" if it is served
}

// pairings are all that are not opened by a root. Those with one and other exchanged are the same.
var pairings = map[pairing]outcome{
	{outOfReach, outOfReach, true, MixedDenied}:  {serves: "everyone", cause: "both roots unreachable"}, // CK-48
	{outOfReach, outOfReach, true, MixedOutage}:  {serves: "everyone", cause: "both roots unreachable"},
	{outOfReach, outOfReach, false, MixedDenied}: {serves: "everyone", cause: "both roots unreachable"}, // CK-48
	{outOfReach, outOfReach, false, MixedOutage}: {serves: "everyone", cause: "both roots unreachable"},
	{denying, denying, true, MixedDenied}:        {refuse: "BothDenied"}, // CK-49
	{denying, denying, true, MixedOutage}:        {refuse: "BothDenied"},
	{denying, denying, false, MixedDenied}:       {serves: "system", cause: "both roots denied", denied: true}, // CK-50
	{denying, denying, false, MixedOutage}:       {serves: "system", cause: "both roots denied", denied: true},
	{denying, outOfReach, true, MixedDenied}:     {refuse: "OneDenied"}, // CK-62
	{denying, outOfReach, true, MixedOutage}:     {serves: "everyone", cause: "both roots unreachable"},
	{denying, outOfReach, false, MixedDenied}:    {serves: "system", cause: "one root denied, one unreachable", denied: true},
	{denying, outOfReach, false, MixedOutage}:    {serves: "everyone", cause: "both roots unreachable"},
}

// TestEveryPair goes through every pair of what two vaults may answer, as they really answer it,
// for users and for the service's own work, under both settings of CK-62: who is served, by which
// key, what is recorded, and what error the rest get.
func TestEveryPair(t *testing.T) {
	t.Parallel()
	needRealEntropy(t)
	rsaKey() // outside, so that making it takes no virtual time
	for _, setting := range []Mixed{MixedDenied, MixedOutage} {
		for _, caller := range []directory.Caller{alice, system} {
			t.Run(fmt.Sprint(setting, "/", caller.Kind), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { everyPair(t, setting, caller) })
			})
		}
	}
}

func everyPair(t *testing.T, setting Mixed, caller directory.Caller) {
	vaults := &wire{t: t}
	vaults.reset(works, works)
	w := newWorld(t, func(c *Config) { c.Root, c.Mixed = vaults.root, setting })
	refs := [2]RootRef{{tenant, apps[0], w.roots[0].uri}, {tenant, apps[1], w.roots[1].uri}}
	g, err := w.keys.NewGeneration(t.Context(), system, tenant, policy, 1, refs, "availability-key")
	if err != nil {
		t.Fatal(err)
	}
	w.store.add(g)
	for _, one := range vaultAnswers {
		for _, other := range vaultAnswers {
			w.forget(g)
			vaults.noToken = [2]bool{one.noToken, other.noToken}
			vaults.reset(one.answer, other.answer)
			p := pairing{one.class, other.class, caller.Kind == directory.User, setting}
			l, err := w.keys.Lease(context.Background(), caller, tenant, g.ID)
			if problem := judged(w, g, p, l, err); problem != "" {
				t.Errorf("%s and %s: %s", one.row, other.row, problem)
			}
			wantAttempt(t, w, 0, one.class, one.reason, caller)
			if one.class != opens {
				wantAttempt(t, w, 1, other.class, other.reason, caller)
			}
		}
	}
	w.forget(g)
	vaults.noToken = [2]bool{}
	vaults.reset(works, works)
}

// forget lets whatever is held or remembered of a generation go.
func (w *world) forget(g Generation) {
	w.keys.Drop(g.Tenant, g.ID)
	time.Sleep(2 * time.Second) // a outOfReach is held for one
	w.mu.Lock()
	defer w.mu.Unlock()
	w.story, w.log = nil, nil
	w.availability.uses = nil
}

// judged says what is wrong with what came of a request, "" if nothing is.
func judged(w *world, g Generation, p pairing, l *Lease, err error) string {
	uses := w.entries("availability.use")
	if p.one == opens || p.other == opens { // CK-45, CK-46, CK-47: a root that works is enough
		if err != nil || l.By() == byAvailability || l.SystemOnly() || len(uses) != 0 {
			return fmt.Sprintf("%v, %d uses of the availability key", err, len(uses))
		}
		return ""
	}
	want, ok := pairings[p]
	if !ok {
		want, ok = pairings[pairing{p.other, p.one, p.user, p.setting}]
	}
	switch {
	case !ok:
		return "nobody has said what is to come of it"
	case want.refuse != "":
		e := fault.As(err)
		if e.Code != fault.Denied || e.Reason != want.refuse || e.Hint == "" || len(uses) != 0 || len(w.availability.uses) != 0 {
			return fmt.Sprintf("%q %q, %d uses of the availability key", e.Code, e.Reason, len(uses))
		}
		return ""
	case err != nil:
		return err.Error()
	case l.By() != byAvailability || l.audience.String() != want.serves:
		return fmt.Sprintf("opened by %s for %s, want %+v", l.By(), l.audience, want)
	case len(uses) != 1 || uses[0].Detail["cause"] != want.cause || len(w.availability.uses) != 1:
		return fmt.Sprintf("recorded uses %+v, want %+v", uses, want)
	}
	use := availability.Use{Tenant: tenant, Policy: policy, Generation: g.ID, Key: "availability-key", Cause: want.cause, AfterDenial: want.denied}
	if w.availability.uses[0] != use {
		return fmt.Sprintf("counted %+v, want %+v", w.availability.uses[0], use)
	}
	return ""
}

// wantAttempt fails unless the attempt with a root is in the log as row CK-377 wants it: announced
// before it, and its outOfReach with the class after it.
func wantAttempt(t *testing.T, w *world, root int, is class, reason string, caller directory.Caller) {
	t.Helper()
	var found []audit.Entry
	for _, e := range w.entries("policykey.unwrap") {
		if e.Object == w.roots[root].uri {
			found = append(found, e)
		}
	}
	who := map[directory.Kind]string{directory.User: "user", directory.System: "system"}[caller.Kind]
	want := 2
	if is == opens {
		want = 1
	}
	if len(found) != want || found[0].Decision != audit.Allow || found[0].Detail["initiator"] != who ||
		found[0].Detail["attempt"] != fmt.Sprint(root+1) || found[0].Detail["policy"] != policy || found[0].Caller.Request != caller.Request {
		t.Errorf("attempt %d: recorded %+v", root+1, found)
		return
	}
	if is != opens && (found[1].Detail["class"] != string(is) || found[1].Detail["reason"] != reason) {
		t.Errorf("attempt %d: outcome %+v, want %s, %s", root+1, found[1].Detail, is, reason)
	}
}
