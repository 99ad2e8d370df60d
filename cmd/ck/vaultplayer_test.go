package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
)

// A player works with keys that nobody else touches, through an official client, and knows at
// each moment what every one of them must be: the oracle that answers are compared with.
type player struct {
	client  *azkeys.Client
	rsa     *rsa.PrivateKey // for imports
	hsm     bool            // keys are to be in hardware
	full    bool            // the disk is: what needs space is refused
	refused int             // so often
	keys    map[string]keyModel
	backups map[string]backupModel
	doubts  map[string]doubt // by name: a change that was under way when the server died
	done    map[string]int   // successes by deed
}

// A keyModel is a key as it must be. Without versions there is none.
type keyModel struct {
	versions []versionModel // oldest first
	deleted  bool
}

type versionModel struct {
	id, tag string
	public  crypto.PublicKey
	enabled bool
}

type backupModel struct {
	blob     []byte
	versions []versionModel
}

// A doubtOf is a change that may have happened or not, and what the thing may be if it has.
type doubtOf[M any] struct {
	deed  string
	after func(M) bool
}

// A deedOf is one request about a thing: the refusal that must come for it ("" for success), the
// request itself, which returns the thing as it is afterwards, and what it may be if no answer comes.
type deedOf[M any] struct {
	name  string
	want  string
	call  func(ctx context.Context) (M, error)
	after func(M) bool
}

type (
	doubt = doubtOf[keyModel]
	deed  = deedOf[keyModel]
)

func newPlayer(client *azkeys.Client, key *rsa.PrivateKey, id string, keys int) *player {
	p := &player{client: client, rsa: key, keys: map[string]keyModel{}, backups: map[string]backupModel{}, doubts: map[string]doubt{}, done: map[string]int{}}
	for i := range keys {
		p.keys[fmt.Sprintf("%s-%d", id, i)] = keyModel{}
	}
	return p
}

const (
	notFound   = "404 KeyNotFound"
	nameIsHeld = "409 Conflict"
	forbidden  = "403 Forbidden"
	// unavailable is for what cannot be recorded or stored just now.
	unavailable = "503 ServiceUnavailable"
)

// step does one deed at random and compares the answer. The error says what is wrong with it; no
// answer at all is no error but a doubt.
func (p *player) step(ctx context.Context) error {
	name := p.anyKey()
	if _, open := p.doubts[name]; open {
		return nil
	}
	k := p.keys[name]
	d := p.anyDeed(name, k)
	after, err := d.call(ctx)
	refusal, answered := refusalOf(err)
	if err != nil && !answered {
		p.doubts[name] = doubt{d.name, d.after}
		return nil
	}
	if p.hsm && spurious(err) {
		return nil // then nothing was done, which the oracle holds it to
	}
	if p.full && refusal == unavailable {
		p.refused++
		return nil // the same
	}
	if refusal != d.want {
		return fmt.Errorf("%s %s of %s: %q (%v), want %q", d.name, name, k, refusal, err, d.want)
	}
	if err == nil {
		p.done[d.name]++
		p.keys[name] = after
	}
	return nil
}

// spurious are refusals that may come from SoftHSM for no reason, once it was killed while it wrote:
// that it fails, and, as it answers a wrong ciphertext by the same general error, that this does not
// decrypt. No other 503, and no other 400, comes from there.
func spurious(err error) bool {
	switch refusal, _ := refusalOf(err); refusal {
	case unavailable:
		return strings.Contains(err.Error(), "The hardware security module cannot be reached")
	case "400 BadParameter":
		return strings.Contains(err.Error(), "cannot be decrypted with this key and algorithm")
	}
	return false
}

func (p *player) anyKey() string {
	names := slices.Sorted(maps.Keys(p.keys))
	return names[rand.IntN(len(names))]
}

