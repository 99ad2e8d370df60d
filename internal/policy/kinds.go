package policy

import (
	"time"

	"github.com/customerkey/customerkey/internal/operation"
	"github.com/customerkey/customerkey/internal/request"
)

// Kinds of requests that are about policies.
const (
	PurgeKind       request.Kind = "purge"
	RecoveryKind    request.Kind = "recovery"
	OffboardingKind request.Kind = "offboarding"
)

// RequestRules says how requests about policies go. A purge takes an officer and an operator,
// and waits before it takes effect (CK-256, CK-260, CK-282); a recovery takes both and begins at
// once; going back to the service's keys takes an operator, or, by the rule, nobody (CK-249). Who may ask is decided for each family before: see [Roles].
func RequestRules(purgeWait time.Duration, offboardByRule bool) map[request.Kind]request.Rule {
	offboarding := request.Rule{Askers: TenantRoles(), Needs: request.NeedsOperator, Operation: offboardWork}
	if offboardByRule {
		offboarding.Needs = request.NeedsRule
	}
	return map[request.Kind]request.Rule{
		PurgeKind:       {Askers: TenantRoles(), Needs: request.NeedsBoth, Wait: purgeWait, Operation: purgeWork},
		RecoveryKind:    {Askers: TenantRoles(), Needs: request.NeedsBoth, Operation: recoverWork},
		OffboardingKind: offboarding,
	}
}

// requestHandlers returns the work of requests.
func (s *Service) requestHandlers() map[string]operation.Handler {
	handlers := map[string]operation.Handler{}
	if s.c.Requests != nil {
		handlers[recoverWork] = s.c.Requests.Handler(s.recover)
		handlers[offboardWork] = s.c.Requests.Handler(s.offboard)
		handlers[purgeWork] = s.c.Requests.Handler(s.purge)
	}
	if s.c.Purging != nil {
		handlers[purgeAgainWork] = s.repeat
	}
	return handlers
}
