package directory

import (
	"strings"

	"github.com/customerkey/customerkey/internal/fault"
)

// audience returns whom a token asked for by scope is meant for: the one resource in it,
// without "/.default" or the name of a permission, a final slash kept (row KV-132). It must
// be one of the configured audiences, with or without a final slash.
func (s *Service) audience(scope string) (string, error) {
	if len(scope) > 2048 {
		return "", fault.New(fault.Invalid, "the scope is too long").WithReason(InvalidScope)
	}
	if strings.ContainsFunc(scope, isControl) { // it is stored, and not every database takes it as text
		return "", fault.New(fault.Invalid, "the scope holds what is no text").WithReason(InvalidScope)
	}
	found := ""
	for _, part := range strings.Fields(scope) {
		switch part {
		case "openid", "profile", "email", "offline_access":
			continue
		}
		resource := s.resource(part)
		switch {
		case resource == "":
			return "", fault.New(fault.Invalid, "tokens are not given for %.128q", part).WithReason(InvalidResource).
				WithHint("ask for one of the service's own addresses, followed by /.default")
		case found != "" && found != resource:
			return "", fault.New(fault.Invalid, "the scope names more than one resource").WithReason(InvalidScope)
		}
		found = resource
	}
	if found == "" {
		return "", fault.New(fault.Invalid, "the scope names no resource").WithReason(InvalidScope).
			WithHint("ask for one of the service's own addresses, followed by /.default")
	}
	return found, nil
}

// resource returns the audience inside one part of a scope, "" if none is configured.
func (s *Service) resource(part string) string {
	candidates := []string{part}
	if cut, ok := strings.CutSuffix(part, "/.default"); ok {
		candidates = []string{cut}
	} else if i := strings.LastIndexByte(part, '/'); i > 0 {
		candidates = append(candidates, part[:i]) // "https://graph.example/User.Read"
	}
	for _, c := range candidates {
		if s.audiences[strings.TrimSuffix(c, "/")] {
			return c
		}
	}
	return ""
}
