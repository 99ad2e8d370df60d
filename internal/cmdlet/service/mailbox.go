package service

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/mailbox"
	"github.com/customerkey/customerkey/internal/policy"
)

// What the rows about mailboxes do. Rights are checked and recorded by packages mailbox and
// policy.

// serveKinds is what a row does that is for mailboxes of some kinds.
func serveKinds(serve func(context.Context, Services, *Call, []mailbox.Kind) error, kinds []mailbox.Kind) func(context.Context, Services, *Call) error {
	return func(ctx context.Context, s Services, call *Call) error { return serve(ctx, s, call, kinds) }
}

func getMailbox(ctx context.Context, s Services, call *Call, kinds []mailbox.Kind) error {
	names, err := policyNames(ctx, s, call)
	if err != nil {
		return err
	}
	if identity := call.Args.Text("Identity"); identity != "" {
		m, err := s.Mailboxes.Get(ctx, call.Caller, identity)
		if err != nil {
			return err
		}
		if !slices.Contains(kinds, m.Kind) {
			return fault.New(fault.NotFound, "%s is a %s", m.Name, m.Kind).WithHint("see Get-Mailbox, Get-MailUser and Get-UnifiedGroup")
		}
		return call.Host.Object(mailboxObject(m, names))
	}
	wanted, err := mailboxFilter(call, names)
	if err != nil {
		return err
	}
	if only := call.Args.List("RecipientTypeDetails"); len(only) > 0 {
		kinds = slices.DeleteFunc(slices.Clone(kinds), func(k mailbox.Kind) bool { return !slices.Contains(only, string(k)) })
	}
	return eachMailbox(ctx, s, call, func(m mailbox.Mailbox) error {
		if !slices.Contains(kinds, m.Kind) || !wanted(m) {
			return nil
		}
		return call.Host.Object(mailboxObject(m, names))
	})
}

// eachMailbox goes through all mailboxes behind those that earlier pages have shown: first as many
// as fill the page at hand, then, where most of those were not wanted, as many as there are at once.
func eachMailbox(ctx context.Context, s Services, call *Call, see func(mailbox.Mailbox) error) error {
	some := batch(call.Page, mailbox.MaxPage)
	for after := call.Page.After; ; some = mailbox.MaxPage {
		list, err := s.Mailboxes.List(ctx, call.Caller, after, some)
		if err != nil {
			return err
		}
		for _, m := range list {
			if err := see(m); err != nil {
				return err
			}
			after = m.Name
		}
		if len(list) < some {
			return nil
		}
	}
}

// policyNames returns the names of the mailbox policies by id.
func policyNames(ctx context.Context, s Services, call *Call) (map[string]string, error) {
	all, err := s.Policies.List(ctx, call.Caller, policy.Mailbox)
	names := make(map[string]string, len(all))
	for _, p := range all {
		names[p.ID] = p.Name
	}
	return names, err
}

// The one filter of row CK-124, with either kind of quotes, which are doubled inside.
var (
	byPolicy  = regexp.MustCompile(`^\s*\{?\s*(?i:DataEncryptionPolicy)\s+(?i:-eq)\s+(?:'((?:[^']|'')*)'|"((?:[^"]|"")*)")\s*\}?\s*$`)
	byNothing = regexp.MustCompile(`^\s*\{?\s*(?i:DataEncryptionPolicy)\s+(?i:-eq)\s+(?i:\$null)\s*\}?\s*$`)
)

// mailboxFilter returns which mailboxes -Filter lets pass; names are those of policies by id.
func mailboxFilter(call *Call, names map[string]string) (func(mailbox.Mailbox) bool, error) {
	text := call.Args.Text("Filter")
	if text == "" {
		return func(mailbox.Mailbox) bool { return true }, nil
	}
	if byNothing.MatchString(text) {
		return func(m mailbox.Mailbox) bool { return m.Policy == "" }, nil
	}
	found := byPolicy.FindStringSubmatch(text)
	if found == nil {
		return nil, cmdlet.BindError("-Filter cannot be %s", cmdlet.Quote(text)).WithHint("it takes \"DataEncryptionPolicy -eq 'DN'\"")
	}
	dn := strings.ReplaceAll(found[1], "''", "'") + strings.ReplaceAll(found[2], `""`, `"`)
	name := policyIdentity(call, policy.Mailbox, dn)
	if name == dn {
		return nil, cmdlet.BindError("%s is not the distinguished name of a mailbox policy", cmdlet.Quote(dn)).
			WithHint("mailboxes can be filtered by that only: see DistinguishedName in Get-DataEncryptionPolicy")
	}
	for id, other := range names {
		if policy.FoldName(other) == policy.FoldName(name) {
			return func(m mailbox.Mailbox) bool { return m.Policy == id }, nil
		}
	}
	return nil, fault.New(fault.NotFound, "there is no policy %s", cmdlet.Quote(name)).WithHint("Get-DataEncryptionPolicy lists them")
}

