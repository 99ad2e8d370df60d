package backup

import (
	"testing"
)

// FuzzParse: any bytes are refused or are one of our blobs in form, with a key's id that can be
// looked up; whoever reads further does so under that key alone.
func FuzzParse(f *testing.F) {
	f.Add([]byte(prefix))
	f.Add([]byte(prefix + "eyJhbGciOiJSU0EtT0FFUC0yNTYiLCJlbmMiOiJBMjU2Q0JDLUhTNTEyIiwia2lkIjoiNmYwZTVkNmUtN2Q0ZS00YzVmLTk1ZDItN2JmN2ZkN2UwYjBhIn0.AAAA.AAAA.AAAA.AAAA"))
	f.Add([]byte(prefix + "e30...."))
	f.Add([]byte("&AzureKeyVaultKeyBackupV1.microsoft.comeyJ"))
	f.Fuzz(func(t *testing.T, blob []byte) {
		id, jwe, ok := parse(blob)
		if !ok {
			return
		}
		if len(id) != 36 || jwe == nil || jwe.Header.KeyID != id || jwe.Header.Algorithm != string(keyAlgorithm) {
			t.Errorf("%q: id %q, header %+v", blob, id, jwe)
		}
		text, err := jwe.CompactSerialize()
		if err != nil || prefix+text != string(blob) {
			t.Errorf("%q has another form: %q, %v", blob, text, err)
		}
	})
}
