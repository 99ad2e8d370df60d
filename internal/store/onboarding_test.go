package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/onboarding"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/request"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

func TestOnboarding(t *testing.T) {
	storetest.Each(t, store.ServiceAreas, func(t *testing.T, db *store.DB) {
		ctx, s := t.Context(), store.NewOnboarding(db)
		report := func(tenant string, n int) onboarding.Report {
			return onboarding.Report{
				Tenant: tenant, ID: fmt.Sprintf("%04d", n), Input: onboarding.Input{Organization: tenant, Scenario: onboarding.MDEP, Keys: [2]string{"a", "b"}},
				By: request.Person{Tenant: tenant, ID: "p", Name: "admin"}, Created: someTime.Add(time.Duration(n) * time.Second),
				Checks: []onboarding.Check{{Row: "CK-165", Name: "n", Target: "t", Outcome: "fail", Message: "m", Next: "x"}}, Request: "r", Already: true,
			}
		}
		for n := range onboarding.MaxReports + 3 {
			mustDo(t, s.Add(ctx, report("a", n)))
		}
		mustDo(t, s.Add(ctx, report("b", 0)))
		got, err := s.Report(ctx, "a", "0050")
		if diff := cmp.Diff(report("a", 50), got, cmp.AllowUnexported(onboarding.Check{})); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
		for _, gone := range []string{"0000", "0002"} {
			if _, err := s.Report(ctx, "a", gone); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s is kept: %v", gone, err)
			}
		}
		all, err := s.Reports(ctx, "a")
		if err != nil || len(all) != onboarding.MaxReports || all[0].ID != "0202" {
			t.Errorf("%d reports, %v", len(all), err)
		}
		if others, err := s.Reports(ctx, "b"); err != nil || len(others) != 1 {
			t.Errorf("another tenant's: %d, %v", len(others), err)
		}
		for range 2 {
			mustDo(t, s.Enable(ctx, "a", policy.Mailbox, "r", someTime))
		}
		for _, tt := range []struct {
			tenant string
			family policy.Family
			want   bool
		}{{"a", policy.Mailbox, true}, {"a", policy.SharePoint, false}, {"b", policy.Mailbox, false}} {
			if on, err := s.Enabled(ctx, tt.tenant, tt.family); err != nil || on != tt.want {
				t.Errorf("%s of %s is enabled: %t, %v", tt.family, tt.tenant, on, err)
			}
		}
	})
}
