package main

import (
	"context"
	"flag"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hsm"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
)

// defaultPlatform is what hsmPlatform says of keys in a token if nothing else is said.
const defaultPlatform = "pkcs11"

// hardwareSettings say which PKCS #11 token holds the -HSM keys of vaults.
type hardwareSettings struct {
	module, token, pinFile string // all or none
	platform               string // what hsmPlatform says
}

// flags adds the flags to those of ck serve.
func (h *hardwareSettings) flags(set *flag.FlagSet) {
	set.StringVar(&h.module, "hsm-module", "", "keep RSA-HSM and EC-HSM keys in a hardware security module, whose PKCS #11 library is `PATH` (default: in the vault database, sealed)")
	set.StringVar(&h.token, "hsm-token", "", "`LABEL` of the module's token")
	set.StringVar(&h.pinFile, "hsm-pin-file", "", "`PATH` of the file with the token's user PIN in its first line")
	set.StringVar(&h.platform, "hsm-platform", "", "`TEXT` by which such keys say what holds them (default "+defaultPlatform+")")
}

func (h *hardwareSettings) check() error {
	given := 0
	for _, value := range []string{h.module, h.token, h.pinFile} {
		if value != "" {
			given++
		}
	}
	switch {
	case given != 0 && given != 3:
		return fault.New(fault.Invalid, "a hardware security module is named by its library, its token and a PIN").
			WithHint("give --hsm-module, --hsm-token and --hsm-pin-file together")
	case given == 0 && h.platform != "":
		return fault.New(fault.Invalid, "without a hardware security module keys say that software holds them").
			WithHint("leave --hsm-platform out, or name the module with --hsm-module, --hsm-token and --hsm-pin-file")
	}
	return nil
}

// openHardware opens the token that holds -HSM keys, nil if none is set up. What only an
// administrator can mend ends the start. A token that is away does not: everything else works
// without it, and its keys do as soon as it is back.
func (n *node) openHardware(ctx context.Context, kept keyvault.Store) (protect.Protector, error) {
	if n.hardware.module == "" {
		return nil, nil
	}
	pin, err := filepath.Abs(n.hardware.pinFile)
	if err != nil {
		return nil, err
	}
	if n.token, err = hsm.Open(hsm.Config{Module: n.hardware.module, Label: n.hardware.token, PINFile: pin}); err != nil {
		return nil, err
	}
	switch err := n.token.Check(ctx); {
	case fault.Is(err, fault.Unavailable) && fault.As(err).Reason == "":
		n.log.Warn("the hardware security module cannot be reached: its keys are unusable until it can", slog.String("token", n.hardware.token), slog.Any("err", err))
	case err != nil:
		return nil, err
	}
	p, err := protect.NewToken(protect.TokenConfig{
		Token: n.token, Label: n.hardware.token,
		Reserve: keyvault.Reserve(kept, protect.TokenPrefix+n.hardware.token, time.Now),
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}
