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
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

var _ = Describe("Editing a package in review", func() {
	var s *scene
	var rp *v1alpha1.ReleasePackage
	var first string

	bothItems := func(rp *v1alpha1.ReleasePackage) { rp.Spec.PendingItemIDs = s.items }
	firstItem := func(rp *v1alpha1.ReleasePackage) { rp.Spec.PendingItemIDs = s.items[:1] }

	BeforeEach(func(ctx SpecContext) {
		s = readyScene(ctx)
		rp = s.expectPacked(ctx)
		first = rp.Status.ReleasePackageID
	})

	It("replaces it", func(ctx SpecContext) {
		expectEdited(ctx, s, rp, bothItems)
		s.expectReconciled(ctx, rp)
		expectCondition(rp, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonReplacing)
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonReplacing)
		Expect(s.livePackages()).To(BeEmpty())

		s.expectReconciledAfter(ctx, soon, rp)
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
		Expect(rp.Status.ReleasePackageID).NotTo(Equal(first))
		Expect(rp.Status.WithdrawnPackageIDs).To(ConsistOf(first))
		Expect(s.livePackages()).To(ConsistOf(rp.Status.ReleasePackageID))
		Expect(s.console.Packages()[1].Items).To(HaveLen(2))
		Expect(s.told()).To(HaveExactElements(HavePrefix("Normal Unpacked "), HavePrefix("Normal Packed ")))
	})

	It("replaces it where the service takes no name twice, not even that of a withdrawn package", func(ctx SpecContext) {
		s = readyScene(ctx, func(o *simulator.Options) { o.Assumptions.DuplicateName = simulator.RefuseEver })
		rp = s.expectPacked(ctx)
		first := rp.Status.PackageName
		expectEdited(ctx, s, rp, bothItems)
		for range 2 {
			s.expectReconciledAfter(ctx, soon, rp)
		}
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
		Expect(rp.Status.PackageName).To(Equal(first + "-2"))
		s.expectReconciledAfter(ctx, pollInterval, rp)
		Expect(s.calls(simulator.OpPack)).To(Equal(2), "its number makes it no other package")
	})

	It("asks for another name where a given one was taken before", func(ctx SpecContext) {
		s = readyScene(ctx, func(o *simulator.Options) { o.Assumptions.DuplicateName = simulator.RefuseEver })
		id, err := s.console.Pack("taken", developer, []string{deployer}, []string{string(s.items[0])})
		Expect(err).NotTo(HaveOccurred())
		Expect(s.console.Withdraw(id)).To(Succeed())
		rp = s.aReleasePackage(func(rp *v1alpha1.ReleasePackage) { rp.Spec.PackageName = "taken" })
		s.expectApplied(ctx, rp)
		s.expectReconciled(ctx, rp)
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonRefused,
			ContainSubstring("set another spec.packageName"))
	})

	It("leaves it alone when the edit is taken back at once", func(ctx SpecContext) {
		expectEdited(ctx, s, rp, bothItems)
		expectEdited(ctx, s, rp, firstItem)
		s.expectReconciled(ctx, rp)
		Expect(rp.Status.ReleasePackageID).To(Equal(first))
		Expect(s.calls(simulator.OpUnpack)).To(BeZero())
	})

	It("packs the old content again when the edit is taken back too late", func(ctx SpecContext) {
		expectEdited(ctx, s, rp, bothItems)
		s.expectReconciled(ctx, rp)
		expectEdited(ctx, s, rp, firstItem)
		s.expectReconciledAfter(ctx, soon, rp)
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
		Expect(rp.Status.WithdrawnPackageIDs).To(ConsistOf(first))
		Expect(s.livePackages()).To(ConsistOf(rp.Status.ReleasePackageID))
	})

	It("stalls when an approver is faster, and recovers when the edit is taken back", func(ctx SpecContext) {
		expectEdited(ctx, s, rp, bothItems)
		s.beforeCall(unpackPath, func() {
			defer GinkgoRecover()
			Expect(s.console.Deploy(first)).To(Succeed())
		})
		for range 3 {
			s.expectReconciledAfter(ctx, soon, rp)
		}
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonSpecFrozen,
			ContainSubstring("revert the edit"))
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSpecFrozen)
		expectCondition(rp, v1alpha1.ConditionDeployed, metav1.ConditionTrue, v1alpha1.ReasonDeployed)
		Expect(s.calls(simulator.OpPack)).To(Equal(1))
		Expect(s.told()).To(ConsistOf(HavePrefix("Normal Deployed "), HavePrefix("Warning SpecFrozen ")),
			"nothing was withdrawn")

		expectEdited(ctx, s, rp, firstItem)
		s.expectReconciled(ctx, rp)
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonDeployed)
		expectNoCondition(rp, v1alpha1.ConditionStalled, v1alpha1.ConditionReconciling)
	})

	It("stalls when the withdrawal is refused, and goes on once it is done by hand", func(ctx SpecContext) {
		s.inject(simulator.Fault{Operation: simulator.OpUnpack, Kind: simulator.FaultError, Status: 400, Code: "DLF.9999",
			Message: "Not today."})
		expectEdited(ctx, s, rp, bothItems)
		Expect(s.expectReconciled(ctx, rp).RequeueAfter).To(BeNumerically(">=", 5*time.Minute))
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonUnpackRefused,
			ContainSubstring("revert the edit"), ContainSubstring("withdraw it in the console"),
			ContainSubstring(v1alpha1.ReconcileAtAnnotation))
		Expect(s.livePackages()).To(ConsistOf(first))

		Expect(s.console.Withdraw(first)).To(Succeed())
		expectEdited(ctx, s, rp, forced("withdrawn by hand"))
		s.expectReconciled(ctx, rp)
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
	})

	It("packs what is wanted after someone withdrew it", func(ctx SpecContext) {
		Expect(s.console.Withdraw(first)).To(Succeed())
		s.expectReconciledAfter(ctx, pollInterval, rp)
		expectEdited(ctx, s, rp, bothItems)
		s.expectReconciled(ctx, rp)
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
		Expect(s.livePackages()).To(ConsistOf(rp.Status.ReleasePackageID))
	})
})

