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
	"time"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// withinDeadline is the step of an object, unless it is being deleted and its time for that is over.
func withinDeadline(rp *v1alpha1.ReleasePackage, obs Observation, step Step) Step {
	left, bounded := DeletionTimeLeft(rp, obs.Now)
	// Even an operator that was away for all that time tries once.
	untried := step.Action == Unpack && rp.Status.ObservedGeneration != rp.Generation
	answered := step.Action == Adopt || step.Action == CloseAttempt
	if bounded && left <= 0 && step.Action != RemoveFinalizer && !untried && !answered {
		return Step{Action: RemoveFinalizer, Event: Event{Reason: v1alpha1.EventOrphaned, Warning: true, Message: fmt.Sprintf(
			"%s, as it was not withdrawn within spec.deletionDeadline; withdraw it in the console", mayStay(rp))}}
	}
	return step
}

// foundTooLate is how long a deletion may take from when its package is found, if that is after its deadline.
const foundTooLate = time.Minute

// DeletionTimeLeft is how long the deletion of an object may still take, and whether there is a bound at all.
func DeletionTimeLeft(rp *v1alpha1.ReleasePackage, now time.Time) (time.Duration, bool) {
	if rp.DeletionTimestamp.IsZero() || rp.Spec.DeletionDeadline.Duration == 0 || Finalized(rp) {
		return 0, false
	}
	ends := rp.DeletionTimestamp.Add(rp.Spec.DeletionDeadline.Duration)
	if at := rp.Status.RecordedTime; at != nil && at.After(ends) {
		ends = at.Add(foundTooLate)
	}
	return ends.Sub(now), true
}

// Finalized reports whether the operator has let go of an object that others keep from being deleted, and said so.
// One that lost our finalizer in another way still has its package withdrawn, as long as it is there.
func Finalized(rp *v1alpha1.ReleasePackage) bool {
	return !rp.DeletionTimestamp.IsZero() && !hasFinalizer(rp) && stalledFor(rp, v1alpha1.ReasonReleased)
}

// decideLetGo is about an object that is let go, and stays because of the finalizers of others.
func decideLetGo(rp *v1alpha1.ReleasePackage, _ Observation) Step { return AwaitOtherFinalizers(rp) }

// AwaitOtherFinalizers is what such an object tells.
func AwaitOtherFinalizers(rp *v1alpha1.ReleasePackage) Step {
	return Step{Action: Stall, Reason: v1alpha1.ReasonReleased, Message: fmt.Sprintf(
		"The operator has nothing left to do for this object; it goes when its other finalizers are removed: %s",
		listed(rp.Finalizers))}
}

func decideNothingToWithdraw(*v1alpha1.ReleasePackage, Observation) Step {
	return Step{Action: RemoveFinalizer}
}

// decideDeletedUnknown recovers first. A package that is found is withdrawn by the next pass.
func decideDeletedUnknown(rp *v1alpha1.ReleasePackage, obs Observation) Step {
	step := decideRecovery(rp, obs)
	if step.Action == Adopt {
		return LookSoon(step) // There is more to do than to look at it.
	}
	return step
}

func decideDeletedInDoubt(rp *v1alpha1.ReleasePackage, obs Observation) Step {
	if len(made(rp, obs)) == 0 {
		return Step{Action: RemoveFinalizer}
	}
	return decideMade(rp, obs)
}

