package arm

import (
	"encoding/json"
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

// firewall reads the rules. A member that is left out has the original's default: trusted
// services pass, and so does everybody.
func (n networkACLs) firewall() (*rights.Firewall, error) {
	f := &rights.Firewall{Trusted: true}
	if len(n.NetworkRules) > 0 {
		return nil, fault.New(fault.Invalid, "Virtual network rules are not supported").WithHint("List the addresses in ipRules.")
	}
	switch {
	case strings.EqualFold(n.DefaultAction, "Deny"):
		f.Deny = true
	case n.DefaultAction != "" && !strings.EqualFold(n.DefaultAction, "Allow"):
		return nil, fault.New(fault.Invalid, "Property networkAcls.defaultAction has invalid value")
	}
	switch {
	case strings.EqualFold(n.Bypass, "None"):
		f.Trusted = false
	case n.Bypass != "" && !strings.EqualFold(n.Bypass, "AzureServices"):
		return nil, fault.New(fault.Invalid, "Property networkAcls.bypass has invalid value")
	}
	for _, r := range n.IPRules {
		p, err := rights.ParseRule(r.Value)
		if err != nil {
			return nil, err
		}
		f.Allowed = append(f.Allowed, p)
	}
	return f, nil
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
