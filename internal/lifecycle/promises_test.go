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
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

// states are all states that a package can be seen in.
var states = []v1alpha1.PackageState{
	v1alpha1.StatePendingReview, v1alpha1.StateDeploying, v1alpha1.StateDeployed,
	v1alpha1.StateDeployFailed, v1alpha1.StateWithdrawn, v1alpha1.StateUnknown,
}

func oneOf[T any](t *rapid.T, what string, choices ...T) T {
	return rapid.SampledFrom(choices).Draw(t, what)
}

// sometimes draws whether a change is made.
func sometimes(t *rapid.T, what string, change with) with {
	if rapid.Bool().Draw(t, what) {
		return change
	}
	return func(*v1alpha1.ReleasePackage) {}
}

// anyReleasePackage has one of the statuses that the functions of this package record, and any spec.
func anyReleasePackage(t *rapid.T) *v1alpha1.ReleasePackage {
	var past with
	switch oneOf(t, "past", "none", "attempted", "packed", "adopted", "refused", "not done", "not found", "lost often") {
	case "attempted":
		past = attempted(time.Duration(rapid.Int64Range(0, int64(2*settleTime)).Draw(t, "ago")))
	case "packed":
		past = packed(oneOf(t, "state", states...))
	case "adopted":
		past = adopted(oneOf(t, "state", states...))
	case "refused":
		past = ended(v1alpha1.OutcomeRefused)
	case "not done":
		past = ended(v1alpha1.OutcomeNotDone)
	case "not found":
		past = ended(v1alpha1.OutcomeNotFound)
	case "lost often":
		past = lost(3)
	default:
		past = func(*v1alpha1.ReleasePackage) {}
	}
	return aReleasePackage(
		sometimes(t, "packed before", packed(v1alpha1.StateWithdrawn)),
		sometimes(t, "refused before", ended(v1alpha1.OutcomeRefused)), past,
		sometimes(t, "given up", maybeGivenUp), sometimes(t, "just packed", maybeJustPacked), sometimes(t, "edited", edited),
		sometimes(t, "adopting", adopting), sometimes(t, "forced", forced), sometimes(t, "suspended", suspended),
		sometimes(t, "deleted", deleted), sometimes(t, "retained", retained), sometimes(t, "unprotected", withoutFinalizer),
		sometimes(t, "with a deadline", within(time.Minute)),
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

// anySight is any answer to what the object needs.
func anySight(t *rapid.T, rp *v1alpha1.ReleasePackage) lifecycle.Observation {
	need := lifecycle.Needs(rp)
	if need == lifecycle.NeedNothing {
		return seeing(nothing, oneOf(t, "time", at(0), at(time.Hour)))
	}
	var obs lifecycle.Observation
	switch what := oneOf(t, "sight", "true", "true", "unavailable", "moved"); {
	case what == "unavailable":
		obs = seeing(unavailable)
	case what == "moved" && rp.Status.Workspace != nil:
		obs = seeing(movedWorkspace)
	default:
		obs = trueSight(t, rp, need)
	}
	oneOf(t, "time", at(0), at(time.Hour))(&obs)
	return obs
}

func trueSight(t *rapid.T, rp *v1alpha1.ReleasePackage, need lifecycle.Need) lifecycle.Observation {
	obs := seeing()
	if need == lifecycle.NeedSearch {
		candidates := []lifecycle.Package{aPackage("13", oneOf(t, "state", states...)),
			aPackage("14", oneOf(t, "state", states...))}
		found(candidates[rapid.IntRange(0, 2).Draw(t, "left out"):]...)(&obs)
		obs.ItemUnpacked = lifecycle.NeedsItems(rp, obs) && rapid.Bool().Draw(t, "item unpacked")
		obs.ItemElsewhere = lifecycle.NeedsItems(rp, obs) && rapid.Bool().Draw(t, "item elsewhere")
	}
	if lifecycle.LookID(rp) != "" && need != lifecycle.NeedConnection {
		oneOf(t, "package", thePackage(oneOf(t, "state", states...)), gone, hiding)(&obs)
	}
	return obs
}

// known is the state that the package is known to be in at this moment, empty if it is not.
func known(rp *v1alpha1.ReleasePackage, obs lifecycle.Observation) v1alpha1.PackageState {
	denied, withdrawn := obs.Gone || obs.Hidden != nil, rp.Status.UnpackedTime != nil ||
		rp.Status.State == v1alpha1.StateWithdrawn
	switch {
	case denied && withdrawn:
		return v1alpha1.StateWithdrawn
	case denied:
		return "" // Nothing proves that it has ended.
	case obs.Package != nil:
		return obs.Package.State
	case rp.Status.State == v1alpha1.StateDeployed, rp.Status.State == v1alpha1.StateWithdrawn:
		return rp.Status.State // It is final, so no look is needed.
	}
	return ""
}

// blind reports whether the pass could not see what it needed.
func blind(rp *v1alpha1.ReleasePackage, obs lifecycle.Observation) bool {
	return obs.Problem != nil || rp.Status.Workspace != nil && obs.Target != nil && *rp.Status.Workspace != *obs.Target
}

// notKnownAs reports whether there is a package, or may be one, that is not known to be in any of the states.
func notKnownAs(rp *v1alpha1.ReleasePackage, obs lifecycle.Observation, in ...v1alpha1.PackageState) bool {
	return lifecycle.AttemptOpen(rp) || rp.Status.ReleasePackageID != "" && !slices.Contains(in, known(rp, obs))
}

// brokenPromise says which promise a step would break, if any.
func brokenPromise(rp *v1alpha1.ReleasePackage, obs lifecycle.Observation, step lifecycle.Step) string {
	switch step.Action {
	case lifecycle.Pack:
		if blind(rp, obs) || notKnownAs(rp, obs, v1alpha1.StateWithdrawn, v1alpha1.StateDeployFailed) {
			return "packs though a package may exist"
		}
		return unwantedPack(rp)
	case lifecycle.RemoveFinalizer:
		return unwantedRelease(rp, obs)
	case lifecycle.Unpack:
		if blind(rp, obs) || !notKnownAs(rp, obs, v1alpha1.StateWithdrawn, v1alpha1.StateDeployed, v1alpha1.StateDeploying) {
			return "withdraws what cannot be withdrawn"
		}
	case lifecycle.CloseAttempt, lifecycle.Adopt:
		chosen := step.Action == lifecycle.Adopt && rp.Spec.ReleasePackageID != ""
		outside := obs.ItemUnpacked || obs.ItemElsewhere
		if blind(rp, obs) || !chosen && outside != (step.Action == lifecycle.CloseAttempt) {
			return "concludes what it could not see"
		}
	case lifecycle.Wait, lifecycle.Stall, lifecycle.AddFinalizer:
	}
	return forgotten(rp, obs, step)
}

// forgotten says why nobody would ever come back to an object that is not at its end.
func forgotten(rp *v1alpha1.ReleasePackage, obs lifecycle.Observation, step lifecycle.Step) string {
	leftToOthers := !rp.DeletionTimestamp.IsZero() && !slices.Contains(rp.Finalizers, v1alpha1.UnpackFinalizer)
	switch {
	case step.Action == lifecycle.Stall && step.Reason != "" && step.Message != "", step.Action == lifecycle.AddFinalizer:
	case step.Action == lifecycle.Stall:
		return "stalls and does not say why"
	case step.After > 0, obs.Problem != nil:
	case step.Reason != "" && step.Reason != v1alpha1.ReasonSuspended && !leftToOthers:
		return "waits for something and does not come back"
	}
	return ""
}

// unwantedRelease says what may be left behind when an object is let go.
func unwantedRelease(rp *v1alpha1.ReleasePackage, obs lifecycle.Observation) string {
	deadline := rp.Spec.DeletionDeadline.Duration
	switch {
	case rp.DeletionTimestamp.IsZero():
		return "lets go of what is not being deleted"
	case rp.Spec.DeletionPolicy == v1alpha1.DeletionRetain, deadline > 0 &&
		obs.Now.Sub(rp.DeletionTimestamp.Time) >= deadline:
		return ""
	case notKnownAs(rp, obs, v1alpha1.StateWithdrawn, v1alpha1.StateDeployed):
		return "lets go of what may have to be withdrawn"
	case rp.Status.ReleasePackageID == "" && rp.Status.Attempt != nil &&
		rp.Status.Attempt.Outcome == v1alpha1.OutcomeRefused && !obs.Searched:
		return "lets go of what was refused without a look"
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
	rapid.Check(t, func(t *rapid.T) {
		rp := anyReleasePackage(t)
		obs := anySight(t, rp)
		step := lifecycle.Decide(rp, obs)
		if what := brokenPromise(rp, obs, step); what != "" {
			t.Fatalf("%s\nstep %+v\nseen %+v\nobject %+v", what, step, obs, rp)
		}
	})
}

// TestOneOfTwoYields is about two objects that claim the same, whatever they have and want: one of them goes on, and
// just one.
func TestOneOfTwoYields(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		one, other := anyReleasePackage(t), anyReleasePackage(t)
		other.UID, other.Name = "another", "job-0949"
		other.CreationTimestamp = metav1.NewTime(now.Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "younger"))))
		one.CreationTimestamp = metav1.NewTime(now)
		theirs := lifecycle.Claims(other)
		for _, claim := range lifecycle.Claims(one) {
			yields, goesOn := lifecycle.MustYield(one, other, claim), !lifecycle.MustYield(other, one, claim)
			if contested := slices.Contains(theirs, claim); yields && !contested || contested && yields != goesOn {
				t.Fatalf("%s: yields %t, and the other goes on %t\none %+v\nother %+v", claim, yields, goesOn, one, other)
			}
		}
	})
}
