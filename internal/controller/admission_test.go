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

package controller_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// named gives the object another name than the other objects of a spec have.
func named(name string) func(*v1alpha1.ReleasePackage) {
	return func(rp *v1alpha1.ReleasePackage) { rp.Name = name }
}

func withItems(ids ...v1alpha1.ID) func(*v1alpha1.ReleasePackage) {
	return func(rp *v1alpha1.ReleasePackage) { rp.Spec.PendingItemIDs = ids }
}

var _ = Describe("Two objects that want the same", func() {
	var s *scene

	// The service would take an item into two packages, so that nothing but the operator keeps them apart.
	BeforeEach(func(ctx SpecContext) {
		s = readyScene(ctx, func(o *simulator.Options) { o.Assumptions.SharedItem = simulator.Accept })
	})

	// expectYielding expects an object to have left something to the other one.
	expectYielding := func(rp, other *v1alpha1.ReleasePackage, what string) {
		GinkgoHelper()
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonAlreadyClaimed,
			ContainSubstring(other.Namespace+"/"+other.Name), ContainSubstring(what))
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonAlreadyClaimed)
	}

	It("leave an item to the one that has it, until that one is gone", func(ctx SpecContext) {
		first := s.expectPacked(ctx)
		second := s.aReleasePackage(named("second"))
		s.expectApplied(ctx, second)
		s.expectReconciled(ctx, second)
		expectYielding(second, first, "item "+string(s.items[0]))
		Expect(s.calls(simulator.OpPack)).To(Equal(1))

		s.expectDeleted(ctx, first)
		s.expectReconciledAfter(ctx, soon, first)
		s.expectReconciledAfter(ctx, soon, first)
		s.expectGone(ctx, first)
		s.expectReconciledAfter(ctx, 2*time.Minute, second)
		expectCondition(second, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
		Expect(s.livePackages()).To(ConsistOf(second.Status.ReleasePackageID))
	})

	It("leave an item to the one that has it, though the other one is older", func(ctx SpecContext) {
		older := s.expectPacked(ctx, named("older"))
		younger := s.expectPacked(ctx, named("younger"), withItems(s.items[1]))
		expectEdited(ctx, s, older, withItems(s.items...))
		s.expectReconciled(ctx, older)
		expectYielding(older, younger, "item "+string(s.items[1]))
		Expect(s.livePackages()).To(ConsistOf(older.Status.ReleasePackageID, younger.Status.ReleasePackageID),
			"its package stays as it is")
	})

	It("leave a package to the one that adopted it first", func(ctx SpecContext) {
		id, err := s.console.Pack("by hand", developer, []string{deployer}, []string{string(s.items[0])})
		Expect(err).NotTo(HaveOccurred())
		first, second := s.aReleasePackage(adopting(id)), s.aReleasePackage(adopting(id), named("second"))
		s.expectApplied(ctx, first, second)
		s.expectReconciled(ctx, first)
		s.expectReconciled(ctx, second)
		expectYielding(second, first, "package "+id)
		Expect(second.Status.ReleasePackageID).To(BeEmpty())
	})

	It("do not meet where their workspace objects lead to different workspaces", func(ctx SpecContext) {
		s.expectPacked(ctx)
		other := s.aWorkspace()
		other.Name, other.Spec.WorkspaceID = "other", elsewhere
		s.expectApplied(ctx, other)
		_, err := s.service.Console(project, elsewhere).Submit(simulator.NewItem{Name: "job_c", SubmitUserID: developer})
		Expect(err).NotTo(HaveOccurred())
		rp := s.aReleasePackage(named("other"), func(rp *v1alpha1.ReleasePackage) { rp.Spec.WorkspaceRef.Name = "other" })
		s.expectApplied(ctx, rp)
		s.expectReconciled(ctx, rp)
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonPreflightFailed)
	})

	It("meet though their workspace objects are different ones", func(ctx SpecContext) {
		first := s.expectPacked(ctx)
		other := s.aWorkspace()
		other.Name = "other"
		s.expectApplied(ctx, other)
		rp := s.aReleasePackage(named("other"), func(rp *v1alpha1.ReleasePackage) { rp.Spec.WorkspaceRef.Name = "other" })
		s.expectApplied(ctx, rp)
		s.expectReconciled(ctx, rp)
		expectYielding(rp, first, "item "+string(s.items[0]))
	})

	It("do not pack both when they are worked on at the same moment", func(ctx SpecContext) {
		first, second := s.aReleasePackage(), s.aReleasePackage(named("second"))
		s.expectApplied(ctx, first)
		s.beforeCall(packPath, func() {
			s.expectApplied(ctx, second)
			s.api.outdated = nil
			s.reconciler.Client = s.blindAPIServer()
			s.expectReconciled(ctx, second)
		})
		s.expectReconciled(ctx, first)
		expectCondition(second, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonAlreadyClaimed)
		Expect(s.calls(simulator.OpPack)).To(Equal(1))
	})

	It("do not pack both though the look before packing takes long", func(ctx SpecContext) {
		first, second := s.aReleasePackage(), s.aReleasePackage(named("second"))
		s.expectApplied(ctx, first)
		s.beforeCall("/pending-items", func() {
			s.clock.Step(10 * time.Minute)
			s.expectApplied(ctx, second)
			s.api.outdated = nil
			s.reconciler.Client = s.blindAPIServer()
			s.expectReconciled(ctx, second)
		})
		s.expectReconciled(ctx, first)
		expectCondition(second, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonAlreadyClaimed)
		Expect(s.calls(simulator.OpPack)).To(Equal(1))
	}, NodeTimeout(time.Minute))

	It("do not pack both when one had recorded its attempt before the other could know of it", func(ctx SpecContext) {
		first, second := s.aReleasePackage(), s.aReleasePackage(named("second"))
		s.expectApplied(ctx, first, second)
		s.beforeCall("/pending-items", func() { // By another manager, which was the leader until a moment ago.
			Expect(s.Get(ctx, keyOf(second), second)).To(Succeed())
			lifecycle.BeginAttempt(second, v1alpha1.PinnedWorkspace{Endpoint: s.endpoint, ProjectID: project,
				WorkspaceID: workspaceID}, s.clock.Now())
			Expect(s.Status().Update(ctx, second)).To(Succeed())
		})
		s.expectReconciled(ctx, first)
		expectYielding(first, second, "has item "+string(s.items[0]))
		Expect(s.calls(simulator.OpPack)).To(BeZero())
	})

	It("keep what they have while they replace their package", func(ctx SpecContext) {
		one := s.expectPacked(ctx)
		waiting := s.aReleasePackage(named("before"), withItems(s.items...)) // Of the same age, and the first by name.
		s.expectApplied(ctx, waiting)
		s.expectReconciled(ctx, waiting)
		expectYielding(waiting, one, "has item "+string(s.items[0]))

		expectEdited(ctx, s, one, func(rp *v1alpha1.ReleasePackage) { rp.Spec.PackageName = "another name" })
		for range 4 {
			s.expectReconciledAfter(ctx, soon, one)
			s.expectReconciled(ctx, waiting)
			expectYielding(waiting, one, "has item "+string(s.items[0]))
		}
		expectCondition(one, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
		Expect(s.livePackages()).To(ConsistOf(one.Status.ReleasePackageID))
		Expect(one.Status.PackageName).To(Equal("another name"))
	})

	It("give back at once what they cannot pack", func(ctx SpecContext) {
		// The one that waits goes before the other, being of the same age or older, once it wants the same.
		one, waiting := s.aReleasePackage(), s.aReleasePackage(named("before"), withItems(s.items[1]))
		s.expectApplied(ctx, waiting, one)
		s.inject(simulator.Fault{Operation: simulator.OpPack, Kind: simulator.FaultError, Status: 400,
			Code: simulator.CodeInvalidParameter, Message: "No."})
		s.expectReconciled(ctx, one)
		expectCondition(one, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonRefused)
		expectEdited(ctx, s, waiting, withItems(s.items[0]))
		s.expectReconciled(ctx, waiting)
		expectCondition(waiting, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
	})

	It("do not take each other's package for the one whose answer was lost", func(ctx SpecContext) {
		sameName := func(rp *v1alpha1.ReleasePackage) { rp.Spec.PackageName = "the same" }
		rp := s.aReleasePackage(sameName)
		s.expectApplied(ctx, rp)
		s.inject(simulator.Fault{Operation: simulator.OpPack, Kind: simulator.FaultDrop})
		s.expectReconciled(ctx, rp)
		expectCondition(rp, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonOutcomeUnknown)

		id, err := s.console.Pack("the same", developer, []string{deployer}, []string{string(s.items[0])})
		Expect(err).NotTo(HaveOccurred())
		adopter := s.aReleasePackage(adopting(id), named("adopter"))
		s.expectApplied(ctx, adopter)
		s.expectReconciled(ctx, adopter)
		Expect(adopter.Status.ReleasePackageID).To(Equal(id))
		s.expectReconciledAfter(ctx, 2*settleTime, rp)
		Expect(rp.Status.ReleasePackageID).To(BeEmpty())
	})
})

