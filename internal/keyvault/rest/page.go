package rest

import (
	"net/url"
	"path"
	"strconv"

	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/face"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
)

// pageSize is the default and the largest maxresults (KV-84).
const pageSize = 25

type pageOut struct {
	Value    []itemOut `json:"value"`
	NextLink *string   `json:"nextLink"`
}

func (x *request) listKeys() error {
	return x.page(func(after string, most int) ([]keyvault.Key, error) {
		return x.vaults.Keys(x.r.Context(), x.caller, x.vault, after, most)
	}, afterName, x.keyID)
}

func (x *request) listDeleted() error {
	return x.page(func(after string, most int) ([]keyvault.Key, error) {
		return x.vaults.DeletedKeys(x.r.Context(), x.caller, x.vault, after, most)
	}, afterName, x.keyID)
}

func (x *request) listVersions() error {
	return x.page(func(after string, most int) ([]keyvault.Key, error) {
		ordinal, err := parseOrdinal(after)
		if err != nil {
			return nil, face.Malformed{Cause: err}
		}
		return x.vaults.Versions(x.r.Context(), x.caller, x.vault, x.params["name"], ordinal, most)
	}, afterVersion, x.kid)
}

// page answers with one page of a list: those after the item that the token names, and a link
// to the next page if there is more. last returns what a token must say of an item.
func (x *request) page(list func(after string, most int) ([]keyvault.Key, error), last func(keyvault.Key) string, id func(keyvault.Key) string) error {
	most, err := x.maxResults()
	if err != nil {
		return face.Malformed{Cause: err}
	}
	after, err := face.ParseToken(x.query.Get("$skiptoken"))
	if err != nil {
		return face.Malformed{Cause: err}
	}
	keys, err := list(after, most+1) // one more than asked for tells whether there is more
	if err != nil {
		return err
	}
	out := pageOut{Value: []itemOut{}}
	if len(keys) > most {
		keys = keys[:most]
		next := x.nextLink(last(keys[most-1]), most)
		out.NextLink = &next
	}
	for _, k := range keys {
		out.Value = append(out.Value, itemOut{KID: id(k), Attributes: x.attributes(k), Tags: k.Tags, deletionOut: x.deletion(k)})
	}
	return x.reply(out)
}

func (x *request) maxResults() (int, error) {
	if !x.query.Has("maxresults") {
		return pageSize, nil
	}
	n, err := strconv.Atoi(x.query.Get("maxresults"))
	if err != nil || n < 1 || n > pageSize {
		return 0, naming.Invalid("maxresults")
	}
	return n, nil
}

// nextLink is the absolute address of the next page (KV-85).
func (x *request) nextLink(after string, most int) string {
	q := url.Values{
		"api-version": {x.query.Get("api-version")},
		"$skiptoken":  {face.FormatToken(after)},
		"maxresults":  {strconv.Itoa(most)},
	}
	return "https://" + x.vault + ".vault." + x.domain + path.Clean(x.r.URL.EscapedPath()) + "?" + q.Encode()
}

// parseOrdinal reads what a token of a list of versions names; 0 for none.
func parseOrdinal(after string) (int64, error) {
	if after == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(after, 10, 64)
	if err != nil || n < 1 {
		return 0, naming.Invalid("$skiptoken")
	}
	return n, nil
}

func afterName(k keyvault.Key) string { return k.Name }

func afterVersion(k keyvault.Key) string { return strconv.FormatInt(k.Ordinal, 10) }
