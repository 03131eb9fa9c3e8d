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

// expectDecision is the body of the tables here.
func expectDecision(rp *v1alpha1.ReleasePackage, obs lifecycle.Observation, want types.GomegaMatcher) {
	GinkgoHelper()
	Expect(decide(rp, obs)).To(want)
}

var _ = Describe("Deciding", func() {
	ownName := func(rp *v1alpha1.ReleasePackage) { rp.Spec.PackageName = "" }
	own := lifecycle.WantedContent(aReleasePackage(ownName)).PackageName

	DescribeTable("before there is a package", expectDecision,
		Entry("an object is protected before anything is sent", aReleasePackage(withoutFinalizer), seeing(),
			does(lifecycle.AddFinalizer)),
		Entry("an object is protected even if nothing can be seen yet", aReleasePackage(withoutFinalizer), seeing(unavailable),
			does(lifecycle.AddFinalizer)),
		Entry("a protected object is packed", aReleasePackage(), seeing(),
			does(lifecycle.Pack, withoutReason(), tellingNothing())),
		Entry("nothing is sent while something is in the way", aReleasePackage(), seeing(unavailable),
			does(lifecycle.Wait, because(v1alpha1.ReasonServiceUnavailable, "cannot be reached"), notComingBack())),
		Entry("a suspended object is left alone", aReleasePackage(suspended), seeing(nothing),
			does(lifecycle.Wait, because(v1alpha1.ReasonSuspended, "spec.suspend"), notComingBack(), tellingNothing())),
		Entry("a suspended object is not even protected", aReleasePackage(withoutFinalizer, suspended), seeing(nothing),
			does(lifecycle.Wait, because(v1alpha1.ReasonSuspended))),
		Entry("a refused request is not sent again unchanged", aReleasePackage(ended(v1alpha1.OutcomeRefused)), seeing(nothing),
			does(lifecycle.Stall, because(v1alpha1.ReasonRefused, "DLF.3051", "edit the spec", v1alpha1.ReconcileAtAnnotation), notComingBack())),
		Entry("a refused request is sent again after an edit", aReleasePackage(ended(v1alpha1.OutcomeRefused), edited), seeing(),
			does(lifecycle.Pack)),
		Entry("a refused request is sent again when forced", aReleasePackage(ended(v1alpha1.OutcomeRefused), forced), seeing(),
			does(lifecycle.Pack)),
		Entry("a request that did not get through is sent again", aReleasePackage(ended(v1alpha1.OutcomeNotDone)), seeing(),
			does(lifecycle.Pack)),
		Entry("a request that was found to have made nothing is sent again", aReleasePackage(ended(v1alpha1.OutcomeNotFound)), seeing(),
			does(lifecycle.Pack)),
		Entry("a request that was lost without a trace is sent again", aReleasePackage(lost(1)), seeing(), does(lifecycle.Pack)),
		Entry("so is one that was lost twice", aReleasePackage(lost(2)), seeing(), does(lifecycle.Pack)),
		Entry("one that was lost three times in a row is for a person to look at", aReleasePackage(lost(3)), seeing(nothing),
			does(lifecycle.Stall, because(v1alpha1.ReasonOutcomeUnknown, "3 requests", "job_0948_20250513", "edit the spec", v1alpha1.ReconcileAtAnnotation), notComingBack())),
		Entry("each by its name, so that none is missed", aReleasePackage(ownName, lost(3)), seeing(nothing),
			does(lifecycle.Stall, because(v1alpha1.ReasonOutcomeUnknown, "3 requests to pack "+own+", "+own+"-2, "+own+"-3, one after the other"))),
		Entry("it is sent again when forced", aReleasePackage(lost(3), forced), seeing(), does(lifecycle.Pack)),
		Entry("it is sent again after an edit", aReleasePackage(lost(3), edited), seeing(), does(lifecycle.Pack)),
		Entry("it is sent again if the latest one did not even get through", aReleasePackage(lost(3), ended(v1alpha1.OutcomeNotDone)), seeing(), does(lifecycle.Pack)),
		Entry("a request that made nothing may be sent to another workspace", aReleasePackage(ended(v1alpha1.OutcomeNotDone)), seeing(movedWorkspace),
			does(lifecycle.Pack)),
	)

	DescribeTable("about a package that is as the spec says", expectDecision,
		Entry("in review, it is watched", aReleasePackage(packed(v1alpha1.StatePendingReview)), seeing(thePackage(v1alpha1.StatePendingReview)),
			does(lifecycle.Wait, withoutReason(), comingBackAfter(pollInterval))),
		Entry("in review, a forced pass does no more than look", aReleasePackage(packed(v1alpha1.StatePendingReview), forced),
			seeing(thePackage(v1alpha1.StatePendingReview)), does(lifecycle.Wait, withoutReason(), comingBackAfter(pollInterval))),
		Entry("deploying, it is watched closely", aReleasePackage(packed(v1alpha1.StatePendingReview)), seeing(thePackage(v1alpha1.StateDeploying)),
			does(lifecycle.Wait, withoutReason(), comingBackAfter(5*time.Second))),
		Entry("deploying, it is watched no less than one in review", aReleasePackage(packed(v1alpha1.StateDeploying)),
			seeing(thePackage(v1alpha1.StateDeploying), func(s *lifecycle.Observation) { s.PollInterval = time.Second }),
			does(lifecycle.Wait, comingBackAfter(time.Second))),
		Entry("deployed, it is left alone", aReleasePackage(packed(v1alpha1.StateDeploying)), seeing(thePackage(v1alpha1.StateDeployed)),
			does(lifecycle.Wait, withoutReason(), notComingBack(), tellingNothing())),
		Entry("deployed for long, it is left alone without a look", aReleasePackage(packed(v1alpha1.StateDeployed)), seeing(nothing),
			does(lifecycle.Wait, withoutReason(), notComingBack())),
		Entry("deployed, a forced pass packs nothing", aReleasePackage(packed(v1alpha1.StateDeployed), forced), seeing(thePackage(v1alpha1.StateDeployed)),
			does(lifecycle.Wait, withoutReason())),
		Entry("failed, it waits for someone", aReleasePackage(packed(v1alpha1.StateDeploying)), seeing(thePackage(v1alpha1.StateDeployFailed)),
			does(lifecycle.Stall, because(v1alpha1.ReasonDeployFailed, packageID, "edit the spec", v1alpha1.ReconcileAtAnnotation), notComingBack())),
		Entry("failed, a forced pass withdraws it first, so that its items are free", aReleasePackage(packed(v1alpha1.StateDeployFailed), forced),
			seeing(thePackage(v1alpha1.StateDeployFailed)), does(lifecycle.Unpack, because(v1alpha1.ReasonReplacing, packageID))),
		Entry("failed, a pass that was forced before anyone could know does no more than tell", aReleasePackage(packed(v1alpha1.StateDeploying), forced),
			seeing(thePackage(v1alpha1.StateDeployFailed)), does(lifecycle.Stall, because(v1alpha1.ReasonDeployFailed))),
		Entry("failed, and not withdrawable, it is packed again", aReleasePackage(packed(v1alpha1.StateDeployFailed), notWithdrawable),
			seeing(thePackage(v1alpha1.StateDeployFailed)), does(lifecycle.Pack)),
		Entry("failed, and not seen as withdrawn yet, it waits for that", aReleasePackage(packed(v1alpha1.StateDeployFailed), givenUp),
			seeing(thePackage(v1alpha1.StateDeployFailed), at(10*time.Second)),
			does(lifecycle.Wait, because(v1alpha1.ReasonReplacing), comingBackAfter(5*time.Second))),
		Entry("failed, and not seen as withdrawn for long, it is withdrawn again", aReleasePackage(packed(v1alpha1.StateDeployFailed), givenUp),
			seeing(thePackage(v1alpha1.StateDeployFailed), at(settleTime)), does(lifecycle.Unpack, because(v1alpha1.ReasonReplacing))),
		Entry("withdrawn by someone, it is not silently packed again", aReleasePackage(packed(v1alpha1.StatePendingReview)),
			seeing(thePackage(v1alpha1.StateWithdrawn)),
			does(lifecycle.Stall, because(v1alpha1.ReasonWithdrawn, packageID, "edit the spec", v1alpha1.ReconcileAtAnnotation), notComingBack())),
		Entry("withdrawn, a forced pass packs again", aReleasePackage(packed(v1alpha1.StateWithdrawn), forced), seeing(thePackage(v1alpha1.StateWithdrawn)),
			does(lifecycle.Pack)),
		Entry("withdrawn, a pass that was forced before anyone could know does no more than tell", aReleasePackage(packed(v1alpha1.StatePendingReview), forced),
			seeing(thePackage(v1alpha1.StateWithdrawn)), does(lifecycle.Stall, because(v1alpha1.ReasonWithdrawn))),
		Entry("withdrawn to be replaced, it is packed again though the edit was reverted", aReleasePackage(packed(v1alpha1.StatePendingReview), givenUp),
			seeing(thePackage(v1alpha1.StateWithdrawn)), does(lifecycle.Pack)),
		Entry("vanished, it is not silently packed again", aReleasePackage(packed(v1alpha1.StatePendingReview)), seeing(gone),
			does(lifecycle.Stall, because(v1alpha1.ReasonPackageNotFound, packageID, "edit the spec"), comingBackAfter(5*time.Minute))),
		Entry("denied a moment after it was packed, it is looked for again", aReleasePackage(packed(v1alpha1.StatePendingReview), justPacked), seeing(gone),
			does(lifecycle.Wait, because(v1alpha1.ReasonPackageNotFound, packageID), comingBackAfter(5*time.Second))),
		Entry("denied a moment after it was packed, it is not replaced either", aReleasePackage(packed(v1alpha1.StatePendingReview), justPacked, edited), seeing(gone),
			does(lifecycle.Wait, because(v1alpha1.ReasonPackageNotFound))),
		Entry("packed before the spec named another, it is not taken for that", aReleasePackage(packed(v1alpha1.StatePendingReview), func(rp *v1alpha1.ReleasePackage) {
			rp.Spec.ReleasePackageID = "99"
		}), seeing(thePackage(v1alpha1.StatePendingReview)), does(lifecycle.Stall, because(v1alpha1.ReasonSpecFrozen, packageID, "99"))),
		Entry("vanished, a forced pass packs again", aReleasePackage(packed(v1alpha1.StateWithdrawn), forced), seeing(gone),
			does(lifecycle.Pack)),
		Entry("in a state that nobody documents, it is watched", aReleasePackage(packed(v1alpha1.StatePendingReview)),
			seeing(thePackage(v1alpha1.StateUnknown), func(s *lifecycle.Observation) { s.Package.RawState = 4 }),
			does(lifecycle.Stall, because(v1alpha1.ReasonUnknownState, "deploy_status 4", packageID), comingBackAfter(pollInterval))),
		Entry("in a state that nobody documents, a forced pass does no more than look", aReleasePackage(packed(v1alpha1.StateUnknown), forced),
			seeing(thePackage(v1alpha1.StateUnknown)), does(lifecycle.Stall, because(v1alpha1.ReasonUnknownState))),
		Entry("unseen, because the service is away, it is left alone", aReleasePackage(packed(v1alpha1.StatePendingReview)), seeing(unavailable),
			does(lifecycle.Wait, because(v1alpha1.ReasonServiceUnavailable))),
		Entry("unseen, because the service is away, no forced pass packs again", aReleasePackage(packed(v1alpha1.StateWithdrawn), forced), seeing(unavailable),
			does(lifecycle.Wait, because(v1alpha1.ReasonServiceUnavailable))),
		Entry("suspended, it is left alone", aReleasePackage(packed(v1alpha1.StatePendingReview), suspended), seeing(nothing),
			does(lifecycle.Wait, because(v1alpha1.ReasonSuspended), notComingBack())),
	)

	DescribeTable("about a package that the spec was edited after", expectDecision,
		Entry("in review, it is withdrawn to be replaced", aReleasePackage(packed(v1alpha1.StatePendingReview), edited),
			seeing(thePackage(v1alpha1.StatePendingReview)),
			does(lifecycle.Unpack, because(v1alpha1.ReasonReplacing, packageID), comingBackAfter(time.Second), telling(v1alpha1.EventUnpacked, packageID))),
		Entry("withdrawn, it is replaced", aReleasePackage(packed(v1alpha1.StatePendingReview), edited), seeing(thePackage(v1alpha1.StateWithdrawn)),
			does(lifecycle.Pack)),
		Entry("vanished, it is withdrawn before it is replaced", aReleasePackage(packed(v1alpha1.StatePendingReview), edited), seeing(gone),
			does(lifecycle.Unpack, because(v1alpha1.ReasonReplacing))),
		Entry("failed, it is withdrawn first, so that its items are free", aReleasePackage(packed(v1alpha1.StateDeployFailed), edited),
			seeing(thePackage(v1alpha1.StateDeployFailed)), does(lifecycle.Unpack, because(v1alpha1.ReasonReplacing, packageID))),
		Entry("deploying, it cannot be replaced, and is watched on", aReleasePackage(packed(v1alpha1.StatePendingReview), edited),
			seeing(thePackage(v1alpha1.StateDeploying)),
			does(lifecycle.Stall, because(v1alpha1.ReasonSpecFrozen, packageID, "revert the edit"), comingBackAfter(5*time.Second))),
		Entry("deployed, it cannot be replaced", aReleasePackage(packed(v1alpha1.StateDeployed), edited), seeing(nothing),
			does(lifecycle.Stall, because(v1alpha1.ReasonSpecFrozen, packageID), notComingBack())),
		Entry("in a state that nobody documents, it is not touched", aReleasePackage(packed(v1alpha1.StatePendingReview), edited),
			seeing(thePackage(v1alpha1.StateUnknown)),
			does(lifecycle.Stall, because(v1alpha1.ReasonUnknownState))),
		Entry("unseen, it is not touched", aReleasePackage(packed(v1alpha1.StatePendingReview), edited), seeing(unavailable),
			does(lifecycle.Wait, because(v1alpha1.ReasonServiceUnavailable))),
		Entry("suspended, it is not touched", aReleasePackage(packed(v1alpha1.StatePendingReview), edited, suspended), seeing(nothing),
			does(lifecycle.Wait, because(v1alpha1.ReasonSuspended))),
	)

	DescribeTable("about an existing package that the spec names", expectDecision,
		Entry("in review, it is adopted and watched", aReleasePackage(adopting), seeing(thePackage(v1alpha1.StatePendingReview)),
			does(lifecycle.Adopt, HaveField("Package.ID", packageID), comingBackAfter(pollInterval), telling(v1alpha1.EventAdopted, packageID, "job_0948_20250513"))),
		Entry("deploying, it is adopted and looked at soon", aReleasePackage(adopting), seeing(thePackage(v1alpha1.StateDeploying)),
			does(lifecycle.Adopt, comingBackAfter(time.Second))),
		Entry("deployed, it is adopted", aReleasePackage(adopting), seeing(thePackage(v1alpha1.StateDeployed)),
			does(lifecycle.Adopt)),
		Entry("failed, it is adopted, and the next pass says so soon", aReleasePackage(adopting), seeing(thePackage(v1alpha1.StateDeployFailed)),
			does(lifecycle.Adopt, comingBackAfter(time.Second))),
		Entry("in a state that nobody documents, it is adopted, and the next pass says so soon", aReleasePackage(adopting), seeing(thePackage(v1alpha1.StateUnknown)),
			does(lifecycle.Adopt, comingBackAfter(time.Second))),
		Entry("withdrawn, it is not adopted", aReleasePackage(adopting), seeing(thePackage(v1alpha1.StateWithdrawn)),
			does(lifecycle.Stall, because(v1alpha1.ReasonWithdrawn, packageID, "correct spec.releasePackageId"), notComingBack())),
		Entry("not there, it may just not be shown yet", aReleasePackage(adopting), seeing(gone),
			does(lifecycle.Wait, because(v1alpha1.ReasonPackageNotFound, packageID, "does not exist", "may just not be shown yet"), comingBackAfter(time.Second))),
		Entry("not there for a minute, it is looked for less often", aReleasePackage(adopting, missedFor(time.Minute)), seeing(gone),
			does(lifecycle.Wait, because(v1alpha1.ReasonPackageNotFound), comingBackAfter(30*time.Second))),
		Entry("not there for too long, it is not adopted", aReleasePackage(adopting, missedFor(settleTime)), seeing(gone),
			does(lifecycle.Stall, because(v1alpha1.ReasonPackageNotFound, packageID, "correct spec.releasePackageId"), comingBackAfter(5*time.Minute))),
		Entry("told of, it is looked for now and then", aReleasePackage(adopting, missedFor(settleTime), toldOfHiding), seeing(gone),
			does(lifecycle.Stall, because(v1alpha1.ReasonPackageNotFound), comingBackAfter(5*time.Minute))),
		Entry("another than the one that was told of, it may just not be shown yet", aReleasePackage(adopting, missedFor(settleTime), toldOfHiding,
			func(rp *v1alpha1.ReleasePackage) { rp.Generation++ }), seeing(gone), does(lifecycle.Wait, because(v1alpha1.ReasonPackageNotFound))),
		Entry("unseen, it is not adopted", aReleasePackage(adopting), seeing(unavailable),
			does(lifecycle.Wait, because(v1alpha1.ReasonServiceUnavailable))),
		Entry("named after an answer was lost, it has to wait for what may still come of that", aReleasePackage(attempted(time.Minute), adopting),
			seeing(found(), thePackage(v1alpha1.StatePendingReview)), does(lifecycle.Wait, because(v1alpha1.ReasonOutcomeUnknown))),
		Entry("named after an answer was lost, it is adopted once the search has come to nothing", aReleasePackage(attempted(time.Hour), adopting),
			seeing(found(), thePackage(v1alpha1.StatePendingReview)), does(lifecycle.Adopt, HaveField("Package.ID", packageID))),
		Entry("named after an answer was lost, it is adopted from several", aReleasePackage(attempted(time.Minute), adopting),
			seeing(found(aPackage("12", v1alpha1.StatePendingReview), aPackage(packageID, v1alpha1.StatePendingReview)), thePackage(v1alpha1.StatePendingReview)),
			does(lifecycle.Adopt, HaveField("Package.ID", packageID))),
		Entry("named after an answer was lost, it does not hide another that was made", aReleasePackage(attempted(time.Minute), adopting),
			seeing(found(aPackage("12", v1alpha1.StatePendingReview)), thePackage(v1alpha1.StatePendingReview)),
			does(lifecycle.Stall, because(v1alpha1.ReasonAmbiguousPackage, "12", packageID))),
		Entry("named after an answer was lost, it has to exist", aReleasePackage(attempted(time.Hour), adopting, missedFor(settleTime)),
			seeing(found(), gone), does(lifecycle.Stall, because(v1alpha1.ReasonPackageNotFound))),
		Entry("adopted, it is watched", aReleasePackage(adopted(v1alpha1.StatePendingReview)), seeing(thePackage(v1alpha1.StatePendingReview)),
			does(lifecycle.Wait, withoutReason(), comingBackAfter(pollInterval))),
		Entry("adopted, it is never replaced by an edit", aReleasePackage(adopted(v1alpha1.StatePendingReview), edited),
			seeing(thePackage(v1alpha1.StatePendingReview)),
			does(lifecycle.Stall, because(v1alpha1.ReasonSpecDiffers, packageID), comingBackAfter(pollInterval))),
		Entry("adopted and withdrawn, it is not packed again by a forced pass", aReleasePackage(adopted(v1alpha1.StatePendingReview), forced),
			seeing(thePackage(v1alpha1.StateWithdrawn)),
			does(lifecycle.Stall, because(v1alpha1.ReasonWithdrawn, "not packed again"))),
		Entry("adopted and vanished, it is not packed again by a forced pass", aReleasePackage(adopted(v1alpha1.StatePendingReview), forced),
			seeing(gone, at(time.Hour)),
			does(lifecycle.Stall, because(v1alpha1.ReasonPackageNotFound, "not packed again"))),
		Entry("adopted and failed, it is not packed again by an edit", aReleasePackage(adopted(v1alpha1.StateDeployFailed), edited),
			seeing(thePackage(v1alpha1.StateDeployFailed)),
			does(lifecycle.Stall, because(v1alpha1.ReasonDeployFailed, "not packed again"))),
		Entry("adopted after an attempt was closed, it is not replaced", aReleasePackage(ended(v1alpha1.OutcomeRefused), adopted(v1alpha1.StatePendingReview)),
			seeing(thePackage(v1alpha1.StatePendingReview)), does(lifecycle.Wait, withoutReason())),
	)

	DescribeTable("when the workspace object points elsewhere than the package was sent to", expectDecision,
		Entry("a package stays where it is", aReleasePackage(packed(v1alpha1.StatePendingReview)), seeing(movedWorkspace),
			does(lifecycle.Stall, because(v1alpha1.ReasonWorkspaceChanged, "ws-1", "ws-2", "production"), notComingBack())),
		Entry("a withdrawn package is not packed again there", aReleasePackage(packed(v1alpha1.StateWithdrawn), forced), seeing(movedWorkspace),
			does(lifecycle.Stall, because(v1alpha1.ReasonWorkspaceChanged))),
		Entry("an open attempt is not searched for there", aReleasePackage(attempted(time.Hour)), seeing(movedWorkspace),
			does(lifecycle.Stall, because(v1alpha1.ReasonWorkspaceChanged))),
		Entry("a deployed package does not care", aReleasePackage(packed(v1alpha1.StateDeployed)), seeing(nothing),
			does(lifecycle.Wait, withoutReason())),
		Entry("a suspended object does not care", aReleasePackage(packed(v1alpha1.StatePendingReview), suspended), seeing(movedWorkspace),
			does(lifecycle.Wait, because(v1alpha1.ReasonSuspended))),
	)

	DescribeTable("a withdrawal that takes its time is looked at less and less often", func(underWay, want time.Duration) {
		rp := aReleasePackage(packed(v1alpha1.StatePendingReview), edited)
		obs := seeing(thePackage(v1alpha1.StatePendingReview))
		lifecycle.Summarize(rp, lifecycle.Decide(rp, obs), now.Add(-underWay))
		Expect(decide(rp, obs)).To(does(lifecycle.Unpack, comingBackAfter(want)))

		rp = aReleasePackage(packed(v1alpha1.StatePendingReview), deleted)
		lifecycle.Summarize(rp, lifecycle.Decide(rp, obs), now.Add(-underWay))
		Expect(decide(rp, obs)).To(does(lifecycle.Unpack, comingBackAfter(want)))
	},
		Entry("at once", time.Duration(0), time.Second),
		Entry("after a while", 20*time.Second, 10*time.Second),
		Entry("after long", time.Hour, time.Minute),
	)
})
