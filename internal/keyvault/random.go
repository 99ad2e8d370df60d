package keyvault

import (
	"context"
	"crypto/rand"
	"strconv"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
)

// maxRandom is how many random bytes one request gets (KV-40).
const maxRandom = 128

// RandomBytes returns count random bytes, 1 to 128, to whoever has any permission on the
// vault's keys.
func (s *Service) RandomBytes(ctx context.Context, c directory.Caller, vault string, count int) ([]byte, error) {
	return through(ctx, s, c, RandomBytes, Target{Vault: vault}, func(v *visit) (func() ([]byte, error), error) {
		if count < 1 || count > maxRandom {
			return nil, naming.Invalid("count").WithHint("One request gets 1 to %d bytes.", maxRandom)
		}
		v.note("count", strconv.Itoa(count))
		return func() ([]byte, error) {
			b := make([]byte, count)
			rand.Read(b) // never fails: crypto/rand ends the program instead
			return b, nil
		}, nil
	})
}
