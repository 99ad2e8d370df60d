package keyvault

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
	permission Permission
	or         Permission // which does as well, if any
	subject    subject
	op         string // the key operation that the version must allow, if any
	inWindow   bool   // refused outside NotBefore to Expires; unwrapping never is (KV-58)
}

// rules is the whole table of the data plane (section 4).
var rules = map[Action]rule{
	CreateKey:      {permission: PermitCreate, subject: theName},
	ImportKey:      {permission: PermitImport, subject: theName},
	GetKey:         {permission: PermitGet, subject: theKey},
	ListKeys:       {permission: PermitList, subject: theVault},
	ListVersions:   {permission: PermitList, subject: theKey},
	UpdateKey:      {permission: PermitUpdate, subject: theKey},
	DeleteKey:      {permission: PermitDelete, subject: theKey},
	GetDeleted:     {permission: PermitGet, subject: theDeleted},
	ListDeleted:    {permission: PermitList, subject: theVault},
	RecoverKey:     {permission: PermitRecover, subject: theDeleted},
	PurgeKey:       {permission: PermitPurge, subject: theDeleted},
	RotateKey:      {permission: PermitRotate, subject: theKey},
	GetRotation:    {permission: PermitGetRotationPolicy, or: PermitGet, subject: theKey}, // KV-104
	SetRotation:    {permission: PermitSetRotationPolicy, or: PermitUpdate, subject: theKey},
	BackupKey:      {permission: PermitBackup, subject: theKey},
	RestoreKey:     {permission: PermitRestore, subject: theVault},
	Encrypt:        {permission: PermitEncrypt, subject: theKey, op: "encrypt", inWindow: true},
	Decrypt:        {permission: PermitDecrypt, subject: theKey, op: "decrypt"},
	Wrap:           {permission: PermitWrapKey, subject: theKey, op: "wrapKey", inWindow: true},
	Unwrap:         {permission: PermitUnwrapKey, subject: theKey, op: "unwrapKey"},
	Sign:           {permission: PermitSign, subject: theKey, op: "sign", inWindow: true},
	Verify:         {permission: PermitVerify, subject: theKey, op: "verify"},
	GetAttestation: {permission: PermitGet, subject: theKey},     // always refused (KV-31)
	ReleaseKey:     {permission: PermitRelease, subject: theKey}, // always refused (KV-41)
	RandomBytes:    {permission: permitAny, subject: theVault},
}
