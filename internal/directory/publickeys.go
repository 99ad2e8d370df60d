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
	asked time.Time                 // last answer
	tried time.Time                 // last question, answered or not
	keys  map[string]*rsa.PublicKey // nil before the first answer
}

// find returns the key named kid, fault.Unauthenticated if the issuer has none by that name,
// fault.Unavailable if it could not be asked and was never asked before.
func (p *publicKeys) find(ctx context.Context, kid string, now time.Time) (*rsa.PublicKey, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, known := p.keys[kid]
	if p.due(known, now) {
		p.tried = now
		set, err := p.fetch(ctx)
		if err != nil && p.keys == nil {
			return nil, fault.Wrap(fault.Unavailable, err, "the keys that verify tokens could not be read").
				WithHint("try again")
		}
		if err == nil { // else go on with what is known
			p.asked, p.keys = now, usable(set)
		}
	}
	if key, ok := p.keys[kid]; ok {
		return key, nil
	}
	return nil, refuse(BadSignature, nil, "the token was signed with a key that is not known here")
}

// due says whether to ask the issuer. A clock that was set back counts as time passing.
func (p *publicKeys) due(known bool, now time.Time) bool {
	switch {
	case p.keys == nil:
		return true
	case now.Sub(p.tried).Abs() <= keysPause:
		return false
	}
	return !known || now.Sub(p.asked).Abs() > keysLife
}
