package client

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	headerSource = "Source-Modified"
	headerName   = "Source-Name"
	maxDrain     = 64 << 10 // read of an unwanted body so that the connection can be used again
)

// PutOptions say how to write an item.
type PutOptions struct {
	ContentType    string    // "application/octet-stream" if empty
	Name           string    // file name of the source, at most 255 bytes
	SourceModified time.Time // when the source was last changed; kept to the microsecond
	IfNoneMatch    bool      // fail with CodeConflict, status 412, rather than replace; Put only
}

func (o PutOptions) header() http.Header {
	h := http.Header{}
	if o.ContentType != "" {
		h.Set("Content-Type", o.ContentType)
	}
	if o.Name != "" {
		h.Set(headerName, url.PathEscape(o.Name))
	}
	if !o.SourceModified.IsZero() {
		h.Set(headerSource, o.SourceModified.UTC().Format(time.RFC3339Nano))
	}
	if o.IfNoneMatch {
		h.Set("If-None-Match", "*")
	}
	return h
}

// Put writes an item, or replaces it in one step; created says that there was none. The digest
// of what the service stored is compared with what was sent. With IfNoneMatch, an attempt whose
// answer got lost makes the next one fail although the item is there.
func (c *Client) Put(ctx context.Context, ref Ref, o PutOptions, body io.Reader) (item Item, created bool, err error) {
	if err := whole(ref); err != nil {
		return Item{}, false, err
	}
	out := newOutgoing(body)
	res, err := c.send(ctx, request{http.MethodPut, c.address(nil, ref.segments()...), o.header(), out})
	if err != nil {
		return Item{}, false, fmt.Errorf("writing %s: %w", ref, err)
	}
	defer drain(res)
	item, err = fromHeaders(ref, res.Header)
	if err == nil && item.Digest != out.digest() {
		err = errSent
	}
	if err != nil {
		return Item{}, false, fmt.Errorf("writing %s: %w", ref, err)
	}
	item.Size, item.ContentType = out.sent, o.ContentType
	return item, res.StatusCode == http.StatusCreated, nil
}

// Add writes an item whose id the service makes from its content: the same content twice is
// one item, and the second call returns it with created false.
func (c *Client) Add(ctx context.Context, workload, container string, o PutOptions, body io.Reader) (item Item, created bool, err error) {
	out := newOutgoing(body)
	res, err := c.send(ctx, request{http.MethodPost, c.address(nil, workload, container), o.header(), out})
	if err != nil {
		return Item{}, false, fmt.Errorf("adding to %s/%s: %w", workload, container, err)
	}
	var j itemJSON
	if err = decode(res, &j); err == nil {
		item = j.item(workload, container)
		if item.Digest != out.digest() {
			err = errSent
		}
	}
	if err != nil {
		return Item{}, false, fmt.Errorf("adding to %s/%s: %w", workload, container, err)
	}
	return item, res.StatusCode == http.StatusCreated, nil
}

// Content is an item with its content, or a part of it. Close it.
type Content struct {
	Item
	io.ReadCloser
}

// Get reads an item. When its content has been read to the end, its digest is checked: if it
// differs, the last Read gives an error in place of io.EOF. Where the connection breaks off, the
// rest of the same version is asked for; only if that does not help is it an error.
func (c *Client) Get(ctx context.Context, ref Ref) (*Content, error) {
	content, _, err := c.get(ctx, ref, nil)
	if err != nil {
		return nil, err
	}
	content.ReadCloser = &checkedBody{
		ReadCloser: content.ReadCloser, sum: sha256.New(), want: content.Digest,
		rest: func(from int64) (io.ReadCloser, error) { return c.rest(ctx, content.Item, from) },
	}
	return content, nil
}

// rest reads an item from there on, if it still is the one that the first part is from.
func (c *Client) rest(ctx context.Context, item Item, from int64) (io.ReadCloser, error) {
	content, err := c.GetRange(ctx, item.Ref, from, -1)
	if err != nil {
		return nil, err
	}
	if content.ETag != item.ETag {
		content.Close()
		return nil, fmt.Errorf("reading %s: it was replaced meanwhile", item.Ref)
	}
	return content, nil
}