// refusalOf returns status and code of an answer; an error of our own checks is no answer's.
func refusalOf(err error) (refusal string, answered bool) {
	if e, ok := errors.AsType[*azcore.ResponseError](err); ok {
		return strconv.Itoa(e.StatusCode) + " " + e.ErrorCode, true
	}
	if e, ok := errors.AsType[wrongAnswer](err); ok {
		return "wrong answer: " + string(e), true
	}
	return "", err == nil
}

type wrongAnswer string

func (w wrongAnswer) Error() string { return string(w) }

func (k keyModel) exists() bool         { return len(k.versions) > 0 }
func (k keyModel) live() bool           { return k.exists() && !k.deleted }
func (k keyModel) newest() versionModel { return k.versions[len(k.versions)-1] }

func (k keyModel) String() string {
	state := "live"
	if k.deleted {
		state = "deleted"
	}
	if !k.exists() {
		return "no key"
	}
	return fmt.Sprintf("a %s key of %d versions", state, len(k.versions))
}

func (k keyModel) same(o keyModel) bool {
	return k.deleted == o.deleted && slices.EqualFunc(k.versions, o.versions, func(a, b versionModel) bool {
		return a.id == b.id && a.tag == b.tag && a.enabled == b.enabled && samePublic(a.public, b.public)
	})
}

func samePublic(a, b crypto.PublicKey) bool {
	x, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && x.Equal(b)
}

// with returns k after one more version.
func (k keyModel) with(v versionModel) keyModel {
	k.versions = append(slices.Clone(k.versions), v)
	return k
}

// grown accepts k with one more version that is not known.
func (k keyModel) grown(after keyModel) bool {
	n := len(k.versions)
	return len(after.versions) == n+1 && k.same(keyModel{versions: after.versions[:n], deleted: after.deleted})
}

func (k keyModel) is(want keyModel) func(keyModel) bool {
	return func(after keyModel) bool { return after.same(want) }
}

func onLive(k keyModel) string {
	if !k.live() {
		return notFound
	}
	return ""
}

func onDeleted(k keyModel) string {
	if !k.deleted {
		return notFound
	}
	return ""
}

func onFree(k keyModel) string {
	if k.deleted {
		return nameIsHeld
	}
	return ""
}

// anyDeed is mostly one that will succeed, and now and then any.
func (p *player) anyDeed(name string, k keyModel) deed {
	type choice = func(string, keyModel) deed
	_, restorable := p.backups[name]
	deeds := []choice{p.create, p.importing, p.rotate, p.update, p.remove, p.recover, p.purge, p.backup, p.restore, p.get, p.use}
	switch sensible := rand.IntN(4) > 0; {
	case sensible && k.deleted:
		deeds = []choice{p.recover, p.purge, p.purge}
	case sensible && !k.exists() && restorable:
		deeds = []choice{p.restore}
	case sensible && !k.exists():
		deeds = []choice{p.create, p.importing}
	case sensible:
		deeds = []choice{p.create, p.importing, p.rotate, p.update, p.remove, p.remove, p.backup, p.backup, p.use, p.use}
	}
	return deeds[rand.IntN(len(deeds))](name, k)
}

func (p *player) create(name string, k keyModel) deed {
	return deed{"create", onFree(k), func(ctx context.Context) (keyModel, error) {
		tag := strconv.Itoa(rand.Int())
		res, err := p.client.CreateKey(ctx, name, azkeys.CreateKeyParameters{
			Kty: p.kty(azkeys.KeyTypeEC), Curve: to.Ptr(azkeys.CurveNameP256), Tags: map[string]*string{"t": &tag},
		}, nil)
		return k.then(name, res.KeyBundle, err)
	}, k.grown}
}

func (p *player) kty(t azkeys.KeyType) *azkeys.KeyType {
	if p.hsm {
		t += "-HSM"
	}
	return &t
}

