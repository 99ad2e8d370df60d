package importer

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/customerkey/customerkey/client"
)

// Layout says which file, by its slash-separated path below the output folder, an item becomes.
type Layout func(item client.Item) string

// AsPaths lays items out by their ids: what Files brought in.
func AsPaths(item client.Item) string { return item.Item }

// AsMessages lays mail out as one .eml file per message: under the name it came with, or its
// id. Two messages of one name get their ids added, the first of them not.
func AsMessages() Layout {
	taken := map[string]bool{}
	return func(item client.Item) string {
		name := path.Base(item.Name)
		if item.Name == "" || name == "." || name == "/" {
			name = item.Item
		}
		if path.Ext(name) == "" {
			name += ".eml"
		}
		if key := strings.ToLower(name); taken[key] {
			ext := path.Ext(name)
			name = strings.TrimSuffix(name, ext) + "-" + item.Item + ext
		} else {
			taken[key] = true
		}
		return name
	}
}

// Export writes every item of the target below the folder out, which is made if absent. A file
// appears whole or not at all, and only once its digest was checked. Files that are there with
// the same content are left alone; with other content they are a failure, unless Force is set.
// Item ids come from others: none can make a file outside out.
func Export(ctx context.Context, t Target, out string, layout Layout, o Options) error {
	if err := os.MkdirAll(out, 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(out)
	if err != nil {
		return err
	}
	defer root.Close()
	p := newPool[placed](o)
	produce := func(ctx context.Context, send func(placed) bool) error {
		for item, err := range t.Client.List(ctx, t.Workload, t.Container, "") {
			if err != nil {
				return err
			}
			if !send(placed{item, layout(item)}) {
				break
			}
		}
		return nil
	}
	return p.run(ctx, produce, func(ctx context.Context, x placed) error {
		if err := p.exportOne(ctx, t, root, x); err != nil {
			return p.failed(x.item.Item, err)
		}
		return nil
	})
}

// placed is an item and the file it becomes.
type placed struct {
	item client.Item
	path string
}

func (p *pool[T]) exportOne(ctx context.Context, t Target, root *os.Root, x placed) error {
	name := filepath.FromSlash(x.path)
	if !filepath.IsLocal(name) {
		return local(fmt.Errorf("no file can be called %q here", x.path))
	}
	same, err := p.standing(root, name, x.item)
	if err != nil {
		return local(err)
	}
	if same {
		p.tally.Unchanged.Add(1)
		return nil
	}
	if dir := filepath.Dir(name); dir != "." {
		if err := root.MkdirAll(dir, 0o700); err != nil {
			return local(err)
		}
	}
	content, err := t.Client.Get(ctx, x.item.Ref)
	if err != nil {
		return err
	}
	defer content.Close()
	n, err := writeFile(root, name, content, x.item)
	if err != nil {
		return err
	}
	p.tally.Done.Add(1)
	p.tally.Bytes.Add(n)
	return nil
}

// standing reports whether the file is there with the item's content. Other content is an error
// unless it may be replaced.
func (p *pool[T]) standing(root *os.Root, name string, item client.Item) (bool, error) {
	f, err := root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	digest := sha256.New()
	if _, err := io.Copy(digest, f); err != nil {
		return false, err
	}
	if [sha256.Size]byte(digest.Sum(nil)) == item.Digest && !item.Damaged {
		return true, nil
	}
	if !p.o.Force {
		return false, errors.New("the file exists with other content; --force replaces it")
	}
	return false, nil
}

// writeFile writes content beside its place and moves it there once it is whole.
func writeFile(root *os.Root, name string, content io.Reader, item client.Item) (n int64, err error) {
	part := filepath.Join(filepath.Dir(name), ".ck-"+rand.Text())
	f, err := root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, local(err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, local(root.Remove(part)))
		}
	}()
	in := &source{r: content}
	n, err = io.Copy(f, in)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if in.err != nil {
		return n, in.err
	}
	if err != nil {
		return n, local(err)
	}
	if !item.SourceModified.IsZero() {
		if err := root.Chtimes(part, item.SourceModified, item.SourceModified); err != nil {
			return n, local(err)
		}
	}
	return n, local(root.Rename(part, name))
}
