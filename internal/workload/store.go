package workload

import (
	"context"
	"time"

	"github.com/customerkey/customerkey/internal/hierarchy"
)

// A Store keeps containers, items and intents. Methods that take no tenant work across tenants
// and are for the service itself. A missing row is fault.NotFound.
type Store interface {
	Container(ctx context.Context, tenant, workload, name string) (Container, error)
	// AddContainer fails with fault.Conflict if the name is taken.
	AddContainer(ctx context.Context, c Container) error
	// Containers returns those with names after the given one, in byte order of names, without
	// their secrets. An owner limits them to that owner's.
	Containers(ctx context.Context, tenant, workload, owner, after string, limit int) ([]Container, error)
	// SetSecret replaces the secret if it is still of version from and the new one is neither below the
	// container's floor nor purged; otherwise fault.Conflict.
	SetSecret(ctx context.Context, c Container, from int) error

	// Geos returns the geos that a tenant was given, by name; none if it has but one.
	Geos(ctx context.Context, tenant string) ([]Geo, error)
	// PutGeos adds geos, or changes which one is the default: the last of them that says so.
	PutGeos(ctx context.Context, tenant string, geos []Geo, now time.Time) error

	Item(ctx context.Context, tenant, container, item string) (Row, error)
	// Items returns those with ids after the given one, in byte order of ids.
	Items(ctx context.Context, tenant, container, after string, limit int) ([]Row, error)
	// PutItem makes an item of a blob in one transaction: it removes the blob's intent, writes the
	// row, and makes an intent, due at row.Modified, of the blob that the row let go of. It returns
	// the row as written: Created is kept from the row before, if there was one.
	//
	// fault.Conflict, Reason "UploadExpired": the intent is gone or condemned.
	// fault.Conflict, Reason "ItemExists": onlyNew, and there is a row.
	// fault.Conflict, Reason "KeyRetired": row.KeyVersion is below the container's floor. In all
	// three cases nothing changes.
	PutItem(ctx context.Context, row Row, onlyNew bool) (written Row, created bool, err error)
	// DeleteItem removes the row and makes an intent of its blob, due now.
	DeleteItem(ctx context.Context, tenant, container, item string, now time.Time) error

	Renewals
	Samples

	// Intend announces a blob before it is made.
	Intend(ctx context.Context, i Intent) error
	// Extend moves the due time; fault.Conflict, Reason "UploadExpired", if the intent is gone or condemned.
	Extend(ctx context.Context, i Intent) error
	// Due returns intents with a due time up to now, oldest first, after the given one.
	Due(ctx context.Context, now time.Time, after Intent, limit int) ([]Intent, error)
	// Condemn reports whether the blob must be removed: the intent is there and no item needs the
	// blob. From then on PutItem refuses it. An intent of a blob that an item needs is dropped.
	Condemn(ctx context.Context, i Intent) (bool, error)
	// Settle drops the intent of a blob that has been removed.
	Settle(ctx context.Context, i Intent) error
}

// Renewals is what encrypting stored content anew needs of a Store.
type Renewals interface {
	// ContainerOf returns a container by its id.
	ContainerOf(ctx context.Context, tenant, id string) (Container, error)
	// ContainersAfter returns the tenant's containers with ids after the given one, by id.
	ContainersAfter(ctx context.Context, tenant, after string, limit int) ([]Container, error)
	// Tally counts a container's items and adds up their sizes. In weight an item counts as at
	// least that many bytes.
	Tally(ctx context.Context, tenant, container string, least int64) (Tally, error)
	// Versions returns the versions of a container's key, oldest first.
	Versions(ctx context.Context, tenant, container string) ([]hierarchy.ContainerKey, error)
	// RaiseFloor makes version the oldest one of the container's key that PutItem takes, unless
	// the floor is higher already.
	RaiseFloor(ctx context.Context, tenant, container string, version int) error
	// ItemsBelow returns the items under versions below the floor, with ids after the given one, by id.
	ItemsBelow(ctx context.Context, tenant, container string, floor int, after string, limit int) ([]Row, error)
	// Exchange puts another blob and other keys in the place of those of an item that still is of
	// row.Version and in the blob from: it removes the intent of row.Blob and makes one of from,
	// due now. replaced is false, and nothing changes, if the item is another one by now or gone.
	Exchange(ctx context.Context, row Row, from string, now time.Time) (replaced bool, err error)
	// DestroyVersions removes the versions of the container's key below the floor, if no item and
	// no secret is under any of them, and returns how many.
	DestroyVersions(ctx context.Context, tenant, container string, floor int) (int, error)
}

// Samples is what a sampled proof of content needs of a Store.
type Samples interface {
	// UnderPolicy counts what lies under a policy's keys, by workload; a workload without any is not
	// among them.
	UnderPolicy(ctx context.Context, tenant, policy string) ([]Extent, error)
	// SampleItems returns up to most items of a workload that lie under a policy's keys, each with the
	// same chance.
	SampleItems(ctx context.Context, tenant, policy, workload string, most int) ([]Place, error)
}

// An Extent is how much of a workload lies somewhere.
type Extent struct {
	Workload          string
	Containers, Items int64
}

// A Place is where an item is, by the ids of both.
type Place struct{ Container, Item string }

// A Tally adds up items.
type Tally struct{ Items, Bytes, Weight int64 }

// A Row is an item as it is stored.
type Row struct {
	Tenant, Container, Item string // Container is the container's id
	Version                 string // random
	Blob                    string // where the content lies
	KeyVersion              int    // of the container key that wraps ItemKey
	ItemKey                 []byte // wrapped
	Metadata                []byte // sealed
	Size                    int64  // of the content, in bytes
	Created, Modified       time.Time
}

// An Intent says that a blob is to be removed at a time unless an item has come to need it.
type Intent struct {
	Tenant, Blob string
	Due          time.Time
}

// Reasons of fault.Conflict from a Store.
const (
	ReasonItemExists     = "ItemExists"     // there is an item of this id
	ReasonUploadExpired  = "UploadExpired"  // the blob was given up: it stopped growing for too long
	ReasonContainerTaken = "ContainerTaken" // there is a container of this name
	ReasonSecretMoved    = "SecretMoved"    // the secret is not where the caller thought
	ReasonKeyRetired     = "KeyRetired"     // nothing new may come under this version of the container's key
)
