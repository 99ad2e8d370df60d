package prompt

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/rows"
	"github.com/customerkey/customerkey/internal/fault"
)

const (
	namesAwaited = 700 * time.Millisecond // by somebody at a key
	namesTimeout = 5 * time.Second        // of the question itself: the next Tab has the answer
	namesKept    = 10 * time.Second
	mostNames    = 500
)

// Names asks for the names that a parameter can take, by the commands that list them and as the person
// who would run them: nothing comes back that they may not see. What the service refuses once it is
// not asked again. It is not safe for concurrent use.
type Names struct {
	runner func(cmdlet.Side) (cmdlet.Runner, error)
	now    func() time.Time
	asked  map[string]*question // by command line
	denied map[string]bool      // commands that are not this person's
}

// A question is one that was asked; names and err are set when done is closed.
type question struct {
	done  chan struct{}
	names []string
	err   error
	until time.Time // when it is to be asked anew
}

func newNames(runner func(cmdlet.Side) (cmdlet.Runner, error), now func() time.Time) *Names {
	return &Names{runner: runner, now: now, asked: map[string]*question{}, denied: map[string]bool{}}
}

// forget drops what is known, for another person may be signed in.
func (n *Names) forget() {
	clear(n.asked)
	clear(n.denied)
}

// list runs a command for its names, or remembers what it said a moment ago. A command that fails
// has none: a person who presses Tab is told nothing of it. One that is slow goes on until ctx ends
// or its time is over, and has its answer ready the next time.
func (n *Names) list(ctx context.Context, s source) []string {
	line := strings.Join(append([]string{s.command, s.property}, s.words...), " ")
	q := n.asked[line]
	if q != nil && q.refused() {
		n.denied[s.command] = true
	}
	if n.denied[s.command] {
		return nil
	}
	if q == nil || !n.now().Before(q.until) {
		q = n.ask(ctx, s)
		if len(n.asked) > mostNames {
			clear(n.asked)
		}
		n.asked[line] = q
	}
	select {
	case <-q.done:
		return q.names
	case <-time.After(namesAwaited):
		return nil
	}
}

// refused reports whether the answer is there, and is that this person may not ask.
func (q *question) refused() bool {
	select {
	case <-q.done:
		return fault.Is(q.err, fault.Forbidden) || fault.Is(q.err, fault.NotFound)
	default:
		return false
	}
}

var errEnough = errors.New("there are enough names")

// ask begins to ask.
func (n *Names) ask(ctx context.Context, s source) *question {
	q := &question{done: make(chan struct{}), until: n.now().Add(namesKept)}
	call, runner, err := n.call(s)
	if err != nil {
		q.err = err
		close(q.done)
		return q
	}
	call.Host.Object = func(o cmdlet.Object) error {
		if name, ok := o.Get(s.property).(string); ok && name != "" {
			q.names = append(q.names, name)
		}
		if len(q.names) == mostNames {
			return errEnough
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, namesTimeout)
	go func() {
		defer close(q.done)
		defer cancel()
		if err := runner.Run(ctx, call); !errors.Is(err, errEnough) {
			q.err = err
		}
	}()
	return q
}

func (n *Names) call(s source) (*cmdlet.Call, cmdlet.Runner, error) {
	row, err := cmdlet.Find(rows.Table(), s.command)
	if err != nil {
		return nil, nil, err
	}
	call, err := cmdlet.Bind(row, s.words)
	if err != nil {
		return nil, nil, err
	}
	runner, err := n.runner(row.Side)
	return call, runner, err
}
