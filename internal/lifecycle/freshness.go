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

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

const (
	// preferredAge is how old a look may be before something is withdrawn. What the service does with a request to
	// withdraw a package that is being deployed is not documented.
	preferredAge = 10 * time.Second
	// maxAge is how old it may be where many packages are withdrawn at once, so that a look at each would cost more
	// than the withdrawals. They are looked at about every minute, and what was deployed meanwhile is refused.
	maxAge = 90 * time.Second
)

// Freshness says how old a shared view of the recorded package may be.
type Freshness struct {
	// Required means that nothing can be decided without a view. Otherwise the recorded state stands until a look shows
	// another one.
	Required bool
	// PreferredAge is the age up to which a view is as good as a look of its own. MaxAge is the limit where such a look
	// costs too much.
	PreferredAge, MaxAge time.Duration
}

// reportsMissing reports whether a condition says that the package is not shown. Then the recorded state does not
// stand: that the package is shown again, even unchanged, is news.
func reportsMissing(rp *v1alpha1.ReleasePackage) bool {
	return slices.ContainsFunc(rp.Status.Conditions, func(c metav1.Condition) bool {
		return c.Reason == v1alpha1.ReasonPackageNotFound
	})
}

// AwaitLook is the step of an object that waits for a look at its package.
func AwaitLook(rp *v1alpha1.ReleasePackage) Step {
	step := Step{Action: Wait, After: minLookDelay}
	switch {
	case !rp.DeletionTimestamp.IsZero():
		step.Reason, step.Message = v1alpha1.ReasonUnpacking, withdrawing(rp)
	case edited(rp):
		step.Reason, step.Message = v1alpha1.ReasonReplacing, replacing(rp)
	}
	return step
}

// LookAfter is when to look at the recorded package after a step: when the step says, and now and then where
// something else is in the way of an object whose package an approver may decide about meanwhile.
func LookAfter(rp *v1alpha1.ReleasePackage, step Step) time.Duration {
	undecided := rp.Status.State == v1alpha1.StatePendingReview || rp.Status.State == v1alpha1.StateDeploying
	if step.Action == Stall && step.After == 0 && undecided && rp.Status.ReleasePackageID != "" && !Finalized(rp) {
		return lookAgain
	}
	return step.After
}

// ConditionsCurrent reports whether the conditions are about the object as it is now, so that it can wait for a look
// without a word.
func ConditionsCurrent(rp *v1alpha1.ReleasePackage) bool {
	return rp.Status.ObservedGeneration == rp.Generation
}

func withdrawing(rp *v1alpha1.ReleasePackage) string {
	return fmt.Sprintf("Package %s is being withdrawn", rp.Status.ReleasePackageID)
}

func replacing(rp *v1alpha1.ReleasePackage) string {
	return fmt.Sprintf("Package %s is being withdrawn, to be packed again as the spec says", rp.Status.ReleasePackageID)
}
