package mailbox_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/mailbox"
	"github.com/customerkey/customerkey/internal/policy"
)

// CK-179, CK-213: who needs a licence to have a policy, and who does not. CK-293: the kinds.
func TestCK179_Licences(t *testing.T) {
	w := newWorld(t, nil)
	p := w.mustPolicy("P")
	w.mustPerson("licensed", "SPE_E5")
	w.mustPerson("unlicensed")
	w.mustPerson("hybrid")
	w.mustPerson("hybrid-licensed", "EQUIVIO_ANALYTICS")
	for _, name := range []string{"hybrid", "hybrid-licensed"} {
		if err := w.SetElsewhere(t.Context(), w.admin, name, true); err != nil {
			t.Fatal(err)
		}
	}
	for _, k := range mailbox.Kinds() {
		if k != mailbox.User && k != mailbox.MailUser {
			must(w.Create(t.Context(), w.admin, mailbox.Draft{Name: string(k), Kind: k}))
		}
	}
	for name, allowed := range map[string]bool{
		"licensed": true, "unlicensed": false, "hybrid": false, "hybrid-licensed": true,
		"SharedMailbox": true, "RoomMailbox": true, "EquipmentMailbox": true, "GroupMailbox": true, "PublicFolderMailbox": true, "DiscoveryMailbox": true,
	} {
		err := w.Assign(t.Context(), w.admin, name, "P")
		if allowed && err != nil || !allowed && (fault.As(err).Reason != mailbox.ReasonUnlicensed || !strings.Contains(fault.As(err).Hint, "ck person license")) {
			t.Errorf("%s: %v", name, err)
		}
		if got := w.mustGet(name).Policy == p.ID; got != allowed {
			t.Errorf("%s has the policy: %v", name, got)
		}
		if err := w.Assign(t.Context(), w.admin, name, ""); err != nil { // to take one away needs none
			t.Errorf("taking it from %s: %v", name, err)
		}
	}
}

func TestLicencesIgnored(t *testing.T) {
	w := newWorld(t, func(c *mailbox.Config) { c.IgnoreLicences = true })
	w.mustPolicy("P")
	w.mustPerson("unlicensed")
	if err := w.Assign(t.Context(), w.admin, "unlicensed", "P"); err != nil {
		t.Error(err)
	}
	if err := w.SetDefault(t.Context(), w.admin, "P"); err != nil {
		t.Error(err)
	}
}

// CK-314, CK-212: a default takes one licence in the tenant.
func TestCK314_DefaultTakesOneLicence(t *testing.T) {
	w := newWorld(t, nil)
	p := w.mustPolicy("P")
	w.mustPerson("alice")
	if err := w.SetDefault(t.Context(), w.admin, "P"); fault.As(err).Reason != mailbox.ReasonUnlicensed || fault.As(err).Hint == "" {
		t.Errorf("without any licence: %v", err)
	}
	w.mustPerson("bob", "SPE_E5")
	if err := w.SetDefault(t.Context(), w.admin, "P"); err != nil {
		t.Fatal(err)
	}
	st, err := w.Statistics(t.Context(), w.admin, "alice")
	if err != nil || st.Coverage.Policy.ID != p.ID || st.Own || !st.Customer {
		t.Errorf("%+v, %v", st, err)
	}
	if err := w.SetDefault(t.Context(), w.admin, ""); err != nil {
		t.Fatal(err)
	}
	if st, err := w.Statistics(t.Context(), w.admin, "alice"); err != nil || st.Customer || st.Under != policy.ServiceOwned {
		t.Errorf("%+v, %v", st, err)
	}
}

// CK-234: a policy is there before the first content, whose container takes the id that the policy
// waits at. A container from the time before keeps its own.
func TestCK234_PolicyBeforeContent(t *testing.T) {
	w := newWorld(t, nil)
	p := w.mustPolicy("P")
	alice, bob := w.mustPerson("alice", "SPE_E5"), w.mustPerson("bob", "SPE_E5")
	old := uuid.NewString()
	w.mustStore(bob.UPN, old)
	for _, name := range []string{"alice", "bob"} {
		if err := w.Assign(t.Context(), w.admin, name, "P"); err != nil {
			t.Fatal(err)
		}
	}
	w.mustStore(alice.UPN, must(w.Owner(t.Context(), w.tenant.ID, "Alice@Contoso.example")))
	for name, container := range map[string]string{"alice": alice.ID, "bob": old} {
		if m := w.mustGet(name); m.Container != container || m.Policy != p.ID {
			t.Errorf("%s: %+v", name, m)
		}
		if st := must(w.Statistics(t.Context(), w.admin, name)); st.Coverage.Policy.ID != p.ID || !st.Own {
			t.Errorf("%s: %+v", name, st)
		}
	}
	if _, err := w.Owner(t.Context(), w.tenant.ID, "nobody@contoso.example"); !fault.Is(err, fault.NotFound) {
		t.Errorf("nobody's mailbox: %v", err)
	}
}

