package datafolder

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
)

// A sealing key file is one line of text:
//
//	customerkey-seal-v1 NAME FOLDER-ID BASE64(32 bytes)
const sealHeader = "customerkey-seal-v1"

func (s *Seals) byName() map[string]*envelope.Key {
	return map[string]*envelope.Key{"service": &s.Service, "vault": &s.Vault, "availability": &s.Availability}
}

// sealFolder returns where the sealing keys of the data folder id lie. The default is apart
// from the data, so that a copy of the data alone opens nothing.
func sealFolder(dir, id string) string {
	if dir == "" {
		config, err := os.UserConfigDir()
		if err != nil { // no home at all: the working folder is as far from the data as we can get
			config = "."
		}
		dir = filepath.Join(config, "customerkey", "seals")
	}
	return filepath.Join(dir, id)
}

func commitment(key envelope.Key, id, name string) []byte {
	return key.Commit(envelope.Bind("data folder seal", id, name))
}

func makeSeals(dir, id string) (Seals, error) {
	var s Seals
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return s, err
	}
	for name, key := range s.byName() {
		*key = envelope.NewKey()
		path := filepath.Join(dir, name+".key")
		line := fmt.Sprintf("%s %s %s %s\n", sealHeader, name, id, base64.StdEncoding.EncodeToString(key.Expose()))
		if err := WriteFile(path, []byte(line)); err != nil {
			return s, err
		}
	}
	return s, syncFolder(filepath.Dir(dir))
}

func readSeals(dir string, m manifest) (Seals, error) {
	var s Seals
	for name, key := range s.byName() {
		path := filepath.Join(dir, name+".key")
		read, err := readSeal(path, name)
		if err != nil {
			trouble := "cannot be used"
			if errors.Is(err, fs.ErrNotExist) {
				trouble = "is missing"
			}
			return Seals{}, fault.Wrap(fault.Invalid, err, "the sealing key %s %s", path, trouble).
				WithHint("bring it back from your backup, or say with --seals DIR where the sealing keys of data folder %s are; nothing was changed", m.ID)
		}
		want, err := hex.DecodeString(m.Seals[name])
		if err != nil || !bytes.Equal(commitment(read, m.ID, name), want) {
			return Seals{}, fault.New(fault.Invalid, "the sealing key %s belongs to another data folder", path).
				WithHint("say with --seals DIR where the sealing keys of data folder %s are; nothing was changed", m.ID)
		}
		*key = read
	}
	return s, nil
}

func readSeal(path, name string) (envelope.Key, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return envelope.Key{}, err
	}
	fields := strings.Fields(string(raw))
	if len(fields) != 4 || fields[0] != sealHeader || fields[1] != name {
		return envelope.Key{}, fmt.Errorf("not a sealing key file of kind %s", name)
	}
	secret, err := base64.StdEncoding.DecodeString(fields[3])
	if err != nil {
		return envelope.Key{}, fmt.Errorf("the key in it is damaged") // the cause could quote key text
	}
	return envelope.KeyFromBytes(secret)
}
