package face

import (
	"net/http"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault/eventlog"
)

// Events takes a record of a request, after it was answered. It must not wait for anything.
type Events func(eventlog.Record)

// Event makes the record of a request that began at a time and was answered by a at another.
// tenant is the vault's: callers of others stay out of its records. What it was about is left
// to the face.
func Event(r *http.Request, a *Answer, c directory.Caller, request, tenant string, begun, ended time.Time) eventlog.Record {
	e := eventlog.Record{Tenant: tenant, Time: begun, Address: address(r), Correlation: ClientRequest(r)}
	e.Outcome(a.Status(), a.Text, ended.Sub(begun))
	if c.Tenant == tenant {
		e.Identity.Claim = eventlog.Claim{Object: c.ID, App: c.App}
		if c.Kind == directory.User {
			e.Identity.Claim.UPN = c.Name
		}
	}
	e.Properties.Client = r.UserAgent()
	e.Properties.URI = "https://" + r.Host + r.URL.RequestURI()
	e.Properties.RequestID = request
	return e
}
