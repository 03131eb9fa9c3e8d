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
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
	"github.com/dataarts-operator/dataarts-operator/internal/workspace"
)

var _ = Describe("A withdrawal that is refused together with another", func() {
	var s *scene

	// theScene has a service that withdraws what it can, and refuses the call all the same.
	theScene := func(ctx context.Context, become simulator.WithdrawnPackage, unknown ...simulator.Code) {
		s = readyScene(ctx, func(o *simulator.Options) {
			o.Assumptions.MixedUnpack, o.Assumptions.WithdrawnPackage = simulator.BatchPartial, become
			if len(unknown) > 0 {
				o.Assumptions.UnknownPackage = unknown[0]
			}
		})
	}

	// spoil puts a package that does not exist into the batch that the next withdrawal joins. What it returns expects
	// that this was so.
	spoil := func(ctx context.Context) (expectShared func()) {
		GinkgoHelper()
		s.restart()
		s.reconciler.Workspaces.Linger = time.Second
		conn, err := s.reconciler.Workspaces.Connect(ctx, s.namespace, v1alpha1.WorkspaceReference{Name: "default"})
		Expect(err).NotTo(HaveOccurred())
		answer := make(chan error, 1)
		go func() { answer <- conn.Unpack(ctx, "4711") }()
		return func() {
			GinkgoHelper()
			Eventually(ctx, answer).Should(Receive(MatchError(workspace.ErrUnpackShared)))
		}
	}

	DescribeTable("leads to a look, which lets the object go",
		func(ctx SpecContext, become simulator.WithdrawnPackage, calls int, unknown ...simulator.Code) {
			theScene(ctx, become, unknown...)
			rp := s.expectPacked(ctx)
			s.clock.Step(settleTime) // Before that, one that is gone may just not be shown yet.
			s.expectDeleted(ctx, rp)
			outcome := rp.Status.Attempt.Outcome
			expectShared := spoil(ctx)
			s.expectReconciled(ctx, rp)
			expectShared()
			expectCondition(rp, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonUnpacking)
			Expect(rp.Status.Attempt.Outcome).To(Equal(outcome))
			Expect(s.told()).To(BeEmpty())

			for range calls {
				s.expectReconciledAfter(ctx, soon, rp)
			}
			s.expectGone(ctx, rp)
			Expect(s.calls(simulator.OpUnpack)).To(Equal(calls))
			Expect(s.livePackages()).To(BeEmpty())
		},
		Entry("where withdrawn packages are listed", simulator.PackageFlagged, 1),
		Entry("where they are shown only", simulator.PackageUnlisted, 1),
		Entry("where they are gone, which the service has to say twice", simulator.PackageGone, 2),
		Entry("where they are gone, and the service says so in words of its own", simulator.PackageGone, 2,
			simulator.CodeInvalidParameter),
		Entry("where they are gone, and the service says so without a code", simulator.PackageGone, 2, simulator.NoCode),
	)

	It("is sent by itself when the look does not settle it", func(ctx SpecContext) {
		theScene(ctx, simulator.PackageGone)
		rp := s.aReleasePackage()
		s.expectApplied(ctx, rp)
		s.expectReconciled(ctx, rp)
		s.clock.Step(settleTime)
		Expect(s.console.Vanish(rp.Status.ReleasePackageID)).To(Succeed())
		s.expectDeleted(ctx, rp)
		expectShared := spoil(ctx)
		s.expectReconciled(ctx, rp)
		expectShared()
		for range 2 {
			s.expectReconciledAfter(ctx, soon, rp)
		}
		s.expectGone(ctx, rp)
		Expect(s.calls(simulator.OpUnpack)).To(Equal(2))
	})

	It("makes way for the next package", func(ctx SpecContext) {
		theScene(ctx, simulator.PackageFlagged)
		rp := s.expectPacked(ctx)
		expectEdited(ctx, s, rp, func(rp *v1alpha1.ReleasePackage) { rp.Spec.PendingItemIDs = s.items })
		expectShared := spoil(ctx)
		s.expectReconciled(ctx, rp)
		expectShared()
		Expect(rp.Status.Attempt.Outcome).To(Equal(v1alpha1.OutcomeWithdrawing))
		Expect(s.told()).To(BeEmpty())

		s.expectReconciledAfter(ctx, soon, rp)
		Expect(s.told()).To(ContainElement(HavePrefix("Normal Packed ")))
		Expect(s.livePackages()).To(ConsistOf(rp.Status.ReleasePackageID))
		Expect(s.calls(simulator.OpUnpack)).To(Equal(1))
	})

	It("is looked after at once where no other pass would", func(ctx SpecContext) {
		theScene(ctx, simulator.PackageFlagged)
		rp := s.aReleasePackage()
		s.expectApplied(ctx, rp)
		s.beforeCall(packPath, func() {
			defer GinkgoRecover()
			live := &v1alpha1.ReleasePackage{}
			Expect(s.Get(ctx, keyOf(rp), live)).To(Succeed())
			before := live.DeepCopy()
			lifecycle.RecordNotPacked(live, v1alpha1.OutcomeNotFound, "not found")
			live.Status.ReleasePackageID = "4712"
			Expect(s.Status().Patch(ctx, live, client.MergeFrom(before))).To(Succeed())
		})
		expectShared := spoil(ctx)
		_, err := s.pass(ctx, rp)
		Expect(err).To(HaveOccurred())
		expectShared()
		Expect(s.livePackages()).To(BeEmpty())
		Expect(s.told()).To(ConsistOf(HavePrefix("Normal Unpacked Withdrew package ")))
	})
})