// Each command is for its kinds of mailbox, and says which one is for another.
func TestCommandsForKinds(t *testing.T) {
	w := newWorld(t, nil)
	w.mustPolicy("P")
	w.mustPerson("alice", "SPE_E5")
	must(w.Create(t.Context(), w.admin, mailbox.Draft{Name: "team", Kind: mailbox.Group}))
	refused := func(name, hint string, kinds ...mailbox.Kind) {
		t.Helper()
		if err := w.Assign(t.Context(), w.admin, name, "P", kinds...); !fault.Is(err, fault.Invalid) || !strings.Contains(fault.As(err).Hint, hint) {
			t.Errorf("%s: %v, hint %q", name, err, fault.As(err).Hint)
		}
	}
	refused("alice", "Set-Mailbox", mailbox.MailUser)
	refused("team", "Set-UnifiedGroup", mailbox.User, mailbox.Shared)
	if err := w.SetElsewhere(t.Context(), w.admin, "team", true); !fault.Is(err, fault.Invalid) {
		t.Errorf("a group elsewhere: %v", err)
	}
	for range 2 { // twice is as good as once
		if err := w.SetElsewhere(t.Context(), w.admin, "alice", true); err != nil || w.mustGet("alice").Kind != mailbox.MailUser {
			t.Errorf("elsewhere: %v", err)
		}
	}
	refused("alice", "Set-MailUser", mailbox.User)
	if err := w.Assign(t.Context(), w.admin, "alice", "P", mailbox.MailUser); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := w.SetElsewhere(t.Context(), w.admin, "alice", false); err != nil || w.mustGet("alice").Kind != mailbox.User || w.mustGet("alice").Policy == "" {
			t.Errorf("here again: %v, %+v", err, w.mustGet("alice"))
		}
	}
}

func TestIdentities(t *testing.T) {
	w := newWorld(t, nil)
	alice := w.mustPerson("alice", "SPE_E5")
	room := must(w.Create(t.Context(), w.admin, mailbox.Draft{Name: "Atrium@CONTOSO.example", DisplayName: "The atrium", Kind: mailbox.Room}))
	for identity, id := range map[string]string{
		"alice": alice.ID, "ALICE": alice.ID, "Alice@contoso.EXAMPLE": alice.ID, alice.ID: alice.ID, strings.ToUpper(alice.ID): alice.ID,
		"atrium": room.ID, room.ID: room.ID, "atrium@contoso.example": room.ID,
	} {
		if m := w.mustGet(identity); m.ID != id {
			t.Errorf("%s is %+v", identity, m)
		}
	}
	for _, identity := range []string{"", "@", "bob", "alice@fabrikam.example", uuid.NewString(), w.tenant.ID, strings.Repeat("a", 100_000), "a\x00b", "alice@contoso.example@"} {
		if _, err := w.Get(t.Context(), w.admin, identity); !fault.Is(err, fault.NotFound) || fault.As(err).Hint == "" || len(fault.As(err).Message) > 1000 {
			t.Errorf("%.40q: %.200v", identity, err)
		}
	}
	stranger := w.admin
	stranger.Tenant = must(w.people.CreateTenant(t.Context(), directory.SystemCaller("", "test", "1"), "Fabrikam", "fabrikam.example")).ID
	for _, identity := range []string{alice.ID, alice.UPN, room.ID} {
		if _, err := w.Get(t.Context(), stranger, identity); !fault.Is(err, fault.NotFound) {
			t.Errorf("another tenant finds %s: %v", identity, err)
		}
	}
}

func TestCreate(t *testing.T) {
	w := newWorld(t, nil)
	p, off := w.mustPolicy("P"), false
	w.mustPolicy("Off")
	must(w.policies.Update(t.Context(), w.admin, policy.Mailbox, "Off", policy.Change{Enabled: &off}))
	w.mustPerson("alice")
	m, err := w.Create(t.Context(), w.admin, mailbox.Draft{Name: "sales", DisplayName: "Sales", Kind: mailbox.Shared, Policy: "p"})
	if err != nil || m.Policy != p.ID || m.Name != "sales@contoso.example" || m.Kind != mailbox.Shared || m.DisplayName != "Sales" {
		t.Fatalf("%+v, %v", m, err)
	}
	for what, d := range map[string]mailbox.Draft{
		"conflict a person's name":  {Name: "alice", Kind: mailbox.Shared},
		"conflict a mailbox's name": {Name: "SALES", Kind: mailbox.Room},
		"conflict disabled policy":  {Name: "new", Kind: mailbox.Shared, Policy: "Off"},
		"not_found unknown policy":  {Name: "new", Kind: mailbox.Shared, Policy: "Q"},
		"invalid a person's":        {Name: "new", Kind: mailbox.User},
		"invalid a mail user's":     {Name: "new", Kind: mailbox.MailUser},
		"invalid unknown kind":      {Name: "new", Kind: "Oven"},
		"invalid another domain":    {Name: "new@fabrikam.example", Kind: mailbox.Shared},
		"invalid no name":           {Name: "@contoso.example", Kind: mailbox.Shared},
		"invalid slash":             {Name: "a/b", Kind: mailbox.Shared},
		"invalid look-alike":        {Name: "sаles", Kind: mailbox.Shared}, // a Cyrillic letter
		"invalid long":              {Name: strings.Repeat("a", 10_000), Kind: mailbox.Shared},
		"invalid display name":      {Name: "new", DisplayName: "a\x1b[2Jb", Kind: mailbox.Shared},
		"invalid long display name": {Name: "new", DisplayName: strings.Repeat("d", 10_000), Kind: mailbox.Shared},
		"invalid no UTF-8":          {Name: "new", DisplayName: "\xff", Kind: mailbox.Shared},
	} {
		if _, err := w.Create(t.Context(), w.admin, d); string(fault.CodeOf(err)) != strings.Fields(what)[0] || fault.As(err).Hint == "" {
			t.Errorf("%s: %.200v, hint %.100q", what, err, fault.As(err).Hint)
		}
	}
	if _, err := w.Get(t.Context(), w.admin, "new"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a refused mailbox is there: %v", err)
	}
	_, err = w.people.CreatePerson(t.Context(), directory.SystemCaller(w.tenant.ID, "test", "1"), directory.Person{Tenant: w.tenant.ID, UPN: m.Name}, "a password of some length", false)
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("a person of a mailbox's name: %v", err)
	}
	list := must(w.List(t.Context(), w.admin, "", 10))
	if len(list) != 2 || list[0].Name != "alice@contoso.example" || list[1].ID != m.ID {
		t.Errorf("%+v", list)
	}
	if rest := must(w.List(t.Context(), w.admin, list[0].Name, 1)); len(rest) != 1 || rest[0].ID != m.ID {
		t.Errorf("behind the first: %+v", rest)
	}
}

