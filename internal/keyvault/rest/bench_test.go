package rest_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
)

// BenchmarkUnwrap is unwrapkey over HTTPS with 16 connections kept open, recorded in a log
// that reaches the disk, with client and server on the same cores.
func BenchmarkUnwrap(b *testing.B) {
	w := newWorld(b)
	admin := w.Person("admin@contoso.example")
	w.MustVault("contoso-east", keyvaulttest.Can(admin, keyvault.PermitAll))
	client, token := w.Client(), "Bearer "+w.Token(admin, w.Audience())
	for _, bits := range []int{2048, 4096} {
		name := fmt.Sprintf("root-%d", bits)
		if _, err := w.CreateKey(b.Context(), admin, "contoso-east", name, keyvault.NewKey{Type: "RSA", Bits: bits}); err != nil {
			b.Fatal(err)
		}
		wrapped, err := w.Wrap(b.Context(), admin, "contoso-east", name, "", "RSA-OAEP-256", make([]byte, 32))
		if err != nil {
			b.Fatal(err)
		}
		body := fmt.Sprintf(`{"alg":"RSA-OAEP-256","value":%q}`, base64.RawURLEncoding.EncodeToString(wrapped.Value))
		url := w.VaultURL("contoso-east") + "/keys/" + name + "/" + wrapped.Key.Version + "/unwrapkey?" + version
		b.Run(fmt.Sprint(bits), func(b *testing.B) {
			spread(b, 16, func() error {
				req, err := http.NewRequestWithContext(b.Context(), "POST", url, bytes.NewReader([]byte(body)))
				if err != nil {
					return err
				}
				req.Header.Set("Authorization", token)
				res, err := client.Do(req)
				if err != nil {
					return err
				}
				defer res.Body.Close()
				if answer, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK {
					return fmt.Errorf("%s %s %w", res.Status, answer, err)
				}
				return nil
			})
		})
	}
}

// BenchmarkUnwrapBare is the same by crypto/rsa alone.
func BenchmarkUnwrapBare(b *testing.B) {
	for _, bits := range []int{2048, 4096} {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			b.Fatal(err)
		}
		wrapped, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, &key.PublicKey, make([]byte, 32), nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprint(bits), func(b *testing.B) {
			spread(b, 16, func() error {
				_, err := rsa.DecryptOAEP(sha256.New(), nil, key, wrapped, nil)
				return err
			})
		})
	}
}

// spread runs do b.N times on that many goroutines and reports how many a second.
func spread(b *testing.B, workers int, do func() error) {
	jobs := make(chan struct{})
	var done sync.WaitGroup
	for range workers {
		done.Go(func() {
			for range jobs {
				if err := do(); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for b.Loop() {
		jobs <- struct{}{}
	}
	close(jobs)
	done.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "op/s")
}
