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
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

var _ = Describe("What has to be looked at", func() {
	DescribeTable("while the object lives", func(rp *v1alpha1.ReleasePackage, want lifecycle.Need) {
		Expect(lifecycle.Needs(rp)).To(Equal(want))
	},
		Entry("a first request needs a connection alone", aReleasePackage(), lifecycle.NeedConnection),
		Entry("an unprotected object needs no less, as its pass goes on", aReleasePackage(withoutFinalizer),
			lifecycle.NeedConnection),
		Entry("a suspended object needs nothing, whatever is open", aReleasePackage(attempted(time.Minute), suspended),
			lifecycle.NeedNothing),
		Entry("an open attempt needs a search", aReleasePackage(attempted(time.Minute)), lifecycle.NeedSearch),
		Entry("a refusal of just this request needs nothing", aReleasePackage(ended(v1alpha1.OutcomeRefused)),
			lifecycle.NeedNothing),
		Entry("a refusal before an edit needs a search, as it may have been none",
			aReleasePackage(ended(v1alpha1.OutcomeRefused), edited), lifecycle.NeedSearch),
		Entry("a refusal before a forced pass needs a search too", aReleasePackage(ended(v1alpha1.OutcomeRefused), forced),
			lifecycle.NeedSearch),
		Entry("a request that did not get through needs a connection", aReleasePackage(ended(v1alpha1.OutcomeNotDone)),
			lifecycle.NeedConnection),
		Entry("a request that was found to have made nothing needs a search, as it may arrive too late",
			aReleasePackage(ended(v1alpha1.OutcomeNotFound)), lifecycle.NeedSearch),
		Entry("a request that was lost twice in a row needs a search", aReleasePackage(lost(2)), lifecycle.NeedSearch),
		Entry("a request that was lost three times in a row needs nothing", aReleasePackage(lost(3)), lifecycle.NeedNothing),
		Entry("unless a pass is forced", aReleasePackage(lost(3), forced), lifecycle.NeedSearch),
		Entry("or it was edited", aReleasePackage(lost(3), edited), lifecycle.NeedSearch),
		Entry("a package in review is looked at", aReleasePackage(packed(v1alpha1.StatePendingReview)),
			lifecycle.NeedPackage),
		Entry("a package that is deploying is looked at", aReleasePackage(packed(v1alpha1.StateDeploying)),
			lifecycle.NeedPackage),
		Entry("a failed package is looked at", aReleasePackage(packed(v1alpha1.StateDeployFailed)), lifecycle.NeedPackage),
		Entry("a withdrawn package is looked at", aReleasePackage(packed(v1alpha1.StateWithdrawn)), lifecycle.NeedPackage),
		Entry("a package in an unknown state is looked at", aReleasePackage(packed(v1alpha1.StateUnknown)),
			lifecycle.NeedPackage),
		Entry("a deployed package is never looked at again", aReleasePackage(packed(v1alpha1.StateDeployed)),
			lifecycle.NeedNothing),
		Entry("not even when a pass is forced", aReleasePackage(packed(v1alpha1.StateDeployed), forced),
			lifecycle.NeedNothing),
		Entry("a package to adopt is looked at", aReleasePackage(adopting), lifecycle.NeedPackage),
		Entry("a package to adopt does not end the search for a lost one", aReleasePackage(attempted(time.Minute), adopting),
			lifecycle.NeedSearch),
	)

	DescribeTable("while the object is being deleted", func(rp *v1alpha1.ReleasePackage, want lifecycle.Need) {
		deleted(rp)
		Expect(lifecycle.Needs(rp)).To(Equal(want))
	},
		Entry("an object that was let go needs nothing", aReleasePackage(packed(v1alpha1.StatePendingReview), finalized),
			lifecycle.NeedNothing),
		Entry("an object that lost its finalizer needs what others need",
			aReleasePackage(packed(v1alpha1.StatePendingReview), withoutFinalizer), lifecycle.NeedPackage),
		Entry("an object that was never packed needs nothing", aReleasePackage(), lifecycle.NeedNothing),
		Entry("a package to keep needs nothing", aReleasePackage(packed(v1alpha1.StatePendingReview), retained),
			lifecycle.NeedNothing),
		Entry("an open attempt to keep needs nothing", aReleasePackage(attempted(time.Minute), retained),
			lifecycle.NeedNothing),
		Entry("an open attempt needs a search", aReleasePackage(attempted(time.Minute)), lifecycle.NeedSearch),
		Entry("an open attempt needs a search even where the spec names a package",
			aReleasePackage(attempted(time.Minute), adopting), lifecycle.NeedSearch),
		Entry("a refused request needs a search, as it may have been none", aReleasePackage(ended(v1alpha1.OutcomeRefused)),
			lifecycle.NeedSearch),
		Entry("a refused request to keep needs nothing", aReleasePackage(ended(v1alpha1.OutcomeRefused), retained),
			lifecycle.NeedNothing),
		Entry("a request that did not get through needs nothing", aReleasePackage(ended(v1alpha1.OutcomeNotDone)),
			lifecycle.NeedNothing),
		Entry("a request that was lost needs a search, as it may have arrived too late", aReleasePackage(lost(3)),
			lifecycle.NeedSearch),
		Entry("a package that was adopted after a refusal is looked at",
			aReleasePackage(ended(v1alpha1.OutcomeRefused), adopted(v1alpha1.StatePendingReview)),
			lifecycle.NeedPackage),
		Entry("a deployed one that was adopted after a refusal needs nothing",
			aReleasePackage(ended(v1alpha1.OutcomeRefused), adopted(v1alpha1.StateDeployed)),
			lifecycle.NeedNothing),
		Entry("a deployed package needs nothing", aReleasePackage(packed(v1alpha1.StateDeployed)), lifecycle.NeedNothing),
		Entry("a package in review is looked at", aReleasePackage(packed(v1alpha1.StatePendingReview)),
			lifecycle.NeedPackage),
		Entry("a withdrawn package needs nothing", aReleasePackage(packed(v1alpha1.StateWithdrawn)), lifecycle.NeedNothing),
		Entry("suspension does not stop a deletion", aReleasePackage(packed(v1alpha1.StatePendingReview), suspended),
			lifecycle.NeedPackage),
		Entry("a package that was never adopted is not touched", aReleasePackage(adopting), lifecycle.NeedNothing),
	)

	It("looks at the recorded package, else at the one to adopt", func() {
		Expect(lifecycle.LookID(aReleasePackage())).To(BeEmpty())
		Expect(lifecycle.LookID(aReleasePackage(adopting))).To(Equal(packageID))
		Expect(lifecycle.LookID(aReleasePackage(packed(v1alpha1.StatePendingReview)))).To(Equal(packageID))
		both := aReleasePackage(adopting)
		both.Status.ReleasePackageID = "12"
		Expect(lifecycle.LookID(both)).To(Equal("12"))
	})

	DescribeTable("an attempt is open as long as it has no outcome", func(rp *v1alpha1.ReleasePackage, want bool) {
		Expect(lifecycle.AttemptOpen(rp)).To(Equal(want))
	},
		Entry("without an attempt", aReleasePackage(), false),
		Entry("with one that has no outcome", aReleasePackage(attempted(0)), true),
		Entry("with one that was refused", aReleasePackage(ended(v1alpha1.OutcomeRefused)), false),
		Entry("with one that has packed", aReleasePackage(packed(v1alpha1.StatePendingReview)), false),
		Entry("with one whose package is about to be withdrawn",
			aReleasePackage(packed(v1alpha1.StatePendingReview), withdrawing), false),
	)
})

