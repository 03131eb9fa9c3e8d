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
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// LeftBehind reports whether an object that is gone may have left something to withdraw: our finalizer did not hold it
// back, so that no deletion has looked after its package. What the API server showed of it last is all that is left. It
// may have our finalizer, and yet not have been held back: nobody saw its end, or the finalizer was added right when it
// was deleted, which the API server does not keep apart (kubernetes/kubernetes#77988).
func LeftBehind(rp *v1alpha1.ReleasePackage, now time.Time) bool {
	heldBack := hasFinalizer(rp) && !rp.DeletionTimestamp.IsZero()
	left, bounded := DeletionTimeLeft(rp, now)
	return !heldBack && !Finalized(rp) && (!bounded || left > 0) && Needs(AsDeleted(rp, now)) != NeedNothing
}

// AsDeleted is an object that is gone as it would be, had its finalizer kept it: what is left to do for it is then
// what a deletion does.
func AsDeleted(rp *v1alpha1.ReleasePackage, now time.Time) *v1alpha1.ReleasePackage {
	kept := rp.DeepCopy()
	kept.DeletionTimestamp = &metav1.Time{Time: now}
	if !hasFinalizer(kept) {
		kept.Finalizers = append(kept.Finalizers, v1alpha1.UnpackFinalizer)
	}
	return kept
}

// AwaitVanished is the step instead of one that would take what an object has left that is gone.
func AwaitVanished(rp, gone *v1alpha1.ReleasePackage, now time.Time) Step {
	what := "what its package was to hold"
	if id := gone.Status.ReleasePackageID; id != "" {
		what = "its package " + id
	}
	return Step{Action: Wait, Reason: v1alpha1.ReasonAlreadyClaimed,
		After: lookDelay(rp, v1alpha1.ReasonAlreadyClaimed, now), Message: fmt.Sprintf(
			"%s was deleted without its finalizer, and %s is being withdrawn; this one goes on after that", nameFor(rp, gone),
			what)}
}

// VanishedDelay is how soon to come back to what an object has left, some time after it went. It has no
// conditions that would tell how long the same has been waited for.
func VanishedDelay(step Step, gone time.Duration) time.Duration {
	return max(step.After, halfOf(gone))
}

// WithdrawnLeft tells that what a vanished object had left is withdrawn.
func WithdrawnLeft(rp *v1alpha1.ReleasePackage) Event {
	return Event{Reason: v1alpha1.EventUnpacked, Warning: true, Message: fmt.Sprintf(
		"Withdrew package %s, which was left when this object was deleted without its finalizer", rp.Status.ReleasePackageID)}
}

// OrphanLeft tells that what a vanished object has left is not withdrawn yet, for this reason, and may never be.
func OrphanLeft(rp *v1alpha1.ReleasePackage, why string) Event {
	return Event{Reason: v1alpha1.EventOrphaned, Warning: true, Message: fmt.Sprintf(
		"%s, as this object was deleted without its finalizer, and it is not withdrawn: %s; withdraw it in the console",
		// What else is to be done is said to an object that is there.
		mayStay(rp), strings.TrimRight(firstClause(why), ". "))}
}
