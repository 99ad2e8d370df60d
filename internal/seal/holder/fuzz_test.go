package holder

import (
	"encoding/base64"
	"testing"

	"github.com/customerkey/customerkey/envelope"
)

// FuzzKeyFile: a key file has one form; no error shows what is in it.
func FuzzKeyFile(f *testing.F) {
	f.Add([]byte(fileHeader + " " + base64.StdEncoding.EncodeToString(envelope.NewKey().Expose()) + "\n"))
	f.Add([]byte(fileHeader + " \n"))
	f.Add([]byte("\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		key, err := parseKeyFile(raw)
		if err != nil {
			return
		}
		if again := fileHeader + " " + base64.StdEncoding.EncodeToString(key.Expose()) + "\n"; again != string(raw) {
			t.Errorf("%q is read as %q", raw, again)
		}
	})
}
