package keyvault

import (
	"time"

	"github.com/customerkey/customerkey/internal/keyvault/naming"
)

// Attributes are what a caller may set of a version. A nil member was not given.
type Attributes struct {
	Enabled            *bool
	NotBefore, Expires *time.Time // an expiry can be changed, never taken away (KV-57)
}

// lastTime is the end of the year 9999, the last that clients can read back.
var lastTime = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)

// apply sets what was given, and checks the window that results.
func (a Attributes) apply(k *Key) error {
	if a.Enabled != nil {
		k.Enabled = *a.Enabled
	}
	if a.NotBefore != nil {
		k.NotBefore = a.NotBefore.UTC()
	}
	if a.Expires != nil {
		k.Expires = a.Expires.UTC()
	}
	for name, t := range map[string]time.Time{"nbf": k.NotBefore, "exp": k.Expires} {
		if !t.IsZero() && (t.Unix() < 0 || !t.Before(lastTime)) {
			return naming.Invalid(name)
		}
	}
	if !k.Expires.IsZero() && !k.NotBefore.IsZero() && !k.Expires.After(k.NotBefore) {
		return naming.Invalid("exp").WithHint("The expiry must be after the time from which the key is valid.")
	}
	return nil
}
