package azure

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/fips140"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/durable"
	"github.com/customerkey/customerkey/internal/fault"
)

// mostKeyFile bounds what is read of a file in bytes: a backup holds up to 500 versions.
const mostKeyFile = 16 << 20

// backupKey writes all versions of a key to a file (row CK-197). A file that is there is looked
// for before the vault is asked, and again when it is written.
func (e *Environment) backupKey(ctx context.Context, call *cmdlet.Call) error {
	client, err := e.keys(call)
	if err != nil {
		return err
	}
	name, force := call.Args.Text("Name"), call.Args.On("Force")
	path := call.Args.Text("OutputFile")
	if path == "" {
		path = fmt.Sprintf("backup-%s-%s-%s.backup", call.Args.Text("VaultName"), name, e.c.Now().UTC().Format("20060102150405"))
	}
	if path, err = filepath.Abs(path); err != nil {
		return fault.Wrap(fault.Invalid, err, "the file %q cannot be named", path)
	}
	if _, err := os.Lstat(path); err == nil && !force {
		return fileThere(path)
	}
	if old, err := os.Stat(path); err == nil && !old.Mode().IsRegular() { // it would be replaced by a file: no device may be
		return fault.New(fault.Invalid, "%s is no plain file", path).WithHint("choose the name of a file")
	}
	if proceed, err := call.ShouldProcess("Back up key to "+path, target(call)); err != nil || !proceed {
		return err
	}
	backup, err := client.BackupKey(ctx, name, nil)
	if err != nil {
		return err
	}
	if err := writeFile(path, backup.Value, force); err != nil {
		return err
	}
	return call.Host.Object(cmdlet.TextObject(path))
}

func writeFile(path string, data []byte, force bool) error {
	write := durable.Create
	if force {
		write = durable.Write
	}
	err := write(path, data)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrExist):
		return fileThere(path)
	}
	return fault.Wrap(fault.Unavailable, err, "the file %s cannot be written", path).WithHint("see that the folder exists, that you may write there, and that the disk has room")
}

func fileThere(path string) error {
	return fault.New(fault.Conflict, "the file %s exists already", path).WithHint("choose another name; some commands write over it with -Force")
}

// restoreKey brings a key back from a backup (row CK-198).
func (e *Environment) restoreKey(ctx context.Context, call *cmdlet.Call) error {
	client, err := e.keys(call)
	if err != nil {
		return err
	}
	path := call.Args.Text("InputFile")
	backup, err := readFile(path)
	if err != nil {
		return err
	}
	if proceed, err := call.ShouldProcess("Restore key from "+path, call.Args.Text("VaultName")); err != nil || !proceed {
		return err
	}
	res, err := client.RestoreKey(ctx, azkeys.RestoreKeyParameters{KeyBackup: backup}, nil)
	if err != nil {
		return err
	}
	return call.Host.Object(keyObject(call, res.KeyBundle))
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the file %s cannot be read", path).WithHint("check its name, and that you may read it")
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, mostKeyFile+1))
	switch {
	case err != nil:
		return nil, fault.Wrap(fault.Invalid, err, "the file %s cannot be read", path)
	case len(data) > mostKeyFile:
		return nil, fault.New(fault.TooLarge, "the file %s is longer than %d bytes", path, mostKeyFile)
	case len(data) == 0:
		return nil, fault.New(fault.Invalid, "the file %s is empty", path)
	}
	return data, nil
}

// importKey brings a key of one's own into the vault (row CK-194).
func (e *Environment) importKey(ctx context.Context, call *cmdlet.Call, client *azkeys.Client) error {
	path := call.Args.Text("KeyFilePath")
	data, err := readFile(path)
	if err != nil {
		return err
	}
	key, err := privateKey(data, call.Args.Text("KeyFilePassword"))
	if err != nil {
		return err
	}
	p := azkeys.ImportKeyParameters{
		Key: key, HSM: to.Ptr(call.Args.Text("Destination") == "HSM"), Tags: tags(call),
		KeyAttributes: &azkeys.KeyAttributes{
			Enabled: to.Ptr(!call.Args.On("Disable")), Expires: call.Args.TimePtr("Expires"), NotBefore: call.Args.TimePtr("NotBefore"),
		},
	}
	p.Key.KeyOps = operations(call)
	if proceed, err := e.proceed(ctx, call, "Import key from "+path, target(call), ofNewKey(client)); err != nil || !proceed {
		return err
	}
	made, err := client.ImportKey(ctx, call.Args.Text("Name"), p, nil)
	if err != nil {
		return err
	}
	return call.Host.Object(keyObject(call, made.KeyBundle))
}

