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

// maxAnswer bounds what call reads of an answer.
const maxAnswer = 4 << 20

// call sends a request to api.{domain} as the signed-in person, with in as JSON if it is not nil,
// and reads the JSON answer into out. What the service refuses is the fault that it says.
func (c *command) call(ctx context.Context, method, path string, in, out any) error {
	p, err := c.signedIn()
	if err != nil {
		return err
	}
	base := p.Addresses().API
	var body io.Reader = http.NoBody
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, base+path, body)
	if err != nil {
		return err
	}
	token, err := p.TokenSource(base)(ctx)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	res, err := p.HTTPClient().Do(r)
	if err != nil {
		return serviceFault(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return serviceFault(err)
	}
	if res.StatusCode >= 300 {
		return refusal(res.StatusCode, text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}

// refusal reads the body of an error.
func refusal(status int, text []byte) error {
	var body struct {
		Error struct {
			Code    fault.Code
			Message string
			Hint    string
		}
	}
	if json.Unmarshal(text, &body) != nil || body.Error.Code == "" {
		return fault.New(fault.Unavailable, "the service answered %d: %.100s", status, strings.ToValidUTF8(string(text), "?")).
			WithHint("is there something between this machine and the service?")
	}
	return fault.New(body.Error.Code, "%s", body.Error.Message).WithHint("%s", fmt.Sprint(body.Error.Hint))
}
