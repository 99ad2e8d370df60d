package api_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/customerkey/customerkey/internal/api/throttle"
	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/cmdlet/rows"
	"github.com/customerkey/customerkey/internal/cmdlet/service"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// limit starts the server again with limits, by a clock of its own.
func (x *exchange) limit(l throttle.Limits) (pass func(time.Duration)) {
	x.t.Helper()
	var err error
	x.config.Throttle, err = throttle.New(l)
	x.must(err)
	var later atomic.Int64
	start := time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)
	x.config.Now = func() time.Time { return start.Add(time.Duration(later.Load())) }
	x.start()
	return func(d time.Duration) { later.Add(int64(d)) }
}

// CK-343, CK-349: who asks too much is told how he stands, when to come back, and is served again
// then; each request of a batch counts.
func TestExchangeThrottles(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	pass := x.limit(throttle.Limits{Window: time.Minute, Caller: throttle.Limit{Requests: 4}, Tenant: throttle.Limit{Requests: 6}})
	reader, other := x.token(x.tenant, directory.GlobalReader), x.token(x.tenant, directory.GlobalReader)
	stranger := x.token("99999999-2222-4333-8444-555555555555", directory.GlobalReader)
	stands := func(a exchangeAnswer) string {
		return a.header.Get("Rate-Limit-Limit") + " " + a.header.Get("Rate-Limit-Remaining") + " " + a.header.Get("Rate-Limit-Reset")
	}
	if a := x.run("nonsense", getPolicies, ""); a.status != 401 || stands(a) != "  " {
		t.Errorf("without a token: %d %s", a.status, stands(a))
	}
	for i, want := range []string{"4 3", "4 2"} {
		if a := x.run(reader, getPolicies, ""); a.status != 200 || stands(a) != want+" 2027-01-31T12:01:00.000Z" {
			t.Errorf("request %d: %d %s", i, a.status, stands(a))
		}
	}
	pass(10 * time.Second)
	one := asked("1", "InvokeCommand", getPolicies, "")
	parts := x.batched(t, reader, []string{one, strings.Replace(one, `"1"`, `"2"`, 1)}, "Prefer: odata.continue-on-error")
	if diff := cmp.Diff([]int{200, 429}, statuses(parts)); diff != "" || parts[1].Headers["Retry-After"] != "50" {
		t.Errorf("%s: %v", diff, parts[1].Headers)
	}
	if !x.log.wrote(audit.Fail, "cmdlet.run") {
		t.Error("the first that was turned away is not recorded")
	}
	a := x.run(reader, getPolicies, "")
	if a.status != 429 || a.header.Get("Retry-After") != "50" || a.error.Error.Code != "TooManyRequests" || stands(a) != "4 0 2027-01-31T12:01:00.000Z" {
		t.Errorf("one too many: %d %v %s", a.status, a.header, a.text)
	}
	if x.log.wrote(audit.Fail, "cmdlet.run") {
		t.Error("each that is turned away is recorded")
	}
	x.run(other, getPolicies, "")
	x.run(other, getPolicies, "")
	if a := x.run(other, getPolicies, ""); a.status != 429 || !strings.Contains(a.text, "the tenant has sent too many") {
		t.Errorf("the organization's limit: %d %s", a.status, a.text)
	}
	if a := x.run(stranger, getPolicies, ""); a.status != 403 {
		t.Errorf("another organization pays for it: %d", a.status)
	}
	pass(50 * time.Second)
	if a := x.run(reader, getPolicies, ""); a.status != 200 {
		t.Errorf("after a minute: %d %s", a.status, a.text)
	}
	x.log.setDeaf(true)
	for range 4 {
		a = x.run(reader, getPolicies, "")
	}
	if a.status != 503 {
		t.Errorf("with a log that fails: %d %s", a.status, a.text)
	}
}

