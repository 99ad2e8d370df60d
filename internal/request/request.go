package request

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"
)

// A Kind names what is asked for: "onboarding", "purge". Which there are is data handed in.
type Kind string

// A State says where a request stands. The last five are final.
type State string

// The states, as drawn in the package comment.
const (
	Waiting   State = "waiting"  // for approvals
	Approved  State = "approved" // its operation is stored, and begins when Waited has reached Wait
	Running   State = "running"  // its operation has begun: it cannot be stopped here any more
	Done      State = "done"
	Failed    State = "failed"
	Denied    State = "denied"
	Withdrawn State = "withdrawn"
	Expired   State = "expired"
)

// Open reports whether a request in this state can still come to something.
func (s State) Open() bool { return s == Waiting || s == Approved || s == Running }

// undecided reports whether it can still be denied or withdrawn.
func (s State) undecided() bool { return s == Waiting || s == Approved }

// A Person is who asked or approved. Name is for people to read, never for decisions.
type Person struct {
	Tenant string `json:"tenant"`
	ID     string `json:"id"` // object id
	Name   string `json:"name"`
}

func (p Person) is(o Person) bool { return p.Tenant == o.Tenant && p.ID == o.ID }

// A Side is on whose behalf an approval was given.
type Side string

// The sides.
const (
	Officer  Side = "officer"  // of the tenant, named for the family
	Operator Side = "operator" // of the service
	ByRule   Side = "rule"     // nobody: the kind is approved when it is asked for
)

// An Approval is one of a request.
type Approval struct {
	Side   Side      `json:"side"`
	By     Person    `json:"by"`
	At     time.Time `json:"at"`
	Digest string    `json:"digest"` // of what was approved
}

// A Fact is a line of what a dry run listed. Names may repeat.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A Request is something that needs approval. Everything from Tenant to Asked is fixed when it
// is asked for, and is what [Request.Digest] stands for.
type Request struct {
	Tenant, ID string // GUIDs; the id says the order of asking
	Kind       Kind
	Family     string // whose officers approve it: "mailbox"
	Subject    string // what it is about: the id of a policy, a family, a person
	Reason     string // why
	Contact    string // who can be asked about it
	Detail     []Fact // what approvers should know, and the deed needs
	Needs      Needs
	Wait       time.Duration // between the last approval and the beginning: time to stop it
	AskedBy    Person
	Asked      time.Time

	State     State
	Approvals []Approval    // in the order in which they were given
	Expires   time.Time     // until then it waits for approvals
	Waited    time.Duration // how much of Wait has passed, as running processes saw it pass
	NotBefore time.Time     // when that is over if nothing stands still and no clock is wrong; zero while it waits
	Trouble   string        // what keeps it from going on, with what to do; "" if nothing. Only as [Service.Get] and [Service.Each] show it
	Operation string        // id of the operation that does it; "" while it waits
	EndedBy   Person        // who denied or withdrew it
	Outcome   string        // how it ended, safe to show
	Ended     time.Time     // zero before
	Updated   time.Time     // the latest time that this request has seen
	Revision  int64         // number of changes, 1 when asked

	Unreadable error // of one in a list whose row is damaged: Detail and Approvals are not what they were
}

// Fact returns the value of the first fact of that name, "" if there is none.
func (r Request) Fact(name string) string {
	i := slices.IndexFunc(r.Detail, func(f Fact) bool { return f.Name == name })
	if i < 0 {
		return ""
	}
	return r.Detail[i].Value
}

// Digest is the SHA-256, in hexadecimal, of all that approvers approve. Two requests never have
// the same: their ids are in it.
func (r Request) Digest() string {
	text, err := json.Marshal(struct {
		Version                                 int
		Tenant, ID                              string
		Kind                                    Kind
		Family, Subject, Reason, Contact        string
		Detail                                  []Fact
		Needs                                   Needs
		WaitMicroseconds, AskedUnixMicroseconds int64
		AskedBy                                 Person
	}{
		1, r.Tenant, r.ID, r.Kind, r.Family, r.Subject, r.Reason, r.Contact, append([]Fact{}, r.Detail...), r.Needs,
		r.Wait.Microseconds(), r.Asked.UnixMicro(), r.AskedBy,
	})
	if err != nil { // there is nothing in it that JSON could refuse
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// ForOperator reports whether an operator has, or will have, a part in it, and it has not come to
// its end: operators see these of all tenants, and so what keeps one from going on.
func (r Request) ForOperator() bool {
	return r.State.Open() && r.Needs.operator()
}
