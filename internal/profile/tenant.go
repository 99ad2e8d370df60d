package profile

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/fault"
)

// TenantID returns the id of an organization that is named by its domain or its id, as the token
// service at a base URL knows it. One that it does not know is fault.NotFound.
func TenantID(ctx context.Context, client *http.Client, login, name string) (string, error) {
	if id, err := uuid.Parse(name); err == nil {
		return id.String(), nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, login+"/"+url.PathEscape(name)+"/v2.0/.well-known/openid-configuration", nil)
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "the token service's address cannot be used")
	}
	res, err := client.Do(req)
	if err != nil {
		return "", fault.Wrap(fault.Unavailable, err, "the token service at %s cannot be reached", login)
	}
	defer res.Body.Close()
	var about struct {
		Issuer string `json:"issuer"`
	}
	const most = 64 << 10 // bytes; a thousand are usual
	if err := json.NewDecoder(io.LimitReader(res.Body, most)).Decode(&about); err == nil && res.StatusCode == http.StatusOK {
		for part := range strings.SplitSeq(about.Issuer, "/") {
			if id, err := uuid.Parse(part); err == nil {
				return id.String(), nil
			}
		}
	}
	return "", fault.New(fault.NotFound, "the service knows no organization %q", name)
}
