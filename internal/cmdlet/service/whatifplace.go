package service

import (
	"context"
	"fmt"

	"github.com/customerkey/customerkey/internal/mailbox"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/workload"
)

// heldBy says in words which policy's keys hold something. The policy that the service owns is
// shown by neither name nor id (row CK-128).
func heldBy(p policy.Policy) string {
	if p.Family == policy.ServiceOwned {
		return "the keys of the service"
	}
	return fmt.Sprintf("the policy %q", p.Name)
}

// foreseeMailbox says which policy would hold what is in a mailbox, as it then stands on the view.
func foreseeMailbox(ctx context.Context, s Services, call *Call, m mailbox.Mailbox) (f foresight, err error) {
	st, err := s.Mailboxes.Statistics(ctx, call.Caller, m.ID)
	if err != nil {
		return f, err
	}
	names, err := policyNames(ctx, s, call)
	if err != nil {
		return f, err
	}
	why := "which is in force for mailboxes without one of their own"
	if st.Own {
		why = "which it has for itself"
	}
	f.Then = mailboxObject(st.Mailbox, names)
	f.Lines = []string{fmt.Sprintf("%s is a %s; what it holds is under %s, %s.", st.Name, st.Kind, heldBy(st.Coverage.Policy), why)}
	if st.Keys > 0 {
		f.Lines = append(f.Lines, fmt.Sprintf("What is in it stays under the keys it has: %d of %d container keys are where they belong.", st.Settled, st.Keys))
	}
	return f, nil
}

// foreseeGeo says which policy would hold files of a geo.
func foreseeGeo(ctx context.Context, s Services, tenant string, g workload.Geo) (f foresight, err error) {
	p, err := s.Policies.CoveredBy(ctx, tenant, "sharepoint", g.Name)
	if err != nil {
		return f, err
	}
	f.Then = geoObject(g)
	f.Lines = []string{fmt.Sprintf("Files of the geo %s are under %s.", g.Name, heldBy(p))}
	if p.Family != policy.SharePoint {
		f.Lines = append(f.Lines, "Register-SPODataEncryptionPolicy puts them under root keys of the organization.")
	}
	if g.Default {
		f.Lines = append(f.Lines, "New sites are kept there, unless another geo is named.")
	}
	f.Lines = append(f.Lines, "Sites that are there stay in their geos, under the keys they have. A geo is never taken away again.")
	return f, nil
}

// foreseeSite says which policy would hold a site's files.
func foreseeSite(ctx context.Context, s Services, site workload.Container) (f foresight, err error) {
	p, err := s.Policies.CoveredBy(ctx, site.Tenant, site.Workload, site.Geo)
	if err != nil {
		return f, err
	}
	f.Then = siteObject(site)
	f.Lines = []string{fmt.Sprintf("The site is kept in the geo %s; its files are under %s.", site.Geo, heldBy(p))}
	return f, nil
}
