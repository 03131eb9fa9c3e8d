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

package lifecycle_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

// states are all states that a package can be seen in.
var states = []v1alpha1.PackageState{
	v1alpha1.StatePendingReview, v1alpha1.StateDeploying, v1alpha1.StateDeployed,
	v1alpha1.StateDeployFailed, v1alpha1.StateWithdrawn, v1alpha1.StateUnknown,
}

func oneOf[T any](r *rand.Rand, choices ...T) T { return choices[r.IntN(len(choices))] }

// aRandomReleasePackage has one of the statuses that the functions of this package record, and any spec.
func aRandomReleasePackage(r *rand.Rand) *v1alpha1.ReleasePackage {
	no := func(*v1alpha1.ReleasePackage) {}
	return aReleasePackage(
		oneOf(r, no, packed(v1alpha1.StateWithdrawn), ended(v1alpha1.OutcomeNotFound)),
		oneOf(r, no, attempted(time.Duration(r.Int64N(int64(2*settleTime)))), packed(oneOf(r, states...)), adopted(oneOf(r, states...)),
			ended(oneOf(r, v1alpha1.OutcomeRefused, v1alpha1.OutcomeNotDone, v1alpha1.OutcomeNotFound))),
		oneOf(r, no, no, maybeGivenUp), oneOf(r, no, no, maybeJustPacked), oneOf(r, no, edited), oneOf(r, no, no, adopting), oneOf(r, no, forced), oneOf(r, no, no, suspended),
		oneOf(r, no, deleted), oneOf(r, no, no, retained), oneOf(r, no, no, unprotected),
	)
}

// maybeGivenUp gives up the package, if there is one.
func maybeGivenUp(rp *v1alpha1.ReleasePackage) {
	if rp.Status.ReleasePackageID != "" && rp.Status.Attempt != nil {
		givenUp(rp)
	}
}

// maybeJustPacked makes the package a young one, if there is one.
func maybeJustPacked(rp *v1alpha1.ReleasePackage) {
	if rp.Status.ReleasePackageID != "" {
		justPacked(rp)
	}
}

// aRandomSight is any answer to what the object needs.
func aRandomSight(r *rand.Rand, rp *v1alpha1.ReleasePackage) lifecycle.Seen {
	need := lifecycle.Needs(rp)
	switch {
	case need == lifecycle.NeedNothing:
		return seeing(nothing)
	case r.IntN(6) == 0:
		return seeing(unavailable)
	case rp.Status.Workspace != nil && r.IntN(6) == 0:
		return seeing(movedWorkspace)
	case need == lifecycle.NeedPackage && r.IntN(4) == 0:
		return seeing(gone)
	case need == lifecycle.NeedPackage:
		return seeing(thePackage(oneOf(r, states...)))
	case need == lifecycle.NeedSearch:
		candidates := []lifecycle.Package{aPackage("13", oneOf(r, states...)), aPackage("14", oneOf(r, states...))}
		seen := seeing(found(candidates[r.IntN(3):]...))
		seen.ItemsUnpacked = lifecycle.NeedsItems(rp, seen) && r.IntN(2) == 0
		if lifecycle.LookID(rp) != "" {
			oneOf(r, gone, thePackage(oneOf(r, states...)))(&seen)
		}
		return seen
	}
	return seeing()
}

// known is the state that the package is known to be in at this moment, empty if it is not.
func known(rp *v1alpha1.ReleasePackage, seen lifecycle.Seen) v1alpha1.PackageState {
	packed, a := rp.Status.PackedTime, rp.Status.Attempt
	withdrawn := a != nil && a.Outcome == v1alpha1.OutcomeWithdrawn
	switch {
	case seen.Gone && packed != nil && !withdrawn && seen.Now.Sub(packed.Time) < settleTime:
		return "" // It may just not be shown yet.
	case seen.Gone:
		return v1alpha1.StateWithdrawn
	case seen.Package != nil:
		return seen.Package.State
	case rp.Status.State == v1alpha1.StateDeployed, rp.Status.State == v1alpha1.StateWithdrawn:
		return rp.Status.State // It is final, so no look is needed.
	}
	return ""
}

// blind reports whether the pass could not see what it needed.
func blind(rp *v1alpha1.ReleasePackage, seen lifecycle.Seen) bool {
	return seen.Problem != nil || rp.Status.Workspace != nil && seen.Target != nil && *rp.Status.Workspace != *seen.Target
}

// notKnownAs reports whether there is a package, or may be one, that is not known to be in any of the states.
func notKnownAs(rp *v1alpha1.ReleasePackage, seen lifecycle.Seen, in ...v1alpha1.PackageState) bool {
	return lifecycle.AttemptOpen(rp) || rp.Status.ReleasePackageID != "" && !slices.Contains(in, known(rp, seen))
}

// brokenPromise says which promise a step would break, if any.
func brokenPromise(rp *v1alpha1.ReleasePackage, seen lifecycle.Seen, step lifecycle.Step) string {
	switch step.Action {
	case lifecycle.Pack:
		if blind(rp, seen) || notKnownAs(rp, seen, v1alpha1.StateWithdrawn, v1alpha1.StateDeployFailed) {
			return "packs though a package may exist"
		}
		return unwantedPack(rp)
	case lifecycle.Release:
		retains := rp.Spec.DeletionPolicy == v1alpha1.DeletionRetain
		if !retains && notKnownAs(rp, seen, v1alpha1.StateWithdrawn, v1alpha1.StateDeployed) {
			return "lets go of what may have to be withdrawn"
		}
	case lifecycle.Unpack:
		if blind(rp, seen) || !notKnownAs(rp, seen, v1alpha1.StateWithdrawn, v1alpha1.StateDeployed, v1alpha1.StateDeploying) {
			return "withdraws what cannot be withdrawn"
		}
	case lifecycle.CloseAttempt, lifecycle.Adopt:
		if blind(rp, seen) || seen.ItemsUnpacked != (step.Action == lifecycle.CloseAttempt) {
			return "concludes what it could not see"
		}
	case lifecycle.Wait, lifecycle.Stall, lifecycle.Protect:
	}
	return ""
}

// unwantedPack says why nothing is to be packed for an object, whatever is known of its package.
func unwantedPack(rp *v1alpha1.ReleasePackage) string {
	switch {
	case !slices.Contains(rp.Finalizers, v1alpha1.UnpackFinalizer):
		return "packs before it is protected"
	case rp.Spec.Suspend, rp.Spec.ReleasePackageID != "", !rp.DeletionTimestamp.IsZero():
		return "packs what must not be packed"
	case lifecycle.Needs(rp) == lifecycle.NeedNothing:
		return "packs without a connection"
	}
	return ""
}

func TestNoStepBreaksAPromise(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for i := range 5_000 {
		rp := aRandomReleasePackage(r)
		seen := aRandomSight(r, rp)
		step := lifecycle.Decide(rp, seen)
		if what := brokenPromise(rp, seen, step); what != "" {
			t.Fatalf("seed %d, case %d: %s\nstep %+v\nseen %+v\nobject %+v", seed, i, what, step, seen, rp)
		}
	}
}
