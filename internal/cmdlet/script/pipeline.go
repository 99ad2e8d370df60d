package script

import (
	"context"
	"errors"
	"slices"

	"github.com/customerkey/customerkey/internal/fault"
)

// A stage of a pipeline takes each value as it comes, and is told when there are no more.
// What it makes of them it passes to the stage behind it, whose errors it returns as they are.
type stage interface {
	take(ctx context.Context, v any) error
	end(ctx context.Context) error
}

// A halt is what a stage returns that wants no more: whatever is before it stops, what is
// behind it ends as usual.
type halt struct{ by stage }

func (halt) Error() string { return "the pipeline has enough" }

// pipeline runs a pipeline whose values go to out. out is not ended.
func (r *run) pipeline(ctx context.Context, p *Pipeline, out stage) error {
	if err := r.enter(ctx); err != nil {
		return err
	}
	defer r.leave()
	outer := r.at
	r.at = p.At
	defer func() { r.at = outer }()
	stages, err := r.link(ctx, p, out)
	if err != nil {
		return err
	}
	defer releaseAll(stages)
	if value, ok := p.Stages[0].(*Value); ok {
		err = r.pour(ctx, value.Of, stages[0])
	} else if source, ok := stages[0].(starter); ok {
		err = source.start(ctx)
	}
	return finish(ctx, stages, err)
}

// inside is the stage that a guard stands before.
func inside(s stage) stage {
	if g, ok := s.(*guard); ok {
		return g.stage
	}
	return s
}

func releaseAll(stages []stage) {
	for _, s := range stages {
		if held, ok := s.(releaser); ok {
			held.release()
		}
	}
}

// A starter is a stage that can begin a pipeline.
type starter interface {
	start(ctx context.Context) error
}

// finish ends the stages in their order, after the source has ended with err. A halt skips
// those before the stage that it is of; that of an outer pipeline is not ours to handle.
func finish(ctx context.Context, stages []stage, err error) error {
	for i := 0; ; i++ {
		var stop halt
		if errors.As(err, &stop) {
			by := slices.IndexFunc(stages, func(s stage) bool { return inside(s) == stop.by })
			if by < 0 {
				return err
			}
			i, err = by+1, nil
		}
		if err != nil {
			return err
		}
		if i >= len(stages) {
			return nil
		}
		err = stages[i].end(ctx)
	}
}

// link makes the stages of a pipeline, each with the next one behind it and out behind the
// last. The words of all commands are evaluated first, from left to right. A value in front
// is no stage: it is poured into the first one.
func (r *run) link(ctx context.Context, p *Pipeline, out stage) ([]stage, error) {
	var calls []*invocation
	for i, s := range p.Stages {
		c, ok := s.(*Command)
		if !ok && i > 0 {
			return nil, runtimeError("only commands can stand behind |")
		}
		if !ok {
			continue
		}
		call, err := r.invocation(ctx, c)
		if err != nil {
			return nil, err
		}
		call.first = i == 0
		calls = append(calls, call)
	}
	if len(p.Stages) == 0 {
		return nil, fault.New(fault.Internal, "the script has an empty pipeline")
	}
	stages := []stage{through{out}}
	for _, call := range slices.Backward(calls) {
		s, err := r.stage(call, stages[0])
		if err != nil {
			return nil, err
		}
		stages = slices.Insert(stages, 0, s)
	}
	return stages, nil
}

// through is the last stage of a pipeline: it passes values on and does not end what is behind.
type through struct{ out stage }

func (t through) take(ctx context.Context, v any) error { return t.out.take(ctx, v) }
func (t through) end(context.Context) error             { return nil }

// pour evaluates an expression and sends its value on, the items of a list one by one.
func (r *run) pour(ctx context.Context, e Expression, into stage) error {
	v, err := r.eval(ctx, e)
	if err != nil {
		return err
	}
	return r.each(ctx, v, into)
}

// each sends a value on, the items of a list one by one, and nothing for an empty result.
func (r *run) each(ctx context.Context, v any, into stage) error {
	list, ok := v.([]any)
	if !ok {
		if v == nil {
			return nil
		}
		return into.take(ctx, v)
	}
	for _, item := range list {
		if err := r.spend(ctx, 1); err != nil {
			return err
		}
		if err := into.take(ctx, item); err != nil {
			return err
		}
	}
	return nil
}

// A collector keeps what it takes.
type collector struct {
	*run
	list []any
}

func (c *collector) take(ctx context.Context, v any) error {
	if len(c.list) >= mostHeld {
		return limit("a list has at most %d values", mostHeld)
	}
	c.list = append(c.list, v)
	return c.spend(ctx, 1)
}

func (c *collector) end(context.Context) error { return nil }
