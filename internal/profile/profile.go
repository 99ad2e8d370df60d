package profile

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
)

// Config says where a profile is.
type Config struct {
	Path string           // required; see Path
	Now  func() time.Time // time.Now if nil
}

// A Profile is a signed-in state, backed by its file. It is safe for concurrent use, and
// several processes may use one file.
type Profile struct {
	path   string
	now    func() time.Time
	client *http.Client

	mu   sync.Mutex
	data Data
}

// Open reads a profile. Nobody being signed in is fault.Unauthenticated; a file that others
// can read, or that is damaged, is fault.Invalid.
func Open(c Config) (*Profile, error) {
	d, err := read(c.Path)
	if err != nil {
		return nil, err
	}
	return bind(c, d)
}

// Save writes a profile, replacing one that is there, and returns it. It makes the folder.
func Save(ctx context.Context, c Config, d Data) (*Profile, error) {
	if d.Domain == "" || d.Tenant == "" {
		return nil, fault.New(fault.Internal, "a profile needs Domain and Tenant")
	}
	unlock, err := lock(ctx, c.Path)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := save(c.Path, d); err != nil {
		return nil, err
	}
	return bind(c, d)
}

// Remove forgets a profile. It is no error if there is none.
func Remove(ctx context.Context, c Config) error {
	if _, err := os.Stat(c.Path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	unlock, err := lock(ctx, c.Path)
	if err != nil {
		return err
	}
	defer unlock()
	if err := os.Remove(c.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fault.Wrap(fault.Unavailable, err, "the profile %s cannot be removed", c.Path)
	}
	return nil
}

func bind(c Config, d Data) (*Profile, error) {
	client, err := Client(d.Authority)
	if err != nil {
		return nil, err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Profile{path: c.Path, now: c.Now, client: client, data: d.copy()}, nil
}

// Data returns a copy of what the profile holds now.
func (p *Profile) Data() Data {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.data.copy()
}

// Choose makes a subscription the one that later commands of this profile mean.
func (p *Profile) Choose(ctx context.Context, subscription string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	unlock, err := lock(ctx, p.path)
	if err != nil {
		return err
	}
	defer unlock()
	next, err := p.reread()
	if err != nil {
		return err
	}
	next.Subscription = subscription
	if err := save(p.path, next); err != nil {
		return err
	}
	p.data = next
	return nil
}

// Addresses returns where the faces of the profile's service are.
func (p *Profile) Addresses() Addresses { return AddressesOf(p.Data().Domain) }

// HTTPClient returns the client that reaches and trusts the profile's service; see Client.
func (p *Profile) HTTPClient() *http.Client { return p.client }

// String says who is signed in where.
func (p *Profile) String() string { return p.Data().String() }

// GoString is String: no verb of package fmt prints a token.
func (p *Profile) GoString() string { return p.String() }
