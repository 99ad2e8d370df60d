package keyvault

import (
	"context"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/audit"
	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault/naming"
	"github.com/customerkey/customerkey/internal/keyvault/throttle"
)

// counted is a refusal that is told of as a number, not in an entry of its own: a flood of
// requests must not become a flood of entries.
type counted struct{ error }

// Unwrap returns the refusal.
func (c counted) Unwrap() error { return c.error }

// charge takes what the request costs from its vault's budget, fault.Throttled if that is
// spent (KV-97, KV-107). It comes after permission: who has none cannot spend the budget, and
// does not learn of it.
func (s *Service) charge(v *visit) error {
	if s.throttle == nil {
		return nil
	}
	verdict := s.throttle.Take(throttle.Vault{Tenant: v.vault.Tenant, Subscription: naming.Fold(v.vault.Subscription), Name: v.vault.Name}, v.op(), v.now)
	if verdict.Wait == 0 {
		return nil
	}
	reason := ReasonVaultLimit
	if verdict.Subscription {
		reason = ReasonSubscriptionLimit
	}
	err := fault.New(fault.Throttled, "Request was not processed because too many requests were received. Reason: %s", reason).
		WithReason(reason).WithRetry(verdict.Wait)
	if !verdict.First {
		return counted{err}
	}
	v.note("retry_after", seconds(verdict.Wait))
	if verdict.Missed > 0 {
		v.note("others_before", strconv.Itoa(verdict.Missed))
	}
	return err
}

func seconds(d time.Duration) string {
	return strconv.Itoa(int(math.Ceil(d.Seconds())))
}

// op is what the request costs by.
func (v *visit) op() throttle.Op {
	switch v.action {
	case CreateKey:
		return throttle.Op{Create: true, Hardware: strings.HasSuffix(v.target.Type, hsmSuffix)}
	case RotateKey:
		return throttle.Op{Create: true, Hardware: v.key.HSM}
	}
	return throttle.Op{Bits: v.key.Bits, Hardware: v.key.HSM}
}

// tellMissed records how many requests were turned away since it was last asked, for each
// vault in one entry.
func (s *Service) tellMissed(ctx context.Context, request string, now time.Time) (failed []error) {
	if s.throttle == nil {
		return nil
	}
	for _, m := range s.throttle.Missed(now) {
		err := s.record(ctx, audit.Entry{
			Tenant: m.Tenant, Caller: directory.SystemCaller(m.Tenant, "throttle", request), Action: string(Throttled),
			Object: m.Name, Decision: audit.Deny, Detail: map[string]string{"requests": strconv.Itoa(m.Requests)},
		})
		if err != nil {
			s.throttle.Owe(m)
			failed = append(failed, err)
		}
	}
	return failed
}
