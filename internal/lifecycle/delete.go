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

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// decideDeletion withdraws what this object has packed, and lets the object go when a look shows nothing left to withdraw.
func decideDeletion(rp *v1alpha1.ReleasePackage, seen Seen) Step {
	id := rp.Status.ReleasePackageID
	switch {
	case !protected(rp):
		return Step{Action: Wait, Reason: v1alpha1.ReasonUnpacking,
			Message: "Nothing is left to be done for this object; it goes when its other finalizers are removed"}
	case id == "" && !AttemptOpen(rp):
		return Step{Action: Release}
	case rp.Spec.DeletionPolicy == v1alpha1.DeletionRetain:
		return released(retained(rp))
	case seen.Problem != nil:
		return Blocked(rp, *seen.Problem)
	case moved(rp, seen):
		return stalledByMove(rp, seen)
	case notShownYet(rp, seen):
		return unpack(rp, seen)
	case AttemptOpen(rp):
		step := decideRecovery(rp, seen)
		if step.Action == Adopt {
			step.After = minPatience // There is more to do than to look at it.
		}
		return step
	}
	switch stateNow(rp, seen) {
	case v1alpha1.StateWithdrawn:
		if seen.Gone {
			return released(fmt.Sprintf("The service has no package %s any more", id))
		}
		return Step{Action: Release, Event: Event{Reason: v1alpha1.EventUnpacked, Message: fmt.Sprintf("Package %s is withdrawn", id)}}
	case v1alpha1.StateDeployed:
		return released(fmt.Sprintf("Package %s was deployed already, so there was nothing to withdraw", id))
	case v1alpha1.StateDeploying:
		return Step{Action: Wait, Reason: v1alpha1.ReasonDeploying, After: deployingInterval, Message: fmt.Sprintf(
			"Package %s is being deployed; this object goes when that has ended", id)}
	case v1alpha1.StatePendingReview, v1alpha1.StateDeployFailed, v1alpha1.StateUnknown:
	}
	return unpack(rp, seen)
}

func unpack(rp *v1alpha1.ReleasePackage, seen Seen) Step {
	return Step{Action: Unpack, Reason: v1alpha1.ReasonUnpacking, After: patience(rp, v1alpha1.ReasonUnpacking, seen.Now),
		Message: fmt.Sprintf("Package %s is being withdrawn", rp.Status.ReleasePackageID)}
}

func released(message string) Step {
	return Step{Action: Release, Event: Event{Reason: v1alpha1.EventReleased, Message: message}}
}

func retained(rp *v1alpha1.ReleasePackage) string {
	if id := rp.Status.ReleasePackageID; id != "" {
		return fmt.Sprintf("Package %s stays at the service, as spec.deletionPolicy is Retain", id)
	}
	return fmt.Sprintf("A package %s may stay at the service: spec.deletionPolicy is Retain, and the outcome of the request to pack it is not known",
		rp.Status.Attempt.PackageName)
}
