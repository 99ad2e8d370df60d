package service

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/onboarding"
	"github.com/customerkey/customerkey/internal/policy"
	"github.com/customerkey/customerkey/internal/request"
)

// foreseeAsking says what asking for something comes to: deed is what it would then be about.
func foreseeAsking(r request.Request, deed foresight) foresight {
	deed.Then = approvalObject(r)
	deed.Lines = append([]string{"A request is stored, and changes nothing by itself. " + waitingText(r)}, deed.Lines...)
	return deed
}

// waitingText says what a request waits for, or when it takes effect.
func waitingText(r request.Request) string {
	if r.State != request.Waiting {
		if wait := r.NotBefore.Sub(r.Updated); wait > 0 {
			return fmt.Sprintf("It has all approvals, and takes effect at %s, in %s; until then Deny-CKRequest and Remove-CKRequest stop it.", r.NotBefore.UTC().Format(time.RFC3339), wait.Round(time.Second))
		}
		return "It has all approvals, and takes effect at once."
	}
	sides := make([]string, 0, 2)
	for _, side := range r.Missing() {
		sides = append(sides, string(side))
	}
	join := " and an "
	if r.Needs == request.NeedsEither {
		join = " or an "
	}
	text := fmt.Sprintf("It waits for the approval of an %s, until %s", strings.Join(sides, join), r.Expires.UTC().Format(time.RFC3339))
	if r.Wait > 0 {
		text += fmt.Sprintf("; it takes effect %s after the last one", r.Wait)
	}
	return text + "."
}

// foreseeApproval says what an approval comes to: r is the request as it stands with it.
func foreseeApproval(ctx context.Context, s Services, call *Call, r request.Request) (foresight, error) {
	f, err := foreseeDeed(ctx, s, r)
	if err != nil {
		return f, err
	}
	if call.Caller.Tenant != r.Tenant { // who runs the service sees numbers: neither policies nor root keys
		f.Report = policy.Report{Moving: f.Moving}
		if r.Kind == policy.OffboardingKind {
			f.Lines = append(f.Lines[:1], "Stored content on its way to other keys: "+tollText(f.Moving)+".")
		}
	}
	f.Then = approvalObject(r)
	f.Lines = append([]string{waitingText(r)}, f.Lines...)
	return f, nil
}

// foreseeDeed says what carrying out a request comes to, as things stand now.
func foreseeDeed(ctx context.Context, s Services, r request.Request) (f foresight, err error) {
	f.Lines = []string{fmt.Sprintf("What is then done: %s of %s.", r.Kind, r.Subject)}
	switch r.Kind {
	case policy.PurgeKind:
		return foreseePurge(r, f), nil
	case policy.RecoveryKind:
		f.Moving, err = s.real.Policies.Concerns(ctx, r.Tenant, r.Subject)
		f.Lines = append(f.Lines, sentenceOf(r.Fact("Effect")), "Content that it opens: "+tollText(f.Moving)+"; at most for "+r.Fact("Span")+".")
	case policy.OffboardingKind:
		f.Report, err = s.real.Policies.WhatIfOffboarded(ctx, r.Tenant, r.Subject)
		f.Lines = append(f.Lines, offboardingLines(f.Report)...)
	case request.OfficerKind:
		if r.Fact("Change") != "remove" {
			f.Lines = append(f.Lines, fmt.Sprintf("%s approves on behalf of the organization, in the family %s.", r.Fact("Officer"), r.Family))
			break
		}
		stranded, err := strandedLines(ctx, s, r.Tenant, r.Family, r.Fact("Person"))
		f.Lines = append(f.Lines, stranded...)
		return f, err
	case onboarding.Kind:
		f.Lines = append(f.Lines, fmt.Sprintf("All conditions are checked once more; then policies of the family %s can be made. Content stays under the keys it has.", r.Family))
	default:
		for _, fact := range r.Detail {
			f.Lines = append(f.Lines, fact.Name+": "+fact.Value+".")
		}
	}
	return f, err
}

// offboardingLines say what a policy takes along that is left.
func offboardingLines(r policy.Report) []string {
	return append(reportLines(r), "The vaults, the keys and the permissions are needed until Get-CKOffboarding shows SafeToRemovePermission: True.")
}

// foreseePurge says what the approved plan of a purge destroys: that, and nothing else.
func foreseePurge(r request.Request, f foresight) foresight {
	number := func(name string) int64 {
		n, err := strconv.ParseInt(r.Fact(name), 10, 64)
		if err != nil {
			return 0
		}
		return n
	}
	f.Unreadable = number("Items")
	f.Lines = append(f.Lines, fmt.Sprintf("%d items in %s containers, %s bytes, under %s container keys become unreadable for ever; nothing brings them back.",
		f.Unreadable, r.Fact("Containers"), r.Fact("Bytes"), r.Fact("ContainerKeys")))
	for _, fact := range r.Detail {
		if fact.Name == "Generation" || fact.Name == "AvailabilityKey" {
			f.Lines = append(f.Lines, fmt.Sprintf("Destroyed with them: %s %s.", strings.ToLower(fact.Name), fact.Value))
		}
	}
	return f
}

// strandedLines say which requests nobody could approve any more without an officer.
func strandedLines(ctx context.Context, s Services, tenant, family, person string) ([]string, error) {
	list, err := s.real.Requests.Stranded(ctx, tenant, family, person)
	if err != nil || len(list) > 0 {
		lines := []string{fmt.Sprintf("Requests that no officer of the family could approve any more: %d.", len(list))}
		for _, r := range list {
			line := fmt.Sprintf("Request %s: %s of %s, asked for by %s", r.ID, r.Kind, r.Subject, r.AskedBy.Name)
			if r.Needs == request.NeedsEither {
				line += "; an operator of the service still can"
			}
			lines = append(lines, line+".")
		}
		return lines, err
	}
	return []string{"Every request of the family that waits for an officer could still be approved by another one."}, nil
}

// foreseeEnd says what denying a request, or taking it back, comes to: it was was.
func foreseeEnd(was, now request.Request) foresight {
	f := foresight{Then: approvalObject(now), Lines: []string{
		fmt.Sprintf("The request is %s, for good; nothing of it is done: %s of %s.", now.State, was.Kind, was.Subject),
	}}
	if was.State == request.Approved {
		f.Lines = append(f.Lines, fmt.Sprintf("It had all approvals and would have taken effect at %s.", was.NotBefore.UTC().Format(time.RFC3339)))
	}
	if was.Kind == policy.PurgeKind {
		f.Lines = append(f.Lines, fmt.Sprintf("%s items stay; the policy takes new content again.", was.Fact("Items")))
	}
	f.Lines = append(f.Lines, "What is still wanted has to be asked for again.")
	return f
}

// sentenceOf makes a sentence of a text that is none.
func sentenceOf(text string) string {
	if text == "" {
		return "Nobody has said what it comes to."
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
