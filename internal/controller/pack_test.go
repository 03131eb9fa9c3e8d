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
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

var _ = Describe("Packing", func() {
	It("takes one look, one call and three writes until ready", func(ctx SpecContext) {
		s := readyScene(ctx)
		rp := s.aReleasePackage()
		s.expectApplied(ctx, rp)

		result := s.expectReconciled(ctx, rp)

		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
		expectCondition(rp, v1alpha1.ConditionDeployed, metav1.ConditionFalse, v1alpha1.ReasonPendingReview)
		expectNoCondition(rp, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled)
		Expect(s.service.Counts()).To(Equal(map[simulator.Operation]int{simulator.OpListItems: 1, simulator.OpPack: 1}))
		Expect(s.api.writes).To(Equal(3))
		Expect(s.told()).To(ConsistOf(HavePrefix("Normal Packed ")))
		Expect(result.RequeueAfter).To(And(BeNumerically(">=", pollInterval), BeNumerically("<", 2*pollInterval)))

		Expect(s.console.Packages()).To(ConsistOf(And(
			HaveField("ID", rp.Status.ReleasePackageID),
			HaveField("Name", rp.Status.PackageName),
			HaveField("Applicant", developer),
			HaveField("Approvers", ConsistOf(deployer)),
			HaveField("Items", ConsistOf(string(s.items[0]))),
		)))
		Expect(rp.Finalizers).To(ConsistOf(v1alpha1.UnpackFinalizer))
		Expect(rp.Status.Attempt).To(HaveValue(And(
			HaveField("Number", BeEquivalentTo(1)), HaveField("Outcome", v1alpha1.OutcomePacked))))
		Expect(rp.Status.Workspace).To(HaveValue(Equal(v1alpha1.PinnedWorkspace{
			Endpoint: s.endpoint, ProjectID: project, WorkspaceID: workspaceID})))
	})

	It("writes and tells nothing once settled", func(ctx SpecContext) {
		s := readyScene(ctx)
		rp := s.expectPacked(ctx)
		version := rp.ResourceVersion
		for range 3 {
			s.expectReconciledAfter(ctx, pollInterval, rp)
		}
		Expect(s.api.writes).To(BeZero())
		Expect(s.told()).To(BeEmpty())
		Expect(rp.ResourceVersion).To(Equal(version))
		Expect(s.calls(simulator.OpPack)).To(Equal(1))
	})

	It("uses the name that the spec gives", func(ctx SpecContext) {
		s := readyScene(ctx)
		rp := s.expectPacked(ctx, func(rp *v1alpha1.ReleasePackage) { rp.Spec.PackageName = "job_0948_20250513" })
		Expect(rp.Status.PackageName).To(Equal("job_0948_20250513"))
		Expect(s.console.Packages()).To(ConsistOf(HaveField("Name", "job_0948_20250513")))
	})

	It("gives two objects of one name in a row two package names", func(ctx SpecContext) {
		s := readyScene(ctx)
		first := s.expectPacked(ctx, retained)
		s.expectDeleted(ctx, first)
		s.expectReconciled(ctx, first)
		s.expectGone(ctx, first)
		second := s.expectPacked(ctx, func(rp *v1alpha1.ReleasePackage) { rp.Spec.PendingItemIDs = s.items[1:] })
		Expect(second.Status.PackageName).NotTo(Equal(first.Status.PackageName))
		Expect(second.Status.ReleasePackageID).NotTo(Equal(first.Status.ReleasePackageID))
	})
})