var _ = Describe("The look before packing", func() {
	var s *scene

	BeforeEach(func(ctx SpecContext) { s = readyScene(ctx) })

	// expectHeldBack applies an object and expects that nothing is sent for it.
	expectHeldBack := func(ctx context.Context, rp *v1alpha1.ReleasePackage, words ...string) {
		GinkgoHelper()
		s.expectApplied(ctx, rp)
		s.expectReconciled(ctx, rp)
		for _, w := range words {
			expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonPreflightFailed,
				ContainSubstring(w))
		}
		Expect(s.calls(simulator.OpPack)).To(BeZero())
		Expect(rp.Status.Attempt).To(BeNil())
	}

	It("finds items that do not exist, and approvers that are no users", func(ctx SpecContext) {
		rp := s.aReleasePackage(withItems("998", "999"),
			func(rp *v1alpha1.ReleasePackage) { rp.Spec.ApproverIDs = []v1alpha1.UserID{"alice"} })
		expectHeldBack(ctx, rp, "items 998, 999 are not in the pending list", "approvers alice do not look like IAM user ids")
	})

	It("finds that the applicant has submitted none of the items", func(ctx SpecContext) {
		rp := s.aReleasePackage(func(rp *v1alpha1.ReleasePackage) { rp.Spec.ApplyUserID = deployer })
		expectHeldBack(ctx, rp, "were submitted by "+developer)
	})

	It("finds items that are in a package, and packs when they are free again", func(ctx SpecContext) {
		id, err := s.console.Pack("by hand", developer, []string{deployer}, []string{string(s.items[0]), string(s.items[1])})
		Expect(err).NotTo(HaveOccurred())
		rp := s.aReleasePackage()
		expectHeldBack(ctx, rp, "items "+string(s.items[0])+" are in package "+id+" (by hand)")

		Expect(s.console.Withdraw(id)).To(Succeed())
		s.expectReconciledAfter(ctx, 5*time.Minute, rp)
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
	})

	It("leaves the verdict to the service when a pass is forced", func(ctx SpecContext) {
		rp := s.aReleasePackage(withItems("999"))
		expectHeldBack(ctx, rp, "999")
		expectEdited(ctx, s, rp, forced("I know better"))
		s.expectReconciled(ctx, rp)
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonRefused,
			ContainSubstring("DLF.3051"))
		Expect(s.calls(simulator.OpPack)).To(Equal(1))
	})

	It("saves the package in review from an edit that cannot be packed", func(ctx SpecContext) {
		rp := s.expectPacked(ctx)
		expectEdited(ctx, s, rp, withItems(s.items[0], "999"))
		s.expectReconciled(ctx, rp)
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonPreflightFailed,
			ContainSubstring("items 999 are not"))
		Expect(s.livePackages()).To(ConsistOf(rp.Status.ReleasePackageID))

		expectEdited(ctx, s, rp, withItems(s.items...))
		for range 3 {
			s.expectReconciledAfter(ctx, soon, rp)
		}
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
		Expect(s.calls(simulator.OpPack)).To(Equal(2))
	})

	DescribeTable("waits when it fails because the service does, since a request would be lost",
		func(ctx SpecContext, f simulator.Fault) {
			f.Operation = simulator.OpListItems
			s.inject(f)
			rp := s.aReleasePackage()
			s.expectApplied(ctx, rp)
			s.expectTrouble(ctx, rp)
			Expect(s.calls(simulator.OpPack)).To(BeZero())
			s.expectReconciledAfter(ctx, time.Minute, rp)
			expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
		},
		Entry("with an error", simulator.Fault{Kind: simulator.FaultError, Status: 500, Code: "DLF.1000", Message: "Oops."}),
		Entry("throttled", simulator.Fault{Kind: simulator.FaultError, Status: 429, Code: simulator.CodeThrottled,
			Message: "Slow down.", RetryAfter: 10 * time.Second}),
		Entry("cut off", simulator.Fault{Kind: simulator.FaultDrop}),
	)

	It("is done without where the service does not allow it", func(ctx SpecContext) {
		s.inject(simulator.Fault{Operation: simulator.OpListItems, Kind: simulator.FaultError, Status: 400,
			Code:    simulator.CodeInvalidParameter,
			Message: "No.", Times: simulator.Forever})
		rp := s.aReleasePackage()
		s.expectApplied(ctx, rp)
		s.expectReconciled(ctx, rp)
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
	})

	It("is shared by packages that are packed together", func(ctx SpecContext) {
		for _, id := range s.items {
			s.expectPacked(ctx, named("item-"+string(id)), withItems(id))
		}
		Expect(s.calls(simulator.OpListItems)).To(Equal(1))
	})

	It("warns of a package that its applicant alone may approve", func(ctx SpecContext) {
		s = readyScene(ctx, func(o *simulator.Options) {
			o.Workspaces[0].Reviewers = append(o.Workspaces[0].Reviewers,
				developer)
		})
		rp := s.expectPacked(ctx, func(rp *v1alpha1.ReleasePackage) { rp.Spec.ApproverIDs = []v1alpha1.UserID{developer} })
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview,
			ContainSubstring("only approver is the applicant"))
	})
})

