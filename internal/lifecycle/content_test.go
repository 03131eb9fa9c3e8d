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

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

var _ = Describe("The content of a package", func() {
	aContent := func() lifecycle.Content {
		return lifecycle.Content{
			PackageName: "a", ApplyUserID: "b", PendingItemIDs: []string{"1", "2"}, ApproverIDs: []string{"3", "4"},
		}
	}

	It("is what the spec says", func() {
		Expect(lifecycle.WantedContent(aReleasePackage())).To(Equal(lifecycle.Content{
			PackageName: "job_0948_20250513", ApplyUserID: "dev1", PendingItemIDs: []string{"26", "27"},
			ApproverIDs: []string{"dep1", "dep2"},
		}))
	})

	It("has a hash that fits the schema and does not depend on order", func() {
		c := aContent()
		Expect(len(c.Hash())).To(And(BeNumerically(">=", 32), BeNumerically("<=", 64)))

		turned := aContent()
		turned.PendingItemIDs = []string{"2", "1"}
		turned.ApproverIDs = []string{"4", "3"}
		Expect(turned.Hash()).To(Equal(c.Hash()))
		Expect(turned.PendingItemIDs).To(HaveExactElements("2", "1"), "what is hashed is not sorted in place")
	})

	DescribeTable("has another hash", func(change func(*lifecycle.Content)) {
		c := aContent()
		change(&c)
		Expect(c.Hash()).NotTo(Equal(aContent().Hash()))
	},
		Entry("with another name", func(c *lifecycle.Content) { c.PackageName = "x" }),
		Entry("with another applicant", func(c *lifecycle.Content) { c.ApplyUserID = "x" }),
		Entry("with another item", func(c *lifecycle.Content) { c.PendingItemIDs = []string{"1", "x"} }),
		Entry("with an item more", func(c *lifecycle.Content) { c.PendingItemIDs = []string{"1", "2", "x"} }),
		Entry("with an item less", func(c *lifecycle.Content) { c.PendingItemIDs = []string{"1"} }),
		Entry("with another approver", func(c *lifecycle.Content) { c.ApproverIDs = []string{"3", "x"} }),
		Entry("with an approver less", func(c *lifecycle.Content) { c.ApproverIDs = []string{"3"} }),
		Entry("with items and approvers exchanged", func(c *lifecycle.Content) {
			c.PendingItemIDs, c.ApproverIDs = c.ApproverIDs, c.PendingItemIDs
		}),
		Entry("with the same letters spread differently", func(c *lifecycle.Content) {
			c.PackageName, c.ApplyUserID = "ab",
				""
		}),
		Entry("with the same digits spread differently", func(c *lifecycle.Content) { c.PendingItemIDs = []string{"12"} }),
	)
})

