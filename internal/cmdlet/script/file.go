package script

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

// outFile is Out-File: it writes beside the file and takes its place at the end, so that a
// pipeline that fails changes nothing.
type outFile struct {
	*run
	call    *cmdlet.Call
	path    string
	beside  *os.File // nil before the first value, and when all is done
	buffer  *bufio.Writer
	console *console
	skip    bool // under -WhatIf, or when the user said no
}

func newOutFile(r *run, call *cmdlet.Call, _ stage) (stage, error) { return newFile(r, call), nil }

func newFile(r *run, call *cmdlet.Call) *outFile {
	return &outFile{run: r, call: call, path: call.Args.Text("FilePath")}
}

func (f *outFile) take(ctx context.Context, v any) error {
	if err := f.open(); err != nil || f.skip {
		return err
	}
	return f.console.take(ctx, v)
}

// open begins the file beside, once.
func (f *outFile) open() error {
	if f.beside != nil || f.skip {
		return nil
	}
	old, err := os.Stat(f.path)
	switch {
	case err == nil && old.IsDir():
		return fault.New(fault.Invalid, "%s is a folder", f.path).WithReason(ReasonRuntime)
	case err == nil && !old.Mode().IsRegular(): // it would be replaced by a file: no device may be
		return fault.New(fault.Invalid, "%s is no plain file", f.path).WithReason(ReasonRuntime).WithHint("take the name of a file; what nobody wants goes to Out-Null")
	case err == nil && !f.replaces():
		return f.taken()
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return f.failed(err)
	}
	if proceed, err := f.call.ShouldProcess("Output to File", f.path); err != nil || !proceed {
		f.skip = true
		return err
	}
	mode := fs.FileMode(0o666) // less what the user's umask takes away
	if old != nil {
		mode = old.Mode().Perm()
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return f.failed(err)
	}
	name := filepath.Join(filepath.Dir(f.path), "."+filepath.Base(f.path)+"."+id.String())
	if f.beside, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode); err != nil {
		return f.failed(err)
	}
	f.buffer = bufio.NewWriter(f.beside)
	f.console = &console{run: f.run, out: f.buffer}
	return nil
}

func (f *outFile) replaces() bool {
	return (f.call.Args.On("Force") || f.call.Args.On("Append")) && !f.call.Args.On("NoClobber")
}

func (f *outFile) taken() error {
	return fault.New(fault.Conflict, "the file %s is there already", f.path).WithReason(ReasonRuntime).WithHint("replace it with -Force, add to it with -Append, or take another name")
}

func (f *outFile) failed(err error) error {
	return fault.Wrap(fault.Invalid, err, "the file %s cannot be written", f.path).WithReason(ReasonRuntime).WithHint("see that its folder is there, that you may write to it, and that the disk is not full")
}

// end puts the file in its place. Without any value it is empty.
func (f *outFile) end(context.Context) error {
	if err := f.open(); err != nil || f.skip {
		return err
	}
	if err := f.console.close(); err != nil {
		return err
	}
	err := f.buffer.Flush()
	if err == nil {
		err = f.beside.Sync()
	}
	if err = errors.Join(err, f.beside.Close()); err == nil {
		err = f.place()
	}
	f.remove()
	if errors.Is(err, fs.ErrExist) && !f.replaces() {
		return f.taken()
	}
	if err != nil {
		return f.failed(err)
	}
	return nil
}

// place gives the file its name, or adds it to the one that has it.
func (f *outFile) place() error {
	switch {
	case f.call.Args.On("Append"):
		return f.add()
	case f.replaces():
		return os.Rename(f.beside.Name(), f.path)
	}
	return rename(f.beside.Name(), f.path)
}

// rename renames a file, but never onto one that came meanwhile. Where files cannot have two
// names, a crash in the middle may leave an empty file.
func rename(from, to string) error {
	if err := os.Link(from, to); err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	claim, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := claim.Close(); err != nil {
		return err
	}
	return os.Rename(from, to)
}

func (f *outFile) add() error {
	from, err := os.Open(f.beside.Name())
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(f.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	return errors.Join(addAll(to, from), to.Close())
}

// addAll adds all that from holds to a file, or where that fails, on a full disk, nothing.
func addAll(to *os.File, from io.Reader) error {
	before, err := to.Stat()
	if err != nil {
		return err
	}
	if _, err = io.Copy(to, from); err == nil {
		err = to.Sync()
	}
	if err != nil {
		err = errors.Join(err, to.Truncate(before.Size()))
	}
	return err
}

// release drops what was written, unless the end has put it in its place.
func (f *outFile) release() {
	if f.beside != nil {
		f.beside.Close()
		f.remove()
	}
}

// remove takes the file beside away; after a rename there is none.
func (f *outFile) remove() {
	_ = os.Remove(f.beside.Name())
	f.beside, f.skip = nil, true
}
