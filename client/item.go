package client

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A Ref names an item.
type Ref struct {
	Workload  string // "exchange", "teams", "sharepoint", "documents"
	Container string // for exchange the user principal name of the mailbox's owner
	Item      string // segments apart by "/"
}

// String returns the ref as a path.
func (r Ref) String() string { return r.Workload + "/" + r.Container + "/" + r.Item }

// segments returns the ref as it stands in an address.
func (r Ref) segments() []string {
	return append([]string{r.Workload, r.Container}, strings.Split(r.Item, "/")...)
}

// An Item is what the service knows about stored content.
type Item struct {
	Ref
	Size           int64             // of the whole content, in bytes
	ContentType    string            //
	Digest         [sha256.Size]byte // SHA-256 of the content
	ETag           string            // changes with every write; without quotes
	Created        time.Time         // in listings and after Add only
	Modified       time.Time         // when this version was written; after Put zero
	Name           string            // file name that the writer gave for its source
	SourceModified time.Time         // what the writer said about its source; zero if nothing
	Damaged        bool              // in listings only: the stored metadata does not open
}

var (
	errDigest  = errors.New("the content does not have the digest that the service gave for it")
	errSent    = errors.New("the service stored other content than was sent")
	errHeaders = errors.New("the answer lacks the digest or the version of the item; is this the API of customerkey?")
)

// fromHeaders returns what the headers of an answer say about an item.
func fromHeaders(ref Ref, h http.Header) (Item, error) {
	item := Item{Ref: ref, ContentType: h.Get("Content-Type")}
	version, ok := strings.CutPrefix(h.Get("ETag"), `"`)
	item.ETag, _ = strings.CutSuffix(version, `"`)
	digest, ok2 := parseDigest(h.Get("Repr-Digest"))
	if !ok || !ok2 {
		return Item{}, errHeaders
	}
	item.Digest = digest
	item.Name, _ = url.PathUnescape(h.Get(headerName))                         // missing: empty
	item.SourceModified, _ = time.Parse(time.RFC3339Nano, h.Get(headerSource)) // missing: zero
	item.Modified, _ = http.ParseTime(h.Get("Last-Modified"))
	return item, nil
}

// parseDigest reads the SHA-256 of a Repr-Digest field (RFC 9530).
func parseDigest(field string) (d [sha256.Size]byte, ok bool) {
	for part := range strings.SplitSeq(field, ",") {
		text, found := strings.CutPrefix(strings.TrimSpace(part), "sha-256=:")
		text, ended := strings.CutSuffix(text, ":")
		b, err := base64.StdEncoding.DecodeString(text)
		if found && ended && err == nil && len(b) == len(d) {
			return [sha256.Size]byte(b), true
		}
	}
	return d, false
}

// itemJSON is an item in a body.
type itemJSON struct {
	Item, ContentType, ETag, Digest   string
	Name                              string
	Size                              int64
	Created, Modified, SourceModified time.Time
	Damaged                           bool
}

func (j itemJSON) item(workload, container string) Item {
	item := Item{
		Ref: Ref{workload, container, j.Item}, Size: j.Size, ContentType: j.ContentType, ETag: j.ETag,
		Created: j.Created, Modified: j.Modified, Name: j.Name, SourceModified: j.SourceModified, Damaged: j.Damaged,
	}
	item.Digest, _ = parseDigest(j.Digest) // a damaged item has none
	return item
}

// decode reads a body as JSON and closes it.
func decode(res *http.Response, v any) error {
	defer drain(res)
	return json.NewDecoder(res.Body).Decode(v)
}