func (p *player) importing(name string, k keyModel) deed {
	return deed{"import", onFree(k), func(ctx context.Context) (keyModel, error) {
		key := p.rsa
		res, err := p.client.ImportKey(ctx, name, azkeys.ImportKeyParameters{Key: &azkeys.JSONWebKey{
			Kty: p.kty(azkeys.KeyTypeRSA), N: key.N.Bytes(), E: big.NewInt(int64(key.E)).Bytes(), D: key.D.Bytes(),
			P: key.Primes[0].Bytes(), Q: key.Primes[1].Bytes(), DP: key.Precomputed.Dp.Bytes(), DQ: key.Precomputed.Dq.Bytes(), QI: key.Precomputed.Qinv.Bytes(),
		}}, nil)
		return k.then(name, res.KeyBundle, err)
	}, k.grown}
}

// rotate keeps type and tags of the newest version.
func (p *player) rotate(name string, k keyModel) deed {
	return deed{"rotate", onLive(k), func(ctx context.Context) (keyModel, error) {
		res, err := p.client.RotateKey(ctx, name, nil)
		after, err := k.then(name, res.KeyBundle, err)
		if err == nil && after.newest().tag != k.newest().tag {
			err = wrongAnswer("the rotated version has other tags")
		}
		return after, err
	}, k.grown}
}

// update changes a version at random.
func (p *player) update(name string, k keyModel) deed {
	if !k.live() {
		return deed{"update", notFound, func(ctx context.Context) (keyModel, error) {
			_, err := p.client.UpdateKey(ctx, name, "", azkeys.UpdateKeyParameters{Tags: map[string]*string{"t": to.Ptr("x")}}, nil)
			return k, err
		}, k.is(k)}
	}
	i := rand.IntN(len(k.versions))
	changed := keyModel{versions: slices.Clone(k.versions)}
	v := &changed.versions[i]
	v.enabled, v.tag = rand.IntN(3) > 0, strconv.Itoa(rand.Int())
	return deed{"update", "", func(ctx context.Context) (keyModel, error) {
		res, err := p.client.UpdateKey(ctx, name, v.id, azkeys.UpdateKeyParameters{
			KeyAttributes: &azkeys.KeyAttributes{Enabled: &v.enabled}, Tags: map[string]*string{"t": &v.tag},
		}, nil)
		return changed, compare(err, res.KeyBundle, *v)
	}, k.is(changed)}
}

func (p *player) remove(name string, k keyModel) deed {
	after := keyModel{k.versions, true}
	return deed{"delete", onLive(k), func(ctx context.Context) (keyModel, error) {
		res, err := p.client.DeleteKey(ctx, name, nil)
		if err == nil && res.Key.KID.Version() != k.newest().id {
			err = wrongAnswer("another version is said to be the newest")
		}
		return after, err
	}, k.is(after)}
}

func (p *player) recover(name string, k keyModel) deed {
	after := keyModel{versions: k.versions}
	return deed{"recover", onDeleted(k), func(ctx context.Context) (keyModel, error) {
		res, err := p.client.RecoverDeletedKey(ctx, name, nil)
		if err != nil {
			return k, err
		}
		return after, compare(nil, res.KeyBundle, k.newest())
	}, k.is(after)}
}

func (p *player) purge(name string, k keyModel) deed {
	return deed{"purge", onDeleted(k), func(ctx context.Context) (keyModel, error) {
		_, err := p.client.PurgeDeletedKey(ctx, name, nil)
		return keyModel{}, err
	}, k.is(keyModel{})}
}

func (p *player) backup(name string, k keyModel) deed {
	return deed{"backup", onLive(k), func(ctx context.Context) (keyModel, error) {
		res, err := p.client.BackupKey(ctx, name, nil)
		if err == nil {
			p.backups[name] = backupModel{res.Value, k.versions}
		}
		return k, err
	}, k.is(k)}
}

