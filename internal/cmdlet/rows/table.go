package rows

import (
	"slices"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/service"
)

// Table returns all commands in the order in which help shows them. The rows are made
// anew for each call; nobody can change another's.
func Table() []cmdlet.Cmdlet {
	return slices.Concat(
		service.Rows(),
		subscriptionRows(),
		retentionRows(),
		roleRows(),
		vaultRows(),
		vaultRemovalRows(),
		resourceRows(),
		keyRows(),
		keyFileRows(),
		shellRows(),
	)
}

// Views returns the layouts of all types that commands return.
func Views() []cmdlet.View {
	return slices.Concat(
		service.Views(),
		subscriptionViews(),
		resourceViews(),
		helpViews(),
		connectViews(),
		retentionViews(),
		roleViews(),
		vaultViews(),
		vaultRemovalViews(),
	)
}
