package workload

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/customerkey/customerkey/internal/fault"
)

// Limits of names, in bytes of UTF-8.
const (
	MaxContainerName = 256
	MaxItemID        = 1024
)

// checkItemID accepts 1 to 1024 bytes that can stand in an address and become a path of files:
// segments apart by "/", none of them empty, "." or "..", no backslash, no control character.
func checkItemID(id string) error {
	if err := checkText("an item id", id, MaxItemID); err != nil {
		return err
	}
	for segment := range strings.SplitSeq(id, "/") {
		switch segment {
		case "":
			return invalidName("an item id cannot begin or end with a slash, or hold two in a row")
		case ".", "..":
			return invalidName(`an item id cannot hold the segment "." or ".."`)
		}
	}
	return nil
}

// checkContainerName accepts 1 to 256 bytes as one segment of an item id.
func checkContainerName(w Workload, name string) error {
	if err := checkText("a container name", name, MaxContainerName); err != nil {
		return err
	}
	switch {
	case strings.Contains(name, "/"):
		return invalidName("a container name cannot hold a slash")
	case name == "." || name == "..":
		return invalidName(`a container cannot be named "." or ".."`)
	case w.Mailboxes && !strings.Contains(name, "@"): // one mailbox, one name: no object ids
		return fault.New(fault.Invalid, "a mailbox is named by the user principal name of its owner").
			WithHint("write it like alice@contoso.example")
	}
	return nil
}

func checkText(what, s string, limit int) error {
	switch {
	case s == "":
		return invalidName(what + " cannot be empty")
	case len(s) > limit:
		return fault.New(fault.Invalid, "%s cannot be longer than %d bytes", what, limit).
			WithHint("choose a shorter one")
	case !utf8.ValidString(s):
		return invalidName(what + " must be UTF-8")
	case strings.ContainsFunc(s, unicode.IsControl):
		return invalidName(what + " cannot hold control characters")
	case strings.Contains(s, `\`):
		return invalidName(what + " cannot hold a backslash")
	}
	return nil
}

func invalidName(message string) error {
	return fault.New(fault.Invalid, "%s", message).
		WithReason("InvalidName").
		WithHint("percent-encode names in addresses once, segment by segment, and use / between segments of an item id")
}

// canonical returns the name under which a container is kept: mailboxes are the same whatever
// the case of their address.
func canonical(w Workload, name string) string {
	if w.Mailboxes {
		return strings.ToLower(name)
	}
	return name
}
