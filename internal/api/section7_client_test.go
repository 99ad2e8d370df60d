package api_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A plainClient drives the endpoint by what section 7 of the requirements says, and by nothing
// else: no type of this program, no knowledge of its commands. Where the section says how
// clients behave (pages, back-off, parts of an error), it behaves so.
type plainClient struct {
	base   string // where the server listens; its answers may name another host
	tenant string
	token  func() string       // a fresh one for each request (row CK-341)
	sleep  func(time.Duration) // for back-off
	header http.Header         // for all requests

	slept []time.Duration
}

// A plainAnswer is what one request came to.
type plainAnswer struct {
	status int
	header http.Header
	body   []byte
	json   map[string]any
}

// A plainError is a request that failed, with the last part of the detail (row CK-346).
type plainError struct {
	status             int
	code, id, kind, is string
}

func (e *plainError) Error() string { return fmt.Sprintf("%d %s: %s", e.status, e.code, e.is) }

// send sends one request, again and again while it is throttled (row CK-349).
func (c *plainClient) send(ctx context.Context, method, address string, body any, header http.Header) (a plainAnswer, err error) {
	text, err := json.Marshal(body)
	if err != nil {
		return a, err
	}
	for wait := time.Second; ; wait *= 2 {
		if a, err = c.once(ctx, method, address, text, header); err != nil {
			return a, err
		}
		switch a.status {
		case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		default:
			return a, nil
		}
		if seconds, err := strconv.Atoi(a.header.Get("Retry-After")); err == nil {
			wait = time.Duration(seconds) * time.Second
		}
		if wait > 10*time.Minute || len(c.slept) > 20 {
			return a, errors.New("throttled for too long")
		}
		c.slept = append(c.slept, wait)
		c.sleep(wait)
	}
}

func (c *plainClient) once(ctx context.Context, method, address string, text []byte, header http.Header) (a plainAnswer, err error) {
	var body io.Reader
	if method == http.MethodPost {
		body = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return a, err
	}
	for _, h := range []http.Header{c.header, header} {
		for name, values := range h {
			r.Header[name] = values
		}
	}
	r.Header.Set("Authorization", "Bearer "+c.token())
	r.Header.Set("Client-Request-Id", newID())
	r.Header.Set("Accept-Encoding", "gzip")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return a, err
	}
	defer res.Body.Close()
	a = plainAnswer{status: res.StatusCode, header: res.Header}
	in := io.Reader(res.Body)
	if res.Header.Get("Content-Encoding") == "gzip" {
		if in, err = gzip.NewReader(in); err != nil {
			return a, err
		}
	}
	if a.body, err = io.ReadAll(in); err == nil && strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		err = json.Unmarshal(a.body, &a.json)
	}
	return a, err
}

func newID() string {
	n := rand.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", uint32(n), n>>48, n>>32&0xfff, n>>20&0xfff, n&0xffffffffffff)
}

func (c *plainClient) address(version, last string) string {
	return c.base + "/adminapi/" + version + "/" + c.tenant + "/" + last
}

// here is an address that the server gave, at the place where this test reaches it.
func (c *plainClient) here(link string) (string, error) {
	u, err := url.Parse(link)
	if err != nil {
		return "", err
	}
	return c.base + u.RequestURI(), nil
}

// input is the body of row CK-327.
func input(name string, params map[string]any) map[string]any {
	in := map[string]any{"CmdletName": name}
	if params != nil {
		in["Parameters"] = params
	}
	return map[string]any{"CmdletInput": in}
}

// A plainResult is all pages of a command's answer.
type plainResult struct {
	value    []any
	warnings []string
	pages    int
	last     plainAnswer
}

// run runs a command and follows nextLink until it is gone (row CK-341).
func (c *plainClient) run(ctx context.Context, name string, params map[string]any, header http.Header) (r plainResult, err error) {
	return c.runAt(ctx, c.address("beta", "InvokeCommand"), name, params, header)
}

