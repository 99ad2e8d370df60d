package workload

import (
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
)

// A Workload is a kind of content and the rules that go with it.
type Workload struct {
	Name        string // as in addresses, lower case
	Title       string // as people say it
	NewDataOnly bool   // a newly assigned policy covers new data only (table of rows CK-284 to CK-292)
	Mailboxes   bool   // a container is a person's mailbox, named by user principal name
	Sites       bool   // a container is a site, kept in a geo of the tenant
}

// table lists every workload. Mailboxes take policies of the mailbox family, sites those of the
// SharePoint family, all others those of the multi-workload family.
var table = [...]Workload{
	{Name: "exchange", Title: "Exchange mailboxes", Mailboxes: true},                                   // CK-289, CK-293: new and existing data
	{Name: "exchange-signals", Title: "Exchange user and signal information"},                          // CK-288: new and existing data
	{Name: "teams", Title: "Teams chat messages", NewDataOnly: true},                                   // CK-284: new data
	{Name: "teams-media", Title: "Teams media messages", NewDataOnly: true},                            // CK-285: new data
	{Name: "teams-recordings", Title: "Teams call and meeting recordings", NewDataOnly: true},          // CK-286: new data
	{Name: "teams-status", Title: "Teams notifications, suggestions and status", NewDataOnly: true},    // CK-287: new data
	{Name: "exact-match", Title: "Exact data match: schemas, rule packages, salts", NewDataOnly: true}, // CK-290: new data
	{Name: "labels", Title: "Sensitivity labels, Copilot interactions", NewDataOnly: true},             // CK-291: new data; of existing data nothing is stated
	{Name: "sharepoint", Title: "Files of SharePoint, OneDrive and Teams", Sites: true},                // CK-294: new and existing data
	{Name: "documents", Title: "Documents of the provider"},                                            // own: new and existing data
}

// Workloads returns the table of workloads, in the order in which to show it.
func Workloads() []Workload { return slices.Clone(table[:]) }

// Find returns the workload of that name. The error is fault.NotFound and lists the names.
func Find(name string) (Workload, error) {
	names := make([]string, 0, len(table))
	for _, w := range table {
		if w.Name == name {
			return w, nil
		}
		names = append(names, w.Name)
	}
	return Workload{}, fault.New(fault.NotFound, "there is no workload of this name").
		WithReason("NoWorkload").
		WithHint("the workloads are %s", strings.Join(names, ", "))
}
