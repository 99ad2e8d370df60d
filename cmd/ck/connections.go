package main

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/profile"
)

// A connection is what a Connect cmdlet begins and a Disconnect cmdlet ends.
type connection string

const (
	toExchange   connection = "ExchangeOnline"
	toSharePoint connection = "SPOService"
	toAzure      connection = "AzAccount"
)

// connectionOf returns the connection that a command works over.
func connectionOf(row *cmdlet.Cmdlet) connection {
	switch {
	case row.Side == cmdlet.Vault:
		return toAzure
	case strings.Contains(row.Name, "-SPO"):
		return toSharePoint
	}
	return toExchange
}

// connections are the runners of one shell or script: those of the signed-in profile, unless
// somebody else was connected, until they are ended. They carry out the Connect cmdlets themselves.
type connections struct {
	c      *command
	secret func(question string) (string, error) // asks for a password

	mu      sync.Mutex            // Tab asks for names while commands run
	others  map[connection]*actor // who is not the person of the profile
	ended   map[connection]bool
	runners map[connection]cmdlet.Runner // opened already; what one chooses, as Set-AzContext does, holds
}

func newConnections(c *command) *connections {
	return &connections{c: c, secret: c.secrets(), others: map[connection]*actor{}, ended: map[connection]bool{}, runners: map[connection]cmdlet.Runner{}}
}

// runner returns what runs the commands of a side.
func (n *connections) runner(side cmdlet.Side) (cmdlet.Runner, error) {
	if side == cmdlet.Shell {
		return n, nil
	}
	return sided{n, side}, nil
}

// sided opens the connection of each command when it runs.
type sided struct {
	of   *connections
	side cmdlet.Side
}

func (s sided) Run(ctx context.Context, call *cmdlet.Call) error {
	r, err := s.of.open(connectionOf(call.Cmdlet), s.side)
	if err != nil {
		return err
	}
	return r.Run(ctx, call)
}

func (n *connections) open(to connection, side cmdlet.Side) (cmdlet.Runner, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ended[to] {
		return nil, fault.New(fault.Unauthenticated, "you have disconnected").WithHint("connect again with: Connect-%s", to)
	}
	if r, ok := n.runners[to]; ok && side != cmdlet.Operator {
		return r, nil
	}
	who, err := n.who(to)
	if err != nil {
		return nil, err
	}
	r, err := who.runner(side)
	if err == nil && side != cmdlet.Operator {
		n.runners[to] = r
	}
	return r, err
}

// who is the actor behind a connection.
func (n *connections) who(to connection) (*actor, error) {
	if other := n.others[to]; other != nil {
		return other, nil
	}
	p, err := n.c.signedIn()
	if err != nil {
		return nil, err
	}
	return actorOf(p), nil
}

// Run implements cmdlet.Runner for the cmdlets that connect and disconnect.
func (n *connections) Run(ctx context.Context, call *cmdlet.Call) error {
	verb, noun, _ := strings.Cut(call.Cmdlet.Name, "-")
	switch {
	case call.Cmdlet.Name == "Get-ConnectionInformation":
		return n.show(call)
	case verb == "Disconnect":
		return n.disconnect(call, connection(noun))
	case verb == "Connect" && noun == "IPPSSession":
		return n.connect(ctx, call, toExchange)
	case verb == "Connect":
		return n.connect(ctx, call, connection(noun))
	}
	return fault.New(fault.Invalid, "%s works in pipelines only", call.Cmdlet.Name).WithHint("put it behind another command in a script")
}

func (n *connections) disconnect(call *cmdlet.Call, to connection) error {
	who, err := n.who(to)
	if err != nil || n.ended[to] {
		return nil // there is nothing to end
	}
	if proceed, err := call.ShouldProcess("Disconnect", who.account); err != nil || !proceed {
		return err
	}
	n.begin(to, nil)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ended[to] = true
	return nil
}

// begin makes who the actor of a connection; nil is the person of the profile.
func (n *connections) begin(to connection, who *actor) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.runners, to)
	delete(n.ended, to)
	delete(n.others, to)
	if who != nil {
		n.others[to] = who
	}
}

// reopen has every connection opened anew, for the person of the profile is another one.
func (n *connections) reopen() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.runners)
}

func (n *connections) show(call *cmdlet.Call) error {
	for _, to := range []connection{toExchange, toSharePoint, toAzure} {
		who, err := n.who(to)
		if fault.Is(err, fault.Unauthenticated) || n.ended[to] {
			continue
		}
		if err != nil {
			return err
		}
		if err := call.Host.Object(connectionObject(to, who)); err != nil {
			return err
		}
	}
	return nil
}

func connectionObject(to connection, who *actor) cmdlet.Object {
	uri := who.at.Outlook
	if to == toAzure {
		uri = who.at.Management
	}
	return cmdlet.Object{Type: cmdlet.ConnectionType, Fields: []cmdlet.Field{
		{Name: "Name", Value: string(to)},
		{Name: "UserPrincipalName", Value: who.account},
		{Name: "TenantID", Value: cmdlet.GUID(who.tenant)},
		{Name: "Organization", Value: who.organization},
		{Name: "State", Value: "Connected"},
		{Name: "ConnectionUri", Value: uri},
	}}
}

// signIn signs a person in as ck login does: by password if they are named, else by a code.
func (n *connections) signIn(ctx context.Context, user, tenant string, device bool) (*profile.Profile, error) {
	where, err := n.c.profileConfig()
	if err != nil {
		return nil, err
	}
	target, err := loginTarget(where, "", "", tenant)
	if err != nil {
		return nil, err
	}
	if user == "" || device {
		return n.c.signInDevice(ctx, where, target)
	}
	return n.c.signInPassword(ctx, where, target, user, n.secret)
}

// say tells the person what is no output.
func (n *connections) say(format string, args ...any) {
	fmt.Fprintf(n.c.err, "%s\n", cmdlet.Printable(fmt.Sprintf(format, args...)))
}
