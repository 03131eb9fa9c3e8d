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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

var _ = Describe("Deleting", func() {
	expectDeletion := func(rp *v1alpha1.ReleasePackage, obs lifecycle.Observation, want types.GomegaMatcher) {
		GinkgoHelper()
		deleted(rp)
		expectDecision(rp, obs, want)
	}

	DescribeTable("an object that has no package", expectDeletion,
		Entry("lets it go at once", aReleasePackage(), seeing(nothing),
			does(lifecycle.RemoveFinalizer, withoutReason(), tellingNothing())),
		Entry("lets it go though it was refused", aReleasePackage(ended(v1alpha1.OutcomeRefused)), seeing(nothing),
			does(lifecycle.RemoveFinalizer)),
		Entry("lets it go though it did not get through", aReleasePackage(ended(v1alpha1.OutcomeNotDone)), seeing(nothing),
			does(lifecycle.RemoveFinalizer)),
		Entry("lets it go though it is suspended", aReleasePackage(suspended), seeing(nothing),
			does(lifecycle.RemoveFinalizer)),
		Entry("lets it go though it wants to adopt one", aReleasePackage(adopting), seeing(nothing),
			does(lifecycle.RemoveFinalizer)),
		Entry("lets it go though it was never protected", aReleasePackage(withoutFinalizer), seeing(nothing),
			does(lifecycle.RemoveFinalizer)),
		Entry("leaves it to others if it was let go already", aReleasePackage(packed(v1alpha1.StatePendingReview), finalized),
			seeing(nothing),
			does(lifecycle.Stall, because(v1alpha1.ReasonReleased, "example.com/other"), notComingBack())),
	)

	DescribeTable("an object whose package is known", expectDeletion,
		Entry("withdraws it though its finalizer was lost",
			aReleasePackage(packed(v1alpha1.StatePendingReview), withoutFinalizer),
			seeing(thePackage(v1alpha1.StatePendingReview)), does(lifecycle.Unpack)),
		Entry("withdraws it from review, and looks again", aReleasePackage(packed(v1alpha1.StatePendingReview)),
			seeing(thePackage(v1alpha1.StatePendingReview)),
			does(lifecycle.Unpack, because(v1alpha1.ReasonUnpacking, packageID), comingBackAfter(time.Second),
				tellingNothing())),
		Entry("withdraws one that failed", aReleasePackage(packed(v1alpha1.StateDeployFailed)),
			seeing(thePackage(v1alpha1.StateDeployFailed)),
			does(lifecycle.Unpack)),
		Entry("tries to withdraw one in a state that nobody documents", aReleasePackage(packed(v1alpha1.StateUnknown)),
			seeing(thePackage(v1alpha1.StateUnknown)),
			does(lifecycle.Unpack)),
		Entry("withdraws one that was adopted", aReleasePackage(adopted(v1alpha1.StatePendingReview)),
			seeing(thePackage(v1alpha1.StatePendingReview)),
			does(lifecycle.Unpack)),
		Entry("withdraws one though the object is suspended", aReleasePackage(packed(v1alpha1.StatePendingReview), suspended),
			seeing(thePackage(v1alpha1.StatePendingReview)),
			does(lifecycle.Unpack, because(v1alpha1.ReasonUnpacking))),
		Entry("withdraws one though the spec was edited", aReleasePackage(packed(v1alpha1.StatePendingReview), edited),
			seeing(thePackage(v1alpha1.StatePendingReview)),
			does(lifecycle.Unpack, because(v1alpha1.ReasonUnpacking))),
		Entry("waits for the end of a deployment", aReleasePackage(packed(v1alpha1.StatePendingReview)),
			seeing(thePackage(v1alpha1.StateDeploying)),
			does(lifecycle.Wait, because(v1alpha1.ReasonDeploying, packageID), comingBackAfter(5*time.Second))),
		Entry("lets it go when a look shows it withdrawn", aReleasePackage(packed(v1alpha1.StatePendingReview)),
			seeing(thePackage(v1alpha1.StateWithdrawn)),
			does(lifecycle.RemoveFinalizer, telling(v1alpha1.EventReleased, packageID, "already"))),
		Entry("lets it go when a look shows it withdrawn, and says so if the operator did that",
			aReleasePackage(packed(v1alpha1.StatePendingReview), givenUp),
			seeing(thePackage(v1alpha1.StateWithdrawn)),
			does(lifecycle.RemoveFinalizer, telling(v1alpha1.EventUnpacked, packageID))),
		Entry("withdraws it though a look says that it is gone, as a look alone proves nothing",
			aReleasePackage(packed(v1alpha1.StatePendingReview)), seeing(gone),
			does(lifecycle.Unpack, because(v1alpha1.ReasonUnpacking))),
		Entry("lets it go when it is gone since the operator withdrew it",
			aReleasePackage(adopted(v1alpha1.StatePendingReview), givenUp), seeing(gone),
			does(lifecycle.RemoveFinalizer, telling(v1alpha1.EventUnpacked, packageID))),
		Entry("waits while it looks as it did before the operator withdrew it",
			aReleasePackage(adopted(v1alpha1.StatePendingReview), givenUp),
			seeing(thePackage(v1alpha1.StatePendingReview), at(10*time.Second)),
			does(lifecycle.Wait, because(v1alpha1.ReasonUnpacking), comingBackAfter(5*time.Second))),
		Entry("withdraws it again when it looks so for long", aReleasePackage(adopted(v1alpha1.StatePendingReview), givenUp),
			seeing(thePackage(v1alpha1.StatePendingReview), at(settleTime)), does(lifecycle.Unpack)),
		Entry("lets it go when a look shows it deployed", aReleasePackage(packed(v1alpha1.StateDeploying)),
			seeing(thePackage(v1alpha1.StateDeployed)),
			does(lifecycle.RemoveFinalizer, telling(v1alpha1.EventReleased, packageID, "deployed already"))),
		Entry("lets it go without a look when it was deployed long ago", aReleasePackage(packed(v1alpha1.StateDeployed)),
			seeing(nothing),
			does(lifecycle.RemoveFinalizer, telling(v1alpha1.EventReleased, "deployed already"))),
		Entry("keeps it while the service is away", aReleasePackage(packed(v1alpha1.StateDeploying)), seeing(unavailable),
			does(lifecycle.Wait, because(v1alpha1.ReasonServiceUnavailable), notComingBack())),
		Entry("keeps it when the workspace object points elsewhere", aReleasePackage(packed(v1alpha1.StatePendingReview)),
			seeing(movedWorkspace),
			does(lifecycle.Stall, because(v1alpha1.ReasonWorkspaceChanged, "Retain"))),
	)

	DescribeTable("an object that retains its package", expectDeletion,
		Entry("lets it go and says what stays", aReleasePackage(packed(v1alpha1.StatePendingReview), retained),
			seeing(nothing),
			does(lifecycle.RemoveFinalizer, telling(v1alpha1.EventReleased, packageID, "stays at the service"))),
		Entry("lets it go though the service is away", aReleasePackage(packed(v1alpha1.StatePendingReview), retained),
			seeing(unavailable),
			does(lifecycle.RemoveFinalizer)),
		Entry("lets it go though the workspace object points elsewhere",
			aReleasePackage(packed(v1alpha1.StatePendingReview), retained), seeing(movedWorkspace),
			does(lifecycle.RemoveFinalizer)),
		Entry("lets it go though an answer was lost, and says what may stay",
			aReleasePackage(attempted(time.Minute), retained), seeing(nothing),
			does(lifecycle.RemoveFinalizer, telling(v1alpha1.EventReleased, "job_0948_20250513", "may stay"))),
		Entry("lets it go silently when there is none", aReleasePackage(retained), seeing(nothing),
			does(lifecycle.RemoveFinalizer, tellingNothing())),
	)

	DescribeTable("an object whose answer was lost", expectDeletion,
		Entry("looks for the package first", aReleasePackage(attempted(20*time.Second)), seeing(found()),
			does(lifecycle.Wait, because(v1alpha1.ReasonOutcomeUnknown), comingBackAfter(settleTime-19*time.Second))),
		Entry("adopts the package that it finds, to withdraw it soon", aReleasePackage(attempted(time.Minute)),
			seeing(found(aPackage(packageID, v1alpha1.StatePendingReview))),
			does(lifecycle.Adopt, HaveField("Package.ID", packageID), comingBackAfter(time.Second))),
		Entry("closes the attempt when there is proof that it made nothing", aReleasePackage(attempted(justSettled)),
			seeing(found(), itemUnpacked),
			does(lifecycle.CloseAttempt, comingBackAfter(time.Second))),
		Entry("names the way out when there is no proof", aReleasePackage(attempted(longSettled)), seeing(found()),
			does(lifecycle.Stall, because(v1alpha1.ReasonAmbiguousPackage, "Retain"))),
		Entry("names the way out when there are several packages", aReleasePackage(attempted(time.Minute)),
			seeing(found(aPackage(anotherID, v1alpha1.StatePendingReview), aPackage(packageID, v1alpha1.StatePendingReview))),
			does(lifecycle.Stall, because(v1alpha1.ReasonAmbiguousPackage, "13, 14", "Retain"))),
		Entry("keeps looking while the service is away", aReleasePackage(attempted(longSettled)), seeing(unavailable),
			does(lifecycle.Wait, because(v1alpha1.ReasonServiceUnavailable))),
		Entry("does not look elsewhere", aReleasePackage(attempted(longSettled)), seeing(movedWorkspace),
			does(lifecycle.Stall, because(v1alpha1.ReasonWorkspaceChanged))),
	)

	DescribeTable("an object whose request was refused", expectDeletion,
		Entry("lets it go when a search shows that it made nothing", aReleasePackage(ended(v1alpha1.OutcomeRefused)),
			seeing(found()),
			does(lifecycle.RemoveFinalizer, tellingNothing())),
		Entry("lets it go when what it made is withdrawn", aReleasePackage(ended(v1alpha1.OutcomeRefused)),
			seeing(found(aPackage(packageID, v1alpha1.StateWithdrawn))),
			does(lifecycle.RemoveFinalizer)),
		Entry("lets it go when a search shows other packages alone", aReleasePackage(ended(v1alpha1.OutcomeRefused)),
			seeing(found(changed(func(p *lifecycle.Package) { p.ApplyUserID = "dev2" }))), does(lifecycle.RemoveFinalizer)),
		Entry("adopts what it made all the same, to withdraw it soon", aReleasePackage(ended(v1alpha1.OutcomeRefused)),
			seeing(found(aPackage(packageID, v1alpha1.StatePendingReview))),
			does(lifecycle.Adopt, HaveField("Package.ID", packageID), comingBackAfter(time.Second),
				telling(v1alpha1.EventAdopted, packageID, "refused"))),
		Entry("leaves it to a person which of several it made", aReleasePackage(ended(v1alpha1.OutcomeRefused)),
			seeing(found(aPackage(anotherID, v1alpha1.StatePendingReview), aPackage(packageID, v1alpha1.StatePendingReview))),
			does(lifecycle.Stall, because(v1alpha1.ReasonAmbiguousPackage, "13, 14", "Retain"), comingBackAfter(5*time.Minute))),
		Entry("keeps it while the service is away", aReleasePackage(ended(v1alpha1.OutcomeRefused)), seeing(unavailable),
			does(lifecycle.Wait, because(v1alpha1.ReasonServiceUnavailable))),
		Entry("lets it go without a look where it retains its package",
			aReleasePackage(ended(v1alpha1.OutcomeRefused), retained), seeing(nothing),
			does(lifecycle.RemoveFinalizer, tellingNothing())),
	)

	DescribeTable("an object whose package the service refuses to show and does not list", expectDeletion,
		Entry("withdraws it to find out", aReleasePackage(packed(v1alpha1.StatePendingReview)), seeing(hiding),
			does(lifecycle.Unpack, because(v1alpha1.ReasonUnpacking, packageID), comingBackAfter(time.Second))),
		Entry("withdraws one that was being deployed when it was seen last", aReleasePackage(packed(v1alpha1.StateDeploying)),
			seeing(hiding), does(lifecycle.Unpack)),
		Entry("withdraws one that it has adopted too", aReleasePackage(adopted(v1alpha1.StatePendingReview)), seeing(hiding),
			does(lifecycle.Unpack)),
		Entry("lets it go once the service has accepted that", aReleasePackage(adopted(v1alpha1.StatePendingReview), givenUp),
			seeing(hiding),
			does(lifecycle.RemoveFinalizer, telling(v1alpha1.EventUnpacked, packageID))),
		Entry("lets it go when it was seen as withdrawn before", aReleasePackage(packed(v1alpha1.StateWithdrawn)),
			seeing(found(), hiding),
			does(lifecycle.RemoveFinalizer, telling(v1alpha1.EventReleased, packageID))),
		Entry("does not where it retains it", aReleasePackage(packed(v1alpha1.StatePendingReview), retained), seeing(nothing),
			does(lifecycle.RemoveFinalizer)),
	)

	It("looks soon after the service accepted to withdraw a package, however long that had to wait for its turn", func() {
		step := lifecycle.Step{Action: lifecycle.Unpack, Reason: v1alpha1.ReasonUnpacking, After: time.Minute}
		rp := aReleasePackage(packed(v1alpha1.StatePendingReview), deleted)
		Expect(answered(rp, seeing(), step, lifecycle.Answer{})).To(
			does(lifecycle.Unpack, comingBackAfter(time.Second)))
	})

	It("lets an object go once the service has nothing left to withdraw, though it does not show that", func() {
		Expect(answered(aReleasePackage(packed(v1alpha1.StatePendingReview), deleted), seeing(hiding),
			lifecycle.Step{}, lifecycle.Answer{})).To(
			does(lifecycle.RemoveFinalizer, telling(v1alpha1.EventReleased, packageID, "nothing left"), notComingBack()))
	})

	orphaned := func(words ...string) types.GomegaMatcher {
		return does(lifecycle.RemoveFinalizer, withoutReason(),
			HaveField("Event", And(HaveField("Reason", v1alpha1.EventOrphaned), HaveField("Warning", true),
				HaveField("Message", containsAll(append(words, "spec.deletionDeadline", "in the console"))))))
	}
	// tried is the status after the first pass of a deletion.
	tried := func(rp *v1alpha1.ReleasePackage) { rp.Status.ObservedGeneration = rp.Generation + 1 }

	recordedAt := func(after time.Duration) with {
		return func(rp *v1alpha1.ReleasePackage) { rp.Status.RecordedTime = &metav1.Time{Time: now.Add(after)} }
	}

	DescribeTable("an object whose time is over", expectDeletion,
		Entry("lets it go and tells what stays", aReleasePackage(packed(v1alpha1.StatePendingReview), within(time.Hour),
			tried),
			seeing(thePackage(v1alpha1.StatePendingReview), at(time.Hour)), orphaned("Package "+packageID+" stays")),
		Entry("lets it go though the service is away",
			aReleasePackage(packed(v1alpha1.StatePendingReview), within(time.Hour)), seeing(unavailable, at(2*time.Hour)),
			orphaned(packageID)),
		Entry("lets it go though the workspace object points elsewhere",
			aReleasePackage(packed(v1alpha1.StatePendingReview), within(time.Hour)),
			seeing(movedWorkspace, at(time.Hour)), orphaned(packageID)),
		Entry("lets it go though the package is being deployed",
			aReleasePackage(packed(v1alpha1.StatePendingReview), within(time.Hour)),
			seeing(thePackage(v1alpha1.StateDeploying), at(time.Hour)), orphaned(packageID)),
		Entry("lets it go though an answer was lost, and tells what may stay",
			aReleasePackage(attempted(time.Minute), within(time.Hour)),
			seeing(unavailable, at(time.Hour)),
			orphaned("job_0948_20250513 may stay")),
		Entry("takes what is found only now", aReleasePackage(attempted(time.Minute), within(time.Hour)),
			seeing(found(aPackage(packageID, v1alpha1.StatePendingReview)), at(2*time.Hour)), does(lifecycle.Adopt)),
		Entry("has a minute for what was found only now",
			aReleasePackage(packed(v1alpha1.StatePendingReview), within(time.Hour), tried, recordedAt(2*time.Hour)),
			seeing(thePackage(v1alpha1.StatePendingReview), at(2*time.Hour+59*time.Second)), does(lifecycle.Unpack)),
		Entry("has no more than that",
			aReleasePackage(packed(v1alpha1.StatePendingReview), within(time.Hour), tried, recordedAt(2*time.Hour)),
			seeing(thePackage(v1alpha1.StatePendingReview), at(2*time.Hour+time.Minute)), orphaned(packageID)),
		Entry("lets it go though it cannot be told what became of a request",
			aReleasePackage(attempted(time.Minute), within(time.Hour)),
			seeing(found(), at(time.Hour)),
			orphaned("job_0948_20250513 may stay")),
		Entry("lets it go though a refused request could not be looked for",
			aReleasePackage(ended(v1alpha1.OutcomeRefused), within(time.Hour)),
			seeing(unavailable, at(time.Hour)), orphaned("job_0948_20250513 may stay")),
		Entry("tries once, when nobody could before",
			aReleasePackage(packed(v1alpha1.StatePendingReview), within(time.Minute)),
			seeing(thePackage(v1alpha1.StatePendingReview), at(time.Hour)),
			does(lifecycle.Unpack, because(v1alpha1.ReasonUnpacking))),
		Entry("is in time just before", aReleasePackage(packed(v1alpha1.StatePendingReview), within(time.Hour), tried),
			seeing(thePackage(v1alpha1.StatePendingReview), at(time.Hour-time.Second)), does(lifecycle.Unpack)),
		Entry("has no such time without a deadline", aReleasePackage(packed(v1alpha1.StatePendingReview), tried),
			seeing(thePackage(v1alpha1.StatePendingReview), at(10_000*time.Hour)), does(lifecycle.Unpack)),
		Entry("tells of a withdrawal that came in time, though late seen",
			aReleasePackage(packed(v1alpha1.StatePendingReview), within(time.Hour), tried),
			seeing(thePackage(v1alpha1.StateWithdrawn), at(time.Hour)),
			does(lifecycle.RemoveFinalizer, telling(v1alpha1.EventReleased, packageID))),
		Entry("lets it go silently when there is nothing to withdraw", aReleasePackage(within(time.Hour)),
			seeing(nothing, at(time.Hour)),
			does(lifecycle.RemoveFinalizer, tellingNothing())),
		Entry("says that the package is retained where it is",
			aReleasePackage(packed(v1alpha1.StatePendingReview), within(time.Hour), retained),
			seeing(nothing, at(time.Hour)),
			does(lifecycle.RemoveFinalizer, telling(v1alpha1.EventReleased, packageID, "Retain"))),
		Entry("leaves it to others if it was let go already",
			aReleasePackage(packed(v1alpha1.StatePendingReview), within(time.Hour), finalized),
			seeing(nothing, at(time.Hour)),
			does(lifecycle.Stall, because(v1alpha1.ReasonReleased), notComingBack(), tellingNothing())),
	)

	DescribeTable("the time that is left for it", func(rp *v1alpha1.ReleasePackage, want time.Duration, bounded bool) {
		left, ok := lifecycle.DeletionTimeLeft(rp, now.Add(10*time.Minute))
		Expect(left).To(Equal(want))
		Expect(ok).To(Equal(bounded))
	},
		Entry("is none without a deletion", aReleasePackage(within(time.Hour)), time.Duration(0), false),
		Entry("has no bound once it is let go", aReleasePackage(within(time.Minute), finalized), time.Duration(0), false),
		Entry("has no bound without a deadline", aReleasePackage(deleted), time.Duration(0), false),
		Entry("is what the deletion has not used", aReleasePackage(within(time.Hour), deleted), 50*time.Minute, true),
		Entry("is less than none once it is over", aReleasePackage(within(time.Minute), deleted), -9*time.Minute, true),
	)

	It("does not end before its time while the object is not being deleted", func() {
		rp := aReleasePackage(packed(v1alpha1.StatePendingReview), within(time.Minute))
		Expect(decide(rp, seeing(thePackage(v1alpha1.StatePendingReview), at(time.Hour)))).To(does(lifecycle.Wait,
			withoutReason()))
	})

	It("ends after a lost answer, pass by pass", func() {
		rp := aReleasePackage(attempted(time.Minute), deleted)
		obs := seeing(found(aPackage(packageID, v1alpha1.StatePendingReview)))
		rp = recorded(rp, obs, decide(rp, obs))
		Expect(lifecycle.Needs(rp)).To(Equal(lifecycle.NeedPackage))

		obs = seeing(thePackage(v1alpha1.StatePendingReview))
		step := decide(rp, obs)
		Expect(step).To(does(lifecycle.Unpack))
		rp = recorded(rp, obs, step)

		Expect(decide(rp, seeing(thePackage(v1alpha1.StateWithdrawn)))).To(does(lifecycle.RemoveFinalizer))
	})

	DescribeTable("a refusal to withdraw names the ways out, and is looked at again",
		func(rp *v1alpha1.ReleasePackage, ways ...string) {
			step := answered(rp, seeing(), lifecycle.Step{Action: lifecycle.Unpack},
				refusedAfterLook)
			ways = append(ways, packageID, "DLF.3051", "in the console", v1alpha1.ReconcileAtAnnotation)
			Expect(step).To(does(lifecycle.Stall, because(v1alpha1.ReasonUnpackRefused, ways...),
				comingBackAfter(5*time.Minute)))
			expectSound(summarized(rp, step))
		},
		Entry("of a deletion", aReleasePackage(packed(v1alpha1.StatePendingReview), deleted), "Retain"),
		Entry("of an edit", aReleasePackage(packed(v1alpha1.StatePendingReview), edited), "revert the edit"),
		Entry("of a forced pass", aReleasePackage(packed(v1alpha1.StateDeployFailed), forced)),
	)

	It("withdraws what is denied a moment after it was packed, before it concludes that it is gone", func() {
		rp := aReleasePackage(packed(v1alpha1.StatePendingReview), justPacked, deleted)
		Expect(decide(rp, seeing(gone))).To(does(lifecycle.Unpack))
		answered(rp, seeing(), lifecycle.Step{}, lifecycle.Answer{})
		Expect(decide(rp, seeing(gone))).To(does(lifecycle.RemoveFinalizer))
	})

	DescribeTable("a package that an approver let go", func(state v1alpha1.PackageState, want lifecycle.Action) {
		rp := aReleasePackage(packed(state), deleted)
		unpack := lifecycle.Step{Action: lifecycle.Unpack, Reason: v1alpha1.ReasonUnpacking}
		Expect(answered(rp, seeing(), unpack, tooLate).Action).To(Equal(want))
	},
		Entry("has to be looked at while it was in review", v1alpha1.StatePendingReview, lifecycle.Unpack),
		Entry("is left behind once it has failed", v1alpha1.StateDeployFailed, lifecycle.RemoveFinalizer),
		Entry("is left behind in a state that nobody documents", v1alpha1.StateUnknown, lifecycle.RemoveFinalizer),
	)

	It("names the way out when it is blocked", func() {
		Expect(decide(aReleasePackage(packed(v1alpha1.StatePendingReview), deleted), seeing(unavailable)).Message).To(
			ContainSubstring("deletionPolicy to Retain"))
		Expect(decide(aReleasePackage(packed(v1alpha1.StatePendingReview)), seeing(unavailable)).Message).NotTo(
			ContainSubstring("Retain"))
	})
})