var _ = Describe("Adopting a package", func() {
	var s *scene
	var id string

	BeforeEach(func(ctx SpecContext) {
		s = readyScene(ctx)
		var err error
		id, err = s.console.Pack("by hand", developer, []string{deployer}, []string{string(s.items[0])})
		Expect(err).NotTo(HaveOccurred())
	})

	It("takes it over and packs nothing", func(ctx SpecContext) {
		rp := s.aReleasePackage(adopting(id))
		s.expectApplied(ctx, rp)
		s.expectReconciled(ctx, rp)
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
		Expect(rp.Status.ReleasePackageID).To(Equal(id))
		Expect(rp.Status.PackageName).To(Equal("by hand"))
		Expect(rp.Status.Items).To(HaveLen(1))
		Expect(s.calls(simulator.OpPack)).To(BeZero())
		Expect(s.told()).To(ConsistOf(HavePrefix("Normal Adopted ")))

		s.expectDeleted(ctx, rp)
		for range 2 {
			s.expectReconciledAfter(ctx, soon, rp)
		}
		s.expectGone(ctx, rp)
		Expect(s.livePackages()).To(BeEmpty())
	})

	DescribeTable("stalls over one that cannot be had, until the spec is corrected",
		func(ctx SpecContext, lose func(*simulator.Console, string) error, reason string) {
			good, err := s.console.Pack("another", developer, []string{deployer}, []string{string(s.items[1])})
			Expect(err).NotTo(HaveOccurred())
			Expect(lose(s.console, id)).To(Succeed())
			rp := s.aReleasePackage(adopting(id))
			s.expectApplied(ctx, rp)
			s.expectReconciled(ctx, rp)
			s.expectReconciledAfter(ctx, settleTime, rp)
			expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, reason,
				ContainSubstring("correct spec.releasePackageId"))
			Expect(rp.Status.ReleasePackageID).To(BeEmpty())
			Expect(s.told()).To(ContainElement(HavePrefix("Warning " + reason + " ")))

			expectEdited(ctx, s, rp, func(rp *v1alpha1.ReleasePackage) { rp.Spec.ReleasePackageID = v1alpha1.ID(good) })
			s.expectReconciled(ctx, rp)
			expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
		},
		Entry("because it does not exist", (*simulator.Console).Vanish, v1alpha1.ReasonPackageNotFound),
		Entry("because it was withdrawn", (*simulator.Console).Withdraw, v1alpha1.ReasonWithdrawn),
	)

	It("never packs an adopted package again", func(ctx SpecContext) {
		rp := s.aReleasePackage(adopting(id))
		s.expectApplied(ctx, rp)
		s.expectReconciled(ctx, rp)
		Expect(s.console.Withdraw(id)).To(Succeed())
		expectEdited(ctx, s, rp, forced("again"))
		s.expectReconciledAfter(ctx, pollInterval, rp)
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonWithdrawn,
			ContainSubstring("not packed again"))
		Expect(s.calls(simulator.OpPack)).To(BeZero())
	})
})

