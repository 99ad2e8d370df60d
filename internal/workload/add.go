package workload

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"io"
	"strings"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// Add writes an item whose id is made from its content: the same content added twice, also at
// the same time, is one item, and the second call returns it with created false. The workload
// and container are those of ref; ref.Item must be empty.
//
// The id is the lower-case base32 of HMAC-SHA-256 over the SHA-256 of the content, under a
// secret of the container: who sees ids cannot test whether a known text is among them.
// Errors are those of Put. An item of that id that someone wrote by Put with other content is
// fault.Conflict, Reason "OtherContent".
func (s *Service) Add(ctx context.Context, caller directory.Caller, ref Ref, o PutOptions, body io.Reader) (Item, bool, error) {
	if err := o.complete(); err != nil {
		return Item{}, false, err
	}
	c, err := s.writable(ctx, caller, ref)
	if err != nil {
		return Item{}, false, err
	}
	keys, err := s.sealing(ctx, caller, c)
	if err != nil {
		return Item{}, false, err
	}
	defer keys.Close()
	secret, err := s.secret(ctx, caller, c, keys)
	if err != nil {
		return Item{}, false, err
	}
	defer secret.Destroy()
	u, err := s.upload(ctx, caller, keys, c, body)
	if err != nil {
		return Item{}, false, err
	}
	id := fingerprint(secret, u.digest)
	if _, err := s.store.Item(ctx, c.Tenant, c.ID, id); err == nil {
		u.drop(ctx)
		return s.sameItem(ctx, caller, c, id, u.digest)
	}
	o.IfNoneMatch = true
	item, created, err := u.finish(ctx, id, o)
	if fault.Is(err, fault.Conflict) && fault.As(err).Reason == ReasonItemExists { // added by someone else meanwhile
		return s.sameItem(ctx, caller, c, id, u.digest)
	}
	return item, created, err
}

// fingerprint returns the id of content with that digest.
func fingerprint(secret envelope.Key, digest [sha256.Size]byte) string {
	b := secret.Expose()
	defer clear(b)
	mac := hmac.New(sha256.New, b)
	mac.Write(digest[:])
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil)))
}

// sameItem returns the item that holds this content already.
func (s *Service) sameItem(ctx context.Context, caller directory.Caller, c Container, id string, digest [sha256.Size]byte) (Item, bool, error) {
	item, err := s.item(ctx, caller, c, id)
	if err != nil {
		return Item{}, false, err
	}
	if item.Digest != digest {
		return Item{}, false, fault.New(fault.Conflict, "item %s holds other content than its id says", item.Ref).
			WithReason("OtherContent").
			WithHint("someone replaced it by name; delete it or copy it elsewhere, then add again")
	}
	return item, false, nil
}
