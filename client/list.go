package client

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// List returns the items of a container whose ids come after the given one ("" for all), in
// byte order of ids. It asks for a page at a time. An error ends it.
func (c *Client) List(ctx context.Context, workload, container, after string) iter.Seq2[Item, error] {
	type page struct {
		Items []itemJSON
		Next  string
	}
	return func(yield func(Item, error) bool) {
		for {
			var p page
			if err := c.page(ctx, after, &p, workload, container); err != nil {
				yield(Item{}, fmt.Errorf("listing %s/%s: %w", workload, container, err))
				return
			}
			for _, j := range p.Items {
				if !yield(j.item(workload, container), nil) {
					return
				}
			}
			if after = p.Next; after == "" {
				return
			}
		}
	}
}

// A Container holds items.
type Container struct {
	Workload, Name string
	Created        time.Time
}

// Containers returns the containers of a workload that the caller may see, as List does items.
func (c *Client) Containers(ctx context.Context, workload, after string) iter.Seq2[Container, error] {
	type page struct {
		Containers []struct {
			Container string
			Created   time.Time
		}
		Next string
	}
	return func(yield func(Container, error) bool) {
		for {
			var p page
			if err := c.page(ctx, after, &p, workload); err != nil {
				yield(Container{}, fmt.Errorf("listing %s: %w", workload, err))
				return
			}
			for _, j := range p.Containers {
				if !yield(Container{workload, j.Container, j.Created}, nil) {
					return
				}
			}
			if after = p.Next; after == "" {
				return
			}
		}
	}
}

// page reads one page of a listing, of the largest size there is.
func (c *Client) page(ctx context.Context, after string, into any, segments ...string) error {
	query := url.Values{"limit": {"1000"}}
	if after != "" {
		query.Set("after", after)
	}
	res, err := c.send(ctx, request{http.MethodGet, c.address(query, segments...), nil, nil})
	if err != nil {
		return err
	}
	return decode(res, into)
}
