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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

// claims are claims by their words.
func claims(words ...string) []lifecycle.Claim {
	all := []lifecycle.Claim{}
	for _, w := range words {
		all = append(all, lifecycle.Claim(w))
	}
	return all
}

var _ = Describe("What an object has or wants", func() {
	item26, item27, item28 := "item/26", "item/27", "item/28"
	shown := func(rp *v1alpha1.ReleasePackage) {
		lifecycle.RecordObservation(rp, seeing(thePackage(rp.Status.State)))
	}

	DescribeTable("is claimed", func(rp *v1alpha1.ReleasePackage, want ...string) {
		Expect(lifecycle.Claims(rp)).To(HaveExactElements(claims(want...)))
	},
		Entry("the items of the spec, before anything was sent", aReleasePackage(), item26, item27),
		Entry("the items of the spec, even while suspended", aReleasePackage(suspended), item26, item27),
		Entry("the items that were sent, while the outcome is not known", aReleasePackage(attempted(time.Minute)), item26,
			item27),
		Entry("the items that were sent and those of the spec, after an edit",
			aReleasePackage(attempted(time.Minute), edited), item26, item27, item28),
		Entry("no package, while the outcome is not known",
			aReleasePackage(packed(v1alpha1.StateWithdrawn), attempted(time.Minute)), item26, item27),
		Entry("the package and its items, in review", aReleasePackage(packed(v1alpha1.StatePendingReview)), item26, item27,
			"package/13"),
		Entry("also what an edit adds, in review", aReleasePackage(packed(v1alpha1.StatePendingReview), edited), item26,
			item27, item28, "package/13"),
		Entry("the package and its items, after a failure", aReleasePackage(packed(v1alpha1.StateDeployFailed)), item26,
			item27, "package/13"),
		Entry("the package and its items, while deploying", aReleasePackage(packed(v1alpha1.StateDeploying)), item26, item27,
			"package/13"),
		Entry("the package alone, once deployed", aReleasePackage(packed(v1alpha1.StateDeployed)), "package/13"),
		Entry("the package alone, once deployed and edited", aReleasePackage(packed(v1alpha1.StateDeployed), edited),
			"package/13"),
		Entry("the items of both, while it makes way for another package",
			aReleasePackage(packed(v1alpha1.StatePendingReview), withdrawing, edited),
			item26, item27, item28, "package/13"),
		Entry("the items of the spec alone, once withdrawn", aReleasePackage(packed(v1alpha1.StateWithdrawn), edited), item26,
			item28),
		Entry("the items of the spec alone, once refused", aReleasePackage(ended(v1alpha1.OutcomeRefused), edited), item26,
			item28),
		Entry("the package to adopt, before it is adopted", aReleasePackage(adopting), "package/13"),
		Entry("the package and the items that the service shows, once adopted",
			aReleasePackage(adopted(v1alpha1.StatePendingReview)), item26, item27, "package/13"),
		Entry("the items that the service shows, where they are others than those sent",
			aReleasePackage(packed(v1alpha1.StatePendingReview),
				func(rp *v1alpha1.ReleasePackage) { rp.Spec.PendingItemIDs = []v1alpha1.ID{"28"} }, shown),
			item26, item27, item28, "package/13"),
		Entry("nothing, by an object that is being deleted and has nothing", aReleasePackage(deleted)),
		Entry("what it has, by an object that is being deleted", aReleasePackage(packed(v1alpha1.StatePendingReview), edited,
			deleted), item26, item27, "package/13"),
		Entry("what it may have, by an object that is being deleted",
			aReleasePackage(attempted(time.Minute), edited, deleted), item26, item27),
	)

	DescribeTable("is kept after a pass", func(rp *v1alpha1.ReleasePackage, want ...string) {
		Expect(lifecycle.ClaimsToKeep(rp)).To(ConsistOf(claims(want...)))
	},
		Entry("not as long as nothing was sent", aReleasePackage()),
		Entry("not after a refusal", aReleasePackage(ended(v1alpha1.OutcomeRefused))),
		Entry("where a request may have been received", aReleasePackage(attempted(time.Minute)), item26, item27),
		Entry("in review, but not what an edit adds", aReleasePackage(packed(v1alpha1.StatePendingReview), edited), item26,
			item27, "package/13"),
		Entry("with what an edit adds, while it makes way for another package",
			aReleasePackage(packed(v1alpha1.StatePendingReview), withdrawing, edited),
			item26, item27, item28, "package/13"),
		Entry("with what an edit adds, once the package has made way",
			aReleasePackage(packed(v1alpha1.StateWithdrawn), withdrawing, edited), item26, item28),
		Entry("where the request for another package was not sent",
			aReleasePackage(packed(v1alpha1.StateWithdrawn), withdrawing, ended(v1alpha1.OutcomeNotDone)),
			item26, item27),
		Entry("where that request came to nothing", aReleasePackage(packed(v1alpha1.StateWithdrawn), withdrawing,
			ended(v1alpha1.OutcomeNotFound)),
			item26, item27),
		Entry("not where the first request of all was not sent", aReleasePackage(ended(v1alpha1.OutcomeNotDone))),
		Entry("in a deletion", aReleasePackage(packed(v1alpha1.StatePendingReview), deleted), item26, item27, "package/13"),
		Entry("the package alone, once the deletion is over",
			aReleasePackage(packed(v1alpha1.StateWithdrawn), deleted, withoutFinalizer), "package/13"),
		Entry("not once the package was let go", aReleasePackage(packed(v1alpha1.StatePendingReview), deleted, retained,
			withoutFinalizer)),
	)

	DescribeTable("is taken by a step", func(rp *v1alpha1.ReleasePackage, step lifecycle.Step, want ...string) {
		Expect(lifecycle.RequiredClaims(rp, step)).To(HaveExactElements(claims(want...)))
	},
		Entry("that packs", aReleasePackage(), lifecycle.Step{Action: lifecycle.Pack}, item26, item27),
		Entry("that makes way for another package", aReleasePackage(packed(v1alpha1.StatePendingReview), edited),
			lifecycle.Step{Action: lifecycle.Unpack, Reason: v1alpha1.ReasonReplacing}, item26, item28),
		Entry("that adopts what the spec names", aReleasePackage(adopting),
			lifecycle.Step{Action: lifecycle.Adopt, Package: &lifecycle.Package{ID: packageID}}, "package/13"),
		Entry("but not by one that adopts what a lost answer had made", aReleasePackage(attempted(time.Minute)),
			lifecycle.Step{Action: lifecycle.Adopt, Package: &lifecycle.Package{ID: packageID}}),
		Entry("but not by one that withdraws for a deletion", aReleasePackage(packed(v1alpha1.StatePendingReview), deleted),
			lifecycle.Step{Action: lifecycle.Unpack, Reason: v1alpha1.ReasonUnpacking}),
		Entry("but not by one that waits", aReleasePackage(), lifecycle.Step{Action: lifecycle.Wait}),
		Entry("but not by one that stalls", aReleasePackage(), lifecycle.Step{Action: lifecycle.Stall}),
	)

	DescribeTable("is taken by a withdrawal that makes way for another package alone",
		func(step lifecycle.Step, want bool) {
			Expect(lifecycle.Replaces(step)).To(Equal(want))
		},
		Entry("which replaces", lifecycle.Step{Action: lifecycle.Unpack, Reason: v1alpha1.ReasonReplacing}, true),
		Entry("not by one for a deletion", lifecycle.Step{Action: lifecycle.Unpack, Reason: v1alpha1.ReasonUnpacking}, false),
		Entry("not by a step without a call", lifecycle.Step{Action: lifecycle.Wait, Reason: v1alpha1.ReasonReplacing},
			false),
	)

	It("is told in words", func() {
		Expect(lifecycle.PackageClaim("13").String()).To(Equal("package 13"))
		Expect(lifecycle.Claim("item/a/b").String()).To(Equal("item a/b"))
	})
})

