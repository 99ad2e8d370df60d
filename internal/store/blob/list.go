package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"

	"github.com/customerkey/customerkey/internal/fault"
)

const (
	maxPage  = 1000 // blobs in one page of List
	maxNames = 1024 // names read from a folder at a time
)

// List implements Store. The order is by the last two digits, then by id. limit is cut to 1000.
func (f *Folder) List(ctx context.Context, after string, limit int) ([]Info, error) {
	if limit < 1 {
		return nil, fault.New(fault.Invalid, "a page has at least one blob")
	}
	first := uint64(0)
	if after != "" {
		if err := CheckID(after); err != nil {
			return nil, err
		}
		first, _ = strconv.ParseUint(shard(after), 16, 8) // two hex digits: checked
	}
	limit = min(limit, maxPage)
	var page []Info
	for n := first; n < 256 && len(page) < limit; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		ids, err := f.ids(fmt.Sprintf("%02x", n), after, limit-len(page))
		if err != nil {
			return nil, explain(err, "listing blobs")
		}
		if len(ids) == 0 {
			n, after = n+1, ""
			continue
		}
		if page, err = f.describe(page, ids); err != nil {
			return nil, explain(err, "listing blobs")
		}
		after = ids[len(ids)-1]
	}
	return page, nil
}

// ids returns the limit smallest ids in dir that are greater than after. It holds few more
// than that in memory, however many there are.
func (f *Folder) ids(dir, after string, limit int) ([]string, error) {
	d, err := f.root.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	var found []string
	for {
		names, err := d.Readdirnames(maxNames)
		for _, name := range names {
			if name > after && CheckID(name) == nil && shard(name) == dir {
				found = append(found, name)
			}
		}
		slices.Sort(found)
		found = found[:min(limit, len(found))]
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// describe appends what is known of ids to page; those deleted meanwhile are left out.
func (f *Folder) describe(page []Info, ids []string) ([]Info, error) {
	for _, id := range ids {
		info, err := f.root.Lstat(place(id))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if info.Mode().IsRegular() {
			page = append(page, Info{ID: id, Size: info.Size(), Modified: info.ModTime().UTC()})
		}
	}
	return page, nil
}