var _ = Describe("Suspending", func() {
	It("stops all calls, and says so where the columns show it", func(ctx SpecContext) {
		s := readyScene(ctx)
		rp := s.expectPacked(ctx)
		expectEdited(ctx, s, rp, suspended)
		calls := s.allCalls()
		for range 2 {
			Expect(s.expectReconciledAfter(ctx, pollInterval, rp).RequeueAfter).To(BeZero())
		}
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonSuspended,
			ContainSubstring("spec.suspend"))
		expectCondition(rp, v1alpha1.ConditionDeployed, metav1.ConditionFalse, v1alpha1.ReasonPendingReview)
		Expect(s.allCalls()).To(Equal(calls))
		Expect(s.told()).To(BeEmpty())

		expectEdited(ctx, s, rp, func(rp *v1alpha1.ReleasePackage) { rp.Spec.Suspend = false })
		s.expectReconciled(ctx, rp)
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
	})

	It("from the start packs nothing and needs no finalizer", func(ctx SpecContext) {
		s := newScene(ctx)
		rp := s.aReleasePackage(suspended)
		s.expectApplied(ctx, rp)
		s.expectReconciled(ctx, rp)
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSuspended)
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonSuspended)
		Expect(rp.Finalizers).To(BeEmpty())
	})
})

var _ = Describe("A forced pass", func() {
	It("does not look at a deployed package, and is echoed once made", func(ctx SpecContext) {
		s := readyScene(ctx)
		rp := s.expectPacked(ctx)
		Expect(s.console.Deploy(rp.Status.ReleasePackageID)).To(Succeed())
		s.expectReconciledAfter(ctx, pollInterval, rp)

		expectEdited(ctx, s, rp, forced("2025-05-13T01:02:03Z"))
		looks := s.calls(simulator.OpShow)
		for range 2 {
			s.expectReconciled(ctx, rp)
		}
		Expect(rp.Status.LastHandledReconcileAt).To(Equal("2025-05-13T01:02:03Z"))
		Expect(s.calls(simulator.OpShow)).To(Equal(looks))
	})

	It("is not echoed before it could be made", func(ctx SpecContext) {
		s := readyScene(ctx)
		rp := s.expectPacked(ctx)
		s.inject(simulator.Fault{Operation: simulator.OpShow, Kind: simulator.FaultError, Status: 503})
		expectEdited(ctx, s, rp, forced("now"))
		s.expectTrouble(ctx, rp)
		Expect(rp.Status.LastHandledReconcileAt).To(BeEmpty())
		s.expectReconciled(ctx, rp)
		Expect(rp.Status.LastHandledReconcileAt).To(Equal("now"))
	})
})

