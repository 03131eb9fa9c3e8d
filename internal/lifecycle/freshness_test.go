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
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

// told has the conditions of a pass that saw this of its package.
func told(sights ...sight) with {
	return func(rp *v1alpha1.ReleasePackage) {
		obs := seeing(sights...)
		step := lifecycle.Decide(rp, obs)
		lifecycle.RecordObservation(rp, obs)
		lifecycle.Summarize(rp, step, now)
	}
}

// cameTooLate was packed after a request like it was lost.
func cameTooLate(rp *v1alpha1.ReleasePackage) { rp.Status.Attempt.LostBefore = 1 }

var (
	inReview  = packed(v1alpha1.StatePendingReview)
	withdrawn = packed(v1alpha1.StateWithdrawn)
	failed    = packed(v1alpha1.StateDeployFailed)
)

var _ = Describe("An object that stalls", func() {
	DescribeTable("over something else is looked at now and then, while an approver may decide about its package",
		func(rp *v1alpha1.ReleasePackage, after time.Duration) {
			Expect(lifecycle.LookAfter(rp, lifecycle.Step{Action: lifecycle.Stall})).To(Equal(after))
		},
		Entry("in review", aReleasePackage(inReview), 5*time.Minute),
		Entry("being deployed", aReleasePackage(packed(v1alpha1.StateDeploying)), 5*time.Minute),
		Entry("withdrawn", aReleasePackage(withdrawn), time.Duration(0)),
		Entry("deployed", aReleasePackage(packed(v1alpha1.StateDeployed)), time.Duration(0)),
		Entry("without a package", aReleasePackage(), time.Duration(0)),
	)

	It("is looked at when its step says, where that says so", func() {
		Expect(lifecycle.LookAfter(aReleasePackage(inReview), lifecycle.Step{Action: lifecycle.Stall, After: time.Hour})).To(
			Equal(time.Hour))
	})
})

var _ = Describe("A view of the package", func() {
	DescribeTable("is not required as long as what is on record stands", func(rp *v1alpha1.ReleasePackage) {
		Expect(lifecycle.RequiredFreshness(rp)).To(Equal(lifecycle.Freshness{}))
	},
		Entry("of a package in review", aReleasePackage(inReview)),
		Entry("of one that is being deployed", aReleasePackage(packed(v1alpha1.StateDeploying))),
		Entry("of one that was adopted", aReleasePackage(adopted(v1alpha1.StatePendingReview))),
		Entry("of one that tells of trouble", aReleasePackage(inReview, told(unavailable))),
	)

	DescribeTable("is required before anything else is decided", func(rp *v1alpha1.ReleasePackage) {
		freshness := lifecycle.RequiredFreshness(rp)
		Expect(freshness.Required).To(BeTrue())
		Expect(freshness.PreferredAge).To(And(BeNumerically(">", 0), BeNumerically("<=", 10*time.Second)))
		Expect(freshness.MaxAge).To(And(BeNumerically(">", time.Minute), BeNumerically("<=", 90*time.Second)))
	},
		Entry("for a deletion", aReleasePackage(inReview, deleted)),
		Entry("for an edit", aReleasePackage(inReview, edited)),
		Entry("in a state that is not known", aReleasePackage(packed(v1alpha1.StateUnknown))),
		Entry("of a failed package", aReleasePackage(failed)),
		Entry("of a withdrawn package", aReleasePackage(withdrawn)),
		Entry("when it is about to be withdrawn", aReleasePackage(inReview, withdrawing)),
		Entry("when the service accepted that", aReleasePackage(inReview, givenUp)),
		Entry("when the object tells that the service hides it", aReleasePackage(inReview, told(hiding))),
		Entry("when the object tells that the service does not show it yet",
			aReleasePackage(inReview, justPacked, told(gone))),
	)
})

var _ = Describe("An object whose package came to a bad end", func() {
	DescribeTable("is settled once it tells of that", func(rp *v1alpha1.ReleasePackage) {
		Expect(lifecycle.SettledAfterFailure(rp)).To(BeTrue())
		Expect(lifecycle.Needs(rp)).To(Equal(lifecycle.NeedPackage), "which it would need otherwise")
	},
		Entry("when the deployment failed", aReleasePackage(failed, told(thePackage(v1alpha1.StateDeployFailed)))),
		Entry("when somebody withdrew it", aReleasePackage(withdrawn, told(thePackage(v1alpha1.StateWithdrawn)))),
		Entry("when it is gone", aReleasePackage(withdrawn, told(gone))),
		Entry("when it was adopted",
			aReleasePackage(adopted(v1alpha1.StateWithdrawn), told(thePackage(v1alpha1.StateWithdrawn)))),
	)

	resting := aReleasePackage(failed, told(thePackage(v1alpha1.StateDeployFailed)))
	DescribeTable("is not settled", func(rp *v1alpha1.ReleasePackage, changes ...with) {
		rp = rp.DeepCopy()
		for _, change := range changes {
			change(rp)
		}
		Expect(lifecycle.SettledAfterFailure(rp)).To(BeFalse())
	},
		Entry("before it tells", aReleasePackage(failed)),
		Entry("while it tells of something else", aReleasePackage(failed, told(unavailable))),
		Entry("while the service refuses to withdraw it", aReleasePackage(failed, func(rp *v1alpha1.ReleasePackage) {
			lifecycle.Summarize(rp, answered(rp, seeing(), lifecycle.Step{Action: lifecycle.Unpack}, refusedAfterLook), now)
		})),
		Entry("when the service hides a package that may be in review", aReleasePackage(inReview, told(hiding))),
		Entry("when it is deleted", resting, deleted),
		Entry("when it is edited", resting, edited),
		Entry("when it is suspended", resting, suspended),
		Entry("when a pass is forced", resting, forced),
		Entry("when it is not protected", resting, withoutFinalizer),
		Entry("when a request may come late", resting, cameTooLate),
		Entry("when the package is in review", aReleasePackage(inReview, told(thePackage(v1alpha1.StatePendingReview)))),
		Entry("when the package is deployed", aReleasePackage(packed(v1alpha1.StateDeployed), told())),
	)
})

