package keyvault

import (
	"context"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
	"github.com/customerkey/customerkey/internal/keyvault/rights"
)

// maxAssignments is how many role assignments a subscription holds, as in Azure.
const maxAssignments = 4000

// AssignRole gives a role to a principal at a scope; a.Created and a.CreatedBy are set here. It
// takes effect for the next request. What is there already is left as it is but for its
// description; under another id it is ReasonRoleAssigned, and an id that stands for something
// else is ReasonRoleFixed.
func (s *Service) AssignRole(ctx context.Context, c directory.Caller, a rights.Assignment) (rights.Assignment, bool, error) {
	created := false
	got, err := again(func() (rights.Assignment, error) {
		return manage(ctx, s, c, AssignRole, a.Scope, func(d *desk) (func() (rights.Assignment, error), error) {
			a, err := s.readAssignment(ctx, d, a)
			if err != nil {
				return nil, err
			}
			old, err := s.alike(ctx, d.subscription, a)
			if created = fault.Is(err, fault.NotFound); created {
				return s.addAssignment(ctx, d.subscription, a)
			}
			if err != nil || old.Description == a.Description {
				return func() (rights.Assignment, error) { return old, nil }, err
			}
			return s.describeAssignment(ctx, d.subscription, old, a.Description)
		})
	})
	return got, created, err
}

func (s *Service) describeAssignment(ctx context.Context, sub Subscription, a rights.Assignment, description string) (func() (rights.Assignment, error), error) {
	if a.ID == sub.ownership().ID {
		return nil, errOwnership()
	}
	a.Description = description
	return func() (rights.Assignment, error) {
		err := s.store.DescribeAssignment(ctx, a)
		if fault.Is(err, fault.NotFound) { // taken away meanwhile
			err = ErrChanged()
		}
		return a, err
	}, nil
}

// errOwnership is about the assignment that a subscription's owner has by being it.
func errOwnership() error {
	return fault.New(fault.Conflict, "The owner of a subscription keeps his role in it").WithReason(ReasonRoleFixed).
		WithHint("An operator of the service can name another owner.")
}

// readAssignment checks what shall be assigned and completes it: the scope with the names that
// its parts were given. A key need not be there: who manages does not learn which are.
func (s *Service) readAssignment(ctx context.Context, d *desk, a rights.Assignment) (rights.Assignment, error) {
	if !naming.IsGUID(a.ID) {
		return a, fault.New(fault.Invalid, "The role assignment ID '%.64s' is not valid. The role assignment ID must be a GUID", a.ID).WithReason(ReasonRoleID)
	}
	a.Tenant, a.ID, a.Principal = d.subscription.Tenant, naming.Fold(a.ID), naming.Fold(a.Principal)
	d.entry.Object = "roles/" + a.ID
	role, ok := rights.RoleOf(a.Role)
	if !ok {
		return a, fault.New(fault.Invalid, "The specified role definition with ID '%.64s' does not exist", a.Role).WithReason(ReasonNoRole)
	}
	a.Role = role.ID
	if a.Kind == "" {
		a.Kind = rights.UserPrincipal
	}
	switch {
	case !naming.IsGUID(a.Principal):
		return a, naming.Invalid("principalId")
	case a.Kind != rights.UserPrincipal && a.Kind != rights.GroupPrincipal && a.Kind != rights.ServicePrincipal:
		return a, naming.Invalid("principalType").WithHint("It is User, Group or ServicePrincipal.")
	case len([]rune(a.Description)) > 1024 || strings.ContainsRune(a.Description, 0):
		return a, naming.Invalid("description")
	}
	var err error
	if a.Scope, a.PlaceMade, err = s.locate(ctx, d, a.Scope); err != nil {
		return a, err
	}
	d.entry.Detail["role"], d.entry.Detail["principal"], d.entry.Detail["scope"] = role.Name, a.Principal, a.Scope.String()
	a.Created, a.CreatedBy = s.now(), naming.Fold(d.caller.ID)
	return a, nil
}

// locate checks that a scope is there. It returns it with the names as they were given, and when
// its vault was made, or else its group.
func (s *Service) locate(ctx context.Context, d *desk, at rights.Scope) (where rights.Scope, made time.Time, err error) {
	at.Subscription = d.subscription.ID
	if at.Vault != "" {
		object := d.entry.Object
		v, err := s.place(ctx, d, at.Group, at.Vault)
		d.entry.Object = object
		if err != nil {
			return at, made, err
		}
		at.Group, at.Vault, made = v.Group, v.Name, v.Created
	} else if at.Group != "" {
		g, err := s.group(ctx, d.subscription, at.Group)
		if err != nil {
			return at, made, err
		}
		at.Group, made = g.Name, g.Created
	}
	if at.Key == "" {
		return at, made, nil
	}
	return at, made, naming.CheckKey(at.Key)
}

