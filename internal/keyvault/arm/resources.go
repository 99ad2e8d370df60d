package arm

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
)

// Resources are listed whatever they are (KV-116): how clients find a vault of which they know
// only the name. Vaults are the only resources there are.

// genericOut is a resource in such a list. The last three are there for who asked ($expand).
type genericOut struct {
	resourceOut
	Created *time.Time `json:"createdTime,omitempty"`
	Changed *time.Time `json:"changedTime,omitempty"`
	State   string     `json:"provisioningState,omitempty"`
}

// resources lists those of a subscription, or of one group of it.
func (x *request) resources() error {
	f, err := parseFilter(x.query.Get("$filter"))
	if err != nil {
		if _, own := x.own(); own != nil {
			return own
		}
		return err
	}
	if group, given := x.params["group"]; given {
		if _, err := x.vaults.Group(x.r.Context(), x.caller, x.params["subscription"], group); err != nil {
			return err
		}
		f["resourcegroup "] = group // beside one that the filter may have
	}
	switch kind, given := f["resourcetype"]; {
	case given && !strings.EqualFold(kind, vaultType):
		return x.nothing()
	case f["name"] != "":
		return x.findResource(f)
	}
	return page(x, x.vaults.Vaults, x.generic, f.matches)
}

func (x *request) findResource(f filter) error {
	v, err := x.vaults.FindVault(x.r.Context(), x.caller, x.params["subscription"], f["name"])
	if fault.As(err).Reason == keyvault.ReasonNoResource || err == nil && !f.matches(v) {
		return x.reply(listOf[genericOut](nil))
	}
	if err != nil {
		return err
	}
	return x.reply(listOf([]genericOut{x.generic(v)}))
}

func (x *request) generic(v keyvault.Vault) genericOut {
	out := genericOut{resourceOut: resource(v)}
	for wanted := range strings.SplitSeq(x.query.Get("$expand"), ",") {
		switch strings.ToLower(strings.TrimSpace(wanted)) {
		case "createdtime":
			out.Created = &v.Created
		case "changedtime":
			out.Changed = &v.Updated
		case "provisioningstate":
			out.State = "Succeeded"
		}
	}
	return out
}

// A filter is what a list is held to: properties in lower case, and the text that each equals.
type filter map[string]string

// condition is one of a filter: a property, and a text in quotes, in which a quote is doubled.
var condition = regexp.MustCompile(`^\s*([A-Za-z]+)\s+(?i:eq)\s+'((?:[^']|'')*)'\s*`)

var joiner = regexp.MustCompile(`^(?i:and)\s+`)

// filtered are the properties that a filter may name.
var filtered = []string{"resourcetype", "name", "resourcegroup", "location", "tagname", "tagvalue"}

// parseFilter reads conditions joined by "and"; the fault is ReasonBadFilter.
func parseFilter(text string) (filter, error) {
	f := filter{}
	bad := fault.New(fault.Invalid, "The filter in the query string is not supported").WithReason(reasonBadFilter).
		WithHint("Conditions can be: resourceType eq '…', and in the same way name, resourceGroup, location, tagName and tagValue, joined by and.")
	for rest := strings.TrimSpace(text); rest != ""; {
		m := condition.FindStringSubmatch(rest)
		if m == nil {
			return nil, bad
		}
		property := strings.ToLower(m[1])
		if _, twice := f[property]; twice || !slices.Contains(filtered, property) {
			return nil, bad
		}
		f[property] = strings.ReplaceAll(m[2], "''", "'")
		if rest = rest[len(m[0]):]; rest == "" {
			break
		}
		and := joiner.FindString(rest)
		if rest = rest[len(and):]; and == "" || rest == "" {
			return nil, bad
		}
	}
	return f, nil
}

// only refuses a filter that names other properties.
func (f filter) only(properties ...string) error {
	for p := range f {
		if !slices.Contains(properties, p) {
			return fault.New(fault.Invalid, "The filter in the query string is not supported").WithReason(reasonBadFilter).
				WithHint("Conditions can be about: %s, joined by and.", strings.Join(properties, ", "))
		}
	}
	return nil
}

// matches reports whether a vault meets all conditions.
func (f filter) matches(v keyvault.Vault) bool {
	for property, text := range f {
		switch property {
		case "name":
			if !naming.Same(v.Name, text) {
				return false
			}
		case "resourcegroup", "resourcegroup ":
			if !naming.Same(v.Group, text) {
				return false
			}
		case "location":
			if !naming.SameLocation(v.Location, text) {
				return false
			}
		}
	}
	return f.tagged(v.Tags)
}

// tagged reports whether tags meet the conditions on them: a name, a value, or a name with a
// value.
func (f filter) tagged(tags map[string]string) bool {
	name, byName := f["tagname"]
	value, byValue := f["tagvalue"]
	if !byName && !byValue {
		return true
	}
	return slices.ContainsFunc(slices.Collect(maps.Keys(tags)), func(n string) bool {
		return (!byName || strings.EqualFold(n, name)) && (!byValue || tags[n] == value)
	})
}