// givenIdentity returns the policy that a call names, "" for $null or none.
func givenIdentity(call *Call) string {
	return policyIdentity(call, policy.Mailbox, call.Args.Text("DataEncryptionPolicy"))
}

func setMailbox(ctx context.Context, s Services, call *Call, kinds []mailbox.Kind) error {
	return assignMailbox(ctx, s, call, givenIdentity(call), kinds...)
}

func clearPolicy(ctx context.Context, s Services, call *Call) error {
	if !call.Args.On("ClearDataEncryptionPolicy") {
		return cmdlet.BindError("there is nothing to change").WithHint("give -ClearDataEncryptionPolicy")
	}
	return assignMailbox(ctx, s, call, "", mailbox.User, mailbox.MailUser)
}

// assignMailbox gives a mailbox a policy, or takes it away for "".
func assignMailbox(ctx context.Context, s Services, call *Call, identity string, kinds ...mailbox.Kind) error {
	m, err := s.Mailboxes.Get(ctx, call.Caller, call.Args.Text("Identity"))
	if err != nil {
		return err
	}
	names, err := policyNames(ctx, s, call)
	if err != nil {
		return err
	}
	action := "Take the data encryption policy away"
	if identity != "" {
		p, err := s.Policies.Get(ctx, call.Caller, policy.Mailbox, identity)
		if err != nil {
			return err
		}
		action, identity = "Assign data encryption policy "+p.Name, p.ID
	}
	done, err := perform(ctx, s, call, action, m.Name, func(a policy.Acts) error {
		return s.Mailboxes.On(a).Assign(ctx, call.Caller, m.ID, identity, kinds...)
	})
	if done && err == nil {
		call.changed(m.ID, policyProperty(names[m.Policy]), policyProperty(names[identity]))
	}
	return err
}

// kindOf are the switches of New-Mailbox.
var kindOf = map[string]mailbox.Kind{
	"Shared": mailbox.Shared, "Room": mailbox.Room, "Equipment": mailbox.Equipment, "Discovery": mailbox.Discovery, "PublicFolder": mailbox.PublicFolder,
}

func newMailbox(ctx context.Context, s Services, call *Call) error {
	d := mailbox.Draft{Name: call.Args.Text("PrimarySmtpAddress"), DisplayName: call.Args.Text("DisplayName"), Policy: givenIdentity(call)}
	if d.DisplayName == "" {
		d.DisplayName = call.Args.Text("Name")
	}
	if d.Name == "" {
		d.Name = call.Args.Text("Name")
	}
	for name, kind := range kindOf {
		if call.Args.On(name) {
			d.Kind = kind
		}
	}
	return createMailbox(ctx, s, call, d)
}

func newGroup(ctx context.Context, s Services, call *Call) error {
	d := mailbox.Draft{Name: call.Args.Text("Alias"), DisplayName: call.Args.Text("DisplayName"), Kind: mailbox.Group, Policy: givenIdentity(call)}
	if d.Name == "" {
		d.Name = call.Args.Text("PrimarySmtpAddress")
	}
	if d.Name == "" {
		return cmdlet.BindError("New-UnifiedGroup needs -Alias or -PrimarySmtpAddress").WithHint("the address is what the group's mailbox is kept under")
	}
	return createMailbox(ctx, s, call, d)
}

