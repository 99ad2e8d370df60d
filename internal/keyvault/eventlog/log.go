package eventlog

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"
)

// Config is what a Log needs. Folder or Lines is required.
type Config struct {
	Folder string           // where hourly files are laid; no files if ""
	Lines  io.Writer        // where each record goes as one line of JSON; no lines if nil
	Queue  int              // how many records may wait for each of them; 4096 if 0
	Now    func() time.Time // time.Now if nil
	Log    *slog.Logger     // where losses are said; slog.Default if nil
}

// A Log takes records. It is safe for concurrent use.
type Log struct {
	now    func() time.Time
	floods *floods
	queues []*queue
	folder *folder
}

// defaultQueue records of 4 KiB at most are 16 MiB.
const defaultQueue = 4096

// Open opens the folder, mends what a crash has torn there, and starts one goroutine for each
// place that records go to. Close ends them.
func Open(c Config) (*Log, error) {
	if c.Folder == "" && c.Lines == nil {
		return nil, errors.New("eventlog: Folder or Lines is required")
	}
	if c.Queue == 0 {
		c.Queue = defaultQueue
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	l := &Log{now: c.Now, floods: newFloods()}
	if c.Folder != "" {
		var err error
		if l.folder, err = openFolder(c.Folder, c.Now); err != nil {
			return nil, err
		}
		l.queues = append(l.queues, newQueue("folder", c, l.folder.write))
	}
	if c.Lines != nil {
		l.queues = append(l.queues, newQueue("stream", c, lines{c.Lines}.write))
	}
	for _, q := range l.queues {
		go q.run()
	}
	return l, nil
}

// Write takes a record and returns at once.
func (l *Log) Write(r Record) {
	for _, r := range l.floods.admit(r.bounded(), l.now()) {
		l.put(r)
	}
}

func (l *Log) put(r Record) {
	for _, q := range l.queues {
		q.put(r)
	}
}

// A Loss says how many records a place lost since the start, and when the last one.
type Loss struct {
	Place   string // "folder" or "stream"
	Records int64
	Last    time.Time
}

// Lost returns the losses there were, none for a log that is whole.
func (l *Log) Lost() []Loss {
	var all []Loss
	for _, q := range l.queues {
		if loss := q.loss(); loss.Records > 0 {
			all = append(all, loss)
		}
	}
	return all
}

// Close writes what waits and ends the goroutines. It gives up when ctx ends, as a stream that
// nobody reads may hold its writer for ever. Nothing may be written after it.
func (l *Log) Close(ctx context.Context) error {
	for _, r := range l.floods.rest() {
		l.put(r)
	}
	var errs []error
	for _, q := range l.queues {
		errs = append(errs, q.close(ctx))
	}
	if l.folder != nil && errors.Join(errs...) == nil {
		errs = append(errs, l.folder.close())
	}
	return errors.Join(errs...)
}
