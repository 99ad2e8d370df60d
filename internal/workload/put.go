package workload

import (
	"context"
	"errors"
	"io"
	"mime"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

const (
	maxContentType     = 256
	maxSourceName      = 255
	defaultContentType = "application/octet-stream"
)

// Put writes an item, or replaces it in one step; created says that there was none. The
// container is made by its first item. body is read to its end, in bounded memory; if it breaks
// off, is too long (fault.TooLarge), or anything else fails, the item is as it was before.
//
// Errors: fault.Invalid for names, options and bodies cut off; Forbidden; NotFound for a
// workload or a mailbox that does not exist; Conflict, Reason "ItemExists", with IfNoneMatch;
// Denied if the owner of the root keys refuses; Unavailable.
func (s *Service) Put(ctx context.Context, caller directory.Caller, ref Ref, o PutOptions, body io.Reader) (Item, bool, error) {
	if err := errors.Join(checkItemID(ref.Item), o.complete()); err != nil {
		return Item{}, false, err
	}
	c, err := s.writable(ctx, caller, ref)
	if err != nil {
		return Item{}, false, err
	}
	if o.IfNoneMatch { // asked again when the row is written; here it saves reading the body
		if _, err := s.store.Item(ctx, c.Tenant, c.ID, ref.Item); err == nil {
			return Item{}, false, errItemExists(c.ref(ref.Item))
		} else if !fault.Is(err, fault.NotFound) {
			return Item{}, false, err
		}
	}
	keys, err := s.sealing(ctx, caller, c)
	if err != nil {
		return Item{}, false, err
	}
	defer keys.Close()
	u, err := s.upload(ctx, caller, keys, c, body)
	if err != nil {
		return Item{}, false, err
	}
	return u.finish(ctx, ref.Item, o)
}

// writable returns the container for writing, made if it does not exist.
func (s *Service) writable(ctx context.Context, caller directory.Caller, ref Ref) (Container, error) {
	c, err := s.container(ctx, caller, writeItem, ref)
	if err != nil {
		return Container{}, err
	}
	return s.create(ctx, caller, c)
}

// complete checks the options and fills in what was left out.
func (o *PutOptions) complete() error {
	if o.ContentType == "" {
		o.ContentType = defaultContentType
	}
	if _, _, err := mime.ParseMediaType(o.ContentType); err != nil || len(o.ContentType) > maxContentType {
		return fault.Wrap(fault.Invalid, err, "the content type cannot be understood").
			WithHint("give one like message/rfc822, at most %d bytes long, or none", maxContentType)
	}
	if !isFileName(o.Name) {
		return fault.New(fault.Invalid, "the file name of the source cannot be kept").
			WithHint("give at most %d bytes of UTF-8 without slashes and control characters, or none", maxSourceName)
	}
	o.SourceModified = o.SourceModified.UTC().Truncate(time.Microsecond)
	if year := o.SourceModified.Year(); year < 1 || year > 9999 { // RFC 3339 writes no other
		return fault.New(fault.Invalid, "the time of the source is out of range").WithHint("give one in the years 1 to 9999, or none")
	}
	return nil
}

func errItemExists(ref Ref) error {
	return fault.New(fault.Conflict, "item %s exists already", ref).
		WithReason(ReasonItemExists).
		WithHint("leave out the condition to replace it")
}

// isFault reports whether err carries a message of its own for the caller.
func isFault(err error) bool {
	_, ok := errors.AsType[*fault.Error](err)
	return ok
}

// isFileName reports whether name is empty or can be the name of a file everywhere.
func isFileName(name string) bool {
	return len(name) <= maxSourceName && utf8.ValidString(name) && name != "." && name != ".." &&
		!strings.ContainsFunc(name, unicode.IsControl) && !strings.ContainsAny(name, `/\`)
}
