package workload

import (
	"context"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// Delete removes an item. The only copy of its key goes with the row, so its content is gone
// for ever, also in backups of the blobs; the blob itself follows with the next Sweep.
//
// The deletion is recorded before it takes effect. A missing item is fault.NotFound.
func (s *Service) Delete(ctx context.Context, caller directory.Caller, ref Ref) error {
	if err := checkItemID(ref.Item); err != nil {
		return err
	}
	c, err := s.container(ctx, caller, deleteItem, ref)
	if err != nil {
		return err
	}
	row, err := s.row(ctx, c, ref.Item)
	if err != nil {
		return err
	}
	object := c.ref(ref.Item)
	detail := map[string]string{"version": row.Version}
	if err := s.record(ctx, caller, deleteItem, object, audit.Allow, detail); err != nil {
		return err
	}
	err = s.store.DeleteItem(ctx, c.Tenant, c.ID, ref.Item, s.now())
	if err == nil {
		return nil
	}
	_ = s.record(ctx, caller, deleteItem, object, audit.Fail, detail) // a courtesy: err matters more
	if fault.Is(err, fault.NotFound) {
		return errNoItem(object)
	}
	return err
}
