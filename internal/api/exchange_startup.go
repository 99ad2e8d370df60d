package api

import (
	"context"
	"encoding/json"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
	"github.com/customerkey/customerkey/internal/fault"
)

// The calls with which a module starts (row CK-352). Which Version of itself it names does not
// matter: there is one.

// moduleFile answers what the caller may run. The header CommandName says which commands are
// meant, separated by commas, with * and ? as in PowerShell; without it, all are.
func (x *Exchange) moduleFile(_ context.Context, in *invocation, _ cmdlet.Object) (*response, error) {
	meant, err := namesMeant(in.header.Get("CommandName"))
	if err != nil {
		return nil, err
	}
	roles := x.c.Services.Policies.Roles()
	var names []string
	for _, row := range x.table {
		if row.Side == cmdlet.Service && row.MayRun(in.caller, roles) && meant(row.Name) {
			names = append(names, row.Name)
		}
	}
	slices.Sort(names)
	return x.startUp(in, cmdlet.Object{Fields: []cmdlet.Field{{Name: "exportedCmdlets", Value: strings.Join(names, ",")}}})
}

// namesMeant returns which names some patterns fit. All are matched in lower case.
func namesMeant(patterns string) (func(name string) bool, error) {
	const longest = 4 << 10
	list := strings.Split(strings.ToLower(patterns), ",")
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
		if _, err := path.Match(list[i], ""); err != nil || len(patterns) > longest {
			return nil, fault.New(fault.Invalid, "the header CommandName cannot be read").WithHint("give names of commands, or *")
		}
	}
	return func(name string) bool {
		return strings.TrimSpace(patterns) == "" || slices.ContainsFunc(list, func(p string) bool {
			fits, _ := path.Match(p, strings.ToLower(name)) // checked above
			return fits
		})
	}, nil
}

// banner answers that there is nothing to tell whoever begins.
func (x *Exchange) banner(_ context.Context, in *invocation, _ cmdlet.Object) (*response, error) {
	return x.startUp(in)
}

func (x *Exchange) startUp(in *invocation, objects ...cmdlet.Object) (*response, error) {
	reply := x.newReply(in)
	for _, o := range objects {
		text, err := json.Marshal(o)
		if err != nil {
			return nil, fault.Wrap(fault.Internal, err, "writing a result")
		}
		reply.Value = append(reply.Value, text)
	}
	return &response{http.StatusOK, reply}, nil
}
