package api_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// Bodies that nobody means well with are refused before anything runs, in bounded memory.
func TestExchangeHostileBodies(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	admin := x.token(x.tenant, directory.ExchangeAdministrator)
	path := "/adminapi/beta/" + contosoDomain + "/InvokeCommand"
	made := `{"CmdletName":"New-Mailbox","Parameters":{"Name":"made","Shared":true}}`
	for what, tt := range map[string]struct {
		body   string
		status int
	}{
		"ten megabytes":            {`{"x":"` + strings.Repeat("x", 10<<20) + `","CmdletInput":` + made + `}`, 413},
		"nested arrays":            {`{"CmdletInput":` + made + `,"x":` + strings.Repeat("[", 50_000) + strings.Repeat("]", 50_000) + `}`, 400},
		"nested objects":           {`{"CmdletInput":` + made + `,"x":` + strings.Repeat(`{"x":`, 5000) + `1` + strings.Repeat("}", 5000) + `}`, 400},
		"the input twice":          {`{"CmdletInput":` + made + `,"CmdletInput":` + made + `}`, 400},
		"in two cases":             {`{"CmdletInput":` + made + `,"cmdletinput":` + made + `}`, 400},
		"the name twice":           {`{"CmdletInput":{"CmdletName":"Get-Mailbox","CmdletName":"New-Mailbox"}}`, 400},
		"a parameter twice":        {command("New-Mailbox", `{"Name":"made","Name":"made2","Shared":true}`), 400},
		"in two cases, parameters": {command("New-Mailbox", `{"Name":"made","name":"made2","Shared":true}`), 400},
		"the input a text":         {`{"CmdletInput":"New-Mailbox"}`, 400},
		"the name a number":        {`{"CmdletInput":{"CmdletName":7}}`, 400},
		"the parameters an array":  {`{"CmdletInput":{"CmdletName":"New-Mailbox","Parameters":["Name","made"]}}`, 400},
		"a switch a text":          {command("New-Mailbox", `{"Name":"made","Shared":"perhaps"}`), 400},
		"a name an object":         {command("New-Mailbox", `{"Name":{"a":"b"},"Shared":true}`), 400},
		"more behind it":           {command("New-Mailbox", `{"Name":"made","Shared":true}`) + `{}`, 400},
		"cut off":                  {command("New-Mailbox", `{"Name":"made","Shared":true}`)[:40], 400},
		"an array":                 {`[` + command("New-Mailbox", `{"Name":"made","Shared":true}`) + `]`, 400},
		"a null":                   {`null`, 400},
		"a control character":      {command("New-Mailbox", "{\"Name\":\"made\x01\",\"Shared\":true}"), 400},
	} {
		a := x.post(admin, path, tt.body)
		if a.status != tt.status || !detail.MatchString(a.error.Error.Details[0].Message) || len(a.text) > 4<<10 {
			t.Errorf("%s: %d %.500s", what, a.status, a.text)
		}
	}
	if v := x.mustRun(admin, "Get-Mailbox", "").reply.Value; len(v) != 0 {
		t.Errorf("of refused bodies %d mailboxes were made", len(v))
	}
}

// Of two that make the same at the same time, one is told that it exists.
func TestExchangeTwoAtOnce(t *testing.T) {
	t.Parallel()
	x := newExchange(t)
	admin := x.token(x.tenant, directory.ExchangeAdministrator)
	answers := make([]exchangeAnswer, 4)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i] = x.run(admin, "New-Mailbox", `{"Name":"only","Shared":true}`) })
	}
	all.Wait()
	done := 0
	for _, a := range answers {
		switch {
		case a.status == 200:
			done++
		case a.status != 400 || a.error.Error.Fault.Code != string(fault.Conflict) || !strings.Contains(a.text, "already exists"):
			t.Errorf("%d %s", a.status, a.text)
		}
	}
	if done != 1 {
		t.Errorf("%d made it", done)
	}
}