var _ = Describe("Of two objects that want the same", func() {
	created := func(ago time.Duration) with {
		return func(rp *v1alpha1.ReleasePackage) { rp.CreationTimestamp = metav1.NewTime(now.Add(-ago)) }
	}
	another := func(changes ...with) *v1alpha1.ReleasePackage {
		return aReleasePackage(append([]with{created(time.Minute),
			func(rp *v1alpha1.ReleasePackage) { rp.UID, rp.Name = "another", "job-0949" }}, changes...)...)
	}
	mine := func(changes ...with) *v1alpha1.ReleasePackage {
		return aReleasePackage(append([]with{created(time.Minute)}, changes...)...)
	}
	item, pkg := lifecycle.Claim("item/26"), lifecycle.PackageClaim(packageID)

	DescribeTable("one yields", func(rp, other *v1alpha1.ReleasePackage, claim lifecycle.Claim, want bool) {
		Expect(lifecycle.MustYield(rp, other, claim)).To(Equal(want))
		Expect(lifecycle.MustYield(other, rp, claim)).To(Equal(!want), "just one of the two goes on")
	},
		Entry("the younger one", mine(), another(created(time.Hour)), item, true),
		Entry("not the older one", mine(created(time.Hour)), another(), item, false),
		Entry("of the same age, the second by name", another(), mine(), item, true),
		Entry("of the same age, the second by namespace", mine(func(rp *v1alpha1.ReleasePackage) { rp.Namespace = "z" }),
			another(), item, true),
		Entry("the older one to the one that has it", mine(created(time.Hour)), another(packed(v1alpha1.StatePendingReview)),
			item, true),
		Entry("the older one to the one that may have it", mine(created(time.Hour)), another(attempted(time.Minute)), item,
			true),
		Entry("the younger one, where both have it", mine(attempted(time.Minute)),
			another(created(time.Hour), attempted(time.Minute)), item, true),
		Entry("the one that wants to adopt to the one that has the package", mine(created(time.Hour), adopting),
			another(packed(v1alpha1.StatePendingReview)), pkg, true),
		Entry("the one that wants to adopt to the one that has the package deployed", mine(created(time.Hour), adopting),
			another(packed(v1alpha1.StateDeployed)), pkg, true),
		Entry("the one that wants to adopt to an older one that wants to", mine(adopting),
			another(created(time.Hour), adopting), pkg, true),
		Entry("the older one to the one that has it and replaces its package", mine(created(time.Hour)),
			another(packed(v1alpha1.StateWithdrawn), withdrawing), item, true),
		Entry("the older one to the one that has it and sends it again", mine(created(time.Hour)),
			another(packed(v1alpha1.StateDeployFailed), givenUp), item, true),
		Entry("not the younger one, where it has it already", mine(packed(v1alpha1.StatePendingReview)),
			another(created(time.Hour)), item, false),
	)

	DescribeTable("none yields", func(rp, other *v1alpha1.ReleasePackage, claim lifecycle.Claim) {
		Expect(lifecycle.MustYield(rp, other, claim)).To(BeFalse())
	},
		Entry("to itself", mine(), mine(packed(v1alpha1.StatePendingReview)), item),
		Entry("to one that wants other items", mine(), another(created(time.Hour), func(rp *v1alpha1.ReleasePackage) {
			rp.Spec.PendingItemIDs = []v1alpha1.ID{"99"}
		}), item),
		Entry("to one that is being deleted and has nothing", mine(), another(created(time.Hour), deleted), item),
		Entry("to one that has released the item", mine(), another(created(time.Hour), packed(v1alpha1.StateDeployed)), item),
		Entry("to a younger one that had it until someone withdrew it", mine(created(time.Hour)),
			another(packed(v1alpha1.StateWithdrawn)), item),
		Entry("to a younger one that had it and does not ask for it any more", mine(created(time.Hour)),
			another(packed(v1alpha1.StateWithdrawn), withdrawing,
				func(rp *v1alpha1.ReleasePackage) { rp.Spec.PendingItemIDs = []v1alpha1.ID{"99"} }), item),
		Entry("to one that adopts a package of which nothing is known yet", mine(), another(created(time.Hour), adopting),
			item),
	)

	DescribeTable("the one that yields says to whom, why, and what to do",
		func(rp, other *v1alpha1.ReleasePackage, words string) {
			step := lifecycle.AlreadyClaimed(rp, other, claims("item/27", "item/26"))
			Expect(step).To(does(lifecycle.Stall, notComingBack(), tellingNothing(), because(v1alpha1.ReasonAlreadyClaimed,
				"ReleasePackage "+other.Namespace+"/"+other.Name+" "+words+"; delete that object", "two specs")))
			expectSound(summarized(rp, step))
		},
		Entry("to the one that has it", mine(), another(packed(v1alpha1.StatePendingReview)), "has item 26, item 27"),
		Entry("to the older one", mine(), another(created(time.Hour)), "asked for item 26, item 27 earlier"),
		Entry("to one of the same age", another(), mine(),
			"asks for item 26, item 27 too; it was created in the same second, and then the first by name goes first"),
		Entry("to one that has some of it", mine(),
			another(created(time.Hour), attempted(time.Minute), func(rp *v1alpha1.ReleasePackage) {
				rp.Status.Attempt.PendingItemIDs = []string{"27"}
			}), "has item 27, and asked for item 26 earlier"),
	)

	It("the one that is to adopt what another has is not told to delete that at once", func() {
		step := lifecycle.AlreadyClaimed(aReleasePackage(adopting), another(packed(v1alpha1.StatePendingReview)),
			claims("package/13"))
		Expect(step.Message).To(HaveSuffix(
			"has package 13; correct spec.releasePackageId, or set spec.deletionPolicy of that object to Retain and then " +
				"delete it, so that the package stays"))
	})

	It("the one that yields to an object of another namespace is not told its name", func() {
		other := another(created(time.Hour), func(rp *v1alpha1.ReleasePackage) { rp.Namespace = "their-team" })
		step := lifecycle.AlreadyClaimed(mine(), other, claims("item/26"))
		Expect(step.Message).To(HavePrefix("A ReleasePackage of another namespace asked for item 26 earlier"))
		Expect(step.Message).NotTo(Or(ContainSubstring(other.Name), ContainSubstring(other.Namespace)))
	})
})