// alike finds the assignment that is to be made; fault.NotFound if neither its id is taken nor
// its role is held already.
func (s *Service) alike(ctx context.Context, sub Subscription, a rights.Assignment) (rights.Assignment, error) {
	old, err := s.assignment(ctx, sub, a.ID)
	if err == nil && !old.Same(a) {
		return old, fault.New(fault.Invalid, "Tenant ID, application ID, principal ID, and scope are not allowed to be updated").WithReason(ReasonRoleFixed)
	}
	if err == nil || !fault.Is(err, fault.NotFound) {
		return old, err
	}
	list, err := s.store.AssignmentsAt(ctx, a.Tenant, a.Scope, []string{a.Principal})
	if err != nil {
		return rights.Assignment{}, err
	}
	for _, o := range append([]rights.Assignment{sub.ownership()}, list...) {
		if o.Same(a) {
			return o, fault.New(fault.Conflict, "The role assignment already exists. The ID of the existing role assignment is %s", strings.ReplaceAll(o.ID, "-", "")).
				WithReason(ReasonRoleAssigned)
		}
	}
	return rights.Assignment{}, errNoAssignment(a.ID)
}

func (s *Service) addAssignment(ctx context.Context, sub Subscription, a rights.Assignment) (func() (rights.Assignment, error), error) {
	events, err := s.roleChanged(ctx, sub, a)
	return func() (rights.Assignment, error) {
		err := s.tell(s.store.AddAssignment(ctx, a, maxAssignments, events...), events...)
		a.PlaceMade = time.Time{} // as when it is read
		if fault.Is(err, fault.Conflict) && !hasReason(err, ReasonChanged) {
			return a, fault.New(fault.Invalid, "No more role assignments can be created").WithReason(ReasonRoleLimit).
				WithHint("A subscription holds at most %d; assign roles to groups, or at wider scopes.", maxAssignments)
		}
		return a, err
	}, err
}

// UnassignRole takes an assignment away from exactly the scope given, and returns what it was.
// fault.NotFound if there is none.
func (s *Service) UnassignRole(ctx context.Context, c directory.Caller, at rights.Scope, id string) (rights.Assignment, error) {
	return manage(ctx, s, c, UnassignRole, at, func(d *desk) (func() (rights.Assignment, error), error) {
		a, err := s.assignmentAt(ctx, d, at, id)
		if err != nil {
			return nil, err
		}
		if a.ID == d.subscription.ownership().ID {
			return nil, errOwnership()
		}
		d.entry.Detail["role"], d.entry.Detail["principal"], d.entry.Detail["scope"] = roleName(a.Role), a.Principal, a.Scope.String()
		events, err := s.roleChanged(ctx, d.subscription, a)
		return func() (rights.Assignment, error) {
			err := s.store.RemoveAssignment(ctx, a, events...)
			if fault.Is(err, fault.NotFound) { // someone was faster
				err = errNoAssignment(id)
			}
			return a, s.tell(err, events...)
		}, err
	})
}

func roleName(id string) string {
	r, _ := rights.RoleOf(id)
	return r.Name
}

// assignmentAt finds an assignment of exactly a scope.
func (s *Service) assignmentAt(ctx context.Context, d *desk, at rights.Scope, id string) (rights.Assignment, error) {
	a, err := s.assignment(ctx, d.subscription, naming.Fold(id))
	if err != nil {
		return a, err
	}
	if at.Subscription = d.subscription.ID; !at.Covers(a.Scope) || !a.Scope.Covers(at) {
		return a, errNoAssignment(id)
	}
	d.entry.Object = "roles/" + a.ID
	return a, nil
}

// assignment finds an assignment of a subscription by its id, the owner's among them.
func (s *Service) assignment(ctx context.Context, sub Subscription, id string) (rights.Assignment, error) {
	if owner := sub.ownership(); owner.ID == id {
		return owner, nil
	}
	if !naming.IsGUID(id) {
		return rights.Assignment{}, errNoAssignment(id)
	}
	a, err := s.store.Assignment(ctx, sub.Tenant, sub.ID, id)
	if fault.Is(err, fault.NotFound) {
		return a, errNoAssignment(id)
	}
	return a, err
}

func errNoAssignment(id string) error {
	return fault.New(fault.NotFound, "The role assignment '%.64s' is not found", id).WithReason(ReasonNoAssignment)
}