var _ = Describe("Watching a package", func() {
	It("follows it to its deployment", func(ctx SpecContext) {
		s := readyScene(ctx)
		rp := s.expectPacked(ctx)
		id := rp.Status.ReleasePackageID
		Expect(rp.Status.Items).To(ConsistOf(v1alpha1.PackageItem{
			ID: string(s.items[0]), Name: "job_a", Type: "Job", State: v1alpha1.StatePendingReview}))

		Expect(s.console.StartDeploy(id)).To(Succeed())
		result := s.expectReconciledAfter(ctx, pollInterval, rp)
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonDeploying)
		expectCondition(rp, v1alpha1.ConditionDeployed, metav1.ConditionFalse, v1alpha1.ReasonDeploying)
		Expect(rp.Status.State).To(Equal(v1alpha1.StateDeploying))
		Expect(result.RequeueAfter).To(And(BeNumerically(">=", 5*time.Second), BeNumerically("<", 10*time.Second)))
		Expect(s.told()).To(ConsistOf(HavePrefix("Normal Deploying ")))

		s.clock.Step(result.RequeueAfter)
		Expect(s.console.FinishDeploy(id)).To(Succeed())
		deployed := s.clock.Now()
		result = s.expectReconciledAfter(ctx, time.Second, rp)
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonDeployed)
		expectCondition(rp, v1alpha1.ConditionDeployed, metav1.ConditionTrue, v1alpha1.ReasonDeployed)
		Expect(rp.Status.DeployedBy).To(Equal("dep1"))
		Expect(rp.Status.DeployedTime.Time).To(BeTemporally("~", deployed, time.Second))
		Expect(rp.Status.Items).To(ConsistOf(HaveField("State", v1alpha1.StateDeployed)))
		Expect(result.RequeueAfter).To(BeZero(), "what is deployed is not polled")
		Expect(s.told()).To(ConsistOf(HavePrefix("Normal Deployed ")))

		calls := s.allCalls()
		s.expectReconciledAfter(ctx, pollInterval, rp)
		Expect(s.allCalls()).To(Equal(calls), "what is deployed costs nothing")
		Expect(s.told()).To(BeEmpty())
	})

	It("stalls when the deployment fails", func(ctx SpecContext) {
		s := readyScene(ctx)
		rp := s.expectPacked(ctx)
		Expect(s.console.StartDeploy(rp.Status.ReleasePackageID)).To(Succeed())
		Expect(s.console.FailDeploy(rp.Status.ReleasePackageID)).To(Succeed())

		for range 2 {
			Expect(s.expectReconciledAfter(ctx, pollInterval, rp).RequeueAfter).To(BeZero())
		}
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonDeployFailed,
			ContainSubstring("in the console"))
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonDeployFailed)
		expectCondition(rp, v1alpha1.ConditionDeployed, metav1.ConditionFalse, v1alpha1.ReasonDeployFailed)
		Expect(s.told()).To(ConsistOf(HavePrefix("Warning DeployFailed ")))
	})

	It("withdraws a package whose deployment failed before it packs again", func(ctx SpecContext) {
		s := readyScene(ctx)
		rp := s.expectPacked(ctx)
		first := rp.Status.ReleasePackageID
		Expect(failDeployment(s.console, first)).To(Succeed())
		s.expectReconciledAfter(ctx, pollInterval, rp)

		expectEdited(ctx, s, rp, forced("again"))
		s.expectReconciled(ctx, rp)
		expectCondition(rp, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonReplacing)
		s.expectReconciledAfter(ctx, soon, rp)
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
		Expect(rp.Status.WithdrawnPackageIDs).To(ConsistOf(first))
		Expect(s.livePackages()).To(ConsistOf(rp.Status.ReleasePackageID))
	})

	DescribeTable("stalls when the package is gone, and packs again only when told to",
		func(ctx SpecContext, reason string, state v1alpha1.PackageState, ready metav1.ConditionStatus, again time.Duration,
			remove func(*simulator.Console, string) error) {
			s := readyScene(ctx)
			rp := s.expectPacked(ctx)
			first := rp.Status.ReleasePackageID
			Expect(remove(s.console, first)).To(Succeed())
			s.clock.Step(settleTime) // Before that, it might just not be shown yet.

			for range 2 {
				Expect(s.expectReconciledAfter(ctx, pollInterval, rp).RequeueAfter).To(BeNumerically("~", again, again/5))
			}
			expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, reason,
				ContainSubstring(v1alpha1.ReconcileAtAnnotation))
			expectCondition(rp, v1alpha1.ConditionReady, ready, reason)
			Expect(rp.Status.State).To(Equal(state))
			Expect(s.told()).To(ConsistOf(HavePrefix("Warning " + reason + " ")))
			Expect(s.livePackages()).To(BeEmpty())

			expectEdited(ctx, s, rp, forced("again"))
			s.expectReconciled(ctx, rp)
			if again > 0 { // It has to be withdrawn first, as nothing proves that it has ended.
				s.expectReconciledAfter(ctx, soon, rp)
			}
			expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
			Expect(rp.Status.LastHandledReconcileAt).To(Equal("again"))
			Expect(rp.Status.WithdrawnPackageIDs).To(ConsistOf(first))
			Expect(s.livePackages()).To(ConsistOf(rp.Status.ReleasePackageID))
			Expect(s.told()).To(ConsistOf(HavePrefix("Normal Packed ")))
		},
		Entry("because someone withdrew it in the console", v1alpha1.ReasonWithdrawn, v1alpha1.StateWithdrawn,
			metav1.ConditionFalse, time.Duration(0), (*simulator.Console).Withdraw),
		Entry("because it vanished", v1alpha1.ReasonPackageNotFound, v1alpha1.StateUnknown, metav1.ConditionUnknown,
			5*time.Minute, (*simulator.Console).Vanish),
	)

	It("keeps looking at a state that the reference does not explain", func(ctx SpecContext) {
		s := readyScene(ctx)
		rp := s.expectPacked(ctx)
		Expect(s.console.SetState(rp.Status.ReleasePackageID, 7)).To(Succeed())
		for range 2 {
			Expect(s.expectReconciledAfter(ctx, pollInterval, rp).RequeueAfter).To(BeNumerically(">=", pollInterval))
		}
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionUnknown, v1alpha1.ReasonUnknownState,
			ContainSubstring("deploy_status 7"))
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonUnknownState)
		Expect(rp.Status.State).To(Equal(v1alpha1.StateUnknown))
		Expect(s.told()).To(ConsistOf(HavePrefix("Warning UnknownState ")))

		Expect(s.console.SetState(rp.Status.ReleasePackageID, simulator.StateDeployed)).To(Succeed())
		s.expectReconciledAfter(ctx, pollInterval, rp)
		expectCondition(rp, v1alpha1.ConditionDeployed, metav1.ConditionTrue, v1alpha1.ReasonDeployed)
	})

	It("records an item once that the service shows twice", func(ctx SpecContext) {
		s := readyScene(ctx)
		rp := s.expectPacked(ctx)
		item := `{"pending_item_id":"1","item_name":"job_a","task_type":1,"deploy_status":5}`
		s.inject(simulator.Fault{Operation: simulator.OpShow, Kind: simulator.FaultRaw, Status: 200,
			ContentType: "application/json",
			Body: `{"release_package":{"package_id":"` + rp.Status.ReleasePackageID +
				`","package_name":"n","deploy_status":5,"delete_flag":0},` +
				`"task_details":[` + item + `,` + item + `]}`})
		s.expectReconciledAfter(ctx, pollInterval, rp)
		Expect(rp.Status.State).To(Equal(v1alpha1.StateDeploying))
		Expect(rp.Status.Items).To(ConsistOf(HaveField("ID", "1")))
	})
})
