package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/seal/holder"
)

// passphraseCredential is the name under which systemd hands a passphrase over
// (LoadCredential=customerkey-passphrase:...).
const passphraseCredential = "customerkey-passphrase"

// newPassphrase asks for a passphrase that is to be used from now on, twice on a terminal.
func (c *command) newPassphrase(h *holderFlags) (holder.Settings, holder.Holder, error) {
	s := holder.NewPassphraseSettings()
	source := cmp.Or(h.passphrase, credentialFile())
	words, err := c.passphrase(source, "New passphrase of the sealing keys: ")
	if err != nil {
		return holder.Settings{}, nil, err
	}
	defer clear(words)
	if len(words) < holder.MinPassphrase {
		return holder.Settings{}, nil, fault.New(fault.Invalid, "the passphrase is shorter than %d bytes", holder.MinPassphrase).
			WithHint("five or six words that nobody would guess make a good one")
	}
	if source == "" {
		again, err := c.passphrase("", "Once more: ")
		defer clear(again)
		if err != nil {
			return holder.Settings{}, nil, err
		}
		if !bytes.Equal(words, again) {
			return holder.Settings{}, nil, fault.New(fault.Invalid, "the two passphrases differ").WithHint("try again")
		}
	}
	if h.passphrase != "" && !strings.HasPrefix(h.passphrase, "/dev/") { // a descriptor is of this start alone
		s = *h.over(holder.Settings{Kind: holder.KindPassphrase, Passphrase: &s}).Passphrase
	}
	opened, err := holder.NewPassphrase(s, words)
	return holder.Settings{Kind: holder.KindPassphrase, Passphrase: &s}, opened, err
}

// credentialFile is where systemd put the passphrase, "" if it did not.
func credentialFile() string {
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); dir != "" {
		if path := filepath.Join(dir, passphraseCredential); exists(path) {
			return path
		}
	}
	return ""
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// passphrase reads the first line of the file at path; without one it asks whoever sits at the
// terminal. The caller clears it.
func (c *command) passphrase(path, question string) ([]byte, error) {
	if path != "" {
		return readSecretFile(path, "passphrase")
	}
	if !term.IsTerminal(int(c.in.Fd())) {
		return nil, fault.New(fault.Invalid, "the passphrase of the sealing keys is needed, and there is no terminal to ask for it").
			WithHint("give --seal-passphrase-file PATH (or /dev/fd/N), or systemd's credential %s", passphraseCredential)
	}
	fmt.Fprint(c.err, question)
	words, err := term.ReadPassword(int(c.in.Fd()))
	fmt.Fprintln(c.err)
	return words, err
}

// readSecretFile returns the first line of a file, of at most 4 KiB.
func readSecretFile(path, what string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the file %s with the %s cannot be read", path, what).WithHint("check its name and that this user may read it")
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, 4096))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the file %s with the %s cannot be read", path, what).WithHint("check that it is a file")
	}
	line, _, _ := bytes.Cut(raw, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), nil
}
