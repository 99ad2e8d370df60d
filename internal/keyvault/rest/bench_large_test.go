//go:build unix

package rest_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/protect"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
	"github.com/customerkey/customerkey/internal/store"
	"github.com/customerkey/customerkey/internal/store/storetest"
)

// The two vaults: how many keys they have, and how many versions their key "root". A page of a
// list has 25, so that both vaults have full ones. A large vault takes a while to fill: it has
// largeKeys only with CK_LARGE_VAULT=1, else a thousand.
const (
	smallKeys, smallVersions = 30, 30
	largeKeys, largeVersions = 100_000, 500
)

func largeVault() (keys, versions int) {
	if os.Getenv("CK_LARGE_VAULT") != "" {
		return largeKeys, largeVersions
	}
	return 1000, 100
}

// BenchmarkLarge is what one caller waits for in the large vault, beside the same in the small one.
func BenchmarkLarge(b *testing.B) {
	db := storetest.SQLite(b, store.VaultAreas()...)
	w := newRaceIn(keyvaulttest.New(b, db), b)
	w.MustVault("small", keyvaulttest.Can(w.admin, rights.All))
	w.MustVault("large", keyvaulttest.Can(w.admin, rights.All))
	fill(b, w, store.NewKeyVault(db))
	body := `{"alg":"RSA-OAEP-256","value":"` + strings.Repeat("A", 43) + `"}`
	for _, c := range []call{
		{"GET", "/keys/root", ""},
		{"POST", "/keys/root/wrapkey", body},
		{"GET", "/keys", ""},
		{"GET", "/keys/root/versions", ""},
		{"GET", "/deletedkeys", ""},
	} {
		name := strings.ReplaceAll(strings.TrimPrefix(c.path, "/"), "/", "-")
		b.Run(name, func(b *testing.B) {
			w := *w
			w.b = b
			w.run(1, 200, w.to("large", c), limit{"small", w.to("small", c)})
		})
	}
}

// fill makes the keys of both vaults.
func fill(b *testing.B, w *race, k *store.KeyVault) {
	pair, public := mustRSA(b), mustRSA(b).Public()
	most, versions := largeVault()
	for _, v := range []struct {
		vault          string
		keys, versions int
	}{{"small", smallKeys, smallVersions}, {"large", most, versions}} {
		for range v.versions { // of one pair, whose private half is used
			if _, err := w.ImportKey(b.Context(), w.admin, v.vault, "root", keyvault.NewKey{Type: "RSA"}, jwkOf(pair)); err != nil {
				b.Fatal(err)
			}
		}
		next := make(chan int)
		var all sync.WaitGroup
		for range 64 { // share commits
			all.Go(func() {
				for i := range next {
					if err := k.AddVersion(b.Context(), w.unused(v.vault, i, public), keyvault.Material{Protector: protect.SoftwareName, Handle: make([]byte, 1300)}); err != nil {
						b.Error(err)
					}
				}
			})
		}
		for i := range v.keys - 1 {
			next <- i
		}
		close(next)
		all.Wait()
	}
}

// unused returns a key that is only ever listed.
func (w *race) unused(vault string, i int, public crypto.PublicKey) keyvault.Key {
	version := sha256.Sum256([]byte(strconv.Itoa(i)))
	return keyvault.Key{
		Tenant: w.Tenant, Vault: vault, Name: fmt.Sprintf("key-%06d", i), Version: hex.EncodeToString(version[:16]),
		Type: protect.RSA, Bits: 2048, Public: public, Ops: []string{"wrapKey", "unwrapKey"}, Enabled: true,
		Created: w.Now(), Updated: w.Now(),
	}
}

// jwkOf returns a key pair as a client sends it.
func jwkOf(k *rsa.PrivateKey) keyvault.JWK {
	return keyvault.JWK{
		Type: protect.RSA, N: k.N.Bytes(), E: big.NewInt(int64(k.E)).Bytes(), D: keyvault.NewSecret(k.D.Bytes()),
		P: keyvault.NewSecret(k.Primes[0].Bytes()), Q: keyvault.NewSecret(k.Primes[1].Bytes()),
		DP: keyvault.NewSecret(k.Precomputed.Dp.Bytes()), DQ: keyvault.NewSecret(k.Precomputed.Dq.Bytes()),
		QI: keyvault.NewSecret(k.Precomputed.Qinv.Bytes()),
	}
}