var _ = Describe("A generated name", func() {
	generated := func(change with) string {
		rp := aReleasePackage(change)
		rp.Spec.PackageName = ""
		return lifecycle.WantedContent(rp).PackageName
	}

	It("begins with the object's name", func() {
		Expect(generated(func(*v1alpha1.ReleasePackage) {})).To(MatchRegexp(`^job-0948-[a-z2-7]{8}$`))
	})

	It("stays the same through edits", func() {
		Expect(generated(edited)).To(Equal(generated(suspended)))
	})

	It("is another one for every object", func() {
		other := generated(func(rp *v1alpha1.ReleasePackage) { rp.UID = "0a9a3c7f-2b61-4f0e-8a54-5d1f0c6d8e21" })
		Expect(other).To(HavePrefix("job-0948-"))
		Expect(other).NotTo(Equal(generated(edited)), "or a later object of the same name would adopt its package")
	})

	// sent is the name that the attempt after a past asks for.
	sent := func(past ...with) string {
		rp := aReleasePackage(append([]with{func(rp *v1alpha1.ReleasePackage) { rp.Spec.PackageName = "" }}, past...)...)
		lifecycle.BeginAttempt(rp, here, now)
		Expect(rp.Status.PackageName).To(Equal(rp.Status.Attempt.PackageName))
		Expect(lifecycle.Request(rp).PackageName).To(Equal(rp.Status.Attempt.PackageName))
		Expect(rp.Status.Attempt.ContentHash).To(Equal(lifecycle.WantedContent(rp).Hash()),
			"the number alone is no other content")
		return rp.Status.Attempt.PackageName
	}
	DescribeTable("has a number from the second on, as the service may not take a name again",
		func(want string, past ...with) {
			Expect(sent(past...)).To(MatchRegexp(`^job-0948-[a-z2-7]{8}` + want + `$`))
		},
		Entry("not at first", ""),
		Entry("after a package", "-2", packed(v1alpha1.StateWithdrawn)),
		Entry("after a refusal", "-2", ended(v1alpha1.OutcomeRefused)),
		Entry("after a lost request", "-2", ended(v1alpha1.OutcomeNotFound)),
		Entry("after several", "-4", lost(3)),
		Entry("not after what was never sent", "", ended(v1alpha1.OutcomeNotDone)),
		Entry("after a name that was given", "-2", func(rp *v1alpha1.ReleasePackage) {
			rp.Spec.PackageName = "given"
			packed(v1alpha1.StateWithdrawn)(rp)
			rp.Spec.PackageName = ""
		}),
	)

	It("makes no other content where the spec comes to give it", func() {
		rp := aReleasePackage(func(rp *v1alpha1.ReleasePackage) { rp.Spec.PackageName = "" }, packed(v1alpha1.StateWithdrawn),
			packed(v1alpha1.StatePendingReview))
		Expect(rp.Status.PackageName).To(HaveSuffix("-2"))
		rp.Generation, rp.Spec.PackageName = rp.Generation+1, rp.Status.PackageName
		Expect(lifecycle.Decide(rp, seeing(thePackage(v1alpha1.StatePendingReview)))).To(does(lifecycle.Wait))
		p := aPackage(packageID, v1alpha1.StatePendingReview)
		p.Name = rp.Status.PackageName
		Expect(lifecycle.Fits(rp, &p)).To(BeTrue())
	})

	It("has no number where a name is given", func() {
		rp := aReleasePackage(packed(v1alpha1.StateWithdrawn))
		lifecycle.BeginAttempt(rp, here, now)
		Expect(rp.Status.Attempt.PackageName).To(Equal("job_0948_20250513"))
		Expect(lifecycle.SearchNames(rp)).To(HaveExactElements("job_0948_20250513"))
	})

	It("is searched for with those of the requests that were lost before", func() {
		rp := aReleasePackage(func(rp *v1alpha1.ReleasePackage) { rp.Spec.PackageName = "" }, lost(3))
		lifecycle.BeginAttempt(rp, here, now)
		names := lifecycle.SearchNames(rp)
		Expect(names).To(HaveLen(4))
		Expect(names[0]).To(HaveSuffix("-4"))
		Expect(names[3]).To(Equal(lifecycle.WantedContent(rp).PackageName))
		p := aPackage(packageID, v1alpha1.StatePendingReview)
		for _, name := range names {
			p.Name = name
			Expect(lifecycle.Plausible(rp, &p)).To(BeTrue(), name)
		}
		for _, name := range []string{names[3] + "-0", names[3] + "-1", names[3] + "-02", names[3] + "-", names[3] + "-x",
			names[3] + "-2-2", "job-0948-aaaaaaaa-2", ""} {
			p.Name = name
			Expect(lifecycle.Plausible(rp, &p)).To(BeFalse(), name)
		}
	})

	It("is searched for with those that were lost before the spec came to give it", func() {
		rp := aReleasePackage(func(rp *v1alpha1.ReleasePackage) { rp.Spec.PackageName = "" }, lost(2))
		own := lifecycle.WantedContent(rp).PackageName
		rp.Spec.PackageName = "given"
		lifecycle.BeginAttempt(rp, here, now)
		Expect(lifecycle.SearchNames(rp)).To(HaveExactElements("given", own+"-2", own))
		rp.Status.Attempt.StartTime.Time = now.Add(-longSettled)
		p := aPackage(packageID, v1alpha1.StatePendingReview)
		for _, name := range []string{own + "-2", own} {
			p.Name = name
			Expect(lifecycle.Plausible(rp, &p)).To(BeTrue())
			step := decide(rp, seeing(itemUnpacked, found(p)))
			Expect(step).To(does(lifecycle.Stall, because(v1alpha1.ReasonAmbiguousPackage, packageID, "no one else uses")))
		}
	})

	DescribeTable("fits the schema", func(length int) {
		name := generated(func(rp *v1alpha1.ReleasePackage) { rp.Name = strings.Repeat("a", length) })
		Expect(len(name)).To(BeNumerically("<=", v1alpha1.MaxPackageNameLength))
		Expect(name).To(MatchRegexp(`^a+-[a-z2-7]{8}$`))
		next := sent(packed(v1alpha1.StateWithdrawn), func(rp *v1alpha1.ReleasePackage) {
			rp.Name = strings.Repeat("a", length)
			rp.Status.Attempt.PackageName = name
		})
		Expect(len(next)).To(BeNumerically("<=", v1alpha1.MaxPackageNameLength))
		Expect(next).To(MatchRegexp(`^a+-[a-z2-7]{8}-2$`))
	},
		Entry("with a short name", 1),
		Entry("with a name that just fits", v1alpha1.MaxPackageNameLength-9),
		Entry("with a name that is too long by one", v1alpha1.MaxPackageNameLength-8),
		Entry("with the longest name that an object can have", 253),
	)

	It("gives way to a name that is given", func() {
		Expect(lifecycle.WantedContent(aReleasePackage()).PackageName).To(Equal("job_0948_20250513"))
	})
})
