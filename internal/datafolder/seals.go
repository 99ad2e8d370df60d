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
	"github.com/customerkey/customerkey/internal/seal"
)

// A sealing key file is one line of text:
//
//	customerkey-seal-v1 NAME FOLDER-ID BASE64(32 bytes)
const sealHeader = "customerkey-seal-v1"

var names = []string{"service", "vault", "availability"}

func sealsOf(keys map[string]envelope.Key) Seals {
	return Seals{Service: seal.Of(keys["service"]), Vault: seal.Of(keys["vault"]), Availability: seal.Of(keys["availability"])}
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

func makeSeals(dir, id string) (map[string]envelope.Key, error) {
	keys := map[string]envelope.Key{}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	for _, name := range names {
		key := envelope.NewKey()
		keys[name] = key
		path := filepath.Join(dir, name+".key")
		line := fmt.Sprintf("%s %s %s %s\n", sealHeader, name, id, base64.StdEncoding.EncodeToString(key.Expose()))
		if err := WriteFile(path, []byte(line)); err != nil {
			return nil, err
		}
	}
	return keys, syncFolder(filepath.Dir(dir))
}

func readSeals(dir string, m manifest) (map[string]envelope.Key, error) {
	keys := map[string]envelope.Key{}
	for _, name := range names {
		path := filepath.Join(dir, name+".key")
		read, err := readSeal(path, name)
		if err != nil {
			trouble := "cannot be used"
			if errors.Is(err, fs.ErrNotExist) {
				trouble = "is missing"
			}
			return nil, fault.Wrap(fault.Invalid, err, "the sealing key %s %s", path, trouble).
				WithHint("bring it back from your backup, or say with --seals DIR where the sealing keys of data folder %s are; nothing was changed", m.ID)
		}
		want, err := hex.DecodeString(m.Seals[name])
		if err != nil || !bytes.Equal(commitment(read, m.ID, name), want) {
			return nil, fault.New(fault.Invalid, "the sealing key %s belongs to another data folder", path).
				WithHint("say with --seals DIR where the sealing keys of data folder %s are; nothing was changed", m.ID)
		}
		keys[name] = read
	}
	return keys, nil
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
