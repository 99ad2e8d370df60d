package api

import (
	"context"
	"net/http"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/health"
)

// KeyHealth tells how policies and their root keys are; a [health.Service] does.
type KeyHealth interface {
	Reports(ctx context.Context, c directory.Caller, q health.Query) ([]health.Report, error)
}

// policyHealth is how one policy is.
type policyHealth struct {
	health.PolicyName
	State   health.State `json:"state"`
	Since   *time.Time   `json:"since,omitempty"`
	Message string       `json:"message,omitempty"`
	Roots   []rootHealth `json:"rootKeys"`
}

// rootHealth is how one root key of a policy is.
type rootHealth struct {
	Key        string       `json:"key"` // "contoso-east/root1"
	URI        string       `json:"uri"`
	InUse      string       `json:"versionInUse,omitempty"`
	Current    bool         `json:"current"` // false: only content that has not moved yet needs it
	State      health.State `json:"state"`
	Since      *time.Time   `json:"since,omitempty"`
	Why        *health.Why  `json:"why,omitempty"`
	Unanswered int          `json:"unanswered,omitempty"` // looks and uses in a row
	Checked    *time.Time   `json:"lastChecked,omitempty"`
	Checks     any          `json:"checks"` // rootcheck.Verdict
}

// getKeyHealth is the one status of all families that dashboards read (CK-317).
func (s *Server) getKeyHealth(w http.ResponseWriter, r *http.Request, caller directory.Caller) error {
	if s.keyHealth == nil {
		return fault.New(fault.NotFound, "this service watches no root keys")
	}
	reports, err := s.keyHealth.Reports(r.Context(), caller, health.Query{Identity: r.URL.Query().Get("policy")})
	if err != nil {
		return err
	}
	worst := health.Healthy
	policies := make([]policyHealth, len(reports))
	for i, p := range reports {
		if p.State.Worse(worst) {
			worst = p.State
		}
		policies[i] = policyHealth{PolicyName: p.PolicyName, State: p.State, Since: orAbsent(p.Since), Message: p.Message, Roots: rootsOf(p)}
	}
	writeJSON(w, http.StatusOK, struct {
		State    health.State   `json:"state"` // the worst of all
		Policies []policyHealth `json:"policies"`
	}{worst, policies})
	return nil
}

func rootsOf(p health.Report) []rootHealth {
	roots := make([]rootHealth, len(p.Roots))
	for i, r := range p.Roots {
		roots[i] = rootHealth{
			Key: r.Key, URI: r.Ref.URI, InUse: r.InUse, Current: r.Current, State: r.State, Since: orAbsent(r.Since),
			Unanswered: r.Misses, Checked: orAbsent(r.Checked), Checks: r.Checks,
		}
		if r.Why != (health.Why{}) {
			roots[i].Why = &r.Why
		}
	}
	return roots
}

// orAbsent leaves a time that never came out.
func orAbsent(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