var _ = Describe("A workspace object that points elsewhere", func() {
	It("is not called, until it points back", func(ctx SpecContext) {
		s := readyScene(ctx)
		rp := s.expectPacked(ctx)
		ws := s.aWorkspace()
		expectEdited(ctx, s, ws, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.WorkspaceID = elsewhere })
		calls := s.allCalls()
		for range 2 {
			Expect(s.expectReconciledAfter(ctx, pollInterval, rp).RequeueAfter).To(BeZero())
		}
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonWorkspaceChanged,
			ContainSubstring(workspaceID), ContainSubstring(elsewhere), ContainSubstring("point it back"))
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionUnknown, v1alpha1.ReasonWorkspaceChanged)
		s.expectDeleted(ctx, rp)
		s.expectReconciled(ctx, rp)
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonWorkspaceChanged)
		Expect(s.allCalls()).To(Equal(calls))
		Expect(s.told()).To(ConsistOf(HavePrefix("Warning WorkspaceChanged ")))

		expectEdited(ctx, s, ws, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.WorkspaceID = workspaceID })
		for range 2 {
			s.expectReconciledAfter(ctx, soon, rp)
		}
		s.expectGone(ctx, rp)
		Expect(s.livePackages()).To(BeEmpty())
	})
})

var _ = Describe("A service that says in its own way that a package does not exist", func() {
	var s *scene

	BeforeEach(func(ctx SpecContext) {
		s = readyScene(ctx, func(o *simulator.Options) {
			o.Assumptions.UnknownShown, o.Assumptions.WithdrawnPackage = simulator.CodeInvalidParameter, simulator.PackageGone
		})
	})

	It("does not keep an edit from replacing the package", func(ctx SpecContext) {
		rp := s.expectPacked(ctx)
		expectEdited(ctx, s, rp, withItems(s.items...))
		for range 3 {
			s.expectReconciledAfter(ctx, soon, rp)
		}
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
		Expect(s.livePackages()).To(ConsistOf(rp.Status.ReleasePackageID))
	})

	It("stalls a package that is gone, until a pass is forced", func(ctx SpecContext) {
		rp := s.expectPacked(ctx)
		s.clock.Step(settleTime)
		Expect(s.console.Withdraw(rp.Status.ReleasePackageID)).To(Succeed())
		s.expectReconciledAfter(ctx, pollInterval, rp)
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonPackageNotFound,
			ContainSubstring("DLF.3051"))
		expectEdited(ctx, s, rp, forced("again"))
		for range 3 {
			s.expectReconciledAfter(ctx, soon, rp)
		}
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
		Expect(s.livePackages()).To(ConsistOf(rp.Status.ReleasePackageID))
	})
})

var _ = Describe("An edit that is taken back while the package is being withdrawn for it", func() {
	// expectPackedAgain edits, loses what became of the withdrawal, takes the edit back, and expects that the operator
	// knows its own doing.
	expectPackedAgain := func(ctx context.Context, s *scene, lose func()) {
		GinkgoHelper()
		rp := s.expectPacked(ctx)
		s.clock.Step(2 * settleTime)
		expectEdited(ctx, s, rp, withItems(s.items...))
		lose()
		_, err := s.pass(ctx, rp)
		Expect(err).To(Or(BeNil(), MatchError(errFromAPIServer)))
		Expect(s.livePackages()).To(BeEmpty())
		s.api.reset()
		expectEdited(ctx, s, rp, withItems(s.items[0]))
		for range 2 {
			s.expectReconciledAfter(ctx, soon, rp)
		}
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
		Expect(s.livePackages()).To(ConsistOf(rp.Status.ReleasePackageID))
	}

	for _, fate := range []simulator.WithdrawnPackage{simulator.PackageFlagged, simulator.PackageGone} {
		It("leads to the old content, though the answer was lost, where the package is "+string(fate), func(ctx SpecContext) {
			s := readyScene(ctx, func(o *simulator.Options) { o.Assumptions.WithdrawnPackage = fate })
			expectPackedAgain(ctx, s, func() {
				s.inject(simulator.Fault{Operation: simulator.OpUnpack, Kind: simulator.FaultDrop, AfterWork: true})
			})
		})

		It("leads to the old content, though the API server did not take the record, where the package is "+string(fate),
			func(ctx SpecContext) {
				s := readyScene(ctx, func(o *simulator.Options) { o.Assumptions.WithdrawnPackage = fate })
				expectPackedAgain(ctx, s, func() {
					s.api.beforeStatus = func(rp *v1alpha1.ReleasePackage) error {
						if rp.Status.Attempt.Outcome == v1alpha1.OutcomeWithdrawn {
							return errFromAPIServer
						}
						return nil
					}
				})
			})
	}
})
