package keyvault

import "github.com/customerkey/customerkey/internal/keyvault/rights"

// An Action is what a record in the audit log says was asked for.
type Action string

// Actions on the data plane.
const (
	EnterVault     Action = "vault.enter" // only ever refused: a caller of another tenant
	CreateKey      Action = "key.create"
	ImportKey      Action = "key.import"
	GetKey         Action = "key.get"
	ListKeys       Action = "key.list"
	ListVersions   Action = "key.versions"
	UpdateKey      Action = "key.update"
	DeleteKey      Action = "key.delete"
	GetDeleted     Action = "key.get_deleted"
	ListDeleted    Action = "key.list_deleted"
	RecoverKey     Action = "key.recover"
	PurgeKey       Action = "key.purge"
	RotateKey      Action = "key.rotate"
	GetRotation    Action = "key.get_rotation_policy"
	SetRotation    Action = "key.set_rotation_policy"
	BackupKey      Action = "key.backup"
	RestoreKey     Action = "key.restore"
	Encrypt        Action = "key.encrypt"
	Decrypt        Action = "key.decrypt"
	Wrap           Action = "key.wrap"
	Unwrap         Action = "key.unwrap"
	Sign           Action = "key.sign"
	Verify         Action = "key.verify"
	GetAttestation Action = "key.get_attestation"
	ReleaseKey     Action = "key.release"
	RandomBytes    Action = "vault.random"
	Throttled      Action = "vault.throttle" // only ever refused: requests that are told of as a number
)

// Actions of the service itself, when their time has come.
const (
	TellNearExpiry Action = "key.near_expiry"
	TellExpired    Action = "key.expired"
)

// A subject is what must be there before an action's parameters are looked at.
type subject int

const (
	theVault   subject = iota // nothing more
	theName                   // a name that no deleted key holds; a live key may be there
	theKey                    // a version of a live key
	theDeleted                // a deleted key
)

// A rule says what an action on the data plane needs.
type rule struct {
	permission rights.Permission
	or         rights.Permission // which does as well, if any
	subject    subject
	op         string // the key operation that the version must allow, if any
	inWindow   bool   // refused outside NotBefore to Expires; unwrapping never is (KV-58)
}

// rules is the whole table of the data plane (section 4).
var rules = map[Action]rule{
	CreateKey:      {permission: rights.Create, subject: theName},
	ImportKey:      {permission: rights.Import, subject: theName},
	GetKey:         {permission: rights.Get, subject: theKey},
	ListKeys:       {permission: rights.List, subject: theVault},
	ListVersions:   {permission: rights.List, subject: theKey},
	UpdateKey:      {permission: rights.Update, subject: theKey},
	DeleteKey:      {permission: rights.Delete, subject: theKey},
	GetDeleted:     {permission: rights.Get, subject: theDeleted},
	ListDeleted:    {permission: rights.List, subject: theVault},
	RecoverKey:     {permission: rights.Recover, subject: theDeleted},
	PurgeKey:       {permission: rights.Purge, subject: theDeleted},
	RotateKey:      {permission: rights.Rotate, subject: theKey},
	GetRotation:    {permission: rights.GetRotationPolicy, or: rights.Get, subject: theKey}, // KV-104
	SetRotation:    {permission: rights.SetRotationPolicy, or: rights.Update, subject: theKey},
	BackupKey:      {permission: rights.Backup, subject: theKey},
	RestoreKey:     {permission: rights.Restore, subject: theVault},
	Encrypt:        {permission: rights.Encrypt, subject: theKey, op: "encrypt", inWindow: true},
	Decrypt:        {permission: rights.Decrypt, subject: theKey, op: "decrypt"},
	Wrap:           {permission: rights.WrapKey, subject: theKey, op: "wrapKey", inWindow: true},
	Unwrap:         {permission: rights.UnwrapKey, subject: theKey, op: "unwrapKey"},
	Sign:           {permission: rights.Sign, subject: theKey, op: "sign", inWindow: true},
	Verify:         {permission: rights.Verify, subject: theKey, op: "verify"},
	GetAttestation: {permission: rights.Get, subject: theKey},     // always refused (KV-31)
	ReleaseKey:     {permission: rights.Release, subject: theKey}, // always refused (KV-41)
	RandomBytes:    {permission: rights.Any, subject: theVault},
}
