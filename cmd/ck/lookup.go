package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// find returns the object id of what a filter finds, "" if it finds nothing.
func (f *faceClient) find(ctx context.Context, path, filter string) (string, error) {
	var found struct {
		Value []struct {
			ID string `json:"id"`
		} `json:"value"`
	}
	err := f.call(ctx, http.MethodGet, path+"?$filter="+url.QueryEscape(filter), nil, &found)
	if err != nil || len(found.Value) == 0 {
		return "", err
	}
	return found.Value[0].ID, nil
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// eachRow calls do for every row of a list, page by page. Where the next page is, is taken from the
// answer; from which server, is not.
func eachRow[T any](ctx context.Context, g *faceClient, path string, do func(T) error) error {
	for next := path + "?$top=200"; next != ""; {
		var page struct {
			Next  string `json:"@odata.nextLink"`
			Value []T    `json:"value"`
		}
		if err := g.call(ctx, http.MethodGet, next, nil, &page); err != nil {
			return err
		}
		for _, one := range page.Value {
			if err := do(one); err != nil {
				return err
			}
		}
		link, err := url.Parse(page.Next)
		if err != nil {
			return fmt.Errorf("reading where the list goes on: %w", err)
		}
		if next = ""; page.Next != "" {
			next = link.RequestURI()
		}
	}
	return nil
}
