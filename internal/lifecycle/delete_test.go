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

var _ = Describe("Deleting", func() {
	expectDeletion := func(rp *v1alpha1.ReleasePackage, seen lifecycle.Seen, want types.GomegaMatcher) {
		GinkgoHelper()
		deleted(rp)
		expectDecision(rp, seen, want)
	}

	DescribeTable("an object that has no package", expectDeletion,
		Entry("lets it go at once", aReleasePackage(), seeing(nothing),
			does(lifecycle.Release, withoutReason(), tellingNothing())),
		Entry("lets it go though it was refused", aReleasePackage(ended(v1alpha1.OutcomeRefused)), seeing(nothing), does(lifecycle.Release)),
		Entry("lets it go though it did not get through", aReleasePackage(ended(v1alpha1.OutcomeNotDone)), seeing(nothing), does(lifecycle.Release)),
		Entry("lets it go though it is suspended", aReleasePackage(suspended), seeing(nothing), does(lifecycle.Release)),
		Entry("lets it go though it wants to adopt one", aReleasePackage(adopting), seeing(nothing), does(lifecycle.Release)),
		Entry("leaves it to others if it is not protected any more", aReleasePackage(unprotected), seeing(nothing),
			does(lifecycle.Wait, because(v1alpha1.ReasonUnpacking, "other finalizers"), notComingBack())),
		Entry("leaves it to others if it was let go already", aReleasePackage(packed(v1alpha1.StatePendingReview), unprotected), seeing(nothing),
			does(lifecycle.Wait, notComingBack())),
	)

	DescribeTable("an object whose package is known", expectDeletion,
		Entry("withdraws it from review, and looks again", aReleasePackage(packed(v1alpha1.StatePendingReview)), seeing(thePackage(v1alpha1.StatePendingReview)),
			does(lifecycle.Unpack, because(v1alpha1.ReasonUnpacking, packageID), comingBackAfter(time.Second), tellingNothing())),
		Entry("withdraws one that failed", aReleasePackage(packed(v1alpha1.StateDeployFailed)), seeing(thePackage(v1alpha1.StateDeployFailed)),
			does(lifecycle.Unpack)),
		Entry("tries to withdraw one in a state that nobody documents", aReleasePackage(packed(v1alpha1.StateUnknown)), seeing(thePackage(v1alpha1.StateUnknown)),
			does(lifecycle.Unpack)),
		Entry("withdraws one that was adopted", aReleasePackage(adopted(v1alpha1.StatePendingReview)), seeing(thePackage(v1alpha1.StatePendingReview)),
			does(lifecycle.Unpack)),
		Entry("withdraws one though the object is suspended", aReleasePackage(packed(v1alpha1.StatePendingReview), suspended), seeing(thePackage(v1alpha1.StatePendingReview)),
			does(lifecycle.Unpack, because(v1alpha1.ReasonUnpacking))),
		Entry("withdraws one though the spec was edited", aReleasePackage(packed(v1alpha1.StatePendingReview), edited), seeing(thePackage(v1alpha1.StatePendingReview)),
			does(lifecycle.Unpack, because(v1alpha1.ReasonUnpacking))),
		Entry("waits for the end of a deployment", aReleasePackage(packed(v1alpha1.StatePendingReview)), seeing(thePackage(v1alpha1.StateDeploying)),
			does(lifecycle.Wait, because(v1alpha1.ReasonDeploying, packageID), comingBackAfter(5*time.Second))),
		Entry("lets it go when a look shows it withdrawn", aReleasePackage(packed(v1alpha1.StatePendingReview)), seeing(thePackage(v1alpha1.StateWithdrawn)),
			does(lifecycle.Release, telling(v1alpha1.EventUnpacked, packageID, "withdrawn"))),
		Entry("lets it go when a look shows it gone", aReleasePackage(packed(v1alpha1.StatePendingReview)), seeing(gone),
			does(lifecycle.Release, telling(v1alpha1.EventReleased, packageID, "no package"))),
		Entry("lets it go when a look shows it deployed", aReleasePackage(packed(v1alpha1.StateDeploying)), seeing(thePackage(v1alpha1.StateDeployed)),
			does(lifecycle.Release, telling(v1alpha1.EventReleased, packageID, "deployed already"))),
		Entry("lets it go without a look when it was deployed long ago", aReleasePackage(packed(v1alpha1.StateDeployed)), seeing(nothing),
			does(lifecycle.Release, telling(v1alpha1.EventReleased, "deployed already"))),
		Entry("keeps it while the service is away", aReleasePackage(packed(v1alpha1.StateWithdrawn)), seeing(unavailable),
			does(lifecycle.Wait, because(v1alpha1.ReasonServiceUnavailable), notComingBack())),
		Entry("keeps it when the workspace object points elsewhere", aReleasePackage(packed(v1alpha1.StatePendingReview)), seeing(movedWorkspace),
			does(lifecycle.Stall, because(v1alpha1.ReasonWorkspaceChanged, "Retain"))),
	)

	DescribeTable("an object that retains its package", expectDeletion,
		Entry("lets it go and says what stays", aReleasePackage(packed(v1alpha1.StatePendingReview), retained), seeing(nothing),
			does(lifecycle.Release, telling(v1alpha1.EventReleased, packageID, "stays at the service"))),
		Entry("lets it go though the service is away", aReleasePackage(packed(v1alpha1.StatePendingReview), retained), seeing(unavailable),
			does(lifecycle.Release)),
		Entry("lets it go though the workspace object points elsewhere", aReleasePackage(packed(v1alpha1.StatePendingReview), retained), seeing(movedWorkspace),
			does(lifecycle.Release)),
		Entry("lets it go though an answer was lost, and says what may stay", aReleasePackage(attempted(time.Minute), retained), seeing(nothing),
			does(lifecycle.Release, telling(v1alpha1.EventReleased, "job_0948_20250513", "may stay"))),
		Entry("lets it go silently when there is none", aReleasePackage(retained), seeing(nothing),
			does(lifecycle.Release, tellingNothing())),
	)

	DescribeTable("an object whose answer was lost", expectDeletion,
		Entry("looks for the package first", aReleasePackage(attempted(20*time.Second)), seeing(found()),
			does(lifecycle.Wait, because(v1alpha1.ReasonOutcomeUnknown), comingBackAfter(10*time.Second))),
		Entry("adopts the package that it finds, to withdraw it soon", aReleasePackage(attempted(time.Minute)), seeing(found(aPackage(packageID, v1alpha1.StatePendingReview))),
			does(lifecycle.Adopt, HaveField("Package.ID", packageID), comingBackAfter(time.Second))),
		Entry("closes the attempt when there is proof that it made nothing", aReleasePackage(attempted(justSettled)), seeing(found(), itemsUnpacked),
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

	It("ends after a lost answer, pass by pass", func() {
		rp := aReleasePackage(attempted(time.Minute), deleted)
		seen := seeing(found(aPackage(packageID, v1alpha1.StatePendingReview)))
		rp = recorded(rp, seen, decide(rp, seen))
		Expect(lifecycle.Needs(rp)).To(Equal(lifecycle.NeedPackage))

		seen = seeing(thePackage(v1alpha1.StatePendingReview))
		step := decide(rp, seen)
		Expect(step).To(does(lifecycle.Unpack))
		rp = recorded(rp, seen, step)

		Expect(decide(rp, seeing(thePackage(v1alpha1.StateWithdrawn)))).To(does(lifecycle.Release))
	})

	DescribeTable("a refusal to withdraw names the ways out, and is looked at again", func(rp *v1alpha1.ReleasePackage, ways ...string) {
		step := lifecycle.UnpackRefused(rp, "DLF.3051: invalid")
		ways = append(ways, packageID, "DLF.3051", "in the console", v1alpha1.ReconcileAtAnnotation)
		Expect(step).To(does(lifecycle.Stall, because(v1alpha1.ReasonUnpackRefused, ways...), comingBackAfter(5*time.Minute)))
		expectSound(summarized(rp, step))
	},
		Entry("of a deletion", aReleasePackage(packed(v1alpha1.StatePendingReview), deleted), "Retain"),
		Entry("of an edit", aReleasePackage(packed(v1alpha1.StatePendingReview), edited), "revert the edit"),
		Entry("of a forced pass", aReleasePackage(packed(v1alpha1.StateDeployFailed), forced)),
	)

	It("withdraws what is denied a moment after it was packed, before it concludes that it is gone", func() {
		rp := aReleasePackage(packed(v1alpha1.StatePendingReview), justPacked, deleted)
		Expect(decide(rp, seeing(gone))).To(does(lifecycle.Unpack))
		lifecycle.Unpacked(rp)
		Expect(decide(rp, seeing(gone))).To(does(lifecycle.Release))
	})

	DescribeTable("a package that an approver let go", func(state v1alpha1.PackageState, want lifecycle.Action) {
		rp := aReleasePackage(packed(state), deleted)
		unpack := lifecycle.Step{Action: lifecycle.Unpack, Reason: v1alpha1.ReasonUnpacking}
		Expect(lifecycle.UnpackTooLate(rp, unpack).Action).To(Equal(want))
	},
		Entry("has to be looked at while it was in review", v1alpha1.StatePendingReview, lifecycle.Unpack),
		Entry("is left behind once it has failed", v1alpha1.StateDeployFailed, lifecycle.Release),
		Entry("is left behind in a state that nobody documents", v1alpha1.StateUnknown, lifecycle.Release),
	)

	It("names the way out when it is blocked", func() {
		Expect(decide(aReleasePackage(packed(v1alpha1.StatePendingReview), deleted), seeing(unavailable)).Message).To(ContainSubstring("deletionPolicy to Retain"))
		Expect(decide(aReleasePackage(packed(v1alpha1.StatePendingReview)), seeing(unavailable)).Message).NotTo(ContainSubstring("Retain"))
	})
})