var _ = Describe("An object that waits for a look", func() {
	DescribeTable("tells what it waits for", func(rp *v1alpha1.ReleasePackage, reason string, words ...string) {
		step := lifecycle.AwaitLook(rp)
		Expect(step).To(does(lifecycle.Wait, because(reason, words...), tellingNothing()))
		Expect(step.After).To(And(BeNumerically(">", 0), BeNumerically("<=", 5*time.Second)))
		expectSound(summarized(rp, step))
	},
		Entry("to be withdrawn", aReleasePackage(inReview, deleted), v1alpha1.ReasonUnpacking, packageID),
		Entry("to be replaced", aReleasePackage(inReview, edited), v1alpha1.ReasonReplacing, packageID),
		Entry("to be withdrawn, whatever it was edited to", aReleasePackage(inReview, edited, deleted),
			v1alpha1.ReasonUnpacking, packageID),
		Entry("to be understood", aReleasePackage(packed(v1alpha1.StateUnknown)), ""),
		Entry("that failed", aReleasePackage(failed), ""),
		Entry("that is withdrawn", aReleasePackage(withdrawn), ""),
	)

	It("has the conditions of the pass that it waits for, so that they do not flap", func() {
		rp := aReleasePackage(inReview, deleted)
		awaiting := summarized(rp, lifecycle.AwaitLook(rp))
		unpacking := summarized(rp, lifecycle.Decide(rp, seeing(thePackage(v1alpha1.StatePendingReview))))
		Expect(awaiting.Status.Conditions).To(Equal(unpacking.Status.Conditions))
	})

	It("needs no word once its conditions are about the object as it is", func() {
		rp := aReleasePackage(inReview, edited)
		Expect(lifecycle.ConditionsCurrent(rp)).To(BeFalse())
		Expect(lifecycle.ConditionsCurrent(summarized(rp, lifecycle.AwaitLook(rp)))).To(BeTrue())
		rp = aReleasePackage(inReview, told())
		Expect(lifecycle.ConditionsCurrent(rp)).To(BeTrue())
		deleted(rp)
		Expect(lifecycle.ConditionsCurrent(rp)).To(BeFalse())
	})
})

var _ = Describe("The record of items", func() {
	item := func(id, name, kind string) v1alpha1.PackageItem {
		return v1alpha1.PackageItem{ID: id, Name: name, Type: kind, State: v1alpha1.StatePendingReview}
	}
	listed := map[string]lifecycle.PendingItem{"26": {ID: "26", Name: "job_a", Type: "Job"},
		"99": {ID: "99", Name: "other", Type: "Job"}}
	earlier := []v1alpha1.PackageItem{
		{ID: "26", Name: "old name", Type: "Script", State: v1alpha1.StateWithdrawn},
		{ID: "27", Name: "job_b", Type: "Script", State: v1alpha1.StateWithdrawn}, {ID: "28", Name: "left out", Type: "Job"},
	}

	DescribeTable("names what was packed, as far as it is known", func(
		listed map[string]lifecycle.PendingItem, earlier []v1alpha1.PackageItem, want ...v1alpha1.PackageItem,
	) {
		rp := aReleasePackage(inReview)
		before := slices.Clone(earlier)
		lifecycle.RecordItems(rp, listed, earlier)
		Expect(rp.Status.Items).To(Equal(want))
		Expect(earlier).To(Equal(before))
	},
		Entry("from the pending list first, then from the package before", listed, earlier, item("26", "job_a", "Job"),
			item("27", "job_b", "Script")),
		Entry("from the pending list alone", listed, nil, item("26", "job_a", "Job"), item("27", "", "")),
		Entry("from the package before alone", nil, earlier, item("26", "old name", "Script"), item("27", "job_b", "Script")),
		Entry("by the ids where nothing is known", nil, nil, item("26", "", ""), item("27", "", "")),
	)

	It("is bounded by what the schema takes", func() {
		rp := aReleasePackage(inReview)
		rp.Status.Attempt.PendingItemIDs = make([]string, 1100)
		for i := range rp.Status.Attempt.PendingItemIDs {
			rp.Status.Attempt.PendingItemIDs[i] = "26"
		}
		lifecycle.RecordItems(rp, listed, nil)
		Expect(rp.Status.Items).To(HaveLen(1000))
	})

	It("of the next attempt is a time in whole seconds, or none", func() {
		rp := aReleasePackage()
		lifecycle.RecordNextAttempt(rp, now.Add(1500*time.Millisecond))
		Expect(rp.Status.NextAttemptTime).To(HaveValue(Equal(metav1.Time{Time: now.Add(time.Second)})))
		lifecycle.RecordNextAttempt(rp, time.Time{})
		Expect(rp.Status.NextAttemptTime).To(BeNil())
	})
})
