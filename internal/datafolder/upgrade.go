package datafolder

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/customerkey/customerkey/envelope"
)

// Format 1: the manifest had, for each database, a commitment to its sealing key over
// Bind("data folder seal", id, name); the key stood in SEALS/ID/NAME.key, one line of text:
//
//	customerkey-seal-v1 NAME FOLDER-ID BASE64(32 bytes)
//
// What was sealed under it names no key; see package seal.
type manifest1 struct {
	Format int               `json:"format"`
	ID     string            `json:"id"`
	Seals  map[string]string `json:"seals"` // name -> commitment, hex
}

const sealHeader = "customerkey-seal-v1"

// upgrade brings a folder of format 1 to this one: the same sealing keys, held by a file beside
// them. Until the manifest is replaced the old files are the ones that count; then they go.
func (f *Folder) upgrade(ctx context.Context, raw []byte, c Config) error {
	var old manifest1
	if err := decode(raw, &old); err != nil || old.ID == "" {
		return strangeManifest(f.File("customerkey.json"), err)
	}
	f.ID, f.sealDir = old.ID, sealFolder(c.Seals, old.ID)
	if err := f.takeKeys(); err != nil {
		return err
	}
	keys := map[string]envelope.Key{}
	for _, name := range names {
		key, err := readSeal(f.sealDir, name, old)
		if err != nil {
			return err
		}
		keys[name] = key
	}
	f.manifest = &manifest{Format: format, ID: f.ID, Seals: map[string][]mark{}}
	settings, h, err := NewFile(ctx, f.sealDir)
	if err != nil {
		return err
	}
	if err := f.hold(ctx, settings, h, keys); err != nil {
		return err
	}
	if err := f.writeHeld(); err != nil {
		return err
	}
	if err := f.writeManifest(f.manifest); err != nil {
		return err
	}
	f.tidy()
	return nil
}

// readSeal reads a sealing key of format 1 and checks it against its commitment.
func readSeal(dir, name string, m manifest1) (envelope.Key, error) {
	path := filepath.Join(dir, name+".key")
	raw, err := readSmall(path)
	if errors.Is(err, fs.ErrNotExist) {
		return envelope.Key{}, sealTrouble(err, m.ID, "the sealing key %s is missing", path)
	}
	var key envelope.Key
	if err == nil {
		key, err = parseSeal(raw, name)
	}
	if err != nil {
		return key, sealTrouble(err, m.ID, "the sealing key %s cannot be used", path)
	}
	want, err := hex.DecodeString(m.Seals[name])
	if err != nil || !bytes.Equal(key.Commit(envelope.Bind("data folder seal", m.ID, name)), want) {
		return key, sealTrouble(nil, m.ID, "the sealing key %s belongs to another data folder", path)
	}
	return key, nil
}

func parseSeal(raw []byte, name string) (envelope.Key, error) {
	fields := strings.Fields(string(raw))
	if len(fields) != 4 || fields[0] != sealHeader || fields[1] != name {
		return envelope.Key{}, fmt.Errorf("not a sealing key file of kind %s", name)
	}
	secret, err := base64.StdEncoding.DecodeString(fields[3])
	if err != nil {
		return envelope.Key{}, errors.New("the key in it is damaged") // the cause could quote key text
	}
	defer clear(secret)
	return envelope.KeyFromBytes(secret)
}
