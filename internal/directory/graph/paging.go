package graph

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// defaultPage is how many a page holds where $top does not say.
const defaultPage = 100

// A pageOf says which page of a list is asked for.
type pageOf struct {
	after string // the last one of the page before, "" for the first
	top   int    // how many at most
}

// pageFrom reads $top (1 to 999) and $skiptoken, which is the last one of the page before in
// base64url. It proves nothing and reaches nothing: a made-up one begins the list elsewhere.
func pageFrom(query url.Values) (pageOf, error) {
	p := pageOf{top: defaultPage}
	if top := query.Get("$top"); top != "" {
		n, err := strconv.Atoi(top)
		if err != nil || n < 1 || n > directory.MaxPage {
			return p, fault.New(fault.Invalid, "$top must be a number from 1 to %d", directory.MaxPage)
		}
		p.top = n
	}
	token, err := base64.RawURLEncoding.Strict().DecodeString(query.Get("$skiptoken"))
	if p.after = string(token); err != nil || len(token) > 256 || !utf8.Valid(token) || strings.ContainsFunc(p.after, unicode.IsControl) {
		return p, fault.New(fault.Invalid, "that $skiptoken is not one of this service").WithHint("take the address in @odata.nextLink as it is")
	}
	return p, nil
}

// paged turns a list into a collection: show makes each, key is where the next page goes on. The
// list has one more than fits if there is a next page.
func paged[T any](f *face, r *http.Request, p pageOf, list []T, show func(T) any, key func(T) string) collection {
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/v1.0")
	c := collection{Context: f.base + "/$metadata#" + strings.TrimPrefix(path, "/"), Value: []any{}}
	if len(list) > p.top {
		list = list[:p.top]
		next := url.Values{"$top": {strconv.Itoa(p.top)}, "$skiptoken": {base64.RawURLEncoding.EncodeToString([]byte(key(list[p.top-1])))}}
		c.Next = f.base + path + "?" + next.Encode()
	}
	for _, one := range list {
		c.Value = append(c.Value, show(one))
	}
	return c
}
