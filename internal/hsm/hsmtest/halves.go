//go:build pkcs11

package hsmtest

import (
	"testing"

	"github.com/miekg/pkcs11"

	"github.com/customerkey/customerkey/internal/hsm"
)

// Halves returns how many private and public keys a token holds, as the library itself tells.
// Objects without an id are not counted: SoftHSM leaves such, without a key, when it is killed
// while it writes one. Some package hsm token of this process must have been used before.
func Halves(t testing.TB, c hsm.Config) int {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil && err != error(pkcs11.Error(pkcs11.CKR_USER_ALREADY_LOGGED_IN)) {
			t.Fatal(err)
		}
	}
	lib := pkcs11.New(c.Module)
	slots, err := lib.GetSlotList(true)
	must(err)
	for _, slot := range slots {
		info, err := lib.GetTokenInfo(slot)
		must(err)
		if info.Label != c.Label {
			continue
		}
		session, err := lib.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION)
		must(err)
		defer func() { must(lib.CloseSession(session)) }()
		must(lib.Login(session, pkcs11.CKU_USER, PIN))
		halves := 0
		for _, class := range []uint{pkcs11.CKO_PRIVATE_KEY, pkcs11.CKO_PUBLIC_KEY} {
			must(lib.FindObjectsInit(session, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, class)}))
			found, more, err := lib.FindObjects(session, 10_000)
			must(err)
			must(lib.FindObjectsFinal(session))
			if more {
				t.Fatal("hsmtest: too many objects to count")
			}
			for _, o := range found {
				id, err := lib.GetAttributeValue(session, o, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_ID, nil)})
				if err == nil && len(id[0].Value) > 0 {
					halves++
				}
			}
		}
		return halves
	}
	t.Fatalf("hsmtest: there is no %s", c.Label)
	return 0
}
