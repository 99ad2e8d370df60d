package service

import (
	"context"
	"slices"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// serveFunc is what a command does in the service.
type serveFunc = func(context.Context, Services, *Call) error

// A row is a command of the service side, and what it does.
type row struct {
	cmdlet.Cmdlet
	serve serveFunc
}

// table is the one list of them; the rows are made anew for each call.
func table() []row {
	return slices.Concat(
		policyRows(),
		mailboxPolicyRows(),
		sharePointRows(),
		mailboxRows(),
		healthRows(),
		alertRows(),
		availabilityRows(),
		activityRows(),
		operationRows(),
		rehearsalRows(),
		departingRows(),
		onboardingRows(),
		requestRows(),
	)
}

// Rows returns the commands of the service side in the order in which help shows them.
func Rows() []cmdlet.Cmdlet {
	var rows []cmdlet.Cmdlet
	for _, r := range table() {
		rows = append(rows, r.Cmdlet)
	}
	return rows
}

// Views returns the layouts of the objects that they return.
func Views() []cmdlet.View {
	return slices.Concat(
		policyViews(),
		mailboxViews(),
		sharePointViews(),
		healthViews(),
		alertViews(),
		availabilityViews(),
		activityViews(),
		departingViews(),
		rehearsalViews(),
		reportViews(),
		operationViews(),
		onboardingViews(),
		requestViews(),
	)
}
