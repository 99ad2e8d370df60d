package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"time"
)

// An AuditEntry is one entry of a log in its place.
type AuditEntry struct {
	Index int64  // from 0, without gaps
	Leaf  []byte // the exact bytes that the log's tree hashes; what follows is decoded from them

	Time                     time.Time
	Caller                   AuditCaller
	Action, Object, Decision string
	Detail                   map[string]string
}

// An AuditCaller is who asked.
type AuditCaller struct {
	Tenant, ID, Kind, Name, App, Address, Request string
}

// An AuditHead says what a log holds: its first Size entries, whose tree has the hash Root.
type AuditHead struct {
	Size int64
	Root string // base64
	Note string // the same, signed by the service
}

// AuditEntries returns the entries of a log ("service" or "vault") behind index after (-1:
// from the first), in order. An error ends it.
func (c *Client) AuditEntries(ctx context.Context, log string, after int64) iter.Seq2[AuditEntry, error] {
	type page struct {
		Entries []struct {
			Index int64
			Leaf  []byte
		}
		Next string
	}
	return func(yield func(AuditEntry, error) bool) {
		for next := strconv.FormatInt(after, 10); next != ""; {
			var p page
			if err := c.page(ctx, next, &p, "audit", log); err != nil {
				yield(AuditEntry{}, fmt.Errorf("reading the audit log: %w", err))
				return
			}
			for _, e := range p.Entries {
				entry := AuditEntry{Index: e.Index, Leaf: e.Leaf}
				if err := json.Unmarshal(e.Leaf, &entry); err != nil {
					yield(entry, fmt.Errorf("reading entry %d of the audit log: %w", e.Index, err))
					return
				}
				entry.Index, entry.Leaf = e.Index, e.Leaf // whatever the bytes claim
				if !yield(entry, nil) {
					return
				}
			}
			next = p.Next
		}
	}
}

// AuditHead returns the newest signed head of a log. Keep it: later heads and entries can be
// checked against it.
func (c *Client) AuditHead(ctx context.Context, log string) (AuditHead, error) {
	var head AuditHead
	err := c.object(ctx, &head, "audit", log, "head")
	return head, err
}

// AuditKeys returns the public keys that verify the heads, by the names of the logs, in the
// text form of golang.org/x/mod/sumdb/note. Keep them from the first time on: a key that comes
// with the log it verifies proves nothing.
func (c *Client) AuditKeys(ctx context.Context) (map[string]string, error) {
	var answer struct{ Keys map[string]string }
	err := c.object(ctx, &answer, "audit", "key")
	return answer.Keys, err
}

// object reads one JSON object.
func (c *Client) object(ctx context.Context, into any, segments ...string) error {
	res, err := c.send(ctx, request{http.MethodGet, c.address(nil, segments...), nil, nil})
	if err == nil {
		err = decode(res, into)
	}
	if err != nil {
		return fmt.Errorf("reading the audit log: %w", err)
	}
	return nil
}
