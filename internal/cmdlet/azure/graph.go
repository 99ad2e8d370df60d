package azure

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/customerkey/customerkey/internal/fault"
)

// A directoryObject is what the directory says about a person or a program (KV-138).
type directoryObject struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
	UPN         string `json:"userPrincipalName"`
}

// get asks the directory. Its errors are those of the Azure pipeline.
func (e *Environment) get(ctx context.Context, path string, query url.Values, out any) error {
	options := e.options()
	client, err := azcore.NewClient("ck/graph", "v1.0.0", runtime.PipelineOptions{
		PerRetry: []policy.Policy{runtime.NewBearerTokenPolicy(e.c.Credential, []string{e.c.Graph + "/.default"}, nil)},
	}, &options)
	if err != nil {
		return err
	}
	req, err := runtime.NewRequest(ctx, http.MethodGet, e.c.Graph+"/v1.0/"+path)
	if err != nil {
		return err
	}
	req.Raw().URL.RawQuery = query.Encode()
	res, err := client.Pipeline().Do(req)
	if err != nil {
		return err
	}
	if !runtime.HasStatusCode(res, http.StatusOK) {
		return runtime.NewResponseError(res)
	}
	return runtime.UnmarshalAsJSON(res, out)
}

// me returns the object id of whoever is signed in.
func (e *Environment) me(ctx context.Context) (string, error) {
	var o directoryObject
	if err := e.get(ctx, "me", nil, &o); err != nil {
		return "", err
	}
	if o.ID == "" {
		return "", fault.New(fault.Internal, "the directory's answer has no id")
	}
	return o.ID, nil
}

func (e *Environment) user(ctx context.Context, upn string) (string, error) {
	return e.first(ctx, "users", "userPrincipalName eq "+literal(upn), upn)
}

func (e *Environment) servicePrincipal(ctx context.Context, name string) (string, error) {
	return e.first(ctx, "servicePrincipals", "servicePrincipalNames/any(c:c eq "+literal(name)+")", name)
}

// first returns the id of the one object that a filter finds.
func (e *Environment) first(ctx context.Context, kind, filter, name string) (string, error) {
	var list struct {
		Value []directoryObject `json:"value"`
	}
	if err := e.get(ctx, kind, url.Values{"$filter": {filter}}, &list); err != nil {
		return "", err
	}
	if len(list.Value) != 1 || list.Value[0].ID == "" {
		return "", notInDirectory(name)
	}
	return list.Value[0].ID, nil
}

// object looks an object id up among people, programs and groups.
func (e *Environment) object(ctx context.Context, id string) (o directoryObject, err error) {
	for _, kind := range []string{"users/", "servicePrincipals/", "groups/"} {
		err := e.get(ctx, kind+url.PathEscape(id), nil, &o)
		if err == nil || statusOf(err) != http.StatusNotFound {
			return o, err
		}
	}
	return o, notInDirectory(id)
}

// displayName is the name behind an object id, "" if the directory does not tell.
func (e *Environment) displayName(ctx context.Context, id string) string {
	o, err := e.object(ctx, id)
	switch {
	case err != nil:
		return ""
	case o.UPN != "":
		return o.DisplayName + " (" + o.UPN + ")"
	}
	return o.DisplayName
}

func notInDirectory(name string) error {
	return fault.New(fault.NotFound, "the directory has nobody called %q", name).
		WithHint("check the spelling; the principal must be of the vault's organization")
}

// literal is text as an OData string.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
