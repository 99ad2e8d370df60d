package service

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"strconv"

	"github.com/customerkey/customerkey/internal/activity"
	"github.com/customerkey/customerkey/internal/cmdlet"
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
func activityObject(organization string, r activity.Record) cmdlet.Object {
	parameters, changes := make([]cmdlet.Object, len(r.Parameters)), make([]cmdlet.Object, len(r.Changes))
	for i, p := range r.Parameters {
		parameters[i] = cmdlet.Object{Fields: []cmdlet.Field{{Name: "Name", Value: p.Name}, {Name: "Value", Value: p.Value}}}
	}
	for i, c := range r.Changes {
		changes[i] = cmdlet.Object{Fields: []cmdlet.Field{{Name: "Name", Value: c.Name}, {Name: "OldValue", Value: c.Old}, {Name: "NewValue", Value: c.New}}}
	}
	var result any
	if r.Result != activity.Unknown {
		result = string(r.Result)
	}
	return cmdlet.Object{Type: activityType, Key: activityKey(r.Index), Fields: []cmdlet.Field{
		{Name: "CreationTime", Value: r.Time},
		{Name: "Id", Value: cmdlet.GUID(r.ID)},
		{Name: "Operation", Value: r.Operation},
		{Name: "OrganizationId", Value: cmdlet.GUID(r.Tenant)},
		{Name: "RecordType", Value: int64(activity.ExchangeAdmin)},
		{Name: "ResultStatus", Value: result},
		{Name: "UserType", Value: int64(r.UserType)},
		{Name: "UserId", Value: cmp.Or(r.Caller.Name, r.Caller.ID)},
		{Name: "UserKey", Value: r.Caller.ID},
		{Name: "Workload", Value: activityWorkload},
		{Name: "ClientIP", Value: r.Caller.Address},
		{Name: "ObjectId", Value: cmp.Or(r.Object, r.Target)},
		{Name: "Scope", Value: int64(0)}, // 0: online, the only one there is
		{Name: "AppAccessContext", Value: cmdlet.Object{Fields: []cmdlet.Field{{Name: "ClientAppId", Value: r.Caller.App}, {Name: "CorrelationId", Value: r.Caller.Request}}}},
		{Name: "ModifiedObjectResolvedName", Value: r.Target},
		{Name: "Parameters", Value: parameters},
		{Name: "ModifiedProperties", Value: changes},
		{Name: "ExternalAccess", Value: r.External()},
		{Name: "OriginatingServer", Value: r.Server},
		{Name: "OrganizationName", Value: organization},
		{Name: "TokenObjectId", Value: cmdlet.GUID(r.Caller.ID)},
		{Name: "TokenTenantId", Value: cmdlet.GUID(r.Caller.Tenant)},
		{Name: "ErrorMessage", Value: r.Reason},
		{Name: "LogIndex", Value: r.Index},
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
func (c *Call) changed(id string, was, now []cmdlet.Field) {
	if c.act == nil {
		return
	}
	c.act.About(id)
	before := cmdlet.Object{Fields: was}
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
func policyProperties(p policy.Policy) []cmdlet.Field {
	return []cmdlet.Field{
		{Name: "Name", Value: p.Name}, {Name: "Description", Value: p.Description}, {Name: "Enabled", Value: p.Enabled}, {Name: "State", Value: string(p.State)},
		{Name: "AzureKeyIDs", Value: []string{p.Roots[0].URI, p.Roots[1].URI}}, {Name: "DataEncryptionPolicyID", Value: cmdlet.GUID(p.Generation)},
	}
}

// policyProperty is the property by which something has a policy, "" for none.
func policyProperty(name string) []cmdlet.Field {
	return []cmdlet.Field{{Name: "DataEncryptionPolicy", Value: name}}
}
