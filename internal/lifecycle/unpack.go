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

// lookAgain is how soon to look again at what only people can set right: they may do it in the console, where nothing
// tells of it.
const lookAgain = 5 * time.Minute

// BeginWithdrawal records that a package is about to be withdrawn to make way for another. It must be stored before
// the request leaves: a package that is withdrawn without such a record was withdrawn by someone else, and stalls.
func BeginWithdrawal(rp *v1alpha1.ReleasePackage) {
	if rp.Status.Attempt != nil && rp.Status.Attempt.Outcome != v1alpha1.OutcomeWithdrawn {
		closeAttempt(rp, v1alpha1.OutcomeWithdrawing, "")
	}
}

// Replaces reports whether a step withdraws a package to make way for another.
func Replaces(step Step) bool {
	return step.Action == Unpack && step.Reason == v1alpha1.ReasonReplacing
}

// LookSoon is the step after an answer that leaves to a look what became of the package.
func LookSoon(step Step) Step {
	step.After = minLookDelay
	return step
}

func nothingLeft(rp *v1alpha1.ReleasePackage) Step {
	return finalized(fmt.Sprintf("The service does not show package %s any more, and has nothing left to withdraw",
		rp.Status.ReleasePackageID))
}

// unpackRefused is the step after the service refused to withdraw the package for a reason that will not pass by
// itself.
func unpackRefused(rp *v1alpha1.ReleasePackage, refusal string) Step {
	wayOut := ""
	switch {
	case !rp.DeletionTimestamp.IsZero():
		wayOut = ", or set spec.deletionPolicy to Retain to leave it"
	case edited(rp):
		wayOut = ", or revert the edit of the spec"
	}
	return Step{Action: Stall, Reason: v1alpha1.ReasonUnpackRefused, After: lookAgain, Message: fmt.Sprintf(
		"The service refused to withdraw package %s: %s; withdraw it in the console%s. The operator tries again "+
			"every few minutes, and at once when the annotation %s gets a new value",
		rp.Status.ReleasePackageID, refusal, wayOut, v1alpha1.ReconcileAtAnnotation)}
}
