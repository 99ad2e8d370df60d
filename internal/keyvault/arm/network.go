package arm

import (
	"encoding/json"
	"net/netip"
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// Network rules as clients write and read them (KV-122).
type networkACLs struct {
	Bypass        string            `json:"bypass"`
	DefaultAction string            `json:"defaultAction"`
	IPRules       []ipRule          `json:"ipRules"`
	NetworkRules  []json.RawMessage `json:"virtualNetworkRules"`
}

type ipRule struct {
	Value string `json:"value"`
}

// change reads the rules. A member that is left out stays as it is (KV-124).
func (n networkACLs) change() (*rights.FirewallChange, error) {
	c := &rights.FirewallChange{}
	if len(n.NetworkRules) > 0 {
		return nil, fault.New(fault.Invalid, "Virtual network rules are not supported").WithHint("List the addresses in ipRules.")
	}
	deny := strings.EqualFold(n.DefaultAction, "Deny")
	switch {
	case !deny && n.DefaultAction != "" && !strings.EqualFold(n.DefaultAction, "Allow"):
		return nil, fault.New(fault.Invalid, "Property networkAcls.defaultAction has invalid value")
	case n.DefaultAction != "":
		c.Deny = &deny
	}
	trusted := strings.EqualFold(n.Bypass, "AzureServices")
	switch {
	case !trusted && n.Bypass != "" && !strings.EqualFold(n.Bypass, "None"):
		return nil, fault.New(fault.Invalid, "Property networkAcls.bypass has invalid value")
	case n.Bypass != "":
		c.Trusted = &trusted
	}
	if n.IPRules != nil {
		c.Allowed = []netip.Prefix{}
	}
	for _, r := range n.IPRules {
		p, err := rights.ParseRule(r.Value)
		if err != nil {
			return nil, err
		}
		c.Allowed = append(c.Allowed, p)
	}
	return c, nil
}

// networkOut renders the rules; none if there are none.
func networkOut(f *rights.Firewall) *networkACLs {
	if f == nil {
		return nil
	}
	n := &networkACLs{Bypass: "None", DefaultAction: "Allow", IPRules: []ipRule{}, NetworkRules: []json.RawMessage{}}
	if f.Trusted {
		n.Bypass = "AzureServices"
	}
	if f.Deny {
		n.DefaultAction = "Deny"
	}
	for _, p := range f.Allowed {
		n.IPRules = append(n.IPRules, ipRule{p.String()})
	}
	return n
}

// private reads publicNetworkAccess; nil if it was not given.
func private(access string) (*bool, error) {
	closed := strings.EqualFold(access, "Disabled")
	switch {
	case access == "":
		return nil, nil
	case !closed && !strings.EqualFold(access, "Enabled"):
		return nil, fault.New(fault.Invalid, "Property publicNetworkAccess has invalid value").WithHint("It is Enabled or Disabled.")
	}
	return &closed, nil
}

func publicAccess(n rights.Network) string {
	if n.Private {
		return "Disabled"
	}
	return "Enabled"
}
