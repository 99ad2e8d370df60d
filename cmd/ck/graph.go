package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/customerkey/customerkey/internal/fault"
)

// A graphClient speaks to the directory's face as the signed-in person.
type graphClient struct {
	base  string
	http  *http.Client
	token func(ctx context.Context) (string, error)
}

func (c *command) graph() (*graphClient, error) {
	p, err := c.signedIn()
	if err != nil {
		return nil, err
	}
	base := p.Addresses().Graph
	return &graphClient{base, p.HTTPClient(), p.TokenSource(base)}, nil
}

// maxGraph bounds an answer.
const maxGraph = 1 << 20

// call sends in, if it is not nil, and reads the answer into out, if that is not nil.
func (g *graphClient) call(ctx context.Context, method, path string, in, out any) error {
	body := []byte{}
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, g.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	token, err := g.token(ctx)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	res, err := g.http.Do(r)
	if err != nil {
		return serviceFault(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxGraph))
	switch {
	case err != nil:
		return serviceFault(err)
	case res.StatusCode >= 300:
		return graphFault(res.StatusCode, text)
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("reading the directory's answer: %w", err)
	}
	return nil
}

// graphCodes turns the statuses of the face back into codes.
var graphCodes = map[int]fault.Code{
	http.StatusBadRequest: fault.Invalid, http.StatusUnauthorized: fault.Unauthenticated, http.StatusForbidden: fault.Forbidden,
	http.StatusNotFound: fault.NotFound, http.StatusConflict: fault.Conflict, http.StatusRequestEntityTooLarge: fault.TooLarge,
	http.StatusTooManyRequests: fault.Throttled, http.StatusServiceUnavailable: fault.Unavailable,
}

func graphFault(status int, body []byte) error {
	var answer struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.Error.Message == "" {
		return errors.New("the directory failed with " + http.StatusText(status))
	}
	code, ok := graphCodes[status]
	if !ok {
		code = fault.Internal
	}
	return fault.New(code, "%s", answer.Error.Message)
}
