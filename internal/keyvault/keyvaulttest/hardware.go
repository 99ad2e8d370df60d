package keyvaulttest

import (
	"github.com/customerkey/customerkey/internal/hsm"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
	"github.com/customerkey/customerkey/internal/store"
)

// Platform is what hsmPlatform says of keys in a World's hardware.
const Platform = "SoftHSM"

// Equip has -HSM keys made in a token from now on; nil takes it away again, as a start without
// the token's settings does.
func (w *World) Equip(c *hsm.Config) {
	w.t.Helper()
	w.hardware = nil
	if c != nil {
		token, err := hsm.Open(*c)
		if err != nil {
			w.t.Fatal(err)
		}
		w.t.Cleanup(func() {
			if err := token.Close(); err != nil {
				w.t.Error(err)
			}
		})
		w.hardware, err = protect.NewToken(protect.TokenConfig{
			Token: token, Label: c.Label,
			Reserve: keyvault.Reserve(store.NewKeyVault(w.db), protect.TokenPrefix+c.Label, w.Now),
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
	w.Open(w.db)
}
