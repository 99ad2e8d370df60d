package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
)

// A faceClient sends requests in JSON to one face of the service, as the signed-in person.
type faceClient struct {
	base    string
	http    *http.Client
	token   func(ctx context.Context) (string, error)
	refusal func(status int, body []byte) error // how the face says no
}

// api.{domain} is for what operators do, graph.{domain} for the directory.
func (c *command) apiFace() (*faceClient, error) {
	p, err := c.signedIn()
	if err != nil {
		return nil, err
	}
	base := p.Addresses().API
	return &faceClient{base, p.HTTPClient(), p.TokenSource(base), apiRefusal}, nil
}

func (c *command) graph() (*faceClient, error) {
	p, err := c.signedIn()
	if err != nil {
		return nil, err
	}
	base := p.Addresses().Graph
	return &faceClient{base, p.HTTPClient(), p.TokenSource(base), graphRefusal}, nil
}

// call is that of the API's face.
func (c *command) call(ctx context.Context, method, path string, in, out any) error {
	f, err := c.apiFace()
	if err != nil {
		return err
	}
	return f.call(ctx, method, path, in, out)
}

// maxAnswer bounds what call reads of an answer.
const maxAnswer = 4 << 20

// call sends in, if it is not nil, and reads the answer into out, if that is not nil. What the
// face refuses is the fault that it says.
func (f *faceClient) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader = http.NoBody
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, f.base+path, body)
	if err != nil {
		return err
	}
	token, err := f.token(ctx)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	res, err := f.http.Do(r)
	if err != nil {
		return serviceFault(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	switch {
	case err != nil:
		return serviceFault(err)
	case res.StatusCode >= 300:
		return f.refusal(res.StatusCode, text)
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("reading the service's answer: %w", err)
	}
	return nil
}

// refusalBody is what both faces answer, each with codes of its own.
type refusalBody struct {
	Error struct{ Code, Message, Hint string }
}

func apiRefusal(status int, text []byte) error {
	var body refusalBody
	if json.Unmarshal(text, &body) != nil || body.Error.Code == "" {
		return errNotOurs(status, text)
	}
	return fault.New(fault.Code(body.Error.Code), "%s", body.Error.Message).WithHint("%s", body.Error.Hint)
}

// graphCodes turns the statuses of the directory's face back into codes.
var graphCodes = map[int]fault.Code{
	http.StatusBadRequest: fault.Invalid, http.StatusUnauthorized: fault.Unauthenticated, http.StatusForbidden: fault.Forbidden,
	http.StatusNotFound: fault.NotFound, http.StatusConflict: fault.Conflict, http.StatusRequestEntityTooLarge: fault.TooLarge,
	http.StatusTooManyRequests: fault.Throttled, http.StatusServiceUnavailable: fault.Unavailable,
}

func graphRefusal(status int, text []byte) error {
	var body refusalBody
	if json.Unmarshal(text, &body) != nil || body.Error.Message == "" {
		return errNotOurs(status, text)
	}
	code, ok := graphCodes[status]
	if !ok {
		code = fault.Internal
	}
	return fault.New(code, "%s", body.Error.Message)
}

func errNotOurs(status int, text []byte) error {
	return fault.New(fault.Unavailable, "the service answered %d: %.100s", status, strings.ToValidUTF8(string(text), "?")).
		WithHint("is there something between this machine and the service?")
}
