package service

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
)

// What the rows of availability keys do. Rights are checked and recorded by package policy.

// usePage is how many records are read at once.
const usePage = 200

// policyOfAny returns the family, if a distinguished name says it, and the name or id of the policy
// that the call is about.
func policyOfAny(call *Call) (policy.Family, string) {
	given := call.Args.Text("Identity")
	for _, f := range []policy.Family{policy.MultiWorkload, policy.Mailbox, policy.SharePoint} {
		if name := policyIdentity(call, f, given); name != given {
			return f, name
		}
	}
	return "", given
}

func getAvailabilityKey(ctx context.Context, s Services, call *Call) error {
	f, name := policyOfAny(call)
	keys, err := s.Policies.AvailabilityKeys(ctx, call.Caller, f, name)
	if err != nil {
		return err
	}
	order := func(k policy.AvailabilityKey) string { return policy.FoldName(k.Policy.Name) + "/" + k.Policy.ID }
	slices.SortFunc(keys, func(a, b policy.AvailabilityKey) int { return cmp.Compare(order(a), order(b)) })
	for _, k := range keys {
		if key := order(k); !call.Shown(key) {
			if err := call.Host.Object(availabilityObject(key, k)); err != nil {
				return err
			}
		}
	}
	return nil
}

func availabilityObject(key string, k policy.AvailabilityKey) cmdlet.Object {
	var limit, rolled any
	if k.Usage.PerDay != nil {
		limit = int64(*k.Usage.PerDay)
	}
	if k.Facts.Number > 1 {
		rolled = k.Facts.Created
	}
	return cmdlet.Object{Type: availabilityKeyType, Key: key, Fields: []cmdlet.Field{
		{Name: "Identity", Value: k.Policy.Name},
		{Name: "Guid", Value: cmdlet.GUID(k.Policy.ID)},
		{Name: "DataEncryptionPolicyType", Value: string(k.Policy.Family)},
		{Name: "Scope", Value: string(k.Facts.Kind)},
		{Name: "Algorithm", Value: k.Facts.Kind.Algorithm()},
		{Name: "State", Value: string(k.State)},
		{Name: "Created", Value: orNil(k.Facts.Created)},
		{Name: "Rolled", Value: rolled},
		{Name: "Roll", Value: rollText(k)},
		{Name: "UsesToday", Value: k.Usage.Today},
		{Name: "UsesAfterDenialToday", Value: k.Usage.DenialsToday},
		{Name: "Uses", Value: k.Usage.Ever},
		{Name: "LimitPerDay", Value: limit},
		{Name: "AvailabilityKeyId", Value: cmdlet.GUID(k.Policy.AvailabilityKey)},
	}}
}

// rollText says how the last roll of the organization's keys stands, if it is not done.
func rollText(k policy.AvailabilityKey) string {
	if k.Roll == nil || k.Roll.State == "done" {
		return ""
	}
	return strings.TrimSuffix(string(k.Roll.State)+": "+k.Roll.Error, ": ")
}

func getAvailabilityUse(ctx context.Context, s Services, call *Call) error {
	f, name := policyOfAny(call)
	for before := newestFirst(call.Page.After); ; {
		page, err := s.Policies.AvailabilityUses(ctx, call.Caller, f, name, before, usePage)
		if err != nil {
			return err
		}
		for _, u := range page {
			if err := call.Host.Object(availabilityUseObject(u)); err != nil {
				return err
			}
		}
		if len(page) < usePage {
			return nil
		}
		before = page[len(page)-1].ID
	}
}

// newestFirst turns the order of ids round: pages go upwards, and the newest record is wanted
// first. It is its own inverse.
func newestFirst(id string) string {
	const digits = "0123456789abcdef"
	return strings.Map(func(r rune) rune {
		if i := strings.IndexRune(digits, r); i >= 0 {
			return rune(digits[len(digits)-1-i])
		}
		return r
	}, id)
}

// recordType is that of CustomerKeyServiceEncryption (row CK-355).
const recordType = 69