func (p *player) restore(name string, k keyModel) deed {
	b, ok := p.backups[name]
	if !ok {
		return p.get(name, k)
	}
	want, after := "", keyModel{versions: b.versions}
	if k.exists() {
		want = nameIsHeld
	}
	return deed{"restore", want, func(ctx context.Context) (keyModel, error) {
		res, err := p.client.RestoreKey(ctx, azkeys.RestoreKeyParameters{KeyBackup: b.blob}, nil)
		if err != nil {
			return k, err
		}
		return after, compare(nil, res.KeyBundle, after.newest())
	}, k.is(after)}
}

func (p *player) get(name string, k keyModel) deed {
	return deed{"get", onLive(k), func(ctx context.Context) (keyModel, error) {
		res, err := p.client.GetKey(ctx, name, "", nil)
		if err != nil {
			return k, err
		}
		return k, compare(nil, res.KeyBundle, k.newest())
	}, k.is(k)}
}

// use signs with a version at random, or unwraps, and checks by its public key.
func (p *player) use(name string, k keyModel) deed {
	d := deed{"use", onLive(k), nil, k.is(k)}
	var v versionModel
	if k.live() {
		if v = k.versions[rand.IntN(len(k.versions))]; !v.enabled {
			d.want = forbidden
		}
	}
	d.call = func(ctx context.Context) (keyModel, error) { return k, p.useVersion(ctx, name, v) }
	return d
}

func (p *player) useVersion(ctx context.Context, name string, v versionModel) error {
	digest := sha256.Sum256([]byte(name))
	if public, ok := v.public.(*rsa.PublicKey); ok {
		sealed, err := rsa.EncryptOAEP(sha256.New(), crand.Reader, public, digest[:], nil)
		if err != nil {
			return err
		}
		res, err := p.client.UnwrapKey(ctx, name, v.id, azkeys.KeyOperationParameters{Algorithm: to.Ptr(azkeys.EncryptionAlgorithmRSAOAEP256), Value: sealed}, nil)
		if err == nil && !slices.Equal(res.Result, digest[:]) {
			err = wrongAnswer("it unwraps to something else")
		}
		return err
	}
	res, err := p.client.Sign(ctx, name, v.id, azkeys.SignParameters{Algorithm: to.Ptr(azkeys.SignatureAlgorithmES256), Value: digest[:]}, nil)
	if err != nil {
		return err
	}
	public, _ := v.public.(*ecdsa.PublicKey)
	if len(res.Result) != 64 || public == nil || !ecdsa.Verify(public, digest[:], new(big.Int).SetBytes(res.Result[:32]), new(big.Int).SetBytes(res.Result[32:])) {
		return wrongAnswer("the signature does not verify")
	}
	return nil
}

// then is k after a version was added, as the answer says.
func (k keyModel) then(name string, b azkeys.KeyBundle, err error) (keyModel, error) {
	if err != nil {
		return k, err
	}
	v, err := versionOf(b)
	if b.Key.KID.Name() != name || !v.enabled {
		err = errors.Join(err, wrongAnswer("the new version is not as asked"))
	}
	return k.with(v), err
}

func versionOf(b azkeys.KeyBundle) (versionModel, error) {
	v := versionModel{id: b.Key.KID.Version(), enabled: *b.Attributes.Enabled}
	if t := b.Tags["t"]; t != nil {
		v.tag = *t
	}
	if *b.Key.Kty == azkeys.KeyTypeRSA || *b.Key.Kty == azkeys.KeyTypeRSAHSM {
		v.public = &rsa.PublicKey{N: new(big.Int).SetBytes(b.Key.N), E: int(new(big.Int).SetBytes(b.Key.E).Int64())}
		return v, nil
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, b.Key.X, b.Key.Y))
	v.public = public
	return v, err
}

// compare checks an answer about a version that is known.
func compare(err error, b azkeys.KeyBundle, want versionModel) error {
	if err != nil {
		return err
	}
	got, err := versionOf(b)
	if err != nil {
		return err
	}
	if !(keyModel{versions: []versionModel{got}}).same(keyModel{versions: []versionModel{want}}) {
		return wrongAnswer(fmt.Sprintf("version %+v, want %+v", got, want))
	}
	return nil
}
