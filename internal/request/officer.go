package request

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/operation"
)

// An Officership says that somebody is an officer of a family: his approval stands for his
// organization's will (row CK-217).
type Officership struct {
	Tenant, Family string
	Person         Person
	NamedBy        Person
	Named          time.Time
}

// OfficerKind is the kind of the requests that change who the officers are.
const OfficerKind Kind = "officer"

// officerRule: whoever could name officers alone could name himself the one who approves what he
// asks for. So each change after the first takes an officer; or an operator, where all officers
// have left.
var officerRule = Rule{
	Askers: []directory.Role{directory.GlobalAdministrator}, Needs: NeedsEither, Operation: "change officer",
}

// Facts of a request to change officers.
const (
	factChange = "Change" // add or remove
	factPerson = "Person" // object id
	factName   = "Officer"
)

// Officers returns the officers of the caller's tenant, by family and name.
func (s *Service) Officers(ctx context.Context, c directory.Caller) ([]Officership, error) {
	v, err := s.visitor(ctx, c)
	if err != nil {
		return nil, err
	}
	if !v.reader && len(v.officer) == 0 {
		return nil, s.refuse(ctx, c, ReadOfficers, "officers", "", fault.New(fault.Forbidden, "the caller has no role that may see the officers").WithReason(ReasonNotYours).
			WithHint("administrators and officers may"))
	}
	return s.c.Store.Officers(ctx, c.Tenant)
}

// AddOfficer names an officer of a family. The first one is named at once; naming another asks
// for it, and the request comes back.
func (s *Service) AddOfficer(ctx context.Context, c directory.Caller, family, who string) (*Request, error) {
	object := "officers/" + clip(family) + "/" + clip(who)
	if err := s.mayChange(ctx, c, NameOfficer, object, family); err != nil {
		return nil, err
	}
	p, err := s.candidate(ctx, c.Tenant, who)
	if err != nil {
		return nil, err
	}
	all, err := s.officersOf(ctx, c.Tenant, family)
	switch {
	case err != nil:
		return nil, err
	case isOfficer(all, p):
		return nil, s.refuse(ctx, c, NameOfficer, object, "", fault.New(fault.Conflict, "%s is an officer of this family already", p.Name).WithReason(ReasonTwice))
	case len(all) >= MaxOfficers:
		return nil, s.refuse(ctx, c, NameOfficer, object, "", TooManyOfficers())
	case len(all) > 0:
		return s.askForOfficer(ctx, c, family, p, "add")
	}
	if err := s.record(ctx, c, NameOfficer, object, "", audit.Allow, map[string]string{"person": p.ID, "family": family}); err != nil {
		return nil, err
	}
	first := Officership{Tenant: c.Tenant, Family: family, Person: p, NamedBy: personOf(c), Named: s.now()}
	if err := s.c.Store.SetOfficer(ctx, first, false, true); err != nil {
		return nil, s.failed(ctx, c, NameOfficer, object, "", err)
	}
	return nil, nil
}

// RemoveOfficer asks for taking an officer back. What he has approved stays approved.
func (s *Service) RemoveOfficer(ctx context.Context, c directory.Caller, family, who string) (*Request, error) {
	object := "officers/" + clip(family) + "/" + clip(who)
	if err := s.mayChange(ctx, c, DropOfficer, object, family); err != nil {
		return nil, err
	}
	all, err := s.officersOf(ctx, c.Tenant, family)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(o Officership) bool { // he may have left the directory already
		return strings.EqualFold(o.Person.ID, who) || strings.EqualFold(o.Person.Name, who)
	})
	if i < 0 {
		return nil, fault.New(fault.NotFound, "%q is no officer of this family", clip(who)).WithHint("Get-CKOfficer lists them")
	}
	return s.askForOfficer(ctx, c, family, all[i].Person, "remove")
}

// mayChange is the door for changes of officers.
func (s *Service) mayChange(ctx context.Context, c directory.Caller, do Action, object, family string) error {
	switch {
	case c.Tenant == "":
		return errNobody()
	case c.Kind != directory.User || !c.Has(directory.GlobalAdministrator):
		return s.refuse(ctx, c, do, object, "", fault.New(fault.Forbidden, "changing officers takes a person with the role %s", directory.GlobalAdministrator).WithReason(ReasonNotYours))
	case !s.isFamily(family):
		return s.refuse(ctx, c, do, object, "", errNoFamily(family, s.c.Families))
	}
	return nil
}

// candidate finds who is meant.
func (s *Service) candidate(ctx context.Context, tenant, who string) (Person, error) {
	id, name, err := s.c.Person(ctx, tenant, who)
	if fault.Is(err, fault.NotFound) {
		err = fault.Wrap(fault.NotFound, err, "there is nobody named %q in the organization", clip(who)).WithHint("give the user principal name or the object id")
	}
	return Person{Tenant: tenant, ID: id, Name: name}, err
}

func (s *Service) officersOf(ctx context.Context, tenant, family string) ([]Officership, error) {
	all, err := s.c.Store.Officers(ctx, tenant)
	return slices.DeleteFunc(all, func(o Officership) bool { return o.Family != family }), err
}

func isOfficer(all []Officership, p Person) bool {
	return slices.ContainsFunc(all, func(o Officership) bool { return o.Person.is(p) })
}

func (s *Service) askForOfficer(ctx context.Context, c directory.Caller, family string, p Person, change string) (*Request, error) {
	r, err := s.Ask(ctx, c, Ask{
		Kind: OfficerKind, Family: family, Subject: family + "/" + p.ID,
		Detail: []Fact{{factChange, change}, {factName, p.Name}, {factPerson, p.ID}},
	})
	if err != nil {
		return nil, err
	}
	return &r, nil
}

// changeOfficer is the deed of OfficerKind.
func (s *Service) changeOfficer(ctx context.Context, _ *operation.Run, r Request) (string, error) {
	p := Person{Tenant: r.Tenant, ID: r.Fact(factPerson), Name: r.Fact(factName)}
	o := Officership{Tenant: r.Tenant, Family: r.Family, Person: p, NamedBy: r.AskedBy, Named: s.at(r)}
	if r.Fact(factChange) == "remove" {
		return p.Name + " is no officer any more", s.c.Store.SetOfficer(ctx, o, true, false)
	}
	if err := s.stillThere(ctx, p); err != nil {
		return "", err
	}
	err := s.c.Store.SetOfficer(ctx, o, false, false)
	if fault.As(err).Reason == ReasonTooMany {
		err = fault.Wrap(fault.Invalid, err, "the family has as many officers as it can have")
	}
	return p.Name + " is an officer", err
}

// stillThere refuses to name somebody who has left since he was proposed: with fault.Invalid,
// for trying again does not bring him back.
func (s *Service) stillThere(ctx context.Context, p Person) error {
	id, _, err := s.c.Person(ctx, p.Tenant, p.ID)
	if fault.Is(err, fault.NotFound) || err == nil && id != p.ID {
		return fault.New(fault.Invalid, "%s is not a person of the organization any more", clip(p.Name))
	}
	return err
}
