package directory_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// CK-212: the products that include Customer Key; CK-213: what Exchange shows for them.
func TestCK212_Licences(t *testing.T) {
	t.Parallel()
	for _, name := range []directory.Licence{"SPE_E5", "ENTERPRISEPREMIUM", "INFORMATION_PROTECTION_COMPLIANCE", "INFORMATION_PROTECTION_GOVERNANCE", "SPE_F5_SECCOMP", "EQUIVIO_ANALYTICS"} {
		held := []directory.Licence{name}
		if !directory.Licensed(held) || !slices.Equal(directory.Capabilities(held), []string{"BPOS_S_EquivioAnalytics"}) {
			t.Errorf("%s: %v, %q", name, directory.Licensed(held), directory.Capabilities(held))
		}
	}
	for _, held := range [][]directory.Licence{nil, {"SPE_E3"}} {
		if directory.Licensed(held) || len(directory.Capabilities(held)) > 0 {
			t.Errorf("%v counts", held)
		}
	}
}

func TestChangeLicences(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	contoso, fabrikam := w.mustTenant("contoso.example"), w.mustTenant("fabrikam.example")
	w.mustPerson(contoso, "alice")
	caller := func(tenant string, roles ...directory.Role) directory.Caller {
		return directory.Caller{Tenant: tenant, ID: "caller", Kind: directory.User, Roles: roles}
	}
	admin := caller(contoso.ID, directory.GlobalAdministrator)
	const alice = "alice@contoso.example"
	for _, tt := range []struct {
		given, want []directory.Licence
		code        fault.Code
	}{
		{[]directory.Licence{"SPE_E5", "EQUIVIO_ANALYTICS", "SPE_E5"}, []directory.Licence{"EQUIVIO_ANALYTICS", "SPE_E5"}, ""},
		{[]directory.Licence{"SPE_E3"}, nil, fault.Invalid},
	} { // also from the start
		p, err := w.CreatePerson(t.Context(), admin, directory.Person{Tenant: contoso.ID, UPN: "bert@contoso.example", Licences: tt.given}, password, false)
		if fault.CodeOf(err) != tt.code || !slices.Equal(p.Licences, tt.want) {
			t.Errorf("made with %v: %v, %v", tt.given, p.Licences, err)
		}
	}
	for _, step := range []struct {
		add, remove []string
		want        []directory.Licence
	}{
		{[]string{"spe_e5"}, nil, []directory.Licence{"SPE_E5"}},
		{[]string{"SPE_E5", "EQUIVIO_ANALYTICS"}, []string{"SPE_F5_SECCOMP"}, []directory.Licence{"EQUIVIO_ANALYTICS", "SPE_E5"}},
		{nil, []string{"SPE_E5"}, []directory.Licence{"EQUIVIO_ANALYTICS"}},
		{nil, nil, []directory.Licence{"EQUIVIO_ANALYTICS"}},
		{nil, []string{"EQUIVIO_ANALYTICS"}, nil},
	} {
		p, err := w.ChangeLicences(t.Context(), admin, contoso.ID, alice, step.add, step.remove)
		if err != nil || !slices.Equal(p.Licences, step.want) {
			t.Errorf("%v, %v: %v, %v", step.add, step.remove, p.Licences, err)
		}
		got, err := w.Person(t.Context(), contoso.ID, alice)
		list, listed := w.ListPeople(t.Context(), admin, "", 10)
		if err != nil || listed != nil || !slices.Equal(got.Licences, step.want) || !cmp.Equal(list[0].Licences, got.Licences) {
			t.Errorf("read back %v and %v: %v, %v", got.Licences, list[0].Licences, err, listed)
		}
	}
	for what, err := range map[string]error{
		"invalid":   second(w.ChangeLicences(t.Context(), admin, contoso.ID, alice, []string{"SPE_E3"}, nil)),
		"not_found": second(w.ChangeLicences(t.Context(), admin, contoso.ID, "bob@contoso.example", []string{"SPE_E5"}, nil)),
		"forbidden": second(w.ChangeLicences(t.Context(), caller(contoso.ID, directory.ExchangeAdministrator), contoso.ID, alice, []string{"SPE_E5"}, nil)),
	} {
		if string(fault.CodeOf(err)) != what {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := w.ChangeLicences(t.Context(), caller(fabrikam.ID, directory.GlobalAdministrator), contoso.ID, alice, []string{"SPE_E5"}, nil); !fault.Is(err, fault.NotFound) {
		t.Errorf("from another tenant: %v", err)
	}
	if _, err := w.ChangeLicences(t.Context(), admin, contoso.ID, alice, []string{strings.Repeat("x", 100_000)}, nil); !fault.Is(err, fault.Invalid) || len(err.Error()) > 200 {
		t.Errorf("a long name: %.300v", err)
	}
	w.deaf = true
	if _, err := w.ChangeLicences(t.Context(), admin, contoso.ID, alice, []string{"SPE_E5"}, nil); err == nil {
		t.Error("without a record it was done all the same")
	}
}

func second[T any](_ T, err error) error { return err }
