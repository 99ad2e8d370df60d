package directory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/go-jose/go-jose/v4"

	"github.com/customerkey/customerkey/internal/fault"
)

// maxKeySet bounds what an issuer publishes; Entra's list has about 15 KiB.
const maxKeySet = 256 << 10

// RemoteKeys returns a function that reads an issuer's public keys (RFC 7517) at an https
// address. It takes what it can use and leaves out keys of other kinds. Redirects are not
// followed and the answer is bounded. It does not remember: a Verifier does.
func RemoteKeys(client *http.Client, address string) (func(context.Context) (jose.JSONWebKeySet, error), error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return nil, fault.New(fault.Invalid, "%.128q is no address of public keys", address).
			WithHint("give an https:// address, such as https://login.microsoftonline.com/common/discovery/v2.0/keys")
	}
	staying := *client
	staying.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return func(ctx context.Context) (jose.JSONWebKeySet, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return jose.JSONWebKeySet{}, err
		}
		r.Header.Set("Accept", "application/json")
		return readKeys(&staying, r)
	}, nil
}

func readKeys(client *http.Client, r *http.Request) (set jose.JSONWebKeySet, err error) {
	res, err := client.Do(r)
	if err != nil {
		return set, fmt.Errorf("reading an issuer's keys: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return set, fmt.Errorf("reading an issuer's keys: the answer is %d", res.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxKeySet+1))
	if err != nil {
		return set, fmt.Errorf("reading an issuer's keys: %w", err)
	}
	return parseKeys(body)
}

// parseKeys reads a key set, without the keys that it cannot read.
func parseKeys(body []byte) (set jose.JSONWebKeySet, err error) {
	var raw struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if len(body) > maxKeySet {
		return set, fmt.Errorf("reading an issuer's keys: more than %d bytes", maxKeySet)
	}
	if err := json.Unmarshal(body, &raw); err != nil {
		return set, fmt.Errorf("reading an issuer's keys: %w", err)
	}
	for _, one := range raw.Keys {
		var key jose.JSONWebKey
		if json.Unmarshal(one, &key) == nil && key.IsPublic() && key.Use != "enc" {
			set.Keys = append(set.Keys, key)
		}
	}
	if len(set.Keys) == 0 {
		return set, errors.New("reading an issuer's keys: there are none that can be used")
	}
	return set, nil
}
