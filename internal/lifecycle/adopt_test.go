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
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

// packedBefore has packed a package that is withdrawn by now.
func packedBefore(id string) with {
	return func(rp *v1alpha1.ReleasePackage) {
		packed(v1alpha1.StateWithdrawn)(rp)
		rp.Status.ReleasePackageID = id
	}
}

var _ = Describe("An adopted package", func() {
	spec := func(change func(*v1alpha1.ReleasePackageSpec)) with {
		return func(rp *v1alpha1.ReleasePackage) { change(&rp.Spec) }
	}
	otherName := spec(func(s *v1alpha1.ReleasePackageSpec) { s.PackageName = "other" })
	sameInOtherOrder := spec(func(s *v1alpha1.ReleasePackageSpec) {
		s.PackageName, s.ApplyUserID = "job_0948_20250513", "dev1"
		s.PendingItemIDs, s.ApproverIDs = []v1alpha1.ID{"27", "26"}, []v1alpha1.UserID{"dep1", "dep2"}
	})
	bare := func(s *lifecycle.Observation) {
		s.Package.Items, s.Package.ApproverIDs, s.Package.ApplyUserID = nil, nil, ""
	}

	DescribeTable("that is another than the spec describes", func(change with, words ...string) {
		rp := aReleasePackage(adopted(v1alpha1.StatePendingReview), change)
		words = append(words, packageID, "was adopted and is left as it is", "leave them out")
		Expect(decide(rp, seeing(thePackage(v1alpha1.StatePendingReview)))).To(
			does(lifecycle.Stall, because(v1alpha1.ReasonSpecDiffers, words...), comingBackAfter(pollInterval)))
	},
		Entry("in its name", otherName, "spec.packageName is other, and the package has job_0948_20250513"),
		Entry("in its applicant", spec(func(s *v1alpha1.ReleasePackageSpec) { s.ApplyUserID = "dev2" }),
			"spec.applyUserId is dev2, and the package has dev1"),
		Entry("in its items", spec(func(s *v1alpha1.ReleasePackageSpec) { s.PendingItemIDs = []v1alpha1.ID{"28", "26"} }),
			"spec.pendingItemIds is 26, 28, and the package has 26, 27"),
		Entry("in its approvers", spec(func(s *v1alpha1.ReleasePackageSpec) { s.ApproverIDs = []v1alpha1.UserID{"dep1"} }),
			"spec.approverIds is dep1, and the package has dep1, dep2"),
		Entry("in several ways", spec(func(s *v1alpha1.ReleasePackageSpec) {
			s.PackageName, s.ApplyUserID = "other",
				"dev2"
		}), "has job_0948_20250513; spec.applyUserId"),
	)

	DescribeTable("is in order", func(change with, sights ...sight) {
		rp := aReleasePackage(adopted(v1alpha1.StatePendingReview), change)
		obs := seeing(append([]sight{thePackage(v1alpha1.StatePendingReview)}, sights...)...)
		Expect(decide(rp, obs)).To(does(lifecycle.Wait, withoutReason(), comingBackAfter(pollInterval)))
	},
		Entry("with a spec that says nothing of its contents", spec(func(*v1alpha1.ReleasePackageSpec) {})),
		Entry("with a spec that describes it, in whatever order", sameInOtherOrder),
		Entry("with what the service does not show", spec(func(s *v1alpha1.ReleasePackageSpec) {
			s.ApplyUserID, s.PendingItemIDs, s.ApproverIDs = "dev2", []v1alpha1.ID{"28"}, []v1alpha1.UserID{"dep3"}
		}), bare),
	)

	DescribeTable("that differs is looked at as its state asks for",
		func(state v1alpha1.PackageState, obs lifecycle.Observation, want types.GomegaMatcher) {
			Expect(decide(aReleasePackage(adopted(state), otherName), obs)).To(want)
		},
		Entry("often while deploying", v1alpha1.StatePendingReview, seeing(thePackage(v1alpha1.StateDeploying)),
			does(lifecycle.Stall, because(v1alpha1.ReasonSpecDiffers), comingBackAfter(5*time.Second))),
		Entry("not at all once deployed", v1alpha1.StateDeploying, seeing(thePackage(v1alpha1.StateDeployed)),
			does(lifecycle.Stall, because(v1alpha1.ReasonSpecDiffers), notComingBack())),
		Entry("not even once, when it was deployed long ago", v1alpha1.StateDeployed, seeing(nothing),
			does(lifecycle.Stall, because(v1alpha1.ReasonSpecDiffers,
				"spec.packageName is other, and the package has job_0948_20250513"), notComingBack())),
		Entry("and its failure is told of first", v1alpha1.StateDeploying, seeing(thePackage(v1alpha1.StateDeployFailed)),
			does(lifecycle.Stall, because(v1alpha1.ReasonDeployFailed))),
		Entry("and its withdrawal is told of first", v1alpha1.StatePendingReview, seeing(thePackage(v1alpha1.StateWithdrawn)),
			does(lifecycle.Stall, because(v1alpha1.ReasonWithdrawn))),
	)

	DescribeTable("that was deployed long ago is compared as it is recorded", func(change with, words string) {
		rp := aReleasePackage(adopted(v1alpha1.StateDeployed), change)
		Expect(decide(rp, seeing(nothing))).To(does(lifecycle.Stall, because(v1alpha1.ReasonSpecDiffers, words)))
	},
		Entry("by its applicant", spec(func(s *v1alpha1.ReleasePackageSpec) { s.ApplyUserID = "dev2" }), "has dev1"),
		Entry("by its items", spec(func(s *v1alpha1.ReleasePackageSpec) { s.PendingItemIDs = []v1alpha1.ID{"28"} }),
			"has 26, 27"),
		Entry("by its approvers", spec(func(s *v1alpha1.ReleasePackageSpec) { s.ApproverIDs = []v1alpha1.UserID{"dep3"} }),
			"has dep1, dep2"),
	)

	It("that differs is adopted all the same, which is said at once", func() {
		rp := aReleasePackage(adopting, otherName)
		obs := seeing(thePackage(v1alpha1.StatePendingReview))
		step := decide(rp, obs)
		Expect(step).To(does(lifecycle.Adopt, comingBackAfter(time.Second)))
		lifecycle.RecordAdopted(rp, step.Package, here, now)
		Expect(lifecycle.Adopted(rp, obs, step)).To(does(lifecycle.Stall, because(v1alpha1.ReasonSpecDiffers),
			comingBackAfter(pollInterval),
			telling(v1alpha1.EventAdopted, packageID)))
		Expect(decide(aReleasePackage(adopting, sameInOtherOrder), obs)).To(does(lifecycle.Adopt,
			comingBackAfter(pollInterval)))
	})

	It("is withdrawn by a deletion though it differs", func() {
		rp := aReleasePackage(adopted(v1alpha1.StatePendingReview), otherName, deleted)
		Expect(decide(rp, seeing(thePackage(v1alpha1.StatePendingReview)))).To(does(lifecycle.Unpack))
	})

	It("differs in the conditions too, and is deployed all the same", func() {
		expectConditions(after(aReleasePackage(adopted(v1alpha1.StateDeployed), otherName), seeing(nothing)), conditions(
			verdict(no, v1alpha1.ReasonSpecDiffers), verdict(yes, v1alpha1.ReasonDeployed), v1alpha1.ConditionStalled,
			v1alpha1.ReasonSpecDiffers))
	})

	It("is no matter of a package that the object has packed itself", func() {
		rp := aReleasePackage(packed(v1alpha1.StatePendingReview))
		obs := seeing(thePackage(v1alpha1.StatePendingReview),
			func(s *lifecycle.Observation) { s.Package.Name = "renamed at the service" })
		Expect(decide(rp, obs)).To(does(lifecycle.Wait, withoutReason()))
	})
})

