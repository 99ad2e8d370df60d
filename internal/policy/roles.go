package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// Roles says who may do what with the policies of each family. The zero Roles is the map of the
// requirements: see [DefaultHolders].
type Roles struct{ changed map[Family]Holders }

// Holders are the roles that may do something with the policies of one family. A nil list is that
// of [DefaultHolders], an empty one is nobody.
type Holders struct {
	Administrators  []directory.Role `json:"administrators"`  // everything but asking for a purge
	Readers         []directory.Role `json:"readers"`         // look, and no more
	Refreshers      []directory.Role `json:"refreshers"`      // look and refresh: for programs that roll keys
	PurgeRequesters []directory.Role `json:"purgeRequesters"` // look, and ask that all is destroyed
}

// DefaultHolders returns who may do what unless something else is configured. For the
// multi-workload family the seeds name the compliance and the global administrator, newer text the
// Exchange administrator: all three (CK-277, X-18). Mailboxes: CK-278. SharePoint: CK-280.
// Reading: CK-281. Purges: CK-279.
func DefaultHolders() map[Family]Holders {
	holders := func(administrators ...directory.Role) Holders {
		return Holders{
			Administrators:  administrators,
			Readers:         []directory.Role{directory.GlobalReader},
			Refreshers:      []directory.Role{},
			PurgeRequesters: []directory.Role{directory.GlobalAdministrator},
		}
	}
	return map[Family]Holders{
		MultiWorkload: holders(directory.ComplianceAdministrator, directory.GlobalAdministrator, directory.ExchangeAdministrator),
		Mailbox:       holders(directory.ExchangeAdministrator, directory.GlobalAdministrator),
		SharePoint:    holders(directory.SharePointAdministrator, directory.GlobalAdministrator),
	}
}

// TenantRoles returns the roles that can have rights over policies: those of people who administer
// a tenant.
func TenantRoles() []directory.Role { return slices.Clone(grantable) }

// grantable are the roles that a map may give rights to. Whoever runs the service, and the provider's programs, are none of them.
var grantable = []directory.Role{
	directory.GlobalAdministrator, directory.ComplianceAdministrator, directory.ExchangeAdministrator,
	directory.SharePointAdministrator, directory.GlobalReader,
}

const maxRolesFile = 64 << 10 // bytes

// ReadRoles reads a map from JSON: families, and in each the lists of [Holders] that differ from
// the default.
//
//	{"mailbox": {"administrators": ["Compliance Administrator"], "refreshers": ["Exchange Administrator"]}}
//
// Whatever it cannot mean is fault.Invalid: an unknown name, a role twice, a family that nobody
// could administer.
func ReadRoles(r io.Reader) (Roles, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxRolesFile+1))
	if err != nil {
		return Roles{}, fault.Wrap(fault.Invalid, err, "the role map cannot be read")
	}
	if len(text) > maxRolesFile {
		return Roles{}, fault.New(fault.Invalid, "the role map is longer than %d bytes", maxRolesFile)
	}
	changed, err := decodeRoles(text)
	if err != nil {
		return Roles{}, fault.Wrap(fault.Invalid, err, "the role map is not one: %v", clip(err.Error())).
			WithHint(`give families, and in each lists of roles: {"mailbox": {"administrators": ["Exchange Administrator"]}}`)
	}
	for f, h := range changed {
		if err := h.check(f); err != nil {
			return Roles{}, err
		}
	}
	return Roles{changed}, nil
}

func decodeRoles(text []byte) (changed map[Family]Holders, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&changed); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, errors.New("there is more behind it")
	}
	return changed, eachOnce(json.NewDecoder(bytes.NewReader(text)))
}

// eachOnce refuses an object with a name that is given twice, of which one would be lost: also in
// another case, for names of fields are read in any. What d reads is known to be JSON, and shallow.
func eachOnce(d *json.Decoder) error {
	begin, err := d.Token()
	if begin != json.Delim('{') && begin != json.Delim('[') {
		return err
	}
	seen := map[string]bool{}
	for d.More() {
		if begin == json.Delim('{') {
			name, err := d.Token()
			if err != nil {
				return err
			}
			folded := strings.ToLower(strings.ToUpper(fmt.Sprint(name))) // as encoding/json folds what it compares
			if seen[folded] {
				return fmt.Errorf("%v is given twice", name)
			}
			seen[folded] = true
		}
		if err := eachOnce(d); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

func (h Holders) check(f Family) error {
	if !slices.Contains(families, f) {
		return fault.New(fault.Invalid, "the role map has a family %q", clip(string(f))).
			WithHint("there are %s, %s and %s", families[0], families[1], families[2])
	}
	if h.Administrators != nil && len(h.Administrators) == 0 {
		return fault.New(fault.Invalid, "by the role map nobody could administer the family %s", f).WithHint("name at least one administrator")
	}
	for _, list := range [][]directory.Role{h.Administrators, h.Readers, h.Refreshers, h.PurgeRequesters} {
		for i, r := range list {
			switch {
			case !slices.Contains(grantable, r):
				return fault.New(fault.Invalid, "the role map gives rights in the family %s to %q", f, clip(string(r))).WithHint("only these roles can have any: %v", grantable)
			case slices.Contains(list[:i], r):
				return fault.New(fault.Invalid, "the role map names %q twice in one list of the family %s", r, f)
			}
		}
	}
	return nil
}

// Of returns who may do what in a family.
func (r Roles) Of(f Family) Holders {
	h, own := DefaultHolders()[f], r.changed[f]
	for _, list := range []struct{ is, want *[]directory.Role }{
		{&h.Administrators, &own.Administrators}, {&h.Readers, &own.Readers},
		{&h.Refreshers, &own.Refreshers}, {&h.PurgeRequesters, &own.PurgeRequesters},
	} {
		if *list.want != nil {
			*list.is = *list.want
		}
	}
	return h
}

// For returns the roles that may do it with policies of a family, each once. Whoever runs the
// service may have availability keys rolled, and nothing else (CK-282): no map changes that.
func (r Roles) For(f Family, do Action) []directory.Role {
	if do == RollAvailability {
		return []directory.Role{directory.ServiceOperator}
	}
	h := r.Of(f)
	var all []directory.Role
	switch do {
	case Read:
		all = slices.Concat(h.Administrators, h.Readers, h.Refreshers, h.PurgeRequesters)
	case Refresh:
		all = slices.Concat(h.Administrators, h.Refreshers)
	case Purge:
		all = slices.Clone(h.PurgeRequesters)
	default:
		all = slices.Clone(h.Administrators)
	}
	var once []directory.Role
	for _, role := range all {
		if !slices.Contains(once, role) {
			once = append(once, role)
		}
	}
	return once
}

// Allow reports whether one of roles may do what with policies of a family.
func (r Roles) Allow(roles []directory.Role, f Family, do Action) bool {
	may := r.For(f, do)
	return slices.ContainsFunc(roles, func(role directory.Role) bool { return slices.Contains(may, role) })
}

// Roles returns the map that the service goes by.
func (s *Service) Roles() Roles { return s.c.Roles }
