package directory

import (
	"encoding/json"
	"testing"
)

// FuzzParseKeys: what is read has public keys only, and can be written and read again.
func FuzzParseKeys(f *testing.F) {
	for _, seed := range []string{
		`{"keys":[{"kty":"RSA","kid":"1","use":"sig","n":"u1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffAt0gunVTLw7onLRnrq0_IzW7yWR7QkrmBL7jTKEn5u","e":"AQAB"}]}`,
		`{"keys":[{"kty":"oct","k":"AAAA"},{"kty":"EC","crv":"P-256","x":"","y":""}]}`, `{"keys":{}}`, `[]`, `{"keys":[null]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		set, err := parseKeys(body)
		if err != nil {
			return
		}
		for _, k := range set.Keys {
			if !k.IsPublic() || k.Key == nil {
				t.Errorf("%q gave a key that is not public", body)
			}
		}
		again, err := json.Marshal(set)
		if err != nil {
			t.Fatalf("%q cannot be written: %v", body, err)
		}
		if second, err := parseKeys(again); err != nil || len(second.Keys) != len(set.Keys) {
			t.Errorf("%q reads again as %d keys, %v", body, len(second.Keys), err)
		}
	})
}
