package directory

import "slices"

// App ids that the articles and the official clients know (rows CK-221, CK-331, KV-139).
const (
	MultiWorkloadApp = "c066d759-24ae-40e7-a56f-027002b5d3e4" // the service, for multi-workload policies
	ExchangeApp      = "00000002-0000-0ff1-ce00-000000000000"
	SharePointApp    = "00000003-0000-0ff1-ce00-000000000000"
	OnboardingApp    = "19f7f505-34aa-44a4-9dcc-6a768854d2ea" // looks at subscriptions before a family is enabled (row CK-156)
	CommandLineApp   = "fb78d390-0c51-40cd-8e17-fdbfab77341b" // ck, and the Exchange Online module
)

// serviceApps are the apps by which the service itself asks customers' vaults. Each tenant
// has a principal of each from the start. They have no secret: only ServiceToken, inside
// the process, signs for them.
var serviceApps = []struct{ id, name string }{
	{MultiWorkloadApp, "M365DataAtRestEncryption"},
	{ExchangeApp, "Office 365 Exchange Online"},
	{SharePointApp, "Office 365 SharePoint Online"},
	{OnboardingApp, "Customer Key Onboarding"},
}

// IsServiceApp reports whether an app id is one of the service's own. It says something about
// a caller only if he is an App: programs that people sign in with choose their id themselves.
func IsServiceApp(id string) bool {
	return slices.ContainsFunc(serviceApps, func(a struct{ id, name string }) bool { return a.id == id })
}

// publicClients are the programs that people sign in with. They cannot keep a secret, so
// their id proves nothing; the list is there so that the sign-in page can name who asks.
var publicClients = map[string]string{
	CommandLineApp:                         "ck, the customerkey command line",
	"04b07795-8ddb-461a-bbee-02f9e1bf7b46": "Azure CLI or an Azure SDK", // azidentity's default too
	"1950a258-227b-4e31-a9cf-717495945fc2": "Azure PowerShell",
}