// privateKey reads the key of a PKCS #12 or PEM file as the vault takes it. Errors never show
// what the file holds.
func privateKey(data []byte, password string) (*azkeys.JSONWebKey, error) {
	key, err := pemKey(data)
	if key == nil && err == nil {
		if fips140.Enforced() {
			return nil, fault.New(fault.Invalid, "a PKCS #12 file needs SHA-1, which nothing but approved cryptography allows").
				WithHint("write the key as PEM: openssl pkcs12 -in FILE.pfx -nocerts -nodes -out key.pem")
		}
		_, key, err = azidentity.ParseCertificates(data, []byte(password))
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "the key file cannot be read").
			WithHint("give a PKCS #12 file (.pfx) and its password, or an unencrypted PEM file with one RSA or EC key")
	}
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return rsaKey(k)
	case *ecdsa.PrivateKey:
		return ecKey(k)
	}
	return nil, fault.New(fault.Invalid, "the file's key is neither RSA nor EC").WithHint("root keys are RSA keys")
}

// pemKey returns the first private key of a PEM file, nil if data is none.
func pemKey(data []byte) (crypto.PrivateKey, error) {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "PRIVATE KEY":
			return x509.ParsePKCS8PrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			return x509.ParsePKCS1PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			return x509.ParseECPrivateKey(block.Bytes)
		}
	}
	return nil, nil
}

func rsaKey(k *rsa.PrivateKey) (*azkeys.JSONWebKey, error) {
	if len(k.Primes) != 2 {
		return nil, fault.New(fault.Invalid, "the file's RSA key has %d primes", len(k.Primes)).WithHint("vaults take keys of two primes")
	}
	k.Precompute()
	return &azkeys.JSONWebKey{
		Kty: to.Ptr(azkeys.KeyTypeRSA), N: k.N.Bytes(), E: big.NewInt(int64(k.E)).Bytes(), D: k.D.Bytes(),
		P: k.Primes[0].Bytes(), Q: k.Primes[1].Bytes(), DP: k.Precomputed.Dp.Bytes(), DQ: k.Precomputed.Dq.Bytes(), QI: k.Precomputed.Qinv.Bytes(),
	}, nil
}

func ecKey(k *ecdsa.PrivateKey) (*azkeys.JSONWebKey, error) {
	point, err := k.PublicKey.Bytes()
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the file's EC key cannot be read")
	}
	d, err := k.Bytes()
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the file's EC key cannot be read")
	}
	half := (len(point) - 1) / 2
	return &azkeys.JSONWebKey{
		Kty: to.Ptr(azkeys.KeyTypeEC), Crv: to.Ptr(azkeys.CurveName(k.Curve.Params().Name)), X: point[1 : 1+half], Y: point[1+half:], D: d,
	}, nil
}

// writePublic writes the public half of a key as PEM, for -OutFile (row CK-195).
func writePublic(path string, k *azkeys.JSONWebKey) error {
	if k == nil || len(k.N) == 0 {
		return fault.New(fault.Invalid, "only the public half of an RSA key can be written")
	}
	der, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: new(big.Int).SetBytes(k.N), E: int(new(big.Int).SetBytes(k.E).Int64())})
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the public key cannot be encoded")
	}
	var text bytes.Buffer
	if err := pem.Encode(&text, &pem.Block{Type: "PUBLIC KEY", Bytes: der}); err != nil {
		return err
	}
	return writeFile(path, text.Bytes(), false)
}

// clock returns now unless a test says otherwise.
func clock(now func() time.Time) func() time.Time {
	if now == nil {
		return time.Now
	}
	return now
}
