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
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

// expectCut expects a text that was cut to at most so many bytes, at the end of a character.
func expectCut(text, full string, limit int) {
	GinkgoHelper()
	Expect(full).To(HavePrefix(text))
	Expect(len(text)).To(And(BeNumerically("<=", limit), BeNumerically(">", limit-utf8.UTFMax)))
	Expect(utf8.ValidString(text)).To(BeTrue())
}

// both makes two changes.
func both(first, second with) with {
	return func(rp *v1alpha1.ReleasePackage) {
		first(rp)
		second(rp)
	}
}

func unchanged(*v1alpha1.ReleasePackage) {}

var _ = Describe("The record", func() {
	// An odd letter first, so that a cut at an even length falls into the middle of a character.
	long := "x" + strings.Repeat("é", 2000)

	Describe("of an attempt", func() {
		It("stands before anything is sent", func() {
			rp := aReleasePackage()
			lifecycle.BeginAttempt(rp, here, now)
			Expect(lifecycle.AttemptOpen(rp)).To(BeTrue())
			Expect(rp.Status.Attempt).To(HaveValue(Equal(v1alpha1.PackAttempt{
				Number: 1, PackageName: "job_0948_20250513", ContentHash: lifecycle.WantedContent(rp).Hash(),
				Generation: rp.Generation, PendingItemIDs: []string{"26", "27"},
				StartTime: rp.Status.Attempt.StartTime,
			})))
			Expect(rp.Status.Attempt.StartTime.Time).To(Equal(now))
			Expect(rp.Status.Workspace).To(HaveValue(Equal(here)))
			Expect(rp.Status.PackageName).To(Equal("job_0948_20250513"))
		})

		It("counts on, whatever became of the one before", func() {
			rp := aReleasePackage(ended(v1alpha1.OutcomeRefused), ended(v1alpha1.OutcomeNotDone),
				packed(v1alpha1.StateWithdrawn))
			lifecycle.BeginAttempt(rp, here, now)
			Expect(rp.Status.Attempt).To(And(HaveField("Number", int32(4)), HaveField("Outcome", BeEmpty()),
				HaveField("Message", BeEmpty())))
		})

		It("leaves nothing of the package before but its id", func() {
			rp := aReleasePackage(packed(v1alpha1.StateDeployFailed))
			p := aPackage(packageID, v1alpha1.StateDeployed)
			p.DeployedBy, p.DeployedTime = "dep1", now
			lifecycle.RecordObservation(rp, lifecycle.Observation{Now: now, Package: &p})
			lifecycle.BeginAttempt(rp, here, now)

			Expect(rp.Status.ReleasePackageID).To(BeEmpty(), "an id and an open attempt never stand together")
			Expect(rp.Status.State).To(BeEmpty())
			Expect(rp.Status.Items).To(BeEmpty())
			Expect(rp.Status.ApplyUserID).To(BeEmpty())
			Expect(rp.Status.ApproverIDs).To(BeEmpty())
			Expect(rp.Status.PackedTime).To(BeNil())
			Expect(rp.Status.DeployedTime).To(BeNil())
			Expect(rp.Status.DeployedBy).To(BeEmpty())
			Expect(rp.Status.WithdrawnPackageIDs).To(HaveExactElements(packageID))
		})

		It("remembers the latest ten packages that were replaced", func() {
			rp := aReleasePackage()
			for i := range 13 {
				lifecycle.BeginAttempt(rp, here, now)
				lifecycle.RecordPackAnswer(rp, lifecycle.Answer{PackageID: fmt.Sprint(i)}, now)
			}
			lifecycle.BeginAttempt(rp, here, now)
			Expect(rp.Status.WithdrawnPackageIDs).To(HaveExactElements("3", "4", "5", "6", "7", "8", "9", "10", "11", "12"))
		})

		It("does not share the list of replaced packages with an earlier copy", func() {
			rp := aReleasePackage(packed(v1alpha1.StateWithdrawn))
			rp.Status.WithdrawnPackageIDs = append(make([]string, 0, 10), "11")
			copied := *rp
			lifecycle.BeginAttempt(rp, here, now)
			copied.Status.WithdrawnPackageIDs = append(copied.Status.WithdrawnPackageIDs, "12")
			Expect(rp.Status.WithdrawnPackageIDs).To(HaveExactElements("11", packageID))
		})

		DescribeTable("counts those before it that were lost without a trace, and those of them that were so right before it",
			func(past with, want, inRow int) {
				rp := aReleasePackage(past, attempted(0))
				Expect(rp.Status.Attempt.LostBefore).To(Equal(int32(want)))
				Expect(rp.Status.Attempt.LostInRow).To(Equal(int32(inRow)))
			},
			Entry("none", unchanged, 0, 0),
			Entry("one", lost(1), 1, 1),
			Entry("two", lost(2), 2, 2),
			Entry("those with other contents too", both(lost(2), edited), 2, 2),
			Entry("those before a forced pass, which begins a row", both(lost(2), forced), 2, 0),
			Entry("not one that was refused", ended(v1alpha1.OutcomeRefused), 0, 0),
			Entry("those before one that was refused, which ends a row", both(lost(2), ended(v1alpha1.OutcomeRefused)), 3, 0),
			Entry("those before another that was never sent", both(lost(2), ended(v1alpha1.OutcomeNotDone)), 2, 2),
			Entry("not one that has packed", both(lost(2), packed(v1alpha1.StateWithdrawn)), 0, 0),
		)

		It("that was accepted holds the id", func() {
			rp := aReleasePackage(attempted(0))
			lifecycle.RecordPackAnswer(rp, lifecycle.Answer{PackageID: packageID}, now.Add(700*time.Millisecond))
			Expect(rp.Status.ReleasePackageID).To(Equal(packageID))
			Expect(rp.Status.State).To(Equal(v1alpha1.StatePendingReview))
			Expect(rp.Status.PackedTime.Time).To(Equal(now), "the API server keeps whole seconds")
			Expect(rp.Status.Attempt.Outcome).To(Equal(v1alpha1.OutcomePacked))
			Expect(rp.Status.Workspace).To(HaveValue(Equal(here)))
		})

		DescribeTable("that made nothing binds the object to no workspace", func(outcome v1alpha1.AttemptOutcome) {
			rp := aReleasePackage(attempted(0))
			lifecycle.RecordNotPacked(rp, outcome, "why")
			Expect(rp.Status.Attempt).To(And(HaveField("Outcome", outcome), HaveField("Message", "why")))
			Expect(rp.Status.Workspace).To(BeNil())
			Expect(rp.Status.ReleasePackageID).To(BeEmpty())
		},
			Entry("refused", v1alpha1.OutcomeRefused),
			Entry("not done", v1alpha1.OutcomeNotDone),
			Entry("not found", v1alpha1.OutcomeNotFound),
		)

		It("without an answer stays open, and bound to its workspace", func() {
			rp := aReleasePackage(attempted(0))
			lifecycle.RecordPackAnswer(rp, lifecycle.Answer{Kind: lifecycle.AnswerNone, Error: "why"}, now)
			Expect(lifecycle.AttemptOpen(rp)).To(BeTrue())
			Expect(rp.Status.Attempt.Message).To(Equal("why"))
			Expect(rp.Status.Workspace).To(HaveValue(Equal(here)))
		})

		It("cuts what the service says to the length that fits", func() {
			rp := aReleasePackage(attempted(0))
			lifecycle.RecordPackAnswer(rp, lifecycle.Answer{Kind: lifecycle.AnswerNone, Error: long}, now)
			expectCut(rp.Status.Attempt.Message, long, 1024)
			lifecycle.RecordNotPacked(rp, v1alpha1.OutcomeRefused, long)
			expectCut(rp.Status.Attempt.Message, long, 1024)
		})
	})

	Describe("of a package", func() {
		It("that was adopted is that of the service", func() {
			rp := aReleasePackage(adopting)
			p := aPackage(packageID, v1alpha1.StatePendingReview)
			lifecycle.RecordAdopted(rp, &p, here, now)
			Expect(rp.Status.ReleasePackageID).To(Equal(packageID))
			Expect(rp.Status.PackageName).To(Equal("job_0948_20250513"))
			Expect(rp.Status.State).To(Equal(v1alpha1.StatePendingReview))
			Expect(rp.Status.Workspace).To(HaveValue(Equal(here)))
			Expect(rp.Status.PackedTime.Time).To(Equal(p.PackedTime))
			Expect(rp.Status.Items).To(Equal(p.Items))
			Expect(rp.Status.ApplyUserID).To(Equal("dev1"))
			Expect(rp.Status.ApproverIDs).To(HaveExactElements("dep1", "dep2"), "in whatever order the service shows them")
			Expect(p.ApproverIDs).To(HaveExactElements("dep2", "dep1"), "what was seen stays as it was seen")
			Expect(rp.Status.Attempt).To(BeNil())
		})

		It("that was adopted closes the open attempt, and no other", func() {
			p := aPackage(packageID, v1alpha1.StatePendingReview)
			rp := aReleasePackage(attempted(time.Minute))
			lifecycle.RecordAdopted(rp, &p, here, now)
			Expect(rp.Status.Attempt).To(And(HaveField("Outcome", v1alpha1.OutcomePacked), HaveField("Message", Not(BeEmpty()))))

			rp = aReleasePackage(ended(v1alpha1.OutcomeRefused), adopting)
			lifecycle.RecordAdopted(rp, &p, here, now)
			Expect(rp.Status.Attempt.Outcome).To(Equal(v1alpha1.OutcomeRefused))
		})

		It("follows what is seen", func() {
			rp := aReleasePackage(packed(v1alpha1.StatePendingReview))
			p := aPackage(packageID, v1alpha1.StateDeployed)
			p.PackedTime, p.DeployedTime, p.DeployedBy = now.Add(-2*time.Hour), now.Add(-time.Minute).Add(time.Millisecond),
				"dep1"
			lifecycle.RecordObservation(rp, lifecycle.Observation{Now: now, Package: &p})
			Expect(rp.Status.State).To(Equal(v1alpha1.StateDeployed))
			Expect(rp.Status.PackedTime.Time).To(Equal(now.Add(-time.Hour)), "the operator knows when it packed it")
			Expect(rp.Status.DeployedTime.Time).To(Equal(now.Add(-time.Minute)))
			Expect(rp.Status.DeployedBy).To(Equal("dep1"))

			p.Items[0].Name = "changed after it was recorded"
			Expect(rp.Status.Items[0].Name).To(Equal("job_b"))
		})

		It("names no deployer while it is not deployed", func() {
			rp := aReleasePackage(packed(v1alpha1.StatePendingReview))
			p := aPackage(packageID, v1alpha1.StateDeployFailed)
			p.DeployedTime, p.DeployedBy = now, "dep1"
			lifecycle.RecordObservation(rp, lifecycle.Observation{Now: now, Package: &p})
			Expect(rp.Status.DeployedTime).To(BeNil())
			Expect(rp.Status.DeployedBy).To(BeEmpty())
		})

		It("keeps the operator's time and the items where the service shows none", func() {
			rp := aReleasePackage(packed(v1alpha1.StatePendingReview))
			whole := aPackage(packageID, v1alpha1.StatePendingReview)
			lifecycle.RecordObservation(rp, lifecycle.Observation{Now: now, Package: &whole})
			bare := lifecycle.Package{ID: packageID, Name: whole.Name, State: v1alpha1.StateWithdrawn, ApplyUserID: "dev1"}
			lifecycle.RecordObservation(rp, lifecycle.Observation{Now: now, Package: &bare})
			Expect(rp.Status.State).To(Equal(v1alpha1.StateWithdrawn))
			Expect(rp.Status.Items).To(Equal(whole.Items))
			Expect(rp.Status.ApproverIDs).To(HaveExactElements("dep1", "dep2"))
			Expect(rp.Status.PackedTime.Time).To(Equal(now.Add(-time.Hour)))
		})

		It("shows no time that is yet to come, whatever the service's clock says", func() {
			rp := aReleasePackage(adopting)
			p := aPackage(packageID, v1alpha1.StateDeployed)
			p.PackedTime, p.DeployedTime = now.Add(8*time.Hour), now.Add(8*time.Hour)
			lifecycle.RecordAdopted(rp, &p, here, now)
			Expect(rp.Status.PackedTime).To(BeNil())
			Expect(rp.Status.DeployedTime.Time).To(Equal(now))
			lifecycle.RecordObservation(rp, lifecycle.Observation{Now: now.Add(time.Minute), Package: &p})
			Expect(rp.Status.DeployedTime.Time).To(Equal(now), "it does not move with each look")
		})

		It("that is gone is withdrawn once the service has accepted to withdraw it", func() {
			rp := aReleasePackage(packed(v1alpha1.StatePendingReview))
			lifecycle.RecordObservation(rp, seeing(gone))
			Expect(rp.Status.State).To(Equal(v1alpha1.StateUnknown))
			givenUp(rp)
			lifecycle.RecordObservation(rp, seeing(gone))
			Expect(rp.Status.State).To(Equal(v1alpha1.StateWithdrawn))
			Expect(rp.Status.ReleasePackageID).To(Equal(packageID))
		})

		It("that was packed a moment ago may just not be shown yet", func() {
			rp := aReleasePackage(packed(v1alpha1.StatePendingReview), justPacked)
			lifecycle.RecordObservation(rp, seeing(gone))
			Expect(rp.Status.State).To(Equal(v1alpha1.StatePendingReview))
			answered(rp, seeing(), lifecycle.Step{}, lifecycle.Answer{})
			lifecycle.RecordObservation(rp, seeing(gone))
			Expect(rp.Status.State).To(Equal(v1alpha1.StateWithdrawn))
		})

		DescribeTable("does not change by a look at something else",
			func(rp *v1alpha1.ReleasePackage, obs lifecycle.Observation) {
				before := rp.DeepCopy()
				lifecycle.RecordObservation(rp, obs)
				Expect(rp).To(Equal(before))
			},
			Entry("at nothing", aReleasePackage(packed(v1alpha1.StatePendingReview)), seeing()),
			Entry("at a package to adopt", aReleasePackage(adopting), seeing(thePackage(v1alpha1.StateDeployed))),
			Entry("at a package to adopt that is gone", aReleasePackage(adopting), seeing(gone)),
			Entry("at another package", aReleasePackage(packed(v1alpha1.StatePendingReview)),
				seeing(thePackage(v1alpha1.StateDeployed), func(s *lifecycle.Observation) { s.Package.ID = anotherID })),
			Entry("at the candidates of a search", aReleasePackage(attempted(0)),
				seeing(found(aPackage(packageID, v1alpha1.StatePendingReview)))),
		)

		It("is cut to the lengths that fit", func() {
			p := aPackage(packageID, v1alpha1.StateDeployed)
			p.Name, p.DeployedBy, p.ApplyUserID = long, long, long
			p.Items, p.ApproverIDs = nil, []string{"", strings.Repeat("a", 129)}
			for i := range 120 {
				p.ApproverIDs = append(p.ApproverIDs, fmt.Sprintf("user-%03d", i))
			}
			for i := range 1500 {
				p.Items = append(p.Items, v1alpha1.PackageItem{ID: fmt.Sprint(i), Name: long})
			}
			rp := aReleasePackage(adopting)
			lifecycle.RecordAdopted(rp, &p, here, now)
			expectCut(rp.Status.PackageName, long, 512)
			expectCut(rp.Status.DeployedBy, long, 256)
			expectCut(rp.Status.ApplyUserID, long, 128)
			Expect(rp.Status.ApproverIDs).To(HaveLen(100))
			Expect(rp.Status.ApproverIDs[0]).To(Equal("user-000"), "what the schema could not take is left out")
			Expect(rp.Status.Items).To(HaveLen(1000))
			expectCut(rp.Status.Items[999].Name, long, 256)
			Expect(p.Items[0].Name).To(Equal(long), "what was seen stays as it was seen")
		})
	})
})