var _ = Describe("The record of a package", func() {
	DescribeTable("that was found counts as packed by an attempt of this object, so that an edit replaces it",
		func(past with, number int, message string, withdrawn ...any) {
			rp := aReleasePackage(past)
			p := aPackage(packageID, v1alpha1.StatePendingReview)
			lifecycle.RecordAdopted(rp, &p, here, now)
			Expect(rp.Status.Attempt).To(And(HaveField("Number", int32(number)), HaveField("Outcome", v1alpha1.OutcomePacked),
				HaveField("Message", ContainSubstring(message)),
				HaveField("ContentHash", lifecycle.WantedContent(aReleasePackage()).Hash())))
			Expect(rp.Status.WithdrawnPackageIDs).To(HaveExactElements(withdrawn...))
			Expect(rp.Status.ReleasePackageID).To(Equal(packageID))
			Expect(rp.Status.Workspace).To(HaveValue(Equal(here)))
			Expect(rp.Status.PackedTime.Time).To(Equal(p.PackedTime))
			edited(rp)
			Expect(decide(rp, seeing(thePackage(v1alpha1.StatePendingReview)))).To(does(lifecycle.Unpack,
				because(v1alpha1.ReasonReplacing)))
		},
		Entry("by the open one", attempted(time.Minute), 1, "answer was lost"),
		Entry("by the one that was refused", ended(v1alpha1.OutcomeRefused), 1, "Found"),
		Entry("by a first one, where there was none", unchanged, 1, "nothing was sent"),
		Entry("by another one than that of the package before", packedBefore("12"), 2, "nothing was sent", "12"),
		Entry("by another one than one with other contents", func(rp *v1alpha1.ReleasePackage) {
			items := rp.Spec.PendingItemIDs
			both(edited, ended(v1alpha1.OutcomeNotDone))(rp)
			rp.Spec.PendingItemIDs = items
		}, 2, "nothing was sent"),
	)

	It("that a person chose closes the open attempt, and says so", func() {
		rp := aReleasePackage(attempted(time.Hour), adopting)
		p := aPackage(packageID, v1alpha1.StatePendingReview)
		lifecycle.RecordAdopted(rp, &p, here, now)
		Expect(rp.Status.Attempt).To(And(
			HaveField("Number", int32(1)), HaveField("Outcome", v1alpha1.OutcomePacked),
			HaveField("Message", ContainSubstring("spec.releasePackageId"))))
	})
})