// userTypes are the numbers of row CK-360.
var userTypes = map[string]int64{"user": 0, "system": 4, "app": 5}

// availabilityUseObject shows a use as rows CK-355, CK-357, CK-359 and CK-360 name its properties.
func availabilityUseObject(u policy.AvailabilityUse) cmdlet.Object {
	return cmdlet.Object{Type: availabilityUseType, Key: newestFirst(u.ID), Fields: []cmdlet.Field{
		{Name: "CreationTime", Value: u.Time},
		{Name: "Initiator", Value: u.Initiator()},
		{Name: "Cause", Value: u.Cause},
		{Name: "PolicyId", Value: cmdlet.GUID(u.Policy)},
		{Name: "ScopeKeyVersionId", Value: cmdlet.GUID(u.Generation)},
		{Name: "RequestId", Value: u.Caller.Request},
		{Name: "Operation", Value: u.Operation()},
		{Name: "RecordType", Value: int64(recordType)},
		{Name: "Id", Value: cmdlet.GUID(u.ID)},
		{Name: "OrganizationId", Value: cmdlet.GUID(u.Tenant)},
		{Name: "Workload", Value: string(u.Family)},
		{Name: "UserType", Value: userTypes[string(u.Caller.Kind)]},
		{Name: "UserId", Value: cmp.Or(u.Caller.Name, u.Caller.ID)},
		{Name: "UserKey", Value: u.Caller.ID},
		{Name: "ClientIP", Value: u.Caller.Address},
		{Name: "AfterDenial", Value: u.AfterDenial},
		{Name: "AvailabilityKeyId", Value: cmdlet.GUID(u.Key)},
	}}
}

func setAvailabilityLimit(ctx context.Context, s Services, call *Call) error {
	f, name := policyOfAny(call)
	keys, err := s.Policies.AvailabilityKeys(ctx, call.Caller, f, name)
	if err != nil {
		return err
	}
	var perDay *int
	what := "Allow any number of uses of the availability key after a denial"
	if !call.Args.IsNull("PerDay") {
		n := int(call.Args.Int("PerDay"))
		perDay, what = &n, "Limit the uses of the availability key after a denial"
	}
	_, done, err := change(call, what, keys[0].Policy.Name,
		func() (none, error) {
			return none{}, s.Policies.SetAvailabilityLimit(ctx, call.Caller, keys[0].Policy.Family, keys[0].Policy.ID, perDay)
		},
		func(none) (foresight, error) { return foreseeLimit(keys[0], perDay), nil })
	if done {
		call.changed(keys[0].Policy.ID, limitProperty(keys[0].Usage.PerDay), limitProperty(perDay))
	}
	return err
}

func limitProperty(perDay *int) []cmdlet.Field {
	if perDay == nil {
		return []cmdlet.Field{{Name: "LimitPerDay", Value: "$null"}}
	}
	return []cmdlet.Field{{Name: "LimitPerDay", Value: int64(*perDay)}}
}

func updateAvailabilityKey(ctx context.Context, s Services, call *Call) error {
	tenant, target := "", "all organizations"
	if !call.Args.On("All") {
		tenant = strings.ToLower(strings.TrimSpace(call.Args.Text("Identity")))
		if tenant == "" { // which would mean all of them
			return cmdlet.BindError("-Identity is empty").WithHint("give the id of an organization, as ck tenant list shows it, or -All")
		}
		target = "organization " + tenant
		switch id, _, err := s.Tenant(ctx, tenant); {
		case err == nil:
			call.concerns(id)
		case !fault.Is(err, fault.NotFound): // what there is not is refused below, and in no log but the caller's
			return err
		}
	}
	_, _, err := change(call, "Roll the availability keys", target,
		func() (none, error) { return none{}, s.Policies.RollAvailability(ctx, call.Caller, tenant) },
		func(none) (foresight, error) { return foreseeRoll(ctx, s, call, tenant) })
	return err
}
