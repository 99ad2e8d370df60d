package eventlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// A queue holds records for one place, whose writer takes them in batches: as many as came
// while it wrote the ones before.
type queue struct {
	place string
	write func([]Record) (lost int, err error)
	log   *slog.Logger
	now   func() time.Time

	records chan Record
	done    chan struct{}

	mu     sync.Mutex
	lost   Loss
	closed bool
	said   time.Time // when losses were last said
	unsaid int64
}

// maxBatch bounds what one write takes: 512 records of 4 KiB at most.
const maxBatch = 512

// sayEvery is how often losses are said while they go on.
const sayEvery = time.Minute

var errWaiting = errors.New("too many records wait to be written")

func newQueue(place string, c Config, write func([]Record) (int, error)) *queue {
	return &queue{
		place: place, write: write, log: c.Log, now: c.Now,
		records: make(chan Record, c.Queue), done: make(chan struct{}), lost: Loss{Place: place},
	}
}

// put takes a record, or counts it as lost.
func (q *queue) put(r Record) {
	if !q.take(r) {
		q.lose(1, errWaiting)
	}
}

// take reports whether there was room.
func (q *queue) take(r Record) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	select {
	case q.records <- r:
		return true
	default:
		return false
	}
}

// run writes until the queue is closed and empty.
func (q *queue) run() {
	defer close(q.done)
	for r := range q.records {
		lost, err := q.write(q.batch(r))
		if lost > 0 {
			q.lose(lost, err)
		}
	}
}

// batch returns the first record and those that wait behind it.
func (q *queue) batch(first Record) []Record {
	batch := []Record{first}
	for len(batch) < maxBatch {
		select {
		case r, ok := <-q.records:
			if !ok {
				return batch
			}
			batch = append(batch, r)
		default:
			return batch
		}
	}
	return batch
}

// lose counts, and says so once in a while. The mutex is free while it speaks: whoever reads
// the server's log may be slow.
func (q *queue) lose(n int, err error) {
	if unsaid, all := q.count(n); unsaid > 0 {
		q.log.Error("key vault event records lost", "place", q.place, "records", unsaid, "since_start", all, "error", err)
	}
}

// count returns what is to be said now, and all that was lost since the start.
func (q *queue) count(n int) (unsaid, all int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	q.lost.Records += int64(n)
	q.lost.Last = now
	q.unsaid += int64(n)
	if since := now.Sub(q.said); since < 0 || since >= sayEvery {
		unsaid, q.unsaid, q.said = q.unsaid, 0, now
	}
	return unsaid, q.lost.Records
}

func (q *queue) loss() Loss {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.lost
}

func (q *queue) close(ctx context.Context) error {
	q.mu.Lock()
	if !q.closed {
		q.closed = true
		close(q.records)
	}
	q.mu.Unlock()
	select {
	case <-q.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("writing the last key vault event records to the %s: %w", q.place, ctx.Err())
	}
}
