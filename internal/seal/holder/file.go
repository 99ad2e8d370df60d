package holder

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/durable"
	"github.com/customerkey/customerkey/internal/fault"
)

// FileSettings say where the file is.
type FileSettings struct {
	Path string `json:"path"` // absolute, or beside the sealing keys
}

// A key file is one line of text:
//
//	customerkey-holder-v1 BASE64(32 bytes)
const fileHeader = "customerkey-holder-v1"

const maxKeyFile = 4096 // bytes; a right one has 67

// A File holds sealing keys under a key in a file. Who has the file and the sealing keys has all.
type File struct {
	path string
	key  envelope.Key
	made bool
}

// NewFile returns a File with a fresh key, which Save writes to path.
func NewFile(path string) *File { return &File{path: path, key: envelope.NewKey(), made: true} }

// OpenFile reads the file at path. The error is fault.Invalid for one that is missing, damaged, or
// something else.
func OpenFile(path string) (*File, error) {
	key, err := readKeyFile(path)
	if err != nil {
		trouble := "is no key file of this program"
		if errors.Is(err, fs.ErrNotExist) {
			trouble = "is missing"
		}
		return nil, fault.Wrap(fault.Invalid, err, "the key file %s %s", path, trouble).
			WithHint("bring it back from your backup, or say with --seal-file PATH where it is")
	}
	return &File{path: path, key: key}, nil
}

// Path is where the file is.
func (f *File) Path() string { return f.path }

// Save writes a file that was made; one that is there already is not replaced.
func (f *File) Save() error {
	if !f.made {
		return nil
	}
	secret := f.key.Expose()
	defer clear(secret)
	err := durable.Create(f.path, []byte(fileHeader+" "+base64.StdEncoding.EncodeToString(secret)+"\n"))
	if errors.Is(err, fs.ErrExist) {
		return fault.Wrap(fault.Conflict, err, "the file %s is there already", f.path).WithHint("name another one with --seal-file PATH")
	}
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the key file %s cannot be written", f.path).
			WithHint("make the folder %s writable, or name another file with --seal-file PATH", filepath.Dir(f.path))
	}
	f.made = false
	return nil
}

// Wrap implements Holder.
func (f *File) Wrap(_ context.Context, key envelope.Key, binding []byte) (Held, error) {
	wrapped, err := envelope.WrapKey(f.key, key, binding)
	return Held{Bytes: wrapped}, err
}

// Unwrap implements Holder.
func (f *File) Unwrap(_ context.Context, h Held, binding []byte) (envelope.Key, error) {
	key, err := envelope.UnwrapKey(f.key, h.Bytes, binding)
	if err != nil {
		return envelope.Key{}, fault.Wrap(fault.Invalid, err, "the key file %s is another one, or the sealing keys are damaged", f.path).
			WithHint("bring key file and sealing keys back from the same backup, or say with --seal-file PATH where the right file is")
	}
	return key, nil
}

func readKeyFile(path string) (envelope.Key, error) {
	file, err := os.Open(path)
	if err != nil {
		return envelope.Key{}, err
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, maxKeyFile))
	if err != nil {
		return envelope.Key{}, err
	}
	defer clear(raw)
	return parseKeyFile(raw)
}

// parseKeyFile reads the one line. Its errors show nothing of it.
func parseKeyFile(raw []byte) (envelope.Key, error) {
	text, ended := strings.CutSuffix(string(raw), "\n")
	header, value, spaced := strings.Cut(text, " ")
	if !ended || !spaced || header != fileHeader {
		return envelope.Key{}, errors.New("not a line of the right form")
	}
	secret, err := base64.StdEncoding.Strict().DecodeString(value)
	if err != nil || strings.ContainsAny(value, "\r\n") {
		return envelope.Key{}, errors.New("the key in it is damaged")
	}
	defer clear(secret)
	return envelope.KeyFromBytes(secret)
}
