package directory

import (
	"context"
	"crypto/rsa"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/customerkey/customerkey/internal/fault"
)

// publicKeys remembers an issuer's published keys and asks for them again when they are
// old or when a token names one that is not among them, but never in a rush: tokens with
// made-up kids cost one question in keysPause.
type publicKeys struct {
	fetch func(ctx context.Context) (jose.JSONWebKeySet, error)

	mu    sync.Mutex
	asked time.Time
	keys  map[string]*rsa.PublicKey // nil before the first answer
}

// find returns the key named kid, fault.Unauthenticated if the issuer has none by that name,
// fault.Unavailable if it could not be asked and was never asked before.
func (p *publicKeys) find(ctx context.Context, kid string, now time.Time) (*rsa.PublicKey, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key, ok := p.keys[kid]
	age := now.Sub(p.asked).Abs() // a clock that was set back counts as time passing
	if p.keys == nil || age > keysLife || (!ok && age > keysPause) {
		set, err := p.fetch(ctx)
		switch {
		case err == nil:
			p.asked, p.keys = now, usable(set)
			key, ok = p.keys[kid]
		case !ok: // else go on with what is known
			return nil, fault.Wrap(fault.Unavailable, err, "the keys that verify tokens could not be read").
				WithHint("try again")
		}
	}
	if !ok {
		return nil, refuse(BadSignature, nil, "the token was signed with a key that is not known here")
	}
	return key, nil
}
