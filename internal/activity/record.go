package activity

import (
	"crypto/sha256"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
)

// ExchangeAdmin is the record type of commands (row CK-362).
const ExchangeAdmin = 1

// A UserType says what kind of caller it was, by the numbers of row CK-360.
type UserType int

// The types that there are here.
const (
	Regular     UserType = 0 // a person without a role: refused, or an officer
	Admin       UserType = 2
	DCAdmin     UserType = 3 // an operator of the service
	System      UserType = 4
	Application UserType = 5
)

// A Change is a property that a command gave another value.
type Change struct{ Name, Old, New string }

// A Result says what came of a command, by the words of row CK-361.
type Result string

// Results. Unknown: it is under way, or its server died before it was over.
const (
	Succeeded Result = "True"
	Failed    Result = "False"
	Unknown   Result = ""
)

// A Record is one command, as the schema of rows CK-359 to CK-362 has it.
type Record struct {
	Index      int64            // of the entry that it is made of, in the log "service" of Tenant
	ID         string           // a GUID, the same whenever the entry is read
	Time       time.Time        // when it began, or was refused
	Operation  string           // name of the command
	Tenant     string           // whose record it is
	Caller     directory.Caller // who gave the command; without groups
	UserType   UserType         //
	Target     string           // what it was about, in words; "" if it was refused before that was looked at
	Object     string           // id of what it changed; "" if it did not say
	Server     string           // where the command was sent
	Result     Result           //
	Reason     string           // why it failed
	Parameters []Parameter      // by name
	Changes    []Change         // by name
}

// External reports whether somebody from outside the organization gave the command: an operator
// of the service.
func (r Record) External() bool { return r.Caller.Tenant != r.Tenant }

// recordOf makes the record of a command from the entry that it began with, or was refused with,
// and from the one of its end, if it has one.
func recordOf(begin audit.Stored, end *audit.Entry) Record {
	e := begin.Entry
	r := Record{
		Index: begin.Index, ID: idOf(begin), Time: e.Time, Operation: e.Object, Tenant: e.Tenant, Caller: e.Caller,
		Target: e.Detail[targetDetail], Server: e.Detail[serverDetail],
	}
	if roles := e.Detail[rolesDetail]; roles != "" {
		for role := range strings.SplitSeq(roles, ", ") {
			r.Caller.Roles = append(r.Caller.Roles, directory.Role(role))
		}
	}
	r.UserType = userType(r)
	for _, name := range slices.Sorted(maps.Keys(e.Detail)) {
		if p, ok := strings.CutPrefix(name, parameterMark); ok {
			r.Parameters = append(r.Parameters, Parameter{Name: p, Value: e.Detail[name]})
		}
	}
	switch {
	case e.Decision != audit.Allow:
		r.Result, r.Reason = Failed, e.Detail[reasonDetail]
	case end != nil:
		r.finish(*end)
	}
	return r
}

// finish adds what the entry of its end says.
func (r *Record) finish(end audit.Entry) {
	r.Result = Succeeded
	if end.Decision != audit.Allow {
		r.Result, r.Reason = Failed, end.Detail[reasonDetail]
	}
	r.Object = end.Detail[objectDetail]
	for _, name := range slices.Sorted(maps.Keys(end.Detail)) {
		if p, ok := strings.CutPrefix(name, nowMark); ok {
			r.Changes = append(r.Changes, Change{Name: p, Old: end.Detail[wasMark+p], New: end.Detail[name]})
		}
	}
}

func userType(r Record) UserType {
	switch {
	case r.Caller.Kind == directory.System:
		return System
	case r.Caller.Kind == directory.App:
		return Application
	case r.External() || r.Caller.Has(directory.ServiceOperator):
		return DCAdmin
	case len(r.Caller.Roles) == 0:
		return Regular
	}
	return Admin
}

// recordSpace is the name space of the ids of records, drawn once at random.
var recordSpace = uuid.MustParse("6f1b7f1e-9b0e-4a57-8d6e-0b7a6f1c52d4")

// idOf makes the id of a record from its entry (RFC 9562, version 8).
func idOf(s audit.Stored) string {
	name := append(strconv.AppendInt(nil, s.Index, 10), s.Leaf...)
	return uuid.NewHash(sha256.New(), recordSpace, name, 8).String()
}
