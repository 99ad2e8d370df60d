//go:build !pkcs11

package hsm

import "github.com/customerkey/customerkey/internal/fault"

// Open returns the token that c names. This build cannot.
func Open(c Config) (Token, error) {
	if _, err := c.check(); err != nil {
		return nil, err
	}
	return nil, fault.New(fault.Invalid, "This program was built without PKCS #11").WithReason(ReasonSetup).
		WithHint("build it with: CGO_ENABLED=1 go build -tags pkcs11 ./cmd/ck")
}
