package policy

import (
	"context"
	"net/url"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/hierarchy"
)

// A Draft says what a new policy shall be.
type Draft struct {
	Family      Family   // required: MultiWorkload or Mailbox
	Name        string   // required: 1 to 64 characters
	Description string   // up to 1024 characters
	KeyURIs     []string // exactly two (CK-164)
	Enabled     bool
}

// Create makes a policy with its availability key and its first policy key (CK-230), after
// checking all that can be checked about both root keys: every unmet condition is in the
// one fault that comes back (CK-307), and in its cause, [Findings]. It assigns nothing.
//
// A failure after the availability key was made leaves that key behind, which protects
// nothing and which nobody can reach. The policy and its generation are there both or not.
func (s *Service) Create(ctx context.Context, caller directory.Caller, d Draft) (Policy, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return Policy{}, fault.Wrap(fault.Unavailable, err, "no random number for the policy's id")
	}
	p := Policy{Tenant: caller.Tenant, ID: id.String(), Family: d.Family, Name: d.Name, Description: d.Description, Enabled: d.Enabled}
	detail := keyDetail(d.KeyURIs)
	detail["name"] = clip(d.Name)
	if err := s.authorize(ctx, caller, p.Family, Create, p.ID, detail); err != nil {
		return Policy{}, err
	}
	p, err = s.create(ctx, caller, p, d.KeyURIs)
	if err != nil {
		return Policy{}, s.failed(ctx, caller, Create, id.String(), err)
	}
	return p, nil
}

// keyDetail says for the record which keys were named.
func keyDetail(uris []string) map[string]string {
	detail := map[string]string{}
	for i, uri := range uris[:min(len(uris), 2)] {
		detail[[]string{"key1", "key2"}[i]] = clip(withoutSecrets(uri))
	}
	return detail
}

// withoutSecrets leaves out where a password might stand in a URI that nobody has looked at yet.
func withoutSecrets(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return "(not a URI)"
	}
	u.User, u.RawQuery, u.Fragment, u.RawFragment = nil, "", "", ""
	return u.String()
}

func (s *Service) create(ctx context.Context, caller directory.Caller, p Policy, uris []string) (Policy, error) {
	if p.Family == SharePoint {
		return p, fault.New(fault.Invalid, "a policy for files is made for a geo").WithHint("make it with Register-%s", p.Family.Noun())
	}
	if err := s.checkNew(ctx, p); err != nil {
		return p, err
	}
	roots, found, err := s.parse(uris)
	if err != nil {
		return p, err
	}
	apart, err := s.apart(ctx, p.Tenant, roots)
	if err != nil {
		return p, err
	}
	p.Roots = refsOf(p.Tenant, p.Family, roots)
	if err := s.validate(ctx, p.Roots, roots, append(found, apart...)); err != nil {
		return p, err
	}
	return s.found(ctx, caller, p, nil)
}

// checkNew checks the texts of a new policy, and early what Apply makes sure of in the end.
func (s *Service) checkNew(ctx context.Context, p Policy) error {
	if err := checkName(p.Name); err != nil {
		return err
	}
	if err := checkText("description", p.Description, maxDescription); err != nil {
		return err
	}
	all, err := s.c.Store.Policies(ctx, p.Tenant, p.Family, maxPolicies)
	if err != nil {
		return err
	}
	if most := p.Family.mostActive(); p.Enabled && most > 0 && active(all) >= most {
		return TooManyActive(most)
	}
	if len(all) >= maxPolicies {
		return fault.New(fault.Conflict, "the tenant has %d policies, which is the most", maxPolicies).WithReason(ReasonTooMany).
			WithHint("use one of them: name and description can be changed")
	}
	for _, other := range all {
		if FoldName(other.Name) == FoldName(p.Name) {
			return NameTaken(p.Name)
		}
	}
	return nil
}

// active counts the policies that are enabled.
func active(all []Policy) (n int) {
	for _, p := range all {
		if p.Enabled {
			n++
		}
	}
	return n
}

// TooManyActive returns the fault for one enabled policy too many (CK-175).
func TooManyActive(most int) error {
	return fault.New(fault.Conflict, "the organization has %d active mailbox policies, which is the most", most).WithReason(ReasonTooMany).
		WithHint("disable one that takes no more mailboxes: Set-%s -Identity NAME -Enabled $false", Mailbox.Noun())
}

// NameTaken returns the fault for a name that another policy of the tenant has (CK-182).
func NameTaken(name string) error {
	return fault.New(fault.Conflict, "a policy named %q already exists", name).WithReason(ReasonNameTaken).
		WithHint("choose another name, or use that policy")
}

// found makes the keys of a new policy and stores it with its first generation, and with
// its assignment, if it comes with one.
func (s *Service) found(ctx context.Context, caller directory.Caller, p Policy, a *Assignment) (Policy, error) {
	var err error
	if !s.view {
		if p.AvailabilityKey, err = s.c.Availability.Create(ctx, caller, s.availabilityScope(p)); err != nil {
			return p, err
		}
	}
	g, err := s.generation(ctx, caller, p, 1)
	if err != nil {
		return p, err
	}
	p.State, p.Generation, p.Number = PendingActivation, g.ID, g.Number
	if a != nil {
		p.State = Active
	}
	p.Created = s.now()
	p.Updated = p.Created
	op, err := s.followUp(p)
	if err != nil {
		return p, err
	}
	if err := s.c.Store.Apply(ctx, Edit{Tenant: p.Tenant, Policy: &p, MostActive: p.mostActive(), Generation: &g, Assignment: a, Operation: op}); err != nil {
		return p, err
	}
	p.Revision = 1
	return p, nil
}

// mostActive is the limit that storing the policy as it is must keep.
func (p Policy) mostActive() int {
	if !p.Enabled {
		return 0
	}
	return p.Family.mostActive()
}

// generation makes a policy key that both roots wrap and unwrap: the proof that the service
// may (CK-169).
func (s *Service) generation(ctx context.Context, caller directory.Caller, p Policy, number int) (hierarchy.Generation, error) {
	if s.keyGoes(p) {
		return hierarchy.Generation{}, KeyGoes()
	}
	newKey := s.c.Keys.NewGeneration
	if p.Family == SharePoint {
		newKey = s.c.Keys.NewHedged // CK-66
	}
	g, err := newKey(ctx, caller, p.Tenant, p.ID, number, p.Roots, p.AvailabilityKey)
	if fault.Is(err, fault.Denied) {
		err = Findings{notSeen(root{}, err)}.fault()
	}
	return g, err
}
