package workload

import (
	"crypto/sha256"
	"time"
)

// A Ref names an item inside the caller's tenant. Where a container is meant, Item is empty.
type Ref struct {
	Workload  string // a name of the table
	Container string // 1 to 256 bytes; for a mailbox its owner's user principal name
	Item      string // 1 to 1024 bytes, segments apart by "/"
}

// String returns the ref as a path: "exchange/alice@contoso.example/AAMk".
func (r Ref) String() string {
	s := r.Workload
	for _, part := range []string{r.Container, r.Item} {
		if part != "" {
			s += "/" + part
		}
	}
	return s
}

// An Item is what is known about stored content.
type Item struct {
	Ref
	Size           int64             // of the content, in bytes
	ContentType    string            // as the writer gave it; "application/octet-stream" if it did not
	Digest         [sha256.Size]byte // SHA-256 of the content
	Version        string            // changes with every write; the strong entity tag
	Created        time.Time         // when an item of this id was first written
	Modified       time.Time         // when this version was written
	Name           string            // file name that the writer gave for its source; empty if it did not
	SourceModified time.Time         // what the writer said about its source; zero if it did not
	Damaged        bool              // in listings only: the metadata does not open, so type, name, digest and source time are missing
}

// PutOptions say how to write an item.
type PutOptions struct {
	ContentType    string    // at most 256 bytes; "application/octet-stream" if empty
	Name           string    // file name of the source, at most 255 bytes; sealed with the content
	SourceModified time.Time // when the source was last changed, if known; kept to the microsecond
	IfNoneMatch    bool      // fail with fault.Conflict, Reason "ItemExists", rather than replace
}

// A Container holds items. Its id stays when everything else about it changes.
type Container struct {
	Tenant, Workload, Name string
	ID                     string // GUID, binds keys and content; "" while the container does not exist
	Owner                  string // object id of the person whose mailbox it is, or of who wrote first
	Geo                    string // where its content is kept, fixed when it is made; "" for workloads that go by no geo
	Created                time.Time
	Secret                 []byte // the fingerprint secret, wrapped; nil until it is first needed
	SecretVersion          int    // of the container key that wraps Secret; 0 if there is none
	Floor                  int    // nothing new comes under versions of the container key below it
}

// ref names the container, or an item in it.
func (c Container) ref(item string) Ref {
	return Ref{Workload: c.Workload, Container: c.Name, Item: item}
}