var _ = Describe("A cluster that was restored", func() {
	var s *scene
	var rp *v1alpha1.ReleasePackage
	var id string

	BeforeEach(func(ctx SpecContext) {
		s = readyScene(ctx)
		rp = s.expectPacked(ctx)
		id = rp.Status.ReleasePackageID
	})

	// restore makes the object look as in a backup from before it was packed.
	restore := func(ctx context.Context) {
		GinkgoHelper()
		Expect(s.Get(ctx, keyOf(rp), rp)).To(Succeed())
		rp.Status = v1alpha1.ReleasePackageStatus{}
		Expect(s.Status().Update(ctx, rp)).To(Succeed())
		s.restart()
	}

	It("finds the package that it has forgotten, and can replace it", func(ctx SpecContext) {
		restore(ctx)
		s.expectReconciled(ctx, rp)
		Expect(rp.Status.ReleasePackageID).To(Equal(id))
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
		Expect(s.told()).To(ConsistOf(And(HavePrefix("Normal Adopted "),
			ContainSubstring("the contents that the spec asks for"))))
		Expect(s.calls(simulator.OpPack)).To(Equal(1))

		expectEdited(ctx, s, rp, withItems(s.items[1]))
		for range 3 {
			s.expectReconciledAfter(ctx, soon, rp)
		}
		Expect(s.livePackages()).To(ConsistOf(rp.Status.ReleasePackageID))
		Expect(rp.Status.WithdrawnPackageIDs).To(ConsistOf(id))
	})

	It("stalls when the package that it has forgotten is another one than the spec asks for", func(ctx SpecContext) {
		restore(ctx)
		expectEdited(ctx, s, rp, withItems(s.items...))
		s.expectReconciled(ctx, rp)
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonAmbiguousPackage,
			ContainSubstring("Packages "+id))
		Expect(s.calls(simulator.OpPack)).To(Equal(1))
	})

	It("finds the package though it may not see the pending list, if the object is old enough", func(ctx SpecContext) {
		restore(ctx)
		s.inject(simulator.Fault{Operation: simulator.OpListItems, Kind: simulator.FaultError, Status: 403,
			Code:  simulator.CodeUserForbidden,
			Times: simulator.Forever})
		s.expectReconciledAfter(ctx, time.Hour, rp)
		Expect(rp.Status.ReleasePackageID).To(Equal(id))
		Expect(s.calls(simulator.OpPack)).To(Equal(1))
	})
})

