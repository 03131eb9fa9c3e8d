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
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// twoWaysOut are what a refused withdrawal has to name.
var twoWaysOut = And(ContainSubstring("withdraw it in the console"),
	ContainSubstring("set spec.deletionPolicy to Retain"))

var _ = Describe("Deleting", func() {
	var s *scene

	BeforeEach(func(ctx SpecContext) { s = readyScene(ctx) })

	// loseWorkspace leaves nothing to call the service with.
	loseWorkspace := func(ctx context.Context) {
		GinkgoHelper()
		Expect(s.Delete(ctx, s.aWorkspace())).To(Succeed())
		Expect(s.Delete(ctx, s.aSecret())).To(Succeed())
	}

	It("withdraws the package, looks, and lets the object go", func(ctx SpecContext) {
		rp := s.expectPacked(ctx)
		s.expectDeleted(ctx, rp)

		s.expectReconciled(ctx, rp)
		expectCondition(rp, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonUnpacking)
		Expect(s.livePackages()).To(BeEmpty())

		s.expectReconciledAfter(ctx, soon, rp)
		s.expectGone(ctx, rp)
		Expect(s.calls(simulator.OpUnpack)).To(Equal(1))
		Expect(s.told()).To(ConsistOf(HavePrefix("Normal Unpacked ")))

		Expect(s.reconciler.Reconcile(ctx, requestFor(rp))).To(BeZero(), "a late pass finds nothing to do")
	})

	It("finds the package first when its id is not known", func(ctx SpecContext) {
		rp := s.aReleasePackage()
		s.expectApplied(ctx, rp)
		s.inject(lostReply)
		s.expectReconciled(ctx, rp)
		s.expectDeleted(ctx, rp)
		for range 3 {
			s.expectReconciledAfter(ctx, soon, rp)
		}
		s.expectGone(ctx, rp)
		Expect(s.livePackages()).To(BeEmpty())
		Expect(s.console.Packages()).To(ConsistOf(HaveField("Withdrawn", true)))
	})

	It("waits out the settle time when a request was lost", func(ctx SpecContext) {
		rp := s.aReleasePackage()
		s.expectApplied(ctx, rp)
		s.inject(lostRequest)
		s.expectReconciled(ctx, rp)
		s.expectDeleted(ctx, rp)

		s.expectReconciledAfter(ctx, soon, rp)
		expectOutcomeUnknown(rp)
		s.expectReconciledAfter(ctx, settleTime, rp)
		s.expectReconciledAfter(ctx, soon, rp)
		s.expectGone(ctx, rp)
		Expect(s.console.Packages()).To(BeEmpty())
	})

	It("withdraws a package whose id is recorded while the deletion begins", func(ctx SpecContext) {
		rp := s.aReleasePackage()
		s.expectApplied(ctx, rp)
		s.beforeCall(packPath, func() {
			defer GinkgoRecover()
			Expect(s.Delete(ctx, rp.DeepCopy())).To(Succeed())
		})
		s.expectReconciled(ctx, rp)
		Expect(rp.Status.ReleasePackageID).NotTo(BeEmpty())
		for range 2 {
			s.expectReconciledAfter(ctx, soon, rp)
		}
		s.expectGone(ctx, rp)
		Expect(s.livePackages()).To(BeEmpty())
	})

	DescribeTable("ends in every state of the package",
		func(ctx SpecContext, change func(*simulator.Console, string) error, event string, live int) {
			rp := s.expectPacked(ctx)
			id := rp.Status.ReleasePackageID
			Expect(change(s.console, id)).To(Succeed())
			s.clock.Step(max(outdated, settleTime)) // Before that, one that vanished may just not be shown yet.
			s.expectDeleted(ctx, rp)
			for range 2 {
				s.expectReconciledAfter(ctx, soon, rp)
			}
			s.expectGone(ctx, rp)
			Expect(s.told()).To(ContainElement(And(HavePrefix(event), ContainSubstring("ackage "+id))))
			Expect(s.livePackages()).To(HaveLen(live))
		},
		Entry("withdrawn in the console", (*simulator.Console).Withdraw, "Normal Released ", 0),
		Entry("vanished", (*simulator.Console).Vanish, "Normal Released ", 0),
		Entry("deployed", (*simulator.Console).Deploy, "Normal Released ", 1),
		Entry("failed", failDeployment, "Normal Unpacked ", 0),
		Entry("unknown", func(c *simulator.Console, id string) error { return c.SetState(id, 7) }, "Normal Unpacked ", 0),
	)

	It("waits for a deployment to end", func(ctx SpecContext) {
		rp := s.expectPacked(ctx)
		id := rp.Status.ReleasePackageID
		Expect(s.console.StartDeploy(id)).To(Succeed())
		s.clock.Step(outdated)
		s.expectDeleted(ctx, rp)
		for range 2 {
			s.expectReconciledAfter(ctx, soon, rp)
		}
		expectCondition(rp, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonDeploying,
			ContainSubstring("when that has ended"))
		Expect(s.calls(simulator.OpUnpack)).To(BeZero())

		Expect(s.console.FinishDeploy(id)).To(Succeed())
		s.expectReconciledAfter(ctx, soon, rp)
		s.expectGone(ctx, rp)
		Expect(s.told()).To(ContainElement(And(HavePrefix("Normal Released "), ContainSubstring("was deployed already"))))
	})

	It("lets go of a package that an approver deploys right before it is withdrawn", func(ctx SpecContext) {
		rp := s.expectPacked(ctx)
		id := rp.Status.ReleasePackageID
		s.beforeCall(unpackPath, func() {
			defer GinkgoRecover()
			Expect(s.console.Deploy(id)).To(Succeed())
		})
		s.expectDeleted(ctx, rp)
		for range 2 {
			s.expectReconciledAfter(ctx, soon, rp)
		}
		s.expectGone(ctx, rp)
		Expect(s.told()).To(ContainElement(HavePrefix("Normal Released ")))
	})

	It("survives a lost answer to the withdrawal", func(ctx SpecContext) {
		rp := s.expectPacked(ctx)
		s.inject(simulator.Fault{Operation: simulator.OpUnpack, Kind: simulator.FaultDrop, AfterWork: true})
		s.expectDeleted(ctx, rp)
		s.expectTrouble(ctx, rp)
		s.expectReconciledAfter(ctx, soon, rp)
		s.expectGone(ctx, rp)
	})

	DescribeTable("makes no call when nothing was packed", func(ctx SpecContext, with ...func(*v1alpha1.ReleasePackage)) {
		rp := s.aReleasePackage(with...)
		rp.Spec.PendingItemIDs = []v1alpha1.ID{"999"}
		s.expectApplied(ctx, rp)
		s.expectReconciled(ctx, rp)
		loseWorkspace(ctx)
		s.restart()
		calls := s.allCalls()
		Expect(s.Delete(ctx, rp)).To(Succeed())
		s.expectReconciled(ctx, rp)
		s.expectGone(ctx, rp)
		Expect(s.allCalls()).To(Equal(calls))
	},
		Entry("because the service refused"),
		Entry("because it was suspended from the start", suspended),
	)

	It("makes no call when the workspace never existed", func(ctx SpecContext) {
		loseWorkspace(ctx)
		rp := s.aReleasePackage()
		s.expectApplied(ctx, rp)
		s.expectTrouble(ctx, rp)
		s.expectDeleted(ctx, rp)
		s.expectReconciled(ctx, rp)
		s.expectGone(ctx, rp)
		Expect(s.allCalls()).To(BeZero())
	})

	It("leaves a retained package, without credentials", func(ctx SpecContext) {
		rp := s.expectPacked(ctx, retained)
		loseWorkspace(ctx)
		s.restart()
		s.expectDeleted(ctx, rp)
		s.expectReconciled(ctx, rp)
		s.expectGone(ctx, rp)
		Expect(s.told()).To(ConsistOf(And(HavePrefix("Normal Released "),
			ContainSubstring("Package "+rp.Status.ReleasePackageID+" stays"))))
		Expect(s.livePackages()).To(ConsistOf(rp.Status.ReleasePackageID))
	})

	It("lets go of a retained object whose outcome is not known, and says what may be left", func(ctx SpecContext) {
		rp := s.aReleasePackage(retained)
		s.expectApplied(ctx, rp)
		s.inject(lostReply)
		s.expectReconciled(ctx, rp)
		s.told()
		s.expectDeleted(ctx, rp)
		s.expectReconciled(ctx, rp)
		s.expectGone(ctx, rp)
		Expect(s.told()).To(ConsistOf(And(HavePrefix("Normal Released "),
			ContainSubstring(rp.Status.PackageName+" may stay"))))
	})

	It("can be freed by Retain when it is stuck without credentials", func(ctx SpecContext) {
		rp := s.expectPacked(ctx)
		loseWorkspace(ctx)
		s.restart()
		s.expectDeleted(ctx, rp)
		s.expectTrouble(ctx, rp)
		expectCondition(rp, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonWorkspaceNotFound)

		expectEdited(ctx, s, rp, retained)
		s.expectReconciled(ctx, rp)
		s.expectGone(ctx, rp)
	})

	It("stalls when the withdrawal is refused, and names the two ways out", func(ctx SpecContext) {
		rp := s.expectPacked(ctx)
		s.inject(simulator.Fault{Operation: simulator.OpUnpack, Kind: simulator.FaultError, Status: 400, Code: "DLF.9999",
			Message: "Not today.", Times: simulator.Forever})
		s.expectDeleted(ctx, rp)
		for range 2 {
			Expect(s.expectReconciledAfter(ctx, soon, rp).RequeueAfter).To(BeNumerically(">=", 5*time.Minute))
		}
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonUnpackRefused, twoWaysOut,
			ContainSubstring("Not today"))
		Expect(s.told()).To(ConsistOf(HavePrefix("Warning UnpackRefused ")))

		Expect(s.console.Withdraw(rp.Status.ReleasePackageID)).To(Succeed())
		expectEdited(ctx, s, rp, forced("withdrawn by hand"))
		s.expectReconciled(ctx, rp)
		s.expectGone(ctx, rp)
	})

	It("lets go of a failed package that the service takes for released", func(ctx SpecContext) {
		s = readyScene(ctx, func(o *simulator.Options) { o.Assumptions.UnpackFailed = simulator.Refuse })
		rp := s.expectPacked(ctx)
		Expect(failDeployment(s.console, rp.Status.ReleasePackageID)).To(Succeed())
		s.clock.Step(outdated)
		s.expectDeleted(ctx, rp)
		s.expectReconciled(ctx, rp)
		s.expectGone(ctx, rp)
		Expect(s.told()).To(ContainElement(And(HavePrefix("Normal Released "), ContainSubstring("does not withdraw it"))))
	})

	Describe("with a deadline", func() {
		bounded := func(rp *v1alpha1.ReleasePackage) { rp.Spec.DeletionDeadline.Duration = time.Hour }

		It("lets go when it is over, tells of what is left, and counts it", func(ctx SpecContext) {
			rp := s.expectPacked(ctx, bounded)
			s.inject(simulator.Fault{Operation: simulator.OpUnpack, Kind: simulator.FaultError, Status: 400, Code: "DLF.9999",
				Times: simulator.Forever})
			s.expectDeleted(ctx, rp)
			Expect(s.expectReconciled(ctx, rp).RequeueAfter).To(BeNumerically(">=", 5*time.Minute))
			orphans := orphaned()
			Expect(s.expectReconciledAfter(ctx, 55*time.Minute, rp).RequeueAfter).To(BeNumerically("<", 5*time.Minute),
				"it is not late for the deadline")
			s.told()
			s.expectReconciledAfter(ctx, 6*time.Minute, rp)
			s.expectGone(ctx, rp)
			Expect(s.told()).To(ConsistOf(And(HavePrefix("Warning Orphaned "),
				ContainSubstring("Package "+rp.Status.ReleasePackageID+" stays"))))
			Expect(orphaned()).To(Equal(orphans + 1))
		})

		It("does not wait for it", func(ctx SpecContext) {
			rp := s.expectPacked(ctx, bounded)
			s.expectDeleted(ctx, rp)
			s.expectReconciled(ctx, rp)
			s.expectReconciledAfter(ctx, soon, rp)
			s.expectGone(ctx, rp)
			Expect(s.livePackages()).To(BeEmpty())
		})

		It("that is over waits for the look that decides, and makes no passes meanwhile", func(ctx SpecContext) {
			rp := s.expectPacked(ctx, bounded)
			s.restart()
			s.expectDeleted(ctx, rp)
			s.clock.Step(2 * time.Hour)
			for range 2 {
				Expect(s.reconciler.Reconcile(ctrl.LoggerInto(ctx, GinkgoLogr), requestFor(rp))).To(BeZero())
				Expect(s.reconciler.Workspaces.Poller().NextRun()).To(BeTemporally("~", s.clock.Now(), 2*time.Second))
			}
			for range 2 {
				s.expectReconciledAfter(ctx, soon, rp)
			}
			s.expectGone(ctx, rp)
			Expect(s.livePackages()).To(BeEmpty(), "it was not tried before")
		})

		DescribeTable("leaves an object that others keep alone once it is let go",
			func(ctx SpecContext, end func(context.Context, *scene, *v1alpha1.ReleasePackage), live int,
				state v1alpha1.PackageState) {
				rp := s.expectPacked(ctx, bounded,
					func(rp *v1alpha1.ReleasePackage) { rp.Finalizers = []string{"example.com/other"} })
				s.clock.Step(settleTime)
				s.expectDeleted(ctx, rp)
				end(ctx, s, rp)
				for range 2 {
					s.expectReconciledAfter(ctx, soon, rp)
				}
				Expect(rp.Finalizers).To(HaveExactElements("example.com/other"))
				Expect(s.livePackages()).To(HaveLen(live))
				Expect(rp.Status.State).To(Equal(state))
				expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonReleased,
					ContainSubstring("example.com/other"))
				expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonReleased)
				Expect(lifecycle.Claims(rp)).To(BeEmpty())

				s.told()
				writes, calls := rp.ResourceVersion, s.allCalls()
				Expect(s.expectReconciledAfter(ctx, 2*time.Hour, rp)).To(BeZero())
				Expect(rp.ResourceVersion).To(Equal(writes))
				Expect(s.allCalls()).To(Equal(calls))
				Expect(s.told()).To(BeEmpty())
				expectEdited(ctx, s, rp, func(rp *v1alpha1.ReleasePackage) { rp.Finalizers = nil })
				s.expectGone(ctx, rp)
			},
			Entry("once its package is withdrawn", func(context.Context, *scene, *v1alpha1.ReleasePackage) {}, 0,
				v1alpha1.StateWithdrawn),
			Entry("though its package stays", func(ctx context.Context, s *scene, rp *v1alpha1.ReleasePackage) {
				s.inject(simulator.Fault{Operation: simulator.OpUnpack, Kind: simulator.FaultError, Status: 400, Code: "DLF.9999",
					Times: simulator.Forever})
				s.expectReconciled(ctx, rp)
				s.clock.Step(2 * time.Hour)
			}, 1, v1alpha1.StatePendingReview),
			Entry("though its finalizer was lost", func(ctx context.Context, s *scene, rp *v1alpha1.ReleasePackage) {
				expectEdited(ctx, s, rp, func(rp *v1alpha1.ReleasePackage) { rp.Finalizers = rp.Finalizers[:1] })
			}, 0, v1alpha1.StateWithdrawn),
		)

		It("lets go without credentials", func(ctx SpecContext) {
			rp := s.expectPacked(ctx, bounded)
			loseWorkspace(ctx)
			s.restart()
			s.expectDeleted(ctx, rp)
			s.expectTrouble(ctx, rp)
			s.expectReconciledAfter(ctx, 2*time.Hour, rp)
			s.expectGone(ctx, rp)
		})
	})

	It("lets go of a vanished package though the service says in its own way that it does not exist",
		func(ctx SpecContext) {
			s = readyScene(ctx, func(o *simulator.Options) {
				o.Assumptions.UnknownShown, o.Assumptions.WithdrawnPackage = simulator.CodeInvalidParameter, simulator.PackageGone
			})
			rp := s.expectPacked(ctx)
			s.expectDeleted(ctx, rp)
			s.expectReconciled(ctx, rp)
			Expect(s.livePackages()).To(BeEmpty())
			s.expectReconciledAfter(ctx, soon, rp)
			s.expectGone(ctx, rp)
		})

	It("tells of a service that shows a package and says that there is none to withdraw", func(ctx SpecContext) {
		rp := s.expectPacked(ctx)
		s.clock.Step(settleTime)
		s.inject(simulator.Fault{Operation: simulator.OpUnpack, Kind: simulator.FaultError, Status: 400,
			Code: simulator.CodeNoTask, Times: simulator.Forever})
		s.expectDeleted(ctx, rp)
		s.expectReconciled(ctx, rp)
		expectCondition(rp, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonUnpacking)
		for range 4 {
			s.expectReconciledAfter(ctx, settleTime, rp)
		}
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonUnpackRefused, twoWaysOut)
		Expect(s.livePackages()).To(ConsistOf(rp.Status.ReleasePackageID))
	})

	It("relies on the list where the service does not show a package that it has", func(ctx SpecContext) {
		rp := s.expectPacked(ctx)
		s.inject(simulator.Fault{Operation: simulator.OpShow, Kind: simulator.FaultError, Status: 400,
			Code: simulator.CodeInvalidParameter, Times: simulator.Forever})
		Expect(s.console.StartDeploy(rp.Status.ReleasePackageID)).To(Succeed())
		s.expectReconciledAfter(ctx, pollInterval, rp)
		Expect(rp.Status.State).To(Equal(v1alpha1.StateDeploying))
		s.expectDeleted(ctx, rp)
		s.expectReconciled(ctx, rp)
		expectCondition(rp, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonDeploying)
		Expect(s.calls(simulator.OpUnpack)).To(BeZero())
	})

	It("withdraws what was packed though the service said that it refused", func(ctx SpecContext) {
		rp := s.aReleasePackage()
		s.expectApplied(ctx, rp)
		s.inject(simulator.Fault{Operation: simulator.OpPack, Kind: simulator.FaultError, AfterWork: true, Status: 400,
			Code: "DLF.9999", Message: "Perhaps."})
		s.expectReconciled(ctx, rp)
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonRefused)
		Expect(s.livePackages()).To(HaveLen(1))
		s.expectDeleted(ctx, rp)
		for range 3 {
			s.expectReconciledAfter(ctx, soon, rp)
		}
		s.expectGone(ctx, rp)
		Expect(s.livePackages()).To(BeEmpty())
	})

	It("sends nothing for a view that is out of date", func(ctx SpecContext) {
		rp := s.expectPacked(ctx)
		s.expectDeleted(ctx, rp)
		outdated := rp.DeepCopy()
		expectEdited(ctx, s, rp, retained)
		s.api.outdated = outdated
		s.expectReconciled(ctx, outdated)
		Expect(s.calls(simulator.OpUnpack)).To(BeZero())
		s.api.reset()
		s.expectReconciled(ctx, rp)
		s.expectGone(ctx, rp)
		Expect(s.livePackages()).To(ConsistOf(rp.Status.ReleasePackageID))
	})

	It("works on a suspended object", func(ctx SpecContext) {
		rp := s.expectPacked(ctx)
		expectEdited(ctx, s, rp, suspended)
		s.expectDeleted(ctx, rp)
		for range 2 {
			s.expectReconciledAfter(ctx, soon, rp)
		}
		s.expectGone(ctx, rp)
		Expect(s.livePackages()).To(BeEmpty())
	})
})

func orphaned() float64 { return counted("dataarts_operator_orphaned_packages_total") }

// counted is what a counter says.
func counted(name string) float64 {
	GinkgoHelper()
	families, err := metrics.Registry.Gather()
	Expect(err).NotTo(HaveOccurred())
	for _, family := range families {
		if family.GetName() == name {
			return family.GetMetric()[0].GetCounter().GetValue()
		}
	}
	Fail("there is no such counter")
	return 0
}

func failDeployment(c *simulator.Console, id string) error {
	if err := c.StartDeploy(id); err != nil {
		return err
	}
	return c.FailDeploy(id)
}
