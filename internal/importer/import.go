package importer

import (
	"context"
	"crypto/sha256"
	"io"
	"iter"

	"github.com/customerkey/customerkey/client"
)

// Import brings things into the target. What fails by itself is reported and left out; an error
// comes back only when going on would be of no use. Running it again after any interruption
// brings in what is missing and nothing twice.
func Import(ctx context.Context, t Target, things iter.Seq[Thing], o Options) error {
	p := newPool[Thing](o)
	fresh, err := isEmpty(ctx, t)
	if err != nil {
		return err
	}
	produce := func(_ context.Context, send func(Thing) bool) error {
		for thing := range things {
			if !send(thing) {
				break
			}
		}
		return nil
	}
	return p.run(ctx, produce, func(ctx context.Context, thing Thing) error {
		err := thing.Err
		if err != nil {
			err = local(err)
		} else {
			err = p.importOne(ctx, t, thing, fresh)
		}
		p.tally.Weight.Add(thing.Weight)
		if err != nil {
			return p.failed(thing.From, err)
		}
		return nil
	})
}

// isEmpty reports whether the target holds nothing, so that no thing has to be asked for.
func isEmpty(ctx context.Context, t Target) (bool, error) {
	for _, err := range t.Client.List(ctx, t.Workload, t.Container, "") {
		if client.IsCode(err, client.CodeNotFound) {
			return true, nil
		}
		return false, err
	}
	return true, nil
}

func (p *pool[T]) importOne(ctx context.Context, t Target, thing Thing, fresh bool) error {
	if thing.ID != "" && !fresh {
		same, err := unchanged(ctx, t, thing)
		if err != nil {
			return err
		}
		if same {
			p.tally.Unchanged.Add(1)
			return nil
		}
	}
	body, err := thing.Open()
	if err != nil {
		return local(err)
	}
	defer body.Close()
	source := &source{r: body}
	o := client.PutOptions{ContentType: thing.ContentType, SourceModified: thing.Modified, Name: thing.Name}
	created := true
	if thing.ID != "" {
		_, _, err = t.Client.Put(ctx, t.ref(thing.ID), o, source)
	} else {
		_, created, err = t.Client.Add(ctx, t.Workload, t.Container, o, source)
	}
	switch {
	case source.err != nil:
		return local(source.err)
	case client.IsCode(err, client.CodeNotFound): // the mailbox or the workload, not this thing
		return &hopelessError{err}
	case err != nil:
		return err
	case !created:
		p.tally.Unchanged.Add(1)
	default:
		p.tally.Done.Add(1)
		p.tally.Bytes.Add(source.n)
	}
	return nil
}

// unchanged reports whether the item of this thing holds the same content already.
func unchanged(ctx context.Context, t Target, thing Thing) (bool, error) {
	item, err := t.Client.Head(ctx, t.ref(thing.ID))
	if client.IsCode(err, client.CodeNotFound) {
		return false, nil
	}
	if err != nil || item.Size != thing.Size {
		return false, err
	}
	body, err := thing.Open()
	if err != nil {
		return false, local(err)
	}
	defer body.Close()
	digest := sha256.New()
	if _, err := io.Copy(digest, body); err != nil {
		return false, local(err)
	}
	return [sha256.Size]byte(digest.Sum(nil)) == item.Digest, nil
}

// source keeps apart whether reading the thing failed or sending it did.
type source struct {
	r   io.Reader
	n   int64
	err error // of reading; nil at the end
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.n += int64(n)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}
