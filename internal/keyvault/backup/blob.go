package backup

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"github.com/customerkey/customerkey/envelope"
	"github.com/customerkey/customerkey/internal/fault"
)

// prefix begins every blob. "customerkey" is the issuer: blobs of others are refused.
const prefix = "&AzureKeyVaultKeyBackupV1.customerkey"

// MaxBlob is the longest blob, in bytes: in base64url it fits into a request of 1 MiB (KV-12).
const MaxBlob = 780 << 10

const (
	keyAlgorithm     = jose.RSA_OAEP_256
	contentAlgorithm = jose.A256CBC_HS512
)

// header is the JWE's. No other members are taken: "zip" would be a bomb.
type header struct {
	Alg string `json:"alg"`
	Enc string `json:"enc"`
	KID string `json:"kid"`
}

// Seal returns a blob that Ring.Open opens. The error is fault.TooLarge for one longer than
// MaxBlob: it could never be restored.
func (k *Key) Seal(content []byte) ([]byte, error) {
	inner, err := envelope.Seal(nil, k.secret, k.bind(), content)
	if err != nil {
		return nil, err
	}
	e, err := jose.NewEncrypter(contentAlgorithm, jose.Recipient{Algorithm: keyAlgorithm, Key: &k.private.PublicKey, KeyID: k.id}, nil)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the backup cannot be sealed")
	}
	jwe, err := e.Encrypt(inner)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the backup cannot be sealed")
	}
	text, err := jwe.CompactSerialize()
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the backup cannot be sealed")
	}
	if len(prefix)+len(text) > MaxBlob {
		return nil, fault.New(fault.TooLarge, "The backup would be longer than %d bytes", MaxBlob)
	}
	return []byte(prefix + text), nil
}

// open is Seal's other half; false for everything that Seal did not make.
func (k *Key) open(jwe *jose.JSONWebEncryption) ([]byte, bool) {
	inner, err := jwe.Decrypt(k.private)
	if err != nil {
		return nil, false
	}
	content, err := envelope.Open(nil, k.secret, k.bind(), inner)
	return content, err == nil
}

func (k *Key) bind() []byte { return envelope.Bind("key backup 1", k.id) }

// parse reads the form of a blob and the id of the key it is sealed under. Every value has one
// form: nothing is trimmed, padded or skipped.
func parse(blob []byte) (id string, jwe *jose.JSONWebEncryption, ok bool) {
	if len(blob) > MaxBlob || !bytes.HasPrefix(blob, []byte(prefix)) {
		return "", nil, false
	}
	text := string(blob[len(prefix):])
	parts := strings.Split(text, ".")
	if len(parts) != 5 || strings.ContainsAny(text, "\r\n") {
		return "", nil, false
	}
	var first []byte
	for i, part := range parts {
		b, err := base64.RawURLEncoding.Strict().DecodeString(part)
		if err != nil {
			return "", nil, false
		}
		if i == 0 {
			first = b
		}
	}
	var h header
	d := json.NewDecoder(bytes.NewReader(first))
	d.DisallowUnknownFields()
	if d.Decode(&h) != nil || d.More() || uuid.Validate(h.KID) != nil || len(h.KID) != 36 {
		return "", nil, false
	}
	jwe, err := jose.ParseEncryptedCompact(text, []jose.KeyAlgorithm{keyAlgorithm}, []jose.ContentEncryption{contentAlgorithm})
	return h.KID, jwe, err == nil
}