func (c *plainClient) runAt(ctx context.Context, address, name string, params map[string]any, header http.Header) (r plainResult, err error) {
	for address != "" {
		if r.last, err = c.send(ctx, http.MethodPost, address, input(name, params), header); err != nil {
			return r, err
		}
		if r.last.status == http.StatusNoContent {
			return r, nil
		}
		if r.last.status != http.StatusOK {
			return r, r.last.failure()
		}
		r.pages++
		r.take(r.last.json)
		link, more := r.last.json["@odata.nextLink"].(string)
		if !more {
			return r, nil
		}
		if address, err = c.here(link); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (r *plainResult) take(body map[string]any) {
	value, _ := body["value"].([]any)
	r.value = append(r.value, value...)
	warnings, _ := body["@adminapi.warnings"].([]any)
	for _, w := range warnings {
		r.warnings = append(r.warnings, w.(string))
	}
}

// failure reads the error of rows CK-345 and CK-346; a 403 without a body is one too (CK-347).
func (a plainAnswer) failure() error {
	e := &plainError{status: a.status}
	body, _ := a.json["error"].(map[string]any)
	if body == nil {
		return e
	}
	e.code, _ = body["code"].(string)
	details, _ := body["details"].([]any)
	for _, d := range details {
		message, _ := d.(map[string]any)["message"].(string)
		if parts := strings.Split(message, "|"); len(parts) == 3 { // some split on exactly three
			e.id, e.kind, e.is = parts[0], parts[1], parts[2]
		}
	}
	return e
}

// batch runs commands ten at a time and goes on with their next pages (row CK-351), and returns
// the objects of each.
func (c *plainClient) batch(ctx context.Context, commands []map[string]any, header http.Header) (results []plainResult, err error) {
	type request = map[string]any
	results = make([]plainResult, len(commands))
	var waiting []request
	for i, body := range commands {
		waiting = append(waiting, request{"id": strconv.Itoa(i), "method": "POST", "url": "InvokeCommand", "headers": map[string]string{}, "body": body})
	}
	for len(waiting) > 0 {
		some := waiting[:min(len(waiting), 10)]
		waiting = waiting[len(some):]
		a, err := c.send(ctx, http.MethodPost, c.address("beta", "$batch"), map[string]any{"requests": some}, header)
		if err != nil {
			return nil, err
		}
		responses, _ := a.json["responses"].([]any)
		if a.status != http.StatusOK || len(responses) != len(some) {
			return nil, a.failure()
		}
		for i, item := range responses {
			response := item.(map[string]any)
			if response["id"] != some[i]["id"] || response["status"] != 200.0 {
				return nil, fmt.Errorf("%v: %v", response["id"], response)
			}
			body := response["body"].(map[string]any)
			n, _ := strconv.Atoi(some[i]["id"].(string))
			results[n].pages++
			results[n].take(body)
			if link, more := body["@odata.nextLink"]; more {
				waiting = append(waiting, request{"id": some[i]["id"], "method": "POST", "url": link, "headers": map[string]string{}, "body": some[i]["body"]})
			}
		}
	}
	return results, nil
}

// exported returns the commands that the caller may run (row CK-352).
func (c *plainClient) exported(ctx context.Context, version, pattern string) ([]string, error) {
	a, err := c.send(ctx, http.MethodGet, c.address(version, "EXOModuleFile?Version=3.5.0"), nil, http.Header{"Commandname": {pattern}})
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK {
		return nil, a.failure()
	}
	var names []string
	for _, file := range a.json["value"].([]any) {
		list, _ := file.(map[string]any)["exportedCmdlets"].(string)
		names = append(names, strings.FieldsFunc(list, func(r rune) bool { return r == ',' })...)
	}
	return names, nil
}

// properties reads the simple properties of an object in CLIXML, each with its type (row CK-334).
func properties(document string) (map[string]string, error) {
	var doc struct {
		Obj struct {
			MS struct {
				Member []struct {
					XMLName xml.Name
					N       string `xml:",attr"`
					Text    string `xml:",chardata"`
				} `xml:",any"`
			}
		}
	}
	if err := xml.Unmarshal([]byte(document), &doc); err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, m := range doc.Obj.MS.Member {
		found[m.N] = m.XMLName.Local + " " + m.Text
	}
	return found, nil
}
