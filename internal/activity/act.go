package activity

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// endWithin bounds how long writing down an end may take once the caller has left.
const endWithin = 5 * time.Second

// A Parameter is one that a command was given, its value as text. Who makes it sees to it that
// nothing secret is in it.
type Parameter struct{ Name, Value string }

// A Command is a command that somebody gives, with his rights in Caller.
type Command struct {
	Name       string
	Parameters []Parameter
	Caller     directory.Caller
}

// An Act is one command while it is carried out. It is used by one goroutine.
type Act struct {
	s       *Service
	c       Command
	tenants []string // whose logs it belongs in
	tried   bool     // to write its beginning
	begun   []string // the logs that have its beginning
	object  string
	changes []Change
}

// Act returns the act of a command. Nothing is recorded yet.
func (s *Service) Act(c Command) *Act {
	return &Act{s: s, c: c, tenants: []string{c.Caller.Tenant}}
}

// Concerns says that what follows happens to another organization too. Before Begin only; the
// caller has checked that it exists, and that who gives the command may act on it.
func (a *Act) Concerns(tenant string) {
	if tenant != "" && !slices.Contains(a.tenants, tenant) {
		a.tenants = append([]string{tenant}, a.tenants...)
	}
}

// Begin records that the command is about to change target, which names it for people. An error
// means that it must not. What was begun once needs no second beginning.
func (a *Act) Begin(ctx context.Context, target string) error {
	if a.tried && len(a.begun) == len(a.tenants) {
		return nil
	}
	a.tried = true
	detail := a.s.details(a.c)
	detail[targetDetail] = clip(target)
	for _, tenant := range a.tenants[len(a.begun):] {
		if err := a.s.record(ctx, a.entry(tenant, runAction, audit.Allow, detail)); err != nil {
			return err
		}
		a.begun = append(a.begun, tenant)
	}
	return nil
}

// About says which object is changed, by the id that it is known under. The last one counts.
func (a *Act) About(id string) { a.object = id }

// Changed says that a property has another value. Values that are the same are no change.
func (a *Act) Changed(name, was, now string) {
	if was != now {
		a.changes = append(a.changes, Change{Name: name, Old: clip(was), New: clip(now)})
	}
}

// End records what came of the command: err, or nil if all of it took effect. A command that has
// not begun is recorded if it came to nothing, for that is all there will be of it. It is written
// although ctx has ended; an error of End changes nothing of what has happened.
func (a *Act) End(ctx context.Context, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWithin)
	defer cancel()
	if len(a.begun) == 0 {
		if err == nil {
			return nil
		}
		return a.s.Refuse(ctx, a.c, err)
	}
	decision, detail := audit.Allow, map[string]string{}
	for _, c := range a.changes {
		detail[wasMark+c.Name], detail[nowMark+c.Name] = c.Old, c.New
	}
	if a.object != "" {
		detail[objectDetail] = clip(a.object)
	}
	if err != nil {
		decision = audit.Fail
		explain(detail, err)
	}
	for _, tenant := range a.begun {
		if err := a.s.record(ctx, a.entry(tenant, endAction, decision, detail)); err != nil {
			return err
		}
	}
	return nil
}

// Refuse records that a command came to nothing before it began: a denial if why is
// fault.Forbidden, a failure otherwise.
func (s *Service) Refuse(ctx context.Context, c Command, why error) error {
	decision, detail := audit.Fail, s.details(c)
	if fault.Is(why, fault.Forbidden) {
		decision = audit.Deny
	}
	explain(detail, why)
	return s.record(ctx, audit.Entry{
		Tenant: c.Caller.Tenant, Caller: c.Caller, Action: runAction, Object: c.Name, Decision: decision, Detail: detail,
	})
}

func (a *Act) entry(tenant, action string, d audit.Decision, detail map[string]string) audit.Entry {
	return audit.Entry{Tenant: tenant, Caller: a.c.Caller, Action: action, Object: a.c.Name, Decision: d, Detail: detail}
}

// details are those of every entry that a command begins with.
func (s *Service) details(c Command) map[string]string {
	detail := map[string]string{}
	for _, p := range c.Parameters {
		detail[parameterMark+p.Name] = clip(p.Value)
	}
	roles := make([]string, len(c.Caller.Roles))
	for i, r := range c.Caller.Roles {
		roles[i] = string(r)
	}
	detail[rolesDetail] = clip(strings.Join(roles, ", "))
	if s.c.Server != "" {
		detail[serverDetail] = s.c.Server
	}
	return detail
}

// explain adds why something came to nothing, in the words that the caller was told.
func explain(detail map[string]string, why error) {
	f := fault.As(why)
	detail[reasonDetail], detail[codeDetail] = clip(f.Message), string(f.Code)
}