var _ = Describe("An adopted package that is another than the spec describes", func() {
	It("is left as it is, and the difference told until the spec is corrected", func(ctx SpecContext) {
		s := readyScene(ctx)
		id, err := s.console.Pack("by hand", developer, []string{deployer}, []string{string(s.items[0])})
		Expect(err).NotTo(HaveOccurred())
		rp := s.aReleasePackage(func(rp *v1alpha1.ReleasePackage) {
			rp.Spec.ReleasePackageID, rp.Spec.PendingItemIDs = v1alpha1.ID(id), s.items
		})
		s.expectApplied(ctx, rp)
		s.expectReconciled(ctx, rp)
		s.expectReconciledAfter(ctx, soon, rp)
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonSpecDiffers,
			ContainSubstring("spec.pendingItemIds is 1, 2, and the package has 1"))
		Expect(rp.Status.ApproverIDs).To(ConsistOf(deployer))
		Expect(rp.Status.ApplyUserID).To(Equal(developer))
		Expect(s.calls(simulator.OpUnpack) + s.calls(simulator.OpPack)).To(BeZero())

		Expect(s.console.Deploy(id)).To(Succeed())
		s.expectReconciledAfter(ctx, pollInterval, rp)
		expectCondition(rp, v1alpha1.ConditionDeployed, metav1.ConditionTrue, v1alpha1.ReasonDeployed)
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonSpecDiffers)
		expectEdited(ctx, s, rp, withItems(s.items[0]))
		s.expectReconciled(ctx, rp)
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonDeployed)
	})
})
