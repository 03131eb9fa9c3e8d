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

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

var _ = Describe("An object that is gone", func() {
	DescribeTable("may have left a package", func(rp *v1alpha1.ReleasePackage, want bool) {
		Expect(lifecycle.LeftBehind(rp, now)).To(Equal(want))
	},
		Entry("in review, without our finalizer", aReleasePackage(packed(v1alpha1.StatePendingReview), withoutFinalizer),
			true),
		Entry("that was adopted", aReleasePackage(adopted(v1alpha1.StatePendingReview), withoutFinalizer), true),
		Entry("that is being deployed", aReleasePackage(packed(v1alpha1.StateDeploying), withoutFinalizer), true),
		Entry("that a request may have made", aReleasePackage(attempted(time.Minute), withoutFinalizer), true),
		Entry("that the service refused to make, as it said",
			aReleasePackage(ended(v1alpha1.OutcomeRefused), withoutFinalizer), true),
		Entry("though another finalizer had kept it for a while",
			aReleasePackage(packed(v1alpha1.StatePendingReview), deleted, withoutFinalizer), true),
		Entry("not where our finalizer was there to the end", aReleasePackage(packed(v1alpha1.StatePendingReview), deleted),
			false),
		Entry("though it has our finalizer, if that was not there in time", aReleasePackage(packed(
			v1alpha1.StatePendingReview)), true),
		Entry("not where that is to be left", aReleasePackage(packed(v1alpha1.StatePendingReview), withoutFinalizer,
			retained), false),
		Entry("not one that is deployed", aReleasePackage(packed(v1alpha1.StateDeployed), withoutFinalizer), false),
		Entry("not one that is withdrawn", aReleasePackage(packed(v1alpha1.StateWithdrawn), withoutFinalizer), false),
		Entry("not where nothing was ever sent", aReleasePackage(withoutFinalizer), false),
		Entry("not one that was given up at the deadline", aReleasePackage(packed(v1alpha1.StatePendingReview), deleted,
			withoutFinalizer,
			within(time.Minute), func(rp *v1alpha1.ReleasePackage) { rp.DeletionTimestamp.Time = now.Add(-time.Hour) }), false),
	)

	It("is seen to as if it were being deleted", func() {
		gone := lifecycle.AsDeleted(aReleasePackage(packed(v1alpha1.StatePendingReview), withoutFinalizer), now)
		Expect(decide(gone, seeing(thePackage(v1alpha1.StatePendingReview)))).To(does(lifecycle.Unpack))
		Expect(decide(gone, seeing(thePackage(v1alpha1.StateWithdrawn)))).To(does(lifecycle.RemoveFinalizer))
		Expect(lifecycle.WithdrawnLeft(gone)).To(And(HaveField("Reason", v1alpha1.EventUnpacked),
			HaveField("Message", ContainSubstring("package "+packageID))))
		Expect(lifecycle.OrphanLeft(gone, "No.")).To(And(HaveField("Reason", v1alpha1.EventOrphaned),
			HaveField("Warning", true),
			HaveField("Message", "Package "+packageID+" stays at the service, as this object was deleted without its "+
				"finalizer, and it is not withdrawn: No; "+
				"withdraw it in the console")))
	})

	DescribeTable("is come back to less and less often", func(step lifecycle.Step, gone, want time.Duration) {
		Expect(lifecycle.VanishedDelay(step, gone)).To(Equal(want))
	},
		Entry("at first soon", lifecycle.Step{}, time.Duration(0), time.Second),
		Entry("then later", lifecycle.Step{After: time.Second}, 20*time.Second, 10*time.Second),
		Entry("at most every minute", lifecycle.Step{}, time.Hour, time.Minute),
		Entry("or as seldom as the step has it", lifecycle.Step{After: 5 * time.Minute}, time.Second, 5*time.Minute),
	)

	It("lets nobody take what it has left, as long as that is being withdrawn", func() {
		gone := aReleasePackage(packed(v1alpha1.StatePendingReview), withoutFinalizer)
		step := lifecycle.AwaitVanished(aReleasePackage(), gone, now)
		Expect(step).To(does(lifecycle.Wait, because(v1alpha1.ReasonAlreadyClaimed, gone.Name, "package "+packageID),
			comingBackAfter(time.Second)))
		expectSound(summarized(aReleasePackage(), step))
	})
})

var _ = Describe("An object that has lost its finalizer", func() {
	DescribeTable("is given it back", func(rp *v1alpha1.ReleasePackage, want lifecycle.Action) {
		Expect(lifecycle.Decide(rp, seeing())).To(HaveField("Action", want))
	},
		Entry("where it has a package", aReleasePackage(packed(v1alpha1.StateDeployed), withoutFinalizer),
			lifecycle.AddFinalizer),
		Entry("though it is suspended", aReleasePackage(packed(v1alpha1.StatePendingReview), withoutFinalizer, suspended),
			lifecycle.AddFinalizer),
		Entry("but not before it has something to lose, while it is suspended", aReleasePackage(withoutFinalizer, suspended),
			lifecycle.Wait),
	)
})
