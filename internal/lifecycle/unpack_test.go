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

// notWithdrawableOnceFailed has failed, and been given up.
func notWithdrawableOnceFailed(rp *v1alpha1.ReleasePackage) {
	rp.Status.State = v1alpha1.StateDeployFailed
	notWithdrawable(rp)
}

var _ = Describe("A withdrawal that makes way for another package", func() {
	DescribeTable("that was begun goes on", expectDecision,
		Entry("withdrawn, it is replaced though the edit was taken back",
			aReleasePackage(packed(v1alpha1.StatePendingReview), withdrawing),
			seeing(thePackage(v1alpha1.StateWithdrawn)),
			does(lifecycle.Pack)),
		Entry("vanished, it is withdrawn before it is replaced, as a look alone proves nothing",
			aReleasePackage(packed(v1alpha1.StatePendingReview), withdrawing), seeing(gone),
			does(lifecycle.Unpack, because(v1alpha1.ReasonReplacing))),
		Entry("vanished since the service accepted that, it is replaced",
			aReleasePackage(packed(v1alpha1.StatePendingReview), withdrawing, givenUp), seeing(gone),
			does(lifecycle.Pack)),
		Entry("denied a moment after it was packed, it is looked for again",
			aReleasePackage(packed(v1alpha1.StatePendingReview), justPacked, withdrawing),
			seeing(gone),
			does(lifecycle.Wait, because(v1alpha1.ReasonPackageNotFound))),
		Entry("not shown, it is withdrawn before it is replaced",
			aReleasePackage(packed(v1alpha1.StatePendingReview), withdrawing), seeing(hiding),
			does(lifecycle.Unpack, because(v1alpha1.ReasonReplacing))),
		Entry("failed, it is withdrawn again", aReleasePackage(packed(v1alpha1.StateDeployFailed), withdrawing),
			seeing(thePackage(v1alpha1.StateDeployFailed)),
			does(lifecycle.Unpack, because(v1alpha1.ReasonReplacing))),
		Entry("in review, and edited, it is withdrawn again",
			aReleasePackage(packed(v1alpha1.StatePendingReview), withdrawing, edited),
			seeing(thePackage(v1alpha1.StatePendingReview)),
			does(lifecycle.Unpack, because(v1alpha1.ReasonReplacing))),
		Entry("in review, it stays there once the edit was taken back",
			aReleasePackage(packed(v1alpha1.StatePendingReview), withdrawing),
			seeing(thePackage(v1alpha1.StatePendingReview)),
			does(lifecycle.Wait, withoutReason())),
		Entry("deploying, it was outrun", aReleasePackage(packed(v1alpha1.StatePendingReview), withdrawing, edited),
			seeing(thePackage(v1alpha1.StateDeploying)),
			does(lifecycle.Stall, because(v1alpha1.ReasonSpecFrozen))),
		Entry("unseen, it is left alone", aReleasePackage(packed(v1alpha1.StatePendingReview), withdrawing),
			seeing(unavailable),
			does(lifecycle.Wait, because(v1alpha1.ReasonServiceUnavailable))),
	)

	DescribeTable("is taken back where the package shows up again",
		func(past with, state v1alpha1.PackageState, want v1alpha1.AttemptOutcome) {
			rp := aReleasePackage(packed(v1alpha1.StatePendingReview), past)
			lifecycle.RecordObservation(rp, seeing(thePackage(state), at(settleTime)))
			Expect(rp.Status.Attempt.Outcome).To(Equal(want))
			Expect(rp.Status.UnpackedTime).To(BeNil())
		},
		Entry("in review, though the service accepted that", with(givenUp), v1alpha1.StatePendingReview,
			v1alpha1.OutcomePacked),
		Entry("in review, when that is not known", with(withdrawing), v1alpha1.StatePendingReview, v1alpha1.OutcomePacked),
		Entry("deploying", with(withdrawing), v1alpha1.StateDeploying, v1alpha1.OutcomePacked),
		Entry("deployed", with(withdrawing), v1alpha1.StateDeployed, v1alpha1.OutcomePacked),
		Entry("not where it failed meanwhile", with(withdrawing), v1alpha1.StateDeployFailed, v1alpha1.OutcomeWithdrawing),
		Entry("not where its state is one that nobody documents", with(withdrawing), v1alpha1.StateUnknown,
			v1alpha1.OutcomeWithdrawing),
		Entry("nor is one that was given up", with(notWithdrawableOnceFailed), v1alpha1.StatePendingReview,
			v1alpha1.OutcomeGivenUp),
	)

	It("stands as long as a look that shows the package as before may lag behind", func() {
		rp := aReleasePackage(packed(v1alpha1.StatePendingReview), givenUp)
		lifecycle.RecordObservation(rp, seeing(thePackage(v1alpha1.StatePendingReview), at(settleTime-time.Second)))
		Expect(rp.Status.Attempt.Outcome).To(Equal(v1alpha1.OutcomeWithdrawn))
		Expect(rp.Status.UnpackedTime).NotTo(BeNil())
	})

	It("is on record before it is sent, unless the service has accepted it already", func() {
		rp := aReleasePackage(packed(v1alpha1.StatePendingReview), withdrawing)
		Expect(rp.Status.Attempt.Outcome).To(Equal(v1alpha1.OutcomeWithdrawing))
		Expect(lifecycle.AttemptOpen(rp)).To(BeFalse())
		givenUp(rp)
		withdrawing(rp)
		Expect(rp.Status.Attempt.Outcome).To(Equal(v1alpha1.OutcomeWithdrawn))

		rp = aReleasePackage(adopted(v1alpha1.StatePendingReview), withdrawing)
		Expect(rp.Status.Attempt).To(BeNil())
	})

	DescribeTable("is on record as done where the service refuses to show the package",
		func(past with, want v1alpha1.PackageState) {
			rp := aReleasePackage(packed(v1alpha1.StatePendingReview), past)
			lifecycle.RecordObservation(rp, seeing(hiding))
			Expect(rp.Status.State).To(Equal(want))
		},
		Entry("not without a withdrawal", with(unchanged), v1alpha1.StateUnknown),
		Entry("not while it is not known whether the service accepted it", with(withdrawing), v1alpha1.StateUnknown),
		Entry("once the service has accepted it", with(givenUp), v1alpha1.StateWithdrawn),
	)
})

