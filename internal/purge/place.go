package purge

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/customerkey/customerkey/internal/durable"
	"github.com/customerkey/customerkey/internal/fault"
)

// A Place keeps the lines of a ledger, in their order. Errors are faults.
type Place interface {
	Name() string // for messages
	// Lines calls fn with each line, without its newline, until fn fails.
	Lines(ctx context.Context, fn func(line []byte) error) error
	// Append adds lines, each with its newline; durable when nil.
	Append(ctx context.Context, lines [][]byte) error
}

// A File is a Place: a file that only grows. A last line that a crash has cut off is none.
type File struct{ path string }

// NewFile returns the place at path; the file is made by the first Append.
func NewFile(path string) *File { return &File{path} }

// Name implements Place.
func (f *File) Name() string { return f.path }

// Lines implements Place.
func (f *File) Lines(_ context.Context, fn func(line []byte) error) error {
	file, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return f.failed(err)
	}
	defer file.Close()
	r := bufio.NewReaderSize(file, maxLine)
	for {
		line, err := r.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF): // nothing, or a line that was cut off
			return nil
		case errors.Is(err, bufio.ErrBufferFull):
			return errDamaged()
		case err != nil:
			return f.failed(err)
		}
		if err := fn(line[:len(line)-1]); err != nil {
			return err
		}
	}
}

// Append implements Place. What a crash has cut off before goes.
func (f *File) Append(_ context.Context, lines [][]byte) error {
	end, err := f.end()
	if err != nil {
		return f.failed(err)
	}
	file, err := os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return f.failed(err)
	}
	if err = file.Truncate(end); err == nil {
		_, err = file.WriteAt(bytes.Join(lines, nil), end)
	}
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = durable.SyncFolder(filepath.Dir(f.path))
	}
	if err != nil {
		return f.failed(err)
	}
	return nil
}

// end returns how many bytes the whole lines of the file have.
func (f *File) end() (int64, error) {
	file, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer file.Close()
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	tail := make([]byte, min(size, maxLine))
	if _, err := file.ReadAt(tail, size-int64(len(tail))); err != nil {
		return 0, err
	}
	return size - int64(len(tail)) + int64(bytes.LastIndexByte(tail, '\n')+1), nil
}

func (f *File) failed(err error) error {
	return fault.Wrap(fault.Unavailable, err, "the ledger of purges %s cannot be used", f.path).
		WithHint("make it readable and writable, and make room on its disk; nothing is opened or purged without it")
}