// CK-278, CK-281: who may. Every refusal is recorded and tells nothing; nothing is done without a
// record.
func TestDoor(t *testing.T) {
	w := newWorld(t, nil)
	w.mustPolicy("P")
	alice := w.mustPerson("alice", "SPE_E5")
	calls := func(c directory.Caller, identity string) map[string]error {
		return map[string]error{
			"get": second(w.Get(t.Context(), c, identity)), "list": second(w.List(t.Context(), c, "", 10)),
			"statistics": second(w.Statistics(t.Context(), c, identity)),
			"create":     second(w.Create(t.Context(), c, mailbox.Draft{Name: "x" + uuid.NewString()[:8], Kind: mailbox.Room})),
			"elsewhere":  w.SetElsewhere(t.Context(), c, identity, false),
			"assign":     w.Assign(t.Context(), c, identity, "P"), "take": w.Assign(t.Context(), c, identity, ""), "default": w.SetDefault(t.Context(), c, "P"),
		}
	}
	reads := []string{"get", "list", "statistics"}
	for _, role := range []directory.Role{
		directory.GlobalAdministrator, directory.ExchangeAdministrator, directory.GlobalReader, directory.ComplianceAdministrator,
		directory.SharePointAdministrator, directory.ServiceOperator, directory.MailboxImportExport, directory.ItemsReadWriteAll,
	} {
		admin := role == directory.GlobalAdministrator || role == directory.ExchangeAdministrator
		for what, err := range calls(w.caller(role), "alice") {
			allowed := admin || role == directory.GlobalReader && slices.Contains(reads, what)
			if fault.Is(err, fault.Forbidden) == allowed || allowed && err != nil {
				t.Errorf("%s as %s: %v", what, role, err)
			}
		}
	}
	for what, err := range calls(w.caller(directory.ServiceOperator), "nobody") {
		if !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s of what is not there: %v", what, err)
		}
	}
	for what, err := range calls(directory.Caller{Roles: w.admin.Roles}, "alice") {
		if !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%s as nobody: %v", what, err)
		}
	}
	for what, err := range calls(directory.SystemCaller(w.tenant.ID, "x", "y"), "alice") {
		if !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s as the service: %v", what, err)
		}
	}
	for _, want := range []string{"deny mailbox.read alice", "deny mailbox.assign alice", "deny mailbox.create ", "deny mailbox.change alice", "allow mailbox.create "} {
		if !strings.Contains(w.log.entries(), want) {
			t.Errorf("%q is not in the log", want)
		}
	}
	if err := w.Assign(t.Context(), w.admin, "alice", "P"); err != nil {
		t.Fatal(err)
	}
	before := w.mustGet("alice")
	w.log.mu.Lock()
	w.log.deaf = true
	w.log.mu.Unlock()
	for what, err := range map[string]error{
		"create": second(w.Create(t.Context(), w.admin, mailbox.Draft{Name: "late", Kind: mailbox.Room})), "take": w.Assign(t.Context(), w.admin, "alice", ""),
		"elsewhere": w.SetElsewhere(t.Context(), w.admin, "alice", true), "a refusal": second(w.Get(t.Context(), w.caller(), "alice")),
	} {
		if !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s without a record: %v", what, err)
		}
	}
	if after := w.mustGet("alice"); after.Policy != before.Policy || after.Kind != mailbox.User || after.ID != alice.ID {
		t.Errorf("something was done: %+v", after)
	}
}