func createMailbox(ctx context.Context, s Services, call *Call, d mailbox.Draft) error {
	m, done, err := change(call, "Create "+string(d.Kind), d.Name,
		func() (mailbox.Mailbox, error) { return s.Mailboxes.Create(ctx, call.Caller, d) },
		func(m mailbox.Mailbox) (foresight, error) { return foreseeMailbox(ctx, s, call, m) })
	if err != nil || !done {
		return err
	}
	names, err := policyNames(ctx, s, call)
	if err != nil {
		return err
	}
	call.changed(m.ID, nil, append(policyProperty(names[m.Policy]), cmdlet.Field{Name: "RecipientTypeDetails", Value: string(m.Kind)}))
	return call.Host.Object(mailboxObject(m, names))
}

func setElsewhere(elsewhere bool) func(context.Context, Services, *Call) error {
	return func(ctx context.Context, s Services, call *Call) error {
		m, err := s.Mailboxes.Get(ctx, call.Caller, call.Args.Text("Identity"))
		if err != nil {
			return err
		}
		action := map[bool]string{true: "Make a mail user of", false: "Make a user mailbox of"}[elsewhere]
		_, done, err := change(call, action, m.Name,
			func() (none, error) { return none{}, s.Mailboxes.SetElsewhere(ctx, call.Caller, m.ID, elsewhere) },
			func(none) (foresight, error) { return foreseeMailbox(ctx, s, call, m) })
		if done {
			now := map[bool]mailbox.Kind{true: mailbox.MailUser, false: mailbox.User}[elsewhere]
			call.changed(m.ID, []cmdlet.Field{{Name: "RecipientTypeDetails", Value: string(m.Kind)}}, []cmdlet.Field{{Name: "RecipientTypeDetails", Value: string(now)}})
		}
		return err
	}
}

func getStatistics(ctx context.Context, s Services, call *Call) error {
	st, err := s.Mailboxes.Statistics(ctx, call.Caller, call.Args.Text("Identity"))
	if err != nil {
		return err
	}
	return call.Host.Object(statisticsObject(st))
}

func getDefault(ctx context.Context, s Services, call *Call) error {
	p, err := s.Policies.Default(ctx, call.Caller)
	if err != nil || p == nil {
		return err
	}
	return emitPolicy(ctx, s, call, *p)
}

func setDefault(ctx context.Context, s Services, call *Call) error {
	identity, action := givenIdentity(call), "End the default data encryption policy of mailboxes"
	old, err := s.Policies.Default(ctx, call.Caller)
	if err != nil {
		return err
	}
	var was, now policy.Policy
	if old != nil {
		was = *old
	}
	if identity != "" {
		if now, err = s.Policies.Get(ctx, call.Caller, policy.Mailbox, identity); err != nil {
			return err
		}
		action = "Make " + now.Name + " the data encryption policy of all mailboxes without one"
	}
	done, err := perform(ctx, s, call, action, "the organization", func(a policy.Acts) error {
		return s.Mailboxes.On(a).SetDefault(ctx, call.Caller, now.ID)
	})
	if done && err == nil {
		call.changed(now.ID, policyProperty(was.Name), policyProperty(now.Name))
	}
	return err
}

func moveMailboxes(ctx context.Context, s Services, call *Call) error {
	from, err := s.Policies.Get(ctx, call.Caller, policy.Mailbox, policyIdentity(call, policy.Mailbox, call.Args.Text("Identity")))
	if err != nil {
		return err
	}
	var to policy.Policy
	action := "Take the data encryption policy away from all its mailboxes"
	if name := givenIdentity(call); name != "" {
		if to, err = s.Policies.Get(ctx, call.Caller, policy.Mailbox, name); err != nil {
			return err
		}
		action = "Move all mailboxes to the data encryption policy " + to.Name
	}
	_, err = perform(ctx, s, call, action, from.Name, func(a policy.Acts) error {
		n, err := a.Reassign(ctx, call.Caller, from.ID, to.ID)
		if err == nil {
			call.changed(from.ID, policyProperty(from.Name), policyProperty(to.Name))
			call.Verbose("%d mailboxes had it", n)
		}
		return err
	})
	return err
}

// batch is how many objects to read at once for a page: one more than it has room for, by which
// the caller sees that there are more, and at most as many as a list gives.
func batch(p cmdlet.Page, most int) int {
	if p.Most == 0 {
		return most
	}
	return min(p.Most+1, most)
}