// GetRange reads length bytes from first on, or as many as there are; length -1 reads to the
// end. The digest of a part cannot be checked. A first beyond the end is CodeBadRange.
func (c *Client) GetRange(ctx context.Context, ref Ref, first, length int64) (*Content, error) {
	if first < 0 || length < -1 || length == 0 {
		return nil, errors.New("client: a range begins at 0 or later and has at least one byte")
	}
	value := "bytes=" + strconv.FormatInt(first, 10) + "-"
	if length > 0 {
		value += strconv.FormatInt(first+length-1, 10)
	}
	content, res, err := c.get(ctx, ref, http.Header{"Range": {value}})
	if err != nil {
		return nil, err
	}
	if res.StatusCode == http.StatusPartialContent {
		return content, nil
	}
	if first == 0 && content.Size == 0 { // there is no range in nothing: the whole of it comes back
		return content, nil
	}
	res.Body.Close()
	return nil, fmt.Errorf("reading %s: the service answered %s to a request for a range", ref, res.Status)
}

func (c *Client) get(ctx context.Context, ref Ref, h http.Header) (*Content, *http.Response, error) {
	if err := whole(ref); err != nil {
		return nil, nil, err
	}
	// Without this, net/http would ask for compression and the length would be lost.
	header := http.Header{"Accept-Encoding": {"identity"}}
	for name, values := range h {
		header[name] = values
	}
	res, err := c.send(ctx, request{http.MethodGet, c.address(nil, ref.segments()...), header, nil})
	if err != nil {
		return nil, nil, fmt.Errorf("reading %s: %w", ref, err)
	}
	item, err := fromHeaders(ref, res.Header)
	if err != nil {
		res.Body.Close()
		return nil, nil, fmt.Errorf("reading %s: %w", ref, err)
	}
	item.Size = totalSize(res)
	return &Content{Item: item, ReadCloser: res.Body}, res, nil
}

// totalSize returns the length of the whole content, also if the answer holds a part of it.
func totalSize(res *http.Response) int64 {
	_, total, ok := strings.Cut(res.Header.Get("Content-Range"), "/")
	if n, err := strconv.ParseInt(total, 10, 64); ok && err == nil {
		return n
	}
	return res.ContentLength
}

// Head returns what is known about an item.
func (c *Client) Head(ctx context.Context, ref Ref) (Item, error) {
	if err := whole(ref); err != nil {
		return Item{}, err
	}
	res, err := c.send(ctx, request{http.MethodHead, c.address(nil, ref.segments()...), nil, nil})
	if err != nil {
		return Item{}, fmt.Errorf("looking at %s: %w", ref, err)
	}
	defer drain(res)
	item, err := fromHeaders(ref, res.Header)
	if err != nil {
		return Item{}, fmt.Errorf("looking at %s: %w", ref, err)
	}
	item.Size = res.ContentLength
	return item, nil
}

// Delete deletes an item for ever. An attempt whose answer got lost makes the next one fail with
// CodeNotFound although the item is gone.
func (c *Client) Delete(ctx context.Context, ref Ref) error {
	if err := whole(ref); err != nil {
		return err
	}
	res, err := c.send(ctx, request{http.MethodDelete, c.address(nil, ref.segments()...), nil, nil})
	if err != nil {
		return fmt.Errorf("deleting %s: %w", ref, err)
	}
	drain(res)
	return nil
}

// whole refuses a ref with a part missing: its address would be another thing's.
func whole(ref Ref) error {
	if ref.Workload == "" || ref.Container == "" || ref.Item == "" {
		return errors.New("client: a workload, a container and an item are required")
	}
	return nil
}

// drain closes a body so that its connection can be used again.
func drain(res *http.Response) {
	_, _ = io.CopyN(io.Discard, res.Body, maxDrain)
	res.Body.Close()
}
