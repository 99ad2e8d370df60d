package azure

import (
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/keyvault/armkeyvault"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

// networkRules reads -NetworkRuleSet: a hash table or Az's own object, with DefaultAction,
// Bypass, IpAddressRanges and VirtualNetworkResourceIds (row CK-188). What the values must be
// the vault decides; a misspelt name is refused, for it would leave a door open.
func networkRules(given cmdlet.Object) (*armkeyvault.NetworkRuleSet, error) {
	rules := &armkeyvault.NetworkRuleSet{IPRules: []*armkeyvault.IPRule{}, VirtualNetworkRules: []*armkeyvault.VirtualNetworkRule{}}
	for _, f := range given.Fields {
		list := texts(f.Value)
		switch strings.ToLower(f.Name) {
		case "defaultaction":
			rules.DefaultAction = to.Ptr(armkeyvault.NetworkRuleAction(strings.Join(list, ",")))
		case "bypass":
			rules.Bypass = to.Ptr(armkeyvault.NetworkRuleBypassOptions(strings.Join(list, ",")))
		case "ipaddressranges", "ipaddressrange":
			for _, address := range list {
				rules.IPRules = append(rules.IPRules, &armkeyvault.IPRule{Value: &address})
			}
		case "virtualnetworkresourceids", "virtualnetworkresourceid":
			for _, id := range list {
				rules.VirtualNetworkRules = append(rules.VirtualNetworkRules, &armkeyvault.VirtualNetworkRule{ID: &id})
			}
		default:
			return nil, fault.New(fault.Invalid, "-NetworkRuleSet has no %q", f.Name).WithReason(cmdlet.ReasonParameter).
				WithHint("give @{DefaultAction='Deny'; Bypass='AzureServices'; IpAddressRanges='192.0.2.0/24','198.51.100.7'}")
		}
	}
	return rules, nil
}

// texts are the items of a value: of a list, or of text with commas, as command lines have it.
func texts(v any) (list []string) {
	switch v := v.(type) {
	case nil:
	case []string:
		return v
	case []any:
		for _, item := range v {
			list = append(list, texts(item)...)
		}
	default:
		for part := range strings.SplitSeq(fmt.Sprint(v), ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
	}
	return list
}

// networkObject shows the rules of a vault, nil where it has none.
func networkObject(rules *armkeyvault.NetworkRuleSet) any {
	if rules == nil {
		return nil
	}
	addresses, networks := []string{}, []string{}
	for _, r := range rules.IPRules {
		addresses = append(addresses, deref(r.Value))
	}
	for _, r := range rules.VirtualNetworkRules {
		networks = append(networks, deref(r.ID))
	}
	return cmdlet.Object{Fields: []cmdlet.Field{
		{Name: "DefaultAction", Value: string(deref(rules.DefaultAction))},
		{Name: "Bypass", Value: string(deref(rules.Bypass))},
		{Name: "IpAddressRanges", Value: addresses},
		{Name: "VirtualNetworkResourceIds", Value: networks},
	}}
}
