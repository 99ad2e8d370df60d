package arm

import (
	"context"
	"path"
	"strconv"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/face"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
)

// pageSize is the default and the largest $top.
const pageSize = 50

// listVaults lists a subscription's vaults, or those of one group among them.
func (x *request) listVaults() error {
	name, inGroup := x.params["group"]
	if inGroup {
		if _, err := x.vaults.Group(x.r.Context(), x.caller, x.params["subscription"], name); err != nil {
			return err
		}
	}
	return page(x, x.vaults.Vaults, x.vaultOut, func(v keyvault.Vault) bool { return !inGroup || naming.Same(v.Group, name) })
}

// A list reads some of a subscription's vaults by name.
type list func(ctx context.Context, c directory.Caller, subscription, after string, limit int) ([]keyvault.Vault, error)

func everything(keyvault.Vault) bool { return true }

// page answers with one page of a subscription's vaults. Those that are not wanted are left
// out after the page was cut, so that a page may be short, or empty and not the last.
func page[T any](x *request, read list, render func(keyvault.Vault) T, want func(keyvault.Vault) bool) error {
	top, err := x.top()
	if err != nil {
		return err
	}
	after, err := face.ParseToken(x.query.Get("$skiptoken"))
	if err != nil {
		return err
	}
	found, err := read(x.r.Context(), x.caller, x.params["subscription"], after, top+1)
	if err != nil {
		return err
	}
	out := listOf[T](nil)
	if len(found) > top {
		found = found[:top]
		out.NextLink = x.nextLink(found[top-1].Name)
	}
	for _, v := range found {
		if want(v) {
			out.Value = append(out.Value, render(v))
		}
	}
	return x.reply(out)
}

func (x *request) top() (int, error) {
	if !x.query.Has("$top") {
		return pageSize, nil
	}
	n, err := strconv.Atoi(x.query.Get("$top"))
	if err != nil || n < 1 {
		return 0, fault.New(fault.Invalid, "Property $top has invalid value")
	}
	return min(n, pageSize), nil
}

func (x *request) nextLink(after string) string {
	x.query.Set("$skiptoken", face.FormatToken(after))
	return x.at("management") + path.Clean(x.r.URL.EscapedPath()) + "?" + x.query.Encode()
}
