/*
Copyright 2026 The DataArts Operator Authors.

Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License.
*/

package lifecycle

import (
	"fmt"
	"slices"
	"time"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// The times that the service shows may be far from ours: where requests are signed the clocks differ by minutes at
// most, but nothing says in which time zone it writes them down. So a time alone never rules out a package that
// someone may still deploy. It does where a package has come to an end, as another object may have had it under the
// same name, or this one long ago.
const (
	// EndedWindow is how long before the attempt's start, by our clock, a withdrawn package may have been packed by the
	// service's. Signed requests are refused where the clocks differ by more (API Request Signing Guide, "Common Errors
	// Related to IAM Authentication Information").
	EndedWindow = 15 * time.Minute
	// DeployedWindow is the same for one that was deployed, or failed to be: its items are in no other package. Time
	// zones differ by less.
	DeployedWindow = 24 * time.Hour
)

// Plausible reports whether a listed package may be what the open attempt made. What it leaves out cannot be; what it
// lets through needs its items for a verdict.
func Plausible(rp *v1alpha1.ReleasePackage, p *Package) bool {
	a := rp.Status.Attempt
	own := generated(rp, p.Name) && (generated(rp, a.PackageName) || a.LostBefore > 0)
	if p.Name != a.PackageName && !own || slices.Contains(rp.Status.WithdrawnPackageIDs, p.ID) {
		return false
	}
	before := a.StartTime.Sub(p.PackedTime)
	if p.PackedTime.IsZero() || own && p.Name == a.PackageName {
		return true // Nobody else has ever had that name, and each attempt has its own.
	}
	switch p.State {
	case v1alpha1.StateWithdrawn:
		return before <= EndedWindow
	case v1alpha1.StateDeployed, v1alpha1.StateDeployFailed:
		return before <= DeployedWindow
	case v1alpha1.StatePendingReview, v1alpha1.StateDeploying, v1alpha1.StateUnknown:
	}
	return true
}

// HoldsAttempted reports whether a package holds an item of the latest attempt.
func HoldsAttempted(rp *v1alpha1.ReleasePackage, p *Package) bool {
	return slices.ContainsFunc(p.Items, func(item v1alpha1.PackageItem) bool {
		return slices.Contains(rp.Status.Attempt.PendingItemIDs, item.ID)
	})
}

// NeedsItems reports whether the search found nothing of the attempt for sure, and it is time to ask where the items
// are.
func NeedsItems(rp *v1alpha1.ReleasePackage, obs Observation) bool {
	return AttemptOpen(rp) && obs.Searched && settleTimeOver(rp, obs) &&
		len(sinceAttempt(rp, matches(rp, obs.Candidates))) == 0
}

// sinceAttempt leaves out packages that came to an end, under a name that others may have given too, and were packed
// before the attempt began. Clocks may differ, so the times alone prove nothing: where the items are in no package, or
// in another one, such a package is that of an object which had the name before.
func sinceAttempt(rp *v1alpha1.ReleasePackage, packages []Package) []Package {
	return slices.DeleteFunc(slices.Clone(packages), func(p Package) bool {
		ended := p.State == v1alpha1.StateWithdrawn || failed(p)
		return ended && !generated(rp, p.Name) && !p.PackedTime.IsZero() &&
			p.PackedTime.Before(rp.Status.Attempt.StartTime.Time)
	})
}

// decideOpenAttempt recovers, and lets a person choose the package where that comes to nothing.
func decideOpenAttempt(rp *v1alpha1.ReleasePackage, obs Observation) Step {
	step := decideRecovery(rp, obs)
	switch chosen := string(rp.Spec.ReleasePackageID); {
	case chosen == "":
	case step.Action == Adopt && step.Package.ID != chosen:
		return ambiguous(rp, fmt.Sprintf("Attempt %d made package %s, but spec.releasePackageId names %s",
			rp.Status.Attempt.Number, step.Package.ID, chosen))
	case step.Action == Stall:
		return decideAdoption(rp, obs)
	}
	return step
}

// decideRecovery is about an open attempt: a request that may or may not have been received. Nothing is sent until
// that is known.
func decideRecovery(rp *v1alpha1.ReleasePackage, obs Observation) Step {
	a := rp.Status.Attempt
	found := matches(rp, obs.Candidates)
	if obs.ItemUnpacked || obs.ItemElsewhere {
		found = sinceAttempt(rp, found)
	}
	inUse := undecidedFirst(rp, live(found))
	seen := slices.ContainsFunc(inUse, func(p Package) bool { return !failed(p) })
	switch {
	case !seen && !settleTimeOver(rp, obs): // It may just not be listed yet.
		return Step{Action: Wait, Reason: v1alpha1.ReasonOutcomeUnknown, After: nextSearch(a, obs),
			Message: outcomeUnknown(rp)}
	case len(inUse) == 1:
		return adopt(rp, &inUse[0], "which an attempt whose answer was lost had made", obs.PollInterval)
	case len(inUse) > 1:
		return ambiguous(rp, fmt.Sprintf("Packages %s all are what attempt %d asked for", idsOf(inUse), a.Number))
	case len(found) == 1:
		return adopt(rp, &found[0], "which was withdrawn before it was known", obs.PollInterval)
	case len(found) > 1:
		return ambiguous(rp, fmt.Sprintf("Packages %s all are what attempt %d asked for, and all are withdrawn", idsOf(found),
			a.Number))
	case len(contradicting(rp, obs)) > 0:
		return ambiguous(rp, fmt.Sprintf(
			"Packages %s have a name that this object gives, which no one else uses, but other contents than attempt %d "+
				"asked for",
			idsOf(contradicting(rp, obs)), a.Number))
	case obs.ItemUnpacked, obs.ItemElsewhere:
		return Step{Action: CloseAttempt, After: minLookDelay}
	}
	return ambiguous(rp, fmt.Sprintf(
		"No package %s as attempt %d asked for was found, but none of its items is seen to be unpacked or in another package",
		a.PackageName, a.Number))
}

// undecidedFirst leaves out packages whose deployment failed where there are others: a failed one may be from before
// the attempt, packed for an object that had the same name, or for this one before it was restored from a backup. Its
// items are free again. One that has a name which only this object gives is its own, and stays for a person to see.
func undecidedFirst(rp *v1alpha1.ReleasePackage, packages []Package) []Package {
	anothers := func(p Package) bool { return failed(p) && !generated(rp, p.Name) }
	if others := slices.DeleteFunc(slices.Clone(packages), anothers); len(others) > 0 {
		return others
	}
	return packages
}

func failed(p Package) bool { return p.State == v1alpha1.StateDeployFailed }

// contradicting are the packages with a name that only this object can have given, which yet are not what it asked for.
func contradicting(rp *v1alpha1.ReleasePackage, obs Observation) []Package {
	return slices.DeleteFunc(live(obs.Candidates), func(p Package) bool { return !generated(rp, p.Name) })
}

// live leaves out what is withdrawn.
func live(packages []Package) []Package {
	return slices.DeleteFunc(slices.Clone(packages), func(p Package) bool { return p.State == v1alpha1.StateWithdrawn })
}

// awaitOutcome is the step after a request whose answer proves nothing, as long as no look was made.
func awaitOutcome(rp *v1alpha1.ReleasePackage) Step {
	return Step{Action: Wait, Reason: v1alpha1.ReasonOutcomeUnknown, Message: outcomeUnknown(rp),
		After: firstSearch}
}

// firstSearch is how soon to look for a package whose request got no answer: by then it is listed even where lists
// lag behind. Each look costs a call, and there may be many to look for at the same time.
const firstSearch = 10 * time.Second

// nextSearch is when to look again after nothing was found: when no request can take effect any more.
func nextSearch(a *v1alpha1.PackAttempt, obs Observation) time.Duration {
	elapsed := max(obs.Now.Sub(a.StartTime.Time), 0) // A clock that runs behind is no reason to wait for longer.
	left := max(obs.SettleTime-elapsed, 0) + minLookDelay
	if elapsed < firstSearch {
		return min(firstSearch-elapsed, left)
	}
	return left
}

// outcomeUnknown says what is not known, and what happens next.
func outcomeUnknown(rp *v1alpha1.ReleasePackage) string {
	a := rp.Status.Attempt
	why := a.Message
	if why == "" {
		why = "the operator was stopped before it had an answer"
	}
	next := "it packs again"
	if !rp.DeletionTimestamp.IsZero() {
		next = "this object goes"
	}
	return fmt.Sprintf("The outcome of attempt %d to pack %s is not known (%s). The operator looks for the package and "+
		"sends nothing meanwhile; if there is none after the settle time, and one of the items is unpacked or in another "+
		"package, %s",
		a.Number, a.PackageName, why, next)
}

func ambiguous(rp *v1alpha1.ReleasePackage, what string) Step {
	wayOut := "withdraw what is not wanted there, set spec.releasePackageId to the one to keep if there is one, and " +
		"set the annotation " + v1alpha1.ReconcileAtAnnotation + " to a new value to look again"
	switch {
	case !rp.DeletionTimestamp.IsZero():
		wayOut = "withdraw it in the console, then set spec.deletionPolicy to Retain to let this object go"
	case rp.Status.ReleasePackageID != "":
		wayOut = "withdraw what is not wanted there"
	}
	return Step{Action: Stall, Reason: v1alpha1.ReasonAmbiguousPackage, After: lookAgain, Message: fmt.Sprintf(
		"%s; look at the packages in the console: %s. The operator looks again every few minutes", what, wayOut)}
}

// settleTimeOver reports whether a request of the open attempt can no longer take effect.
func settleTimeOver(rp *v1alpha1.ReleasePackage, obs Observation) bool {
	return obs.Now.Sub(rp.Status.Attempt.StartTime.Time) > obs.SettleTime
}

func matches(rp *v1alpha1.ReleasePackage, candidates []Package) []Package {
	var found []Package
	for i := range candidates {
		if p := &candidates[i]; Plausible(rp, p) && hashOf(rp, p) == rp.Status.Attempt.ContentHash {
			found = append(found, *p)
		}
	}
	return found
}

func idsOf(packages []Package) string {
	ids := make([]string, 0, len(packages))
	for i := range packages {
		ids = append(ids, packages[i].ID)
	}
	return listed(ids)
}
