package api

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// worthPacking is how many bytes an answer must have to be sent packed.
const worthPacking = 1400

// send writes an answer. What goes wrong now is the connection's trouble.
func (x *Exchange) send(w http.ResponseWriter, r *http.Request, in *invocation, res *response) {
	h := w.Header()
	for name, values := range in.out {
		h[name] = values
	}
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Encoding")
	body := res.bytes(h)
	if len(body) >= worthPacking && acceptsGzip(r.Header) {
		body = packed(body)
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(exchangeWriting)) // where the connection has deadlines
	w.WriteHeader(res.status)
	_, _ = w.Write(body)
}

// bytes returns the body, and says in h what it is.
func (res *response) bytes(h http.Header) []byte {
	switch body := res.body.(type) {
	case nil:
		return nil
	case string:
		h.Set("Content-Type", "text/plain; charset=utf-8")
		return []byte(body)
	}
	h.Set("Content-Type", exchangeType)
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(res.body); err != nil { // no type that is written here can fail
		return nil
	}
	return b.Bytes()
}

// exchangeType is the type of every JSON body (row CK-337).
const exchangeType = "application/json;odata.metadata=minimal"

// acceptsGzip reports whether the client asks for packed answers (row CK-336). No answer of this
// face holds both a secret and what another may choose, so the length of a packed one tells nothing.
func acceptsGzip(h http.Header) bool {
	for _, line := range h.Values("Accept-Encoding") {
		for part := range strings.SplitSeq(line, ",") {
			name, parameter, _ := strings.Cut(part, ";")
			if strings.EqualFold(strings.TrimSpace(name), "gzip") {
				_, weight, given := strings.Cut(strings.ReplaceAll(parameter, " ", ""), "q=")
				q, err := strconv.ParseFloat(weight, 64)
				return !given || err == nil && q > 0
			}
		}
	}
	return false
}

func packed(body []byte) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed) // the level is one that there is
	_, _ = z.Write(body)                            // into memory
	_ = z.Close()
	return b.Bytes()
}
