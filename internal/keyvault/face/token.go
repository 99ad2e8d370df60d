package face

import (
	"encoding/base64"
	"strings"

	"github.com/customerkey/customerkey/internal/keyvault/naming"
)

// A page token names the last item of a page, so that pages stay right while items come and
// go (KV-85). It is opaque to clients, and URL-safe:
//
//	base64url("1:" + name of the item), without padding
const tokenPrefix = "1:"

// maxItem is the longest name of an item in bytes.
const maxItem = 127

// FormatToken returns the token for a page that ended with the named item.
func FormatToken(item string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(tokenPrefix + item))
}

// ParseToken returns the item that a token names, "" for an empty token. Each item has one
// token; anything else is fault.Invalid.
func ParseToken(token string) (string, error) {
	if token == "" {
		return "", nil
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(token)
	item, ok := strings.CutPrefix(string(text), tokenPrefix)
	if err != nil || !ok || item == "" || len(item) > maxItem || FormatToken(item) != token {
		return "", naming.Invalid("$skiptoken")
	}
	return item, nil
}
