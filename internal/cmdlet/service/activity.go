package cmdlet

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"strconv"

	"github.com/customerkey/customerkey/internal/activity"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
)

// getActivity shows records. Package activity checks and records who may read them.
func getActivity(ctx context.Context, s Services, call *Call) error {
	a := call.Args
	below, err := indexBelow(call.Page.After)
	if err != nil || below == 0 && call.Page.After != "" { // the page before ended with the first record
		return err
	}
	_, name, err := s.Tenant(ctx, call.Caller.Tenant)
	if err != nil {
		return err
	}
	q := activity.Query{
		Below: below, From: a.Time("StartDate"), To: a.Time("EndDate"),
		Operations: a.List("Operations"), Users: a.List("UserIds"), Objects: a.List("ObjectIds"),
	}
	return s.Activity.Search(ctx, call.Caller, q, func(r activity.Record) error {
		return call.Host.Object(activityObject(name, r))
	})
}

// activityKey orders records by their place in the log, the newest first.
func activityKey(index int64) string { return fmt.Sprintf("%019d", math.MaxInt64-index) }

// indexBelow returns the index of the record that a page ended with, 0 for the first page.
func indexBelow(key string) (int64, error) {
	if key == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(key, 10, 64)
	if err != nil || n < 0 {
		return 0, fault.New(fault.Invalid, "$skiptoken is not one that this service gave").WithHint("begin again without it")
	}
	return math.MaxInt64 - n, nil
}

// activityWorkload is the workload of all records: that of the endpoint which takes the commands.
const activityWorkload = "Exchange"

// activityObject shows a record by the names of rows CK-359 to CK-362. What only we have stands
// at the end.
func activityObject(organization string, r activity.Record) Object {
	parameters, changes := make([]Object, len(r.Parameters)), make([]Object, len(r.Changes))
	for i, p := range r.Parameters {
		parameters[i] = Object{Fields: []Field{{"Name", p.Name}, {"Value", p.Value}}}
	}
	for i, c := range r.Changes {
		changes[i] = Object{Fields: []Field{{"Name", c.Name}, {"OldValue", c.Old}, {"NewValue", c.New}}}
	}
	var result any
	if r.Result != activity.Unknown {
		result = string(r.Result)
	}
	return Object{Type: activityType, Key: activityKey(r.Index), Fields: []Field{
		{"CreationTime", r.Time},
		{"Id", GUID(r.ID)},
		{"Operation", r.Operation},
		{"OrganizationId", GUID(r.Tenant)},
		{"RecordType", int64(activity.ExchangeAdmin)},
		{"ResultStatus", result},
		{"UserType", int64(r.UserType)},
		{"UserId", cmp.Or(r.Caller.Name, r.Caller.ID)},
		{"UserKey", r.Caller.ID},
		{"Workload", activityWorkload},
		{"ClientIP", r.Caller.Address},
		{"ObjectId", cmp.Or(r.Object, r.Target)},
		{"Scope", int64(0)}, // 0: online, the only one there is
		{"AppAccessContext", Object{Fields: []Field{{"ClientAppId", r.Caller.App}, {"CorrelationId", r.Caller.Request}}}},
		{"ModifiedObjectResolvedName", r.Target},
		{"Parameters", parameters},
		{"ModifiedProperties", changes},
		{"ExternalAccess", r.External()},
		{"OriginatingServer", r.Server},
		{"OrganizationName", organization},
		{"TokenObjectId", GUID(r.Caller.ID)},
		{"TokenTenantId", GUID(r.Caller.Tenant)},
		{"ErrorMessage", r.Reason},
		{"LogIndex", r.Index},
	}}
}

// about tells the record of the command which object it changes.
func (c *Call) about(id string) {
	if c.act != nil {
		c.act.About(id)
	}
}

// changed tells the record too which of the object's properties have other values now. was is nil
// for a new object.
func (c *Call) changed(id string, was, now []Field) {
	if c.act == nil {
		return
	}
	c.act.About(id)
	before := Object{Fields: was}
	for _, f := range now {
		old := ""
		if v := before.Get(f.Name); v != nil {
			old = recordedText(v)
		}
		c.act.Changed(f.Name, old, recordedText(f.Value))
	}
}

// concerns tells the record that another organization is acted upon. Only operators do that: what
// anybody else names is no reason to write to a log that is not his.
func (c *Call) concerns(tenant string) {
	if c.act != nil && c.Caller.Has(directory.ServiceOperator) {
		c.act.Concerns(tenant)
	}
}

// policyProperties are those of a policy that commands change.
func policyProperties(p policy.Policy) []Field {
	return []Field{
		{"Name", p.Name}, {"Description", p.Description}, {"Enabled", p.Enabled}, {"State", string(p.State)},
		{"AzureKeyIDs", []string{p.Roots[0].URI, p.Roots[1].URI}}, {"DataEncryptionPolicyID", GUID(p.Generation)},
	}
}

// policyProperty is the property by which something has a policy, "" for none.
func policyProperty(name string) []Field { return []Field{{"DataEncryptionPolicy", name}} }