var _ = Describe("The annotation that forces a pass", func() {
	annotated := func(token, handled string) *v1alpha1.ReleasePackage {
		rp := aReleasePackage()
		rp.Annotations = map[string]string{v1alpha1.ReconcileAtAnnotation: token}
		rp.Status.LastHandledReconcileAt = handled
		return rp
	}

	DescribeTable("is new until it was handled", func(token, handled string, want bool) {
		Expect(lifecycle.Forced(annotated(token, handled))).To(Equal(want))
	},
		Entry("no token forces nothing", "", "", false),
		Entry("nor does one that was removed", "", oldToken, false),
		Entry("a first token does", newToken, "", true),
		Entry("another token does", newToken, oldToken, true),
		Entry("the same token does not", newToken, newToken, false),
	)

	DescribeTable("is echoed once it was handled", func(token string) {
		rp := annotated(token, oldToken)
		lifecycle.MarkHandled(rp)
		Expect(lifecycle.Forced(rp)).To(BeFalse())
		Expect(len(rp.Status.LastHandledReconcileAt)).To(BeNumerically("<=", 1024))
		Expect(token).To(HavePrefix(rp.Status.LastHandledReconcileAt))
	},
		Entry("as it is", newToken),
		Entry("cut to the length that fits", strings.Repeat("x", 2000)),
		Entry("cut at the end of a character", "x"+strings.Repeat("é", 1000)),
	)

	It("keeps the last echo when the annotation is removed", func() {
		rp := annotated("", oldToken)
		lifecycle.MarkHandled(rp)
		Expect(rp.Status.LastHandledReconcileAt).To(Equal(oldToken))
	})

	It("is handled by the attempt that it leads to", func() {
		rp := aReleasePackage(packed(v1alpha1.StateWithdrawn), forced)
		lifecycle.BeginAttempt(rp, here, now)
		Expect(lifecycle.Forced(rp)).To(BeFalse(), "or the attempt after it would be forced too")
	})
})