var _ = Describe("A look that is refused", func() {
	DescribeTable("at a package that is not listed either", expectDecision,
		Entry("in review, it tells, and looks again in a while", aReleasePackage(packed(v1alpha1.StatePendingReview)),
			seeing(hiding),
			does(lifecycle.Stall, because(v1alpha1.ReasonPackageNotFound, packageID, "refused a look", "edit the spec"),
				comingBackAfter(5*time.Minute))),
		Entry("a moment after it was packed, it looks again soon",
			aReleasePackage(packed(v1alpha1.StatePendingReview), justPacked), seeing(hiding),
			does(lifecycle.Wait, because(v1alpha1.ReasonPackageNotFound), comingBackAfter(5*time.Second))),
		Entry("once it was seen as withdrawn, that is no news", aReleasePackage(packed(v1alpha1.StateWithdrawn)),
			seeing(hiding),
			does(lifecycle.Stall, because(v1alpha1.ReasonWithdrawn))),
		Entry("after the service accepted to withdraw it, it is replaced",
			aReleasePackage(packed(v1alpha1.StatePendingReview), givenUp, edited), seeing(hiding),
			does(lifecycle.Pack)),
		Entry("after an edit, it is withdrawn before it is replaced",
			aReleasePackage(packed(v1alpha1.StatePendingReview), edited), seeing(hiding),
			does(lifecycle.Unpack, because(v1alpha1.ReasonReplacing))),
		Entry("after a pass that was forced before anyone could know, it tells",
			aReleasePackage(packed(v1alpha1.StatePendingReview), forced), seeing(hiding),
			does(lifecycle.Stall, because(v1alpha1.ReasonPackageNotFound))),
		Entry("after a forced pass by someone who knew, it is withdrawn before it is replaced",
			aReleasePackage(packed(v1alpha1.StatePendingReview), toldOfHiding, forced),
			seeing(hiding), does(lifecycle.Unpack, because(v1alpha1.ReasonReplacing))),
		Entry("after it told, it goes on looking", aReleasePackage(packed(v1alpha1.StatePendingReview), toldOfHiding),
			seeing(hiding),
			does(lifecycle.Stall, because(v1alpha1.ReasonPackageNotFound), comingBackAfter(5*time.Minute))),
		Entry("after a forced pass by someone who knew of other trouble, it tells",
			aReleasePackage(packed(v1alpha1.StatePendingReview), toldOfMove, forced),
			seeing(hiding), does(lifecycle.Stall, because(v1alpha1.ReasonPackageNotFound))),
		Entry("adopted, it is not replaced by a forced pass",
			aReleasePackage(adopted(v1alpha1.StatePendingReview), toldOfHiding, forced), seeing(hiding),
			does(lifecycle.Stall, because(v1alpha1.ReasonPackageNotFound, "not packed again"))),
		Entry("to be adopted, it may just not be shown yet", aReleasePackage(adopting), seeing(hiding),
			does(lifecycle.Wait, because(v1alpha1.ReasonPackageNotFound, packageID, "refused a look",
				"may just not be shown yet"), comingBackAfter(time.Second))),
		Entry("to be adopted, it tells, and looks again in a while", aReleasePackage(adopting, missedFor(settleTime)),
			seeing(hiding),
			does(lifecycle.Stall, because(v1alpha1.ReasonPackageNotFound, packageID, "refused a look",
				"correct spec.releasePackageId"), comingBackAfter(5*time.Minute))),
		Entry("to be adopted after an answer was lost, it tells once the search has come to nothing",
			aReleasePackage(attempted(time.Hour), adopting, missedFor(settleTime)),
			seeing(found(), hiding),
			does(lifecycle.Stall, because(v1alpha1.ReasonPackageNotFound))),
		Entry("to be adopted after an answer was lost, it does not end the search",
			aReleasePackage(attempted(time.Minute), adopting), seeing(found(), hiding),
			does(lifecycle.Wait, because(v1alpha1.ReasonOutcomeUnknown))),
		Entry("adopted, it is not replaced by an edit", aReleasePackage(adopted(v1alpha1.StatePendingReview), edited),
			seeing(hiding),
			does(lifecycle.Stall, because(v1alpha1.ReasonPackageNotFound))),
	)
})
