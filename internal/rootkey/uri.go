package rootkey

import (
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
)

const maxURI = 512 // bytes; the longest that can be right has about 400

// A URI names a root key.
type URI struct {
	Vault   string // "contoso-east", lower case
	Host    string // "contoso-east.vault.azure.net", with a port unless it is 443
	Name    string
	Version string // "" for the newest

	suffix string // of Host, as a challenge of the vault names it
}

// String returns the canonical URI, without the version.
func (u URI) String() string { return "https://" + u.Host + "/keys/" + u.Name }

// Short returns "vault/key", for messages.
func (u URI) Short() string { return u.Vault + "/" + u.Name }

// Parse reads a key URI in any of the forms of row CK-85: with or without a version, with or
// without the port where it is 443, with or without a trailing slash, the host in any case.
//
// The error is fault.Invalid: with Reason "ForeignHost" if the vault is not one that this
// service may call, else "BadKeyURI". Nothing is looked up and no connection is made.
func (c *Client) Parse(uri string) (URI, error) {
	if len(uri) > maxURI {
		return URI{}, errURI("the key URI is longer than %d bytes", maxURI)
	}
	for i := range len(uri) { // bytes: what looks like a letter of a known host may be none
		if b := uri[i]; b <= ' ' || b > '~' || strings.IndexByte(`%\@?#"'<>`, b) >= 0 {
			return URI{}, errURI("a key URI has a character that is not allowed: %q", rune(b)) // not the URI: a password may stand before it
		}
	}
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok || !strings.EqualFold(scheme, "https") {
		return URI{}, errURI("the key URI %q does not begin with https://", uri)
	}
	authority, path, _ := strings.Cut(rest, "/")
	u, err := c.parseHost(authority)
	if err != nil {
		return URI{}, err
	}
	collection, path, _ := strings.Cut(path, "/")
	name, version, versioned := strings.Cut(strings.TrimSuffix(path, "/"), "/")
	if collection != "keys" || !isWord(name, 127, "-_") || versioned && !isWord(version, 64, "") {
		return URI{}, errURI("the key URI %q does not name a key", uri)
	}
	u.Name, u.Version = name, version
	return u, nil
}

// parseHost accepts exactly one label in front of a suffix, with the suffix's port.
func (c *Client) parseHost(authority string) (URI, error) {
	host, port := splitPort(strings.ToLower(authority))
	for _, s := range c.suffixes {
		vault, ok := strings.CutSuffix(host, "."+s.host)
		if !ok || port != s.port || !isWord(vault, 63, "-_") || strings.HasPrefix(vault, "-") {
			continue
		}
		return URI{Vault: vault, Host: vault + "." + s.String(), suffix: s.String()}, nil
	}
	return URI{}, fault.New(fault.Invalid, "%q is not the host of a key vault that this service may call", authority).
		WithReason("ForeignHost").WithHint("use https://VAULT.%s/keys/NAME", c.suffixes[0])
}

// A suffix is what the hosts of allowed vaults end in.
type suffix struct{ host, port string }

// String returns the suffix with its port, unless that is the one of https.
func (s suffix) String() string {
	if s.port == "443" {
		return s.host
	}
	return s.host + ":" + s.port
}

// parseSuffix reads "vault.azure.net" or "vault.localhost:8443".
func parseSuffix(text string) (suffix, error) {
	host, port := splitPort(strings.ToLower(text))
	s := suffix{host, port}
	for label := range strings.SplitSeq(host, ".") {
		if !isWord(label, 63, "-") {
			return s, fault.New(fault.Invalid, "%q is not the suffix of vault hosts", text).WithHint("write it as vault.azure.net")
		}
	}
	if !isDigits(port) {
		return s, fault.New(fault.Invalid, "%q has no valid port", text).WithHint("write it as vault.localhost:8443")
	}
	return s, nil
}

// splitPort returns the port as text, "443" if there is none.
func splitPort(authority string) (host, port string) {
	host, port, ok := strings.Cut(authority, ":")
	if !ok {
		return host, "443"
	}
	return host, port
}

// isWord reports whether s has 1 to limit letters, digits and characters of also.
func isWord(s string, limit int, also string) bool {
	for _, c := range []byte(s) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && strings.IndexByte(also, c) < 0 {
			return false
		}
	}
	return s != "" && len(s) <= limit
}

func isDigits(s string) bool {
	return s != "" && len(s) <= 5 && strings.Trim(s, "0123456789") == ""
}

func errURI(format string, args ...any) error {
	return fault.New(fault.Invalid, format, args...).WithReason("BadKeyURI").
		WithHint("write it as the vault shows it: https://VAULT.vault.azure.net/keys/NAME")
}
