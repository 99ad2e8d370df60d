package directory

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/argon2"

	"github.com/customerkey/customerkey/internal/fault"
)

// Cost of one password hash, the first choice of the OWASP password storage sheet: 19 MiB,
// two passes, one thread; about 20 ms. Stored hashes carry their own cost, so this can grow.
const (
	hashMemory = 19 * 1024 // KiB
	hashTime   = 2
	hashSize   = 32
	saltSize   = 16
)

// maxWaiting bounds how many callers queue for a slot; more are told to come back.
const maxWaiting = 256

// A hasher computes argon2id hashes, only so many at once: memory stays bounded however
// many people sign in, and guessing is no faster than the slots allow.
type hasher struct {
	slots   chan struct{}
	waiting atomic.Int64
}

func newHasher(slots int) *hasher {
	return &hasher{slots: make(chan struct{}, slots)}
}

// slot waits for a slot and runs fn in it.
func (h *hasher) slot(ctx context.Context, fn func() error) error {
	if h.waiting.Add(1) > maxWaiting {
		h.waiting.Add(-1)
		return fault.New(fault.Throttled, "too many people are signing in at this moment").
			WithReason(AccountThrottled).WithHint("try again in a few seconds")
	}
	select {
	case h.slots <- struct{}{}:
		h.waiting.Add(-1)
	case <-ctx.Done():
		h.waiting.Add(-1)
		return ctx.Err()
	}
	defer func() { <-h.slots }()
	return fn()
}

// hash returns password as "$argon2id$v=19$m=19456,t=2,p=1$salt$hash" (the PHC string form).
func (h *hasher) hash(ctx context.Context, password string) (encoded string, err error) {
	err = h.slot(ctx, func() error {
		salt := make([]byte, saltSize)
		rand.Read(salt)
		sum := argon2.IDKey([]byte(password), salt, hashTime, hashMemory, 1, hashSize)
		encoded = fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=1$%s$%s", argon2.Version, hashMemory, hashTime, b64(salt), b64(sum))
		return nil
	})
	return encoded, err
}

// matches reports whether password gives the stored hash. An empty or unreadable one
// matches nothing, after as much work as any other. It runs in a slot of its own caller.
func matches(encoded, password string) bool {
	p, err := parseHash(encoded)
	if err != nil {
		p = parsedHash{memory: hashMemory, time: hashTime, threads: 1, salt: make([]byte, saltSize), sum: make([]byte, hashSize)}
	}
	sum := argon2.IDKey([]byte(password), p.salt, p.time, p.memory, p.threads, uint32(len(p.sum)))
	return subtle.ConstantTimeCompare(sum, p.sum) == 1 && err == nil
}

type parsedHash struct {
	memory, time uint32
	threads      uint8
	salt, sum    []byte
}

// parseHash reads a stored hash, refusing costs that no version of this program has written.
func parseHash(encoded string) (p parsedHash, err error) {
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, fault.New(fault.Corrupt, "a stored password cannot be read")
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.threads); err != nil {
		return p, fault.Wrap(fault.Corrupt, err, "a stored password cannot be read")
	}
	p.salt, err = base64.RawStdEncoding.DecodeString(parts[4])
	if err == nil {
		p.sum, err = base64.RawStdEncoding.DecodeString(parts[5])
	}
	sane := p.memory <= 256*1024 && p.time >= 1 && p.time <= 16 && p.threads >= 1 && p.threads <= 16 && len(p.salt) >= 8 && len(p.sum) == hashSize
	if err != nil || !sane {
		return p, fault.Wrap(fault.Corrupt, err, "a stored password cannot be read")
	}
	return p, nil
}

func b64(b []byte) string { return base64.RawStdEncoding.EncodeToString(b) }
