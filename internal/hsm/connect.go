//go:build pkcs11

package hsm

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/miekg/pkcs11"

	"github.com/customerkey/customerkey/internal/fault"
)

// maxPIN is longer than any PIN.
const maxPIN = 1 << 10

// connect finds the token's slot and logs in, once in an epoch. The caller has a place at the
// module's gate.
func (t *token) connect(epoch uint64) (slot uint, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.link.anchor.epoch == epoch {
		return t.link.anchor.slot, nil
	}
	lib := t.module.lib
	slot, serial, err := t.find(lib)
	if err != nil {
		return 0, err
	}
	handle, err := lib.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	if err != nil {
		return 0, err
	}
	anchor := session{lib: lib, handle: handle, slot: slot, epoch: epoch}
	if err = t.login(&anchor); err == nil && t.can == nil {
		t.can, err = probe(&anchor)
	}
	if err != nil {
		anchor.end(t.module)
		return 0, err
	}
	t.known.reset()
	t.link = link{anchor: anchor, serial: serial}
	return slot, nil
}

// find returns the slot that holds the token now, which may be another after a restart.
func (t *token) find(lib *pkcs11.Ctx) (slot uint, serial string, err error) {
	slots, err := lib.GetSlotList(true)
	if err != nil {
		return 0, "", err
	}
	found := 0
	for _, s := range slots {
		info, err := lib.GetTokenInfo(s)
		if err == nil && info.Label == t.Label {
			slot, serial = s, info.SerialNumber
			found++
		}
	}
	switch found {
	case 0:
		return 0, "", errors.Join(errGone, fault.New(fault.Unavailable, "The hardware security module has no token %q now", t.Label).
			WithHint("check that it is plugged in, and the label's spelling"))
	case 1:
		return slot, serial, nil
	}
	return 0, "", fault.New(fault.Unavailable, "The hardware security module has several tokens %q", t.Label).WithReason(ReasonSetup)
}

// login reads the PIN and logs in. A PIN that was refused is not sent again as long as its file
// is the same: a few wrong ones lock a token for good.
func (t *token) login(s *session) error {
	pin, info, err := readPIN(t.PINFile)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "The PIN of the hardware security module cannot be read").WithReason(ReasonSetup).
			WithHint("the file has the PIN in its first line")
	}
	defer clear(pin)
	if t.wrong != nil && t.wrong.ModTime().Equal(info.ModTime()) && t.wrong.Size() == info.Size() {
		return errPIN(nil)
	}
	err = s.lib.Login(s.handle, pkcs11.CKU_USER, string(pin))
	switch {
	case is(err, pinRefused):
		t.wrong = info
		return errPIN(err)
	case is(err, []pkcs11.Error{pkcs11.CKR_USER_ALREADY_LOGGED_IN}): // by another user of this module
		return nil
	}
	return err
}

func errPIN(cause error) error {
	return fault.Wrap(fault.Unavailable, cause, "The hardware security module refuses the PIN").WithReason(ReasonPIN).
		WithHint("write the right one into the PIN file; the wrong one is not tried again")
}

// readPIN returns the first line of a file.
func readPIN(path string) ([]byte, fs.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxPIN))
	if err != nil {
		return nil, nil, err
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if len(line) == 0 {
		return nil, nil, errors.New("the first line is empty")
	}
	return line, info, nil
}
