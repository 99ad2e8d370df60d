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
// made-up kids cost one question in keysPause. One caller asks at a time; those whose key is
// known go on with it meanwhile, and while the issuer is away.
type publicKeys struct {
	fetch func(ctx context.Context) (jose.JSONWebKeySet, error)
	fresh time.Duration // how long an answer is good

	mu     sync.Mutex
	asked  time.Time                 // last answer
	tried  time.Time                 // last question, answered or not
	keys   map[string]*rsa.PublicKey // nil before the first answer
	asking chan struct{}             // closed when the question under way has been answered; nil if none is
}

// find returns the key named kid, fault.Unauthenticated if the issuer has none by that name,
// fault.Unavailable if it could not be asked and has not answered for a day.
func (p *publicKeys) find(ctx context.Context, kid string, now time.Time) (*rsa.PublicKey, error) {
	p.mu.Lock()
	_, known := p.keys[kid]
	usable := known && now.Sub(p.asked).Abs() <= keysEnd
	switch {
	case p.asking != nil && usable, p.asking == nil && !p.due(known, now):
	case p.asking != nil:
		if err := p.wait(ctx); err != nil {
			return nil, err
		}
	default:
		p.ask(ctx, now)
	}
	defer p.mu.Unlock()
	if p.keys == nil || now.Sub(p.asked).Abs() > keysEnd {
		return nil, fault.New(fault.Unavailable, "the keys that verify tokens could not be read").WithHint("try again")
	}
	if key, ok := p.keys[kid]; ok {
		return key, nil
	}
	return nil, refuse(BadSignature, nil, "the token was signed with a key that is not known here")
}

// wait waits, unlocked, for the answer to the question under way. It returns locked, or on an
// error unlocked.
func (p *publicKeys) wait(ctx context.Context) error {
	asking := p.asking
	p.mu.Unlock()
	select {
	case <-asking:
		p.mu.Lock()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ask asks the issuer, unlocked, and keeps the answer if there is one. It returns locked. That a
// client leaves does not end a question that others wait for.
func (p *publicKeys) ask(ctx context.Context, now time.Time) {
	p.tried, p.asking = now, make(chan struct{})
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keysPatience)
	set, err := p.fetch(ctx)
	cancel()
	p.mu.Lock()
	if err == nil {
		p.asked, p.keys = now, usable(set)
	}
	close(p.asking)
	p.asking = nil
}

// due says whether to ask the issuer. A clock that was set back counts as time passing.
func (p *publicKeys) due(known bool, now time.Time) bool {
	switch {
	case p.tried.IsZero():
		return true
	case now.Sub(p.tried).Abs() <= min(keysPause, p.fresh):
		return false
	}
	return !known || now.Sub(p.asked).Abs() > p.fresh
}
