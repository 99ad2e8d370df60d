package script

import (
	"strings"

	"github.com/customerkey/customerkey/internal/cmdlet"
)

// The variables by which a script tells all its commands how to behave, in lower case.
const (
	errorPreference   = "erroractionpreference"
	warningPreference = "warningpreference"
	verbosePreference = "verbosepreference"
	whatIfPreference  = "whatifpreference"
	confirmPreference = "confirmpreference"
)

// preferences are the variables that a session begins with.
func preferences() map[string]any {
	return map[string]any{
		errorPreference: "Continue", warningPreference: "Continue", verbosePreference: "SilentlyContinue",
		whatIfPreference: false, confirmPreference: "High",
	}
}

// preference checks the value that a variable is given. Those that are no preferences take
// anything; a preference in a spelling that nothing looks for would be worse than none.
func preference(name string, value any) (any, error) {
	var allowed []string
	switch name {
	case errorPreference, warningPreference, verbosePreference:
		allowed = []string{"Continue", "Stop", "SilentlyContinue", "Ignore"}
	case confirmPreference:
		allowed = []string{"High", "Medium", "Low", "None"}
	case whatIfPreference:
		return truth(value), nil
	default:
		return value, nil
	}
	if text, ok := value.(string); ok {
		for _, a := range allowed {
			if strings.EqualFold(a, text) {
				return a, nil
			}
		}
	}
	return nil, runtimeError("$%s cannot be that", name).WithHint("it takes %s", strings.Join(allowed, ", "))
}

// prefer fills in what the words of a call leave open.
func (r *run) prefer(call *cmdlet.Call) {
	c := &call.Common
	if c.ErrorAction == "" {
		c.ErrorAction, _ = r.variables[errorPreference].(string)
	}
	if c.WarningAction == "" {
		c.WarningAction, _ = r.variables[warningPreference].(string)
	}
	c.Verbose = c.Verbose || r.variables[verbosePreference] == "Continue"
	if call.Cmdlet.Impact == cmdlet.None {
		return
	}
	c.WhatIf = c.WhatIf || truth(r.variables[whatIfPreference])
	if c.Confirm == nil {
		c.Confirm = confirmed(r.variables[confirmPreference], call)
	}
}

// confirmed is what -Confirm would be, by the preference; nil is the command's own way.
func confirmed(preference any, call *cmdlet.Call) *bool {
	ask := call.Cmdlet.Impact >= cmdlet.Medium && !call.Args.On("Force")
	switch preference {
	case "None":
		ask = false
	case "High":
		return nil
	}
	return &ask
}
