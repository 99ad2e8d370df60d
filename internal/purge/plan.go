package purge

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash"
	"io"
)

// A Plan lists what the purge of a policy would destroy.
type Plan struct {
	Tenant           string       `json:"tenant"`
	Policy           string       `json:"policy"`
	Family           string       `json:"family"`
	Generations      []Generation `json:"generations"` // that are not destroyed, oldest first
	AvailabilityKeys []string     `json:"availabilityKeys"`
	Containers       int64        `json:"containers"`          // of which something would be destroyed
	ContainerKeys    int64        `json:"containerKeys"`       // versions of their keys
	OlderKeys        int64        `json:"olderKeys,omitempty"` // versions that only backups have, under whatever policy: they stay shut there
	Closed           int64        `json:"closed"`              // mailboxes that take nothing any more
	List             string       `json:"list"`                // digest of all of them, see [Lister]
	Items            int64        `json:"items"`
	Bytes            int64        `json:"bytes"` // of content
}

// A Generation is a policy key that would be destroyed.
type Generation struct {
	ID     string    `json:"id"`
	Number int       `json:"number"`
	Roots  [2]string `json:"roots"` // versions of the root keys that wrapped it
}

// Digest returns what people approve: SHA-256, in hex, over the plan as JSON without items and
// bytes. Those still change, as the service itself may store or delete mail in the meantime;
// what they lie in does not.
func (p Plan) Digest() (string, error) {
	p.Items, p.Bytes = 0, 0
	text, err := json.Marshal(p)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), err
}

// A Lister digests a list of keys: SHA-256, in hex, over their lines "container/version\n" in
// the order in which they are destroyed.
type Lister struct {
	h    hash.Hash
	last string

	containers, keys, closed, older int64
}

// NewLister returns a Lister of nothing.
func NewLister() *Lister { return &Lister{h: sha256.New()} }

// Add takes the next key.
func (l *Lister) Add(k Key) {
	_, _ = io.WriteString(l.h, k.String()+"\n") // a hash takes everything
	switch {
	case k.Older:
		l.older++
	case k.Version == 0:
		l.closed++
	case k.Container != l.last:
		l.last = k.Container
		l.containers++
		l.keys++
	default:
		l.keys++
	}
}

// Into sets what the list says in a plan.
func (l *Lister) Into(p *Plan) {
	p.Containers, p.ContainerKeys, p.OlderKeys, p.Closed = l.containers, l.keys, l.older, l.closed
	p.List = hex.EncodeToString(l.h.Sum(nil))
}