// decideWithdrawal withdraws the recorded package, and lets the object go when a look, or the record, shows nothing
// left to withdraw.
func decideWithdrawal(rp *v1alpha1.ReleasePackage, obs Observation) Step {
	switch {
	case missing(rp, obs), notShownYet(rp, obs):
		return unpack(rp, obs)
	case outdated(rp, obs):
		return awaitWithdrawal(rp, v1alpha1.ReasonUnpacking, withdrawing(rp), obs)
	}
	id, state := rp.Status.ReleasePackageID, stateNow(rp, obs)
	final := state == v1alpha1.StateWithdrawn || state == v1alpha1.StateDeployed || ended(rp, v1alpha1.OutcomeGivenUp)
	if others := late(rp, obs); final && len(others) > 0 {
		return adoptSoon(rp, &others[0], tooLate, obs)
	}
	switch state {
	case v1alpha1.StateWithdrawn:
		if !unpacked(rp) {
			return finalized(fmt.Sprintf(
				"Package %s was withdrawn or deleted at the service already, so there was nothing to withdraw", id))
		}
		return Step{Action: RemoveFinalizer,
			Event: Event{Reason: v1alpha1.EventUnpacked, Message: fmt.Sprintf("Package %s is withdrawn", id)}}
	case v1alpha1.StateDeployed:
		return finalized(fmt.Sprintf("Package %s was deployed already, so there was nothing to withdraw", id))
	case v1alpha1.StateDeploying:
		return Step{Action: Wait, Reason: v1alpha1.ReasonDeploying, After: deployingInterval, Message: fmt.Sprintf(
			"Package %s is being deployed; this object goes when that has ended", id)}
	case v1alpha1.StatePendingReview, v1alpha1.StateDeployFailed, v1alpha1.StateUnknown:
	}
	return unpack(rp, obs)
}

// packUnlessMade packs, unless an earlier request has made something all the same.
func packUnlessMade(rp *v1alpha1.ReleasePackage, obs Observation) Step {
	if mayHaveMade(rp) && len(made(rp, obs)) > 0 {
		return decideMade(rp, obs)
	}
	return Step{Action: Pack}
}

// decideMade is about an object whose request was refused, or lost without a trace, and has made something all the
// same. Codes that are not documented may say anything, so the search has the last word.
func decideMade(rp *v1alpha1.ReleasePackage, obs Observation) Step {
	deleting, late := !rp.DeletionTimestamp.IsZero(), !refused(rp)
	found := made(rp, obs)
	asked := hashOf(rp, &found[0]) == rp.Status.Attempt.ContentHash
	switch {
	// The others are found after it.
	case late && len(found) == 1 && asked, late && deleting && rp.Status.Attempt.LostBefore > 0:
		return adoptSoon(rp, &found[0], tooLate, obs)
	case late:
		return ambiguous(rp, fmt.Sprintf(
			"Packages %s are what this object asked for; they were packed by requests that arrived too late", idsOf(found)))
	case deleting && len(found) == 1:
		return adoptSoon(rp, &found[0], "though the service had refused to pack it", obs)
	// It is done, and the refusal may be due to that.
	case len(found) == 1 && asked && found[0].State == v1alpha1.StateDeployed:
		return adopt(rp, &found[0], "which is what the service had refused to pack, and is deployed", obs.PollInterval)
	}
	return ambiguous(rp, fmt.Sprintf("Attempt %d was refused, and yet packages %s are what it asked for",
		rp.Status.Attempt.Number, idsOf(found)))
}

const tooLate = "which a request that arrived too late had made"

// adoptSoon takes a package over that there is more to do about than to look at it.
func adoptSoon(rp *v1alpha1.ReleasePackage, p *Package, why string, obs Observation) Step {
	return LookSoon(adopt(rp, p, why, obs.PollInterval))
}

func unpack(rp *v1alpha1.ReleasePackage, obs Observation) Step {
	return Step{Action: Unpack, Reason: v1alpha1.ReasonUnpacking, After: lookDelay(rp, v1alpha1.ReasonUnpacking, obs.Now),
		Message: withdrawing(rp)}
}

func finalized(message string) Step {
	return Step{Action: RemoveFinalizer, Event: Event{Reason: v1alpha1.EventReleased, Message: message}}
}

func decideRetained(rp *v1alpha1.ReleasePackage, _ Observation) Step {
	if rp.Status.ReleasePackageID == "" && !AttemptOpen(rp) {
		return Step{Action: RemoveFinalizer}
	}
	return finalized(mayStay(rp) + ", as spec.deletionPolicy is Retain")
}

// mayStay begins a sentence about what is left at the service.
func mayStay(rp *v1alpha1.ReleasePackage) string {
	if id := rp.Status.ReleasePackageID; id != "" {
		return fmt.Sprintf("Package %s stays at the service", id)
	}
	return fmt.Sprintf("A package %s may stay at the service, since the outcome of the request to pack it is not known",
		rp.Status.Attempt.PackageName)
}
