package service

import (
	"strings"
	"testing"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/mailbox"
	"github.com/customerkey/customerkey/internal/policy"
)

const filterTenant = "11111111-2222-4333-8444-555555555555"

func filtering(tb testing.TB, text string) *Call {
	tb.Helper()
	c := &cmdlet.Cmdlet{Name: "Find-Mailbox", Impact: cmdlet.Medium, Params: []cmdlet.Param{{Name: "Filter", Type: cmdlet.String}}}
	call, _, err := cmdlet.BindJSON(c, cmdlet.Object{Fields: []cmdlet.Field{{Name: "Filter", Value: text}}})
	if err != nil {
		tb.Fatal(err)
	}
	call.Caller.Tenant = filterTenant
	return &Call{Call: call}
}

// FuzzMailboxFilter: the filter of row CK-124 finds the policy of that distinguished name and no
// other, in either kind of quotes; any other text is refused with a hint.
func FuzzMailboxFilter(f *testing.F) {
	for _, seed := range []string{"USA_mailboxes", "O'Brien", `"`, "a,b=c", "' -or $true", "$null", "Größe \\", "x} {", strings.Repeat("(", 1000)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if wanted, err := mailboxFilter(filtering(t, name), nil); err != nil && fault.As(err).Hint == "" || err == nil && name != "" && wanted(mailbox.Mailbox{Policy: "p"}) {
			t.Errorf("%q as a filter: %v", name, err)
		}
		p := policy.Policy{Tenant: filterTenant, Family: policy.Mailbox, Name: name, ID: "p"}
		names := map[string]string{"p": name, "q": name + "x"}
		for _, quote := range []string{"'", `"`} {
			text := "DataEncryptionPolicy -eq " + quote + strings.ReplaceAll(distinguishedName(p), quote, quote+quote) + quote
			wanted, err := mailboxFilter(filtering(t, text), names)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if !wanted(mailbox.Mailbox{Policy: "p"}) || wanted(mailbox.Mailbox{Policy: "q"}) || wanted(mailbox.Mailbox{}) {
				t.Errorf("%s finds others", text)
			}
		}
	})
}
