package workload

import (
	"crypto/sha256"
	"encoding/json"
	"time"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// What sealed things are bound to. The number in each purpose is the version of the layout.

func bindContent(c Container, version string) []byte {
	return envelope.Bind("item content 1", c.Tenant, c.Workload, c.ID, version)
}

func bindItemKey(c Container, version string) []byte {
	return envelope.Bind("item key 1", c.Tenant, c.Workload, c.ID, version)
}

func bindMetadata(c Container, version, item string) []byte {
	return envelope.Bind("item metadata 1", c.Tenant, c.Workload, c.ID, version, item)
}

func bindSecret(c Container) []byte {
	return envelope.Bind("fingerprint secret 1", c.Tenant, c.Workload, c.ID)
}

// metadata is what is sealed beside an item's key, as JSON:
//
//	{"type":"message/rfc822","size":1234,"digest":"<base64 of SHA-256>","name":"letter.eml","source":1700000000000000}
//
// type is the content type, size the length of the content in bytes; name and source are the
// file name and the time of change in microseconds UTC that the writer gave for its source,
// each left out if there was none.
type metadata struct {
	Type   string `json:"type"`
	Size   int64  `json:"size"`
	Digest []byte `json:"digest"`
	Name   string `json:"name,omitempty"`
	Source *int64 `json:"source,omitempty"`
}

// metadataKey derives the key of an item's metadata from the item key.
func metadataKey(itemKey envelope.Key) envelope.Key { return itemKey.Derive("item metadata") }

// sealMetadata returns the metadata of item, sealed.
func sealMetadata(itemKey envelope.Key, c Container, version string, item Item) ([]byte, error) {
	m := metadata{Type: item.ContentType, Size: item.Size, Digest: item.Digest[:], Name: item.Name}
	if !item.SourceModified.IsZero() {
		source := item.SourceModified.UnixMicro()
		m.Source = &source
	}
	plain, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	key := metadataKey(itemKey)
	defer key.Destroy()
	return envelope.Seal(nil, key, bindMetadata(c, version, item.Item), plain)
}

// describe opens the key and the metadata of a row. What does not open, or does not fit the
// row, is fault.Corrupt and names the item. The caller destroys the key.
func describe(keys *hierarchy.Opened, c Container, row Row) (Item, envelope.Key, error) {
	item := itemOf(c, row)
	key, err := keys.ItemKey(row.ItemKey, bindItemKey(c, row.Version))
	if err != nil {
		return item, envelope.Key{}, damaged(item.Ref, err)
	}
	if err := openMetadata(key, c, row, &item); err != nil {
		key.Destroy()
		return item, envelope.Key{}, damaged(item.Ref, err)
	}
	return item, key, nil
}

func openMetadata(itemKey envelope.Key, c Container, row Row, item *Item) error {
	key := metadataKey(itemKey)
	defer key.Destroy()
	plain, err := envelope.Open(nil, key, bindMetadata(c, row.Version, row.Item), row.Metadata)
	if err != nil {
		return err
	}
	var m metadata
	if err := json.Unmarshal(plain, &m); err != nil || m.Size != row.Size || len(m.Digest) != sha256.Size {
		return fault.Wrap(fault.Corrupt, err, "the metadata does not fit the row")
	}
	item.ContentType, item.Name = m.Type, m.Name
	copy(item.Digest[:], m.Digest)
	if m.Source != nil {
		item.SourceModified = time.UnixMicro(*m.Source).UTC()
	}
	return nil
}

// itemOf returns what a row says without any key.
func itemOf(c Container, row Row) Item {
	return Item{Ref: c.ref(row.Item), Size: row.Size, Version: row.Version, Created: row.Created, Modified: row.Modified}
}

// damaged names the item in an error about bytes that do not open; other errors pass.
func damaged(ref Ref, err error) error {
	if !fault.Is(err, fault.Corrupt) {
		return err
	}
	return fault.Wrap(fault.Corrupt, err, "item %s is damaged: its stored bytes do not open", ref).
		WithReason("DamagedItem").
		WithHint("other items are not affected; put back the blob and the row from your backup, or delete the item and write it again")
}
