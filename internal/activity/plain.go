package activity

import (
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

// longest is the most bytes of one value in a record. The parameters of any command, and what it
// changes, then fit into an entry, whatever its text has to be escaped to.
const longest = 512

// hidden stands where something was left out.
const hidden = "***"

// An address in a text, up to a space or a quotation mark; and a text that begins with one.
var (
	addressIn = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>]*`)
	isAddress = regexp.MustCompile(`^\s*[A-Za-z][A-Za-z0-9+.-]*://`)
)

// Plain returns text without what people put into addresses and should not: user and password,
// query and fragment. An address that cannot be understood is left out whole, for nobody can tell
// where in it a password stands.
func Plain(text string) string {
	if !strings.Contains(text, "://") {
		return text
	}
	if isAddress.MatchString(text) {
		return plainAddress(strings.TrimSpace(text))
	}
	return addressIn.ReplaceAllStringFunc(text, plainAddress)
}

func plainAddress(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return hidden
	}
	u.User, u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = nil, "", false, "", ""
	return u.String()
}

// clip returns text as a record holds it: plain, and cut between characters if it is too long.
func clip(text string) string {
	text = strings.ToValidUTF8(Plain(text), string(utf8.RuneError))
	if len(text) <= longest {
		return text
	}
	end := longest
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "..."
}