// A second request at the same time is one too many where one is the limit: its answer is the plain
// text that clients look for (CK-349), and our own client comes back until there is room.
func TestExchangeAtOnce(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	known, busy, free := x.config.Tenant, make(chan bool), make(chan bool)
	var first atomic.Bool
	x.config.Tenant = func(ctx context.Context, name string) (string, error) {
		if first.CompareAndSwap(false, true) {
			busy <- true
			<-free
		}
		return known(ctx, name)
	}
	x.limit(throttle.Limits{Window: time.Minute, Tenant: throttle.Limit{AtOnce: 1}})
	reader := x.token(x.tenant, directory.GlobalReader)
	slow := make(chan int)
	go func() { slow <- x.status(reader) }()
	<-busy
	res, err := http.DefaultClient.Do(x.request(t, reader))
	x.must(err)
	defer res.Body.Close()
	text := make([]byte, 200)
	n, _ := res.Body.Read(text)
	if res.StatusCode != 429 || !strings.HasPrefix(string(text[:n]), "You have reached the maximum number of concurrent requests per tenant") ||
		!strings.HasPrefix(res.Header.Get("Content-Type"), "text/plain") || res.Header.Get("Retry-After") != "1" {
		t.Errorf("%d %v %s", res.StatusCode, res.Header, text[:n])
	}
	row, err := cmdlet.Find(rows.Table(), getPolicies)
	x.must(err)
	call, err := cmdlet.Bind(row, nil)
	x.must(err)
	call.Host = cmdlet.Host{Object: func(cmdlet.Object) error { return nil }}
	remote := service.Remote{BaseURL: x.server.URL, Tenant: x.tenant, Token: func(context.Context) (string, error) { return reader, nil }}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond) // far less than it waits: it does not give up before
	defer cancel()
	if err := remote.Run(ctx, call); err == nil || fault.Is(err, fault.Throttled) {
		t.Errorf("our client does not wait: %v", err)
	}
	close(free)
	if status := <-slow; status != 200 {
		t.Errorf("the first: %d", status)
	}
	x.must(remote.Run(t.Context(), call))
}

// request is one for all policies.
func (x *exchange) request(t *testing.T, token string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, x.server.URL+"/adminapi/beta/"+contosoDomain+"/InvokeCommand", strings.NewReader(command(getPolicies, "")))
	x.must(err)
	r.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + token}}
	return r
}

func (x *exchange) status(token string) int {
	a := x.run(token, getPolicies, "")
	return a.status
}

// CK-344: a command that takes longer than it may is ended, and the answer says so.
func TestCK344_TimeIsUp(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	x.config.Within = time.Nanosecond
	x.start()
	admin := x.token(x.tenant, directory.ExchangeAdministrator)
	if a := x.run(admin, getPolicies, ""); a.status != 503 || !strings.Contains(a.text, "took longer than 1ns") || a.header.Get("Retry-After") == "" {
		t.Errorf("%d %s", a.status, a.text)
	}
	parts := x.batched(t, admin, []string{asked("1", "InvokeCommand", getPolicies, "")})
	if parts[0].Status != 503 {
		t.Errorf("in a batch: %d %s", parts[0].Status, parts[0].Body)
	}
}

// A body that stops in the middle is waited for only so long.
func TestExchangeSlowBody(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	x.config.Reading = 50 * time.Millisecond
	x.start()
	connection, err := net.Dial("tcp", strings.TrimPrefix(x.server.URL, "http://"))
	x.must(err)
	defer connection.Close()
	_, err = connection.Write([]byte("POST /adminapi/beta/" + contosoDomain + "/InvokeCommand HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
		x.token(x.tenant, directory.GlobalReader) + "\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"CmdletInput\":"))
	x.must(err)
	_ = connection.SetReadDeadline(time.Now().Add(5 * time.Minute)) // the server answers long before
	answer := make([]byte, 4<<10)
	n, err := connection.Read(answer)
	if err != nil || !strings.HasPrefix(string(answer[:n]), "HTTP/1.1 408 ") {
		t.Errorf("%v: %s", err, answer[:n])
	}
}
