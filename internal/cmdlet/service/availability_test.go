package service

import (
	"testing"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/policy"
)

// Later records come first, also over pages, whose places go upwards.
func TestNewestFirst(t *testing.T) {
	t.Parallel()
	before := ""
	for range 1000 {
		id := uuid.Must(uuid.NewV7()).String()
		if newestFirst(newestFirst(id)) != id {
			t.Fatalf("%s became %s", id, newestFirst(newestFirst(id)))
		}
		if before != "" && newestFirst(id) >= newestFirst(before) {
			t.Fatalf("%s comes behind %s", id, before)
		}
		before = id
	}
	if newestFirst("") != "" {
		t.Error("the first page has a place")
	}
}

// CK-282: rolling is for operators, who may do nothing else; the limit is for the tenant's own.
func TestRolesForAvailabilityKeys(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		role directory.Role
		may  bool
	}{
		{"Get-CKAvailabilityKey", directory.GlobalReader, true},
		{"Get-CKAvailabilityKey", directory.SharePointAdministrator, true},
		{"Get-CKAvailabilityKey", directory.ServiceOperator, false},
		{"Get-CKAvailabilityKeyUse", directory.ServiceOperator, false},
		{"Set-CKAvailabilityKeyLimit", directory.ExchangeAdministrator, true},
		{"Set-CKAvailabilityKeyLimit", directory.GlobalReader, false},
		{"Set-CKAvailabilityKeyLimit", directory.ServiceOperator, false},
		{"Update-CKAvailabilityKey", directory.ServiceOperator, true},
		{"Update-CKAvailabilityKey", directory.GlobalAdministrator, false},
	} {
		c, err := cmdlet.Find(Rows(), tt.name)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.MayRun(directory.Caller{Roles: []directory.Role{tt.role}}, policy.Roles{}); got != tt.may {
			t.Errorf("%s by %s: %v", tt.name, tt.role, got)
		}
	}
}

// An organization's id that is nothing but blanks, as of a variable that is not set, does not mean
// all organizations.
func TestBlankIsNotAll(t *testing.T) {
	t.Parallel()
	c, err := cmdlet.Find(Rows(), "Update-CKAvailabilityKey")
	if err != nil {
		t.Fatal(err)
	}
	call, _, err := cmdlet.BindJSON(c, cmdlet.Object{Fields: []cmdlet.Field{{Name: "Identity", Value: " "}, {Name: "WhatIf", Value: true}}})
	if err == nil {
		call.Host = cmdlet.Host{WhatIf: func(text string) { t.Errorf("it would do: %s", text) }}
		err = updateAvailabilityKey(t.Context(), Services{}, &Call{Call: call})
	}
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("a blank organization: %v", err)
	}
}

// A blank limit is no limit; 0 is one.
func TestAvailabilityObject(t *testing.T) {
	t.Parallel()
	none := 0
	k := policy.AvailabilityKey{State: policy.KeyActive}
	if got := availabilityObject("", k).Get("LimitPerDay"); got != nil {
		t.Errorf("without a limit: %v", got)
	}
	k.Usage.PerDay = &none
	if got := availabilityObject("", k).Get("LimitPerDay"); got != int64(0) {
		t.Errorf("none allowed: %v", got)
	}
}
