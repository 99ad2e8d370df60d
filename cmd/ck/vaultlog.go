package main

import (
	"context"
	"fmt"
	"time"

	"github.com/customerkey/customerkey/internal/keyvault/eventlog"
	"github.com/customerkey/customerkey/internal/keyvault/face"
)

// openEvents opens the log of requests to vaults, if anybody wants one. It comes before the
// databases: a folder that cannot be used keeps the server from starting, and changes nothing.
func (n *node) openEvents(context.Context) (err error) {
	if n.eventFolder == "" && n.eventLines == nil {
		return nil
	}
	n.events, err = eventlog.Open(eventlog.Config{Folder: n.eventFolder, Lines: n.eventLines, Log: n.log})
	return err
}

// tellEvent is what the vault's faces tell of requests, nil if nobody listens.
func (n *node) tellEvent() face.Events {
	if n.events == nil {
		return nil
	}
	return n.events.Write
}

// eventsWithin is how long the last records may take: whoever should read them may sleep.
const eventsWithin = 5 * time.Second

func (n *node) closeEvents(ctx context.Context) error {
	if n.events == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, eventsWithin)
	defer cancel()
	return n.events.Close(ctx)
}

// warnings are what operators should know of and what does not stop the service.
func (n *node) warnings() []string {
	if n.events == nil {
		return nil
	}
	var all []string
	for _, l := range n.events.Lost() {
		all = append(all, fmt.Sprintf("the key vault log lost %d records on their way to the %s since the server started, the last at %s",
			l.Records, l.Place, l.Last.UTC().Format(time.RFC3339)))
	}
	return all
}
