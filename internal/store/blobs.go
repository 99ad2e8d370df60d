package store

import (
	"context"

	"github.com/customerkey/customerkey/internal/store/blob"
	"github.com/customerkey/customerkey/internal/workload"
)

// NewBlobs returns b as package workload sees it: without the listing, by its own types.
func NewBlobs(b blob.Store) workload.Blobs { return blobs{b} }

type blobs struct{ store blob.Store }

func (b blobs) Create(ctx context.Context, id string) (workload.BlobWriter, error) {
	w, err := b.store.Create(ctx, id)
	if err != nil {
		return nil, err // not a nil blob.Writer inside a workload.BlobWriter
	}
	return w, nil
}

func (b blobs) Open(ctx context.Context, id string) (workload.BlobReader, error) {
	r, err := b.store.Open(ctx, id)
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (b blobs) Delete(ctx context.Context, id string) error { return b.store.Delete(ctx, id) }
