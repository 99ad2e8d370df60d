package api

import (
	"net/http"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/workload"
)

// itemJSON is an item in answers. Times are RFC 3339, UTC.
type itemJSON struct {
	Item           string    `json:"item"`
	Size           int64     `json:"size"`
	ContentType    string    `json:"contentType,omitempty"`
	ETag           string    `json:"etag"`             // without quotes
	Digest         string    `json:"digest,omitempty"` // as in Repr-Digest
	Created        time.Time `json:"created"`
	Modified       time.Time `json:"modified"`
	Name           string    `json:"name,omitempty"` // file name of the source
	SourceModified time.Time `json:"sourceModified,omitzero"`
	Damaged        bool      `json:"damaged,omitempty"` // the metadata does not open
}

func itemOf(item workload.Item) itemJSON {
	j := itemJSON{
		Item: item.Item, Size: item.Size, ContentType: item.ContentType, ETag: item.Version,
		Created: item.Created, Modified: item.Modified, Name: item.Name, SourceModified: item.SourceModified, Damaged: item.Damaged,
	}
	if !item.Damaged {
		j.Digest = digest(item)
	}
	return j
}

// itemPage is a page of items; next is the after of the following page, missing at the end.
type itemPage struct {
	Items []itemJSON `json:"items"`
	Next  string     `json:"next,omitempty"`
}

func (s *Server) listItems(w http.ResponseWriter, r *http.Request, caller directory.Caller) error {
	after, limit, err := pageOf(r)
	if err != nil {
		return err
	}
	items, err := s.items.List(r.Context(), caller, r.PathValue("workload"), r.PathValue("container"), after, limit)
	if err != nil {
		return err
	}
	page := itemPage{Items: make([]itemJSON, 0, len(items))}
	for _, item := range items {
		page.Items = append(page.Items, itemOf(item))
	}
	if n := len(items); n == pageSize(limit) {
		page.Next = items[n-1].Item
	}
	writeJSON(w, http.StatusOK, page)
	return nil
}

type containerJSON struct {
	Container string    `json:"container"`
	Created   time.Time `json:"created"`
}

// containerPage is a page of containers; next is as in itemPage.
type containerPage struct {
	Containers []containerJSON `json:"containers"`
	Next       string          `json:"next,omitempty"`
}

func (s *Server) listContainers(w http.ResponseWriter, r *http.Request, caller directory.Caller) error {
	after, limit, err := pageOf(r)
	if err != nil {
		return err
	}
	containers, err := s.items.Containers(r.Context(), caller, r.PathValue("workload"), after, limit)
	if err != nil {
		return err
	}
	page := containerPage{Containers: make([]containerJSON, 0, len(containers))}
	for _, c := range containers {
		page.Containers = append(page.Containers, containerJSON{Container: c.Name, Created: c.Created})
	}
	if n := len(containers); n == pageSize(limit) {
		page.Next = containers[n-1].Name
	}
	writeJSON(w, http.StatusOK, page)
	return nil
}
