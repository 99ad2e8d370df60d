//go:build unix

package rest_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/headroom"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/keyvaulttest"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// Each benchmark here stands beside its limits: other work for the same cores, in turns with it
// of some hundred calls, so that a machine that slows down slows all of them. Reported are the
// rate of each, the processor time of a call, and which part of each limit's rate the vault
// reaches. Clients and servers share the cores, and what the vault records reaches the disk.

// BenchmarkUnwrap is unwrapkey by 16 connections that are kept open, beside crypto/rsa alone and beside a bare HTTPS handler that
// does the same RSA operation and takes and gives the same bytes.
func BenchmarkUnwrap(b *testing.B) {
	for _, bits := range []int{2048, 4096} {
		b.Run(strconv.Itoa(bits), func(b *testing.B) {
			w := newRace(b)
			k := w.mustCreate(keyvault.NewKey{Type: "RSA", Bits: bits})
			call, unwrap := w.unwrap(k), bareUnwrap(b, bits)
			w.run(16, 320, w.vault(call), limit{"rsa", unwrap}, limit{"handler", w.bare(call, unwrap)})
		})
	}
}

// bareUnwrap returns what unwraps a key of its own by crypto/rsa alone.
func bareUnwrap(b *testing.B, bits int) func() error {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		b.Fatal(err)
	}
	wrapped, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, &key.PublicKey, make([]byte, 32), nil)
	if err != nil {
		b.Fatal(err)
	}
	return func() error {
		_, err := rsa.DecryptOAEP(sha256.New(), nil, key, wrapped, nil)
		return err
	}
}

// BenchmarkGet is GET key, beside a bare HTTPS handler that gives the same bytes. With few
// connections the vault waits for the disk, and not for the processors.
func BenchmarkGet(b *testing.B) {
	for _, callers := range []int{16, 64, 256} {
		b.Run(strconv.Itoa(callers), func(b *testing.B) {
			w := newRace(b)
			k := w.mustCreate(keyvault.NewKey{Type: "RSA"})
			call := call{"GET", "/keys/root/" + k.Version, ""}
			w.run(callers, 4000, w.vault(call), limit{"handler", w.bare(call, func() error { return nil })})
		})
	}
}

// manyCallers is how many connections a client keeps at most.
const manyCallers = 256

// A race is a World with one vault, and one who may do everything there.
type race struct {
	*keyvaulttest.World
	b     *testing.B
	admin directory.Caller
	token string
}

func newRace(b *testing.B) *race { return newRaceIn(newWorld(b), b) }

func newRaceIn(w *keyvaulttest.World, b *testing.B) *race {
	admin := w.Person("admin@contoso.example")
	w.MustVault("contoso-east", keyvaulttest.Can(admin, rights.All))
	w.Plain()
	b.Cleanup(headroom.Keep()) // as a server has it; of the limits see run
	w.Client().Transport.(*http.Transport).MaxIdleConnsPerHost = manyCallers
	return &race{w, b, admin, "Bearer " + w.Token(admin, w.Audience())}
}

func (w *race) mustCreate(n keyvault.NewKey) keyvault.Key {
	w.b.Helper()
	k, err := w.CreateKey(w.b.Context(), w.admin, "contoso-east", "root", n)
	if err != nil {
		w.b.Fatal(err)
	}
	return k
}

// A call is what is asked for again and again.
type call struct{ method, path, body string }

// unwrap returns the call that unwraps a value under k.
func (w *race) unwrap(k keyvault.Key) call {
	w.b.Helper()
	wrapped, err := w.Wrap(w.b.Context(), w.admin, "contoso-east", "root", k.Version, "RSA-OAEP-256", make([]byte, 32))
	if err != nil {
		w.b.Fatal(err)
	}
	body := fmt.Sprintf(`{"alg":"RSA-OAEP-256","value":%q}`, base64.RawURLEncoding.EncodeToString(wrapped.Value))
	return call{"POST", "/keys/root/" + k.Version + "/unwrapkey", body}
}

// vault returns what sends a call to the vault and reads the answer.
func (w *race) vault(c call) func() error { return w.to("contoso-east", c) }

// to is vault for the vault of that name.
func (w *race) to(vault string, c call) func() error {
	return func() error {
		_, _, err := w.send(w.Client(), w.VaultURL(vault), c)
		return err
	}
}

// bare returns what sends a call to a handler that reads it, does the work and answers with
// the bytes that the vault answers with.
func (w *race) bare(c call, work func() error) func() error {
	w.b.Helper()
	header, answer, err := w.send(w.Client(), w.VaultURL("contoso-east"), c)
	if err != nil {
		w.b.Fatal(err)
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil || work() != nil {
			rw.WriteHeader(http.StatusInternalServerError)
			return
		}
		for name, values := range header {
			rw.Header()[name] = values
		}
		_, _ = rw.Write(answer)
	}))
	w.b.Cleanup(server.Close)
	client := server.Client()
	client.Transport.(*http.Transport).MaxIdleConnsPerHost = manyCallers
	return func() error {
		_, _, err := w.send(client, server.URL, c)
		return err
	}
}

func (w *race) send(client *http.Client, url string, c call) (http.Header, []byte, error) {
	req, err := http.NewRequestWithContext(w.b.Context(), c.method, url+c.path+"?"+version, strings.NewReader(c.body))
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Authorization", w.token)
	res, err := client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s", res.Status, answer)
	}
	return res.Header, answer, err
}

// A limit is work to compare with.
type limit struct {
	name string
	do   func() error
}

// run does ours and the limits in turns of that many calls, by so many callers at once. The limits have
// the headroom of memory that a server has, and run as few goroutines at once as Go does by itself.
func (w *race) run(callers, calls int, ours func() error, limits ...limit) {
	w.b.Helper()
	runners := append([]limit{{"vault", ours}}, limits...)
	wall, busy := make([]time.Duration, len(runners)), make([]time.Duration, len(runners))
	for _, r := range runners {
		spread(w.b, callers, max(callers, calls/4), r.do) // connections are made, keys are open
	}
	turns := 0
	for w.b.Loop() {
		for i, r := range runners {
			runtime.GOMAXPROCS(headroom.Processors() + 1 - min(i, 1))
			start, used := time.Now(), processor(w.b)
			spread(w.b, callers, calls, r.do)
			wall[i] += time.Since(start)
			busy[i] += processor(w.b) - used
		}
		turns++
	}
	for i, r := range runners {
		w.b.ReportMetric(float64(turns*calls)/wall[i].Seconds(), r.name+"/s")
		w.b.ReportMetric(float64(busy[i].Microseconds())/float64(turns*calls), r.name+"-cpu-us")
		if i > 0 {
			w.b.ReportMetric(wall[i].Seconds()/wall[0].Seconds(), "of-"+r.name)
		}
	}
}

// processor returns the time that this process has run on the processors.
func processor(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// spread makes that many calls, callers of them at once.
func spread(b *testing.B, callers, calls int, do func() error) {
	var left atomic.Int64
	left.Store(int64(calls))
	var done sync.WaitGroup
	for range callers {
		done.Go(func() {
			for left.Add(-1) >= 0 {
				if err := do(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	done.Wait()
}
