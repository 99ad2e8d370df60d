package mailbox

import (
	"context"
	"slices"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// Workload is the workload whose containers mailboxes are.
const Workload = "exchange"

// A Kind of mailbox, by the name that Exchange has for it.
type Kind string

// Kinds (CK-213, CK-293).
const (
	User         Kind = "UserMailbox" // a person's
	MailUser     Kind = "MailUser"    // a person's, which is elsewhere: before a migration, or on premises (CK-234)
	Shared       Kind = "SharedMailbox"
	Room         Kind = "RoomMailbox"
	Equipment    Kind = "EquipmentMailbox"
	Group        Kind = "GroupMailbox"
	PublicFolder Kind = "PublicFolderMailbox"
	Discovery    Kind = "DiscoveryMailbox"
)

// standalone are the kinds that are not a person's.
var standalone = []Kind{Shared, Room, Equipment, Group, PublicFolder, Discovery}

// Kinds returns all kinds.
func Kinds() []Kind { return slices.Concat([]Kind{User, MailUser}, standalone) }

// licensed reports whether a mailbox of the kind needs a licence to have a policy (CK-179).
func (k Kind) licensed() bool { return k == User || k == MailUser }

// A Mailbox is one mailbox of a tenant.
type Mailbox struct {
	Tenant, ID  string // GUIDs; of a person's mailbox, the person's
	Name        string // its address, in lower case
	DisplayName string
	Kind        Kind
	Licences    []directory.Licence // of the person
	Container   string              // id under which its content is kept and its policy assigned
	Policy      string              // id of the policy that it has for itself, "" if none
	Created     time.Time
}

// container returns what holds the content of the mailbox.
func (m Mailbox) container() hierarchy.Container {
	return hierarchy.Container{Tenant: m.Tenant, ID: m.Container, Workload: Workload}
}

// Store keeps the mailboxes that are rows, and sees people, containers and assignments. Errors
// are faults; what is not there is fault.NotFound.
type Store interface {
	Mailbox(ctx context.Context, tenant, name string) (Mailbox, error) // by its name in lower case
	MailboxByID(ctx context.Context, tenant, id string) (Mailbox, error)
	// Mailboxes returns those with names after the given one, in byte order of names.
	Mailboxes(ctx context.Context, tenant, after string, limit int) ([]Mailbox, error)
	// AddMailbox adds one that is not a person's; fault.Conflict if a person or a mailbox has the name.
	AddMailbox(ctx context.Context, m Mailbox) error
	// SetElsewhere makes a person a mail user, or somebody whose mailbox is here again.
	SetElsewhere(ctx context.Context, m Mailbox, elsewhere bool) error
	// Licensed reports whether anybody in the tenant holds one of the licences that package
	// directory knows.
	Licensed(ctx context.Context, tenant string) (bool, error)
}
