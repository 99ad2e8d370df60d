package directory

import (
	"context"
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
)

// A Licence is a product that a person is licensed for, by its part number.
type Licence string

// The licences that include Customer Key (row CK-212). No source gives a part number for the
// add-on Information Protection and Governance: that one is ours.
const (
	Microsoft365E5        Licence = "SPE_E5"
	Office365E5           Licence = "ENTERPRISEPREMIUM"
	E5Compliance          Licence = "INFORMATION_PROTECTION_COMPLIANCE"
	ProtectionGovernance  Licence = "INFORMATION_PROTECTION_GOVERNANCE"
	FrontlineCompliance   Licence = "SPE_F5_SECCOMP"
	AdvancedCompliance    Licence = "EQUIVIO_ANALYTICS" // an old one, which still counts
	customerKeyCapability         = "BPOS_S_EquivioAnalytics"
)

var licences = []Licence{Microsoft365E5, Office365E5, E5Compliance, ProtectionGovernance, FrontlineCompliance, AdvancedCompliance}

// Licensed reports whether one of licences includes Customer Key.
func Licensed(held []Licence) bool {
	return slices.ContainsFunc(held, func(l Licence) bool { return slices.Contains(licences, l) })
}

// Capabilities returns what Exchange shows as PersistedCapabilities for licences (row CK-213).
func Capabilities(held []Licence) []string {
	if !Licensed(held) {
		return []string{}
	}
	return []string{customerKeyCapability}
}

// ChangeLicences gives a person of tenant licences and takes others away, named by part number
// in any case of letters. Giving one that is held, and taking one that is not, changes nothing.
// Who may create people may. What is under a policy already stays so without a licence.
func (s *Service) ChangeLicences(ctx context.Context, c Caller, tenant, idOrUPN string, add, remove []string) (Person, error) {
	var changed Account
	a := act{caller: c, tenant: strings.ToLower(tenant), action: "person.licences", object: "people/" + clip(idOrUPN)}
	a.detail = map[string]string{"add": clip(strings.Join(add, ", ")), "remove": clip(strings.Join(remove, ", "))}
	err := s.perform(ctx, a, func() error {
		more, err := parseLicences(add)
		if err != nil {
			return err
		}
		less, err := parseLicences(remove)
		if err != nil {
			return err
		}
		if changed, err = s.account(ctx, a.tenant, idOrUPN); err != nil {
			return err
		}
		was := changed.Licences
		changed.Licences = slices.DeleteFunc(slices.Concat(was, more), func(l Licence) bool { return slices.Contains(less, l) })
		slices.Sort(changed.Licences)
		changed.Licences = slices.Compact(changed.Licences)
		return s.store.SetLicences(ctx, changed, was)
	})
	if err != nil {
		return Person{}, err
	}
	return changed.Person, nil
}

// parseLicences finds licences by part numbers.
func parseLicences(names []string) ([]Licence, error) {
	found := make([]Licence, len(names))
	for i, name := range names {
		at := slices.IndexFunc(licences, func(l Licence) bool { return strings.EqualFold(string(l), name) })
		if at < 0 {
			return nil, errLicence(name)
		}
		found[i] = licences[at]
	}
	return found, nil
}

func errLicence(name string) error {
	all := make([]string, len(licences))
	for i, l := range licences {
		all[i] = string(l)
	}
	return fault.New(fault.Invalid, "%.64q is no licence that this service knows", name).WithHint("give one of %s", strings.Join(all, ", "))
}
