package service

import (
	"strings"

	"github.com/customerkey/customerkey/internal/policy"
)

// A policy's distinguished name is CN=name,CN=Data Encryption Policies,OU=tenant, the name
// escaped as RFC 4514 section 2.4 has it. It is one of the ways to name a policy (row CK-81).
// Names are unique in a family only, so each family has its own container.
func policyContainer(f policy.Family) string {
	if f == policy.Mailbox {
		return ",CN=Mailbox Data Encryption Policies,OU="
	}
	return ",CN=Data Encryption Policies,OU="
}

func distinguishedName(p policy.Policy) string {
	return "CN=" + escapeName(p.Name) + policyContainer(p.Family) + p.Tenant
}

// policyIdentity returns the name inside a distinguished name of the caller's organization,
// and any other identity as it is.
func policyIdentity(call *Call, f policy.Family, identity string) string {
	tail := policyContainer(f) + call.Caller.Tenant
	head := len(identity) - len(tail)
	if head < len("CN=") || !strings.EqualFold(identity[:3], "CN=") || !strings.EqualFold(identity[head:], tail) {
		return identity
	}
	if name, ok := unescapeName(identity[3:head]); ok {
		return name
	}
	return identity
}

const escaped = `,+"\<>;=#`

func escapeName(name string) string {
	var b strings.Builder
	for _, r := range name {
		if strings.ContainsRune(escaped, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// unescapeName is the inverse; false for text that escapeName does not make.
func unescapeName(text string) (string, bool) {
	var b strings.Builder
	rest := text
	for rest != "" {
		i := strings.IndexAny(rest, escaped)
		if i < 0 {
			break
		}
		if rest[i] != '\\' || i+1 == len(rest) || !strings.ContainsRune(escaped, rune(rest[i+1])) {
			return "", false
		}
		b.WriteString(rest[:i])
		b.WriteByte(rest[i+1])
		rest = rest[i+2:]
	}
	b.WriteString(rest)
	return b.String(), true
}
