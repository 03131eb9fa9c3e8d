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
)

var _ = Describe("Recording the id", func() {
	var s *scene
	var rp *v1alpha1.ReleasePackage

	BeforeEach(func(ctx SpecContext) {
		s = readyScene(ctx)
		rp = s.aReleasePackage()
		s.expectApplied(ctx, rp)
	})

	expectRecorded := func() {
		GinkgoHelper()
		s.expectAdopted(rp)
		Expect(s.calls(simulator.OpList)).To(BeZero(), "nothing had to be looked for")
		Expect(s.told()).To(ConsistOf(HavePrefix("Normal Packed ")))
	}

	It("is repeated within the pass until it succeeds", func(ctx SpecContext) {
		failures := 0
		s.api.beforeStatus = func(rp *v1alpha1.ReleasePackage) error {
			if !recordsID(rp) || failures == 3 {
				return nil
			}
			failures++
			return errFromAPIServer
		}
		s.expectReconciled(ctx, rp)
		Expect(failures).To(Equal(3))
		expectRecorded()
	})

	It("succeeds although the answer to it was lost", func(ctx SpecContext) {
		s.api.afterStatus = func(rp *v1alpha1.ReleasePackage) error {
			if !recordsID(rp) {
				return nil
			}
			s.api.afterStatus = allow
			return errFromAPIServer
		}
		s.expectReconciled(ctx, rp)
		expectRecorded()
	})

	It("is not stopped by a user's edit", func(ctx SpecContext) {
		s.beforeCall(packPath, func() {
			defer GinkgoRecover()
			expectEdited(ctx, s, rp.DeepCopy(), retained)
		})
		s.expectReconciled(ctx, rp)
		Expect(rp.Spec.DeletionPolicy).To(Equal(v1alpha1.DeletionRetain))
		Expect(rp.Status.ReleasePackageID).NotTo(BeEmpty())
		Expect(rp.Status.ObservedGeneration).To(Equal(rp.Generation-1), "the edit was not looked at yet")
		Expect(s.told()).To(ConsistOf(HavePrefix("Normal Packed ")))
		s.expectReconciled(ctx, rp)
		s.expectAdopted(rp)
	})

	It("stops when another operator has given the attempt up meanwhile, and tells of the package", func(ctx SpecContext) {
		s.beforeCall(packPath, func() {
			defer GinkgoRecover()
			live := &v1alpha1.ReleasePackage{}
			Expect(s.Get(ctx, keyOf(rp), live)).To(Succeed())
			before := live.DeepCopy()
			lifecycle.RecordNotPacked(live, v1alpha1.OutcomeNotFound, "not found")
			Expect(s.Status().Patch(ctx, live, client.MergeFrom(before))).To(Succeed())
		})
		_, err := s.pass(ctx, rp)
		Expect(err).To(HaveOccurred())
		Expect(rp.Status.ReleasePackageID).To(BeEmpty())
		Expect(s.told()).To(ConsistOf(And(HavePrefix("Warning AmbiguousPackage "),
			ContainSubstring("Package "+s.livePackages()[0]))))
	})

	It("is not stopped by the end of the operator", func(ctx SpecContext) {
		passCtx, stop := context.WithCancel(ctx)
		defer stop()
		s.beforeCall(packPath, stop)
		s.expectReconciled(passCtx, rp)
		Expect(passCtx.Err()).To(HaveOccurred())
		expectRecorded()
	})

	It("is not stopped by the end of the operator while the attempt is being recorded", func(ctx SpecContext) {
		passCtx, stop := context.WithCancel(ctx)
		defer stop()
		s.api.beforeStatus = func(*v1alpha1.ReleasePackage) error {
			stop()
			return nil
		}
		s.expectReconciled(passCtx, rp)
		Expect(passCtx.Err()).To(HaveOccurred())
		expectRecorded()
	})

	It("does not begin, nor does the attempt, when the operator has ended", func(ctx SpecContext) {
		passCtx, stop := context.WithCancel(ctx)
		defer stop()
		s.beforeCall("/pending-items", stop)
		s.expectReconciled(passCtx, rp)
		Expect(s.calls(simulator.OpPack)).To(BeZero())
		Expect(rp.Status.Attempt).To(BeNil())
		Expect(s.told()).To(BeEmpty())
	})

	It("does not begin when the attempt cannot be recorded", func(ctx SpecContext) {
		s.api.beforeStatus = func(*v1alpha1.ReleasePackage) error { return errFromAPIServer }
		_, err := s.pass(ctx, rp)
		Expect(err).To(MatchError(errFromAPIServer))
		Expect(s.calls(simulator.OpPack)).To(BeZero())

		s.api.reset()
		s.expectReconciled(ctx, rp)
		expectRecorded()
	})

	It("does not begin when somebody else wrote the object", func(ctx SpecContext) {
		s.api.beforeStatus = func(*v1alpha1.ReleasePackage) error {
			s.api.beforeStatus = allow
			expectEdited(ctx, s, rp.DeepCopy(), retained)
			return nil
		}
		result := s.expectReconciled(ctx, rp)
		Expect(result.RequeueAfter).To(BeNumerically("~", 200*time.Millisecond, 100*time.Millisecond))
		Expect(s.calls(simulator.OpPack)).To(BeZero())
		Expect(s.told()).To(BeEmpty(), "a conflict is no news")

		s.expectReconciled(ctx, rp)
		expectRecorded()
	})

	It("does not begin when the process was frozen after it recorded the attempt", func(ctx SpecContext) {
		s.api.afterStatus = func(*v1alpha1.ReleasePackage) error {
			s.api.afterStatus = allow
			s.clock.Step(settleTime)
			return nil
		}
		s.expectReconciled(ctx, rp)
		Expect(s.calls(simulator.OpPack)).To(BeZero())
		Expect(rp.Status.Attempt.Outcome).To(Equal(v1alpha1.OutcomeNotDone))
		s.expectReconciled(ctx, rp)
		expectRecorded()
	})
})

var _ = Describe("A pass that sees an outdated object", func() {
	var s *scene
	var rp *v1alpha1.ReleasePackage

	BeforeEach(func(ctx SpecContext) { s = readyScene(ctx) })

	// expectHarmless makes a pass with a lagging view, which comes back without a word, and one with a good view.
	expectHarmless := func(ctx context.Context, outdated *v1alpha1.ReleasePackage) {
		GinkgoHelper()
		s.told()
		s.api.outdated = outdated
		Expect(s.reconciler.Reconcile(ctx, requestFor(rp))).To(HaveField("RequeueAfter", 200*time.Millisecond))
		Expect(s.told()).To(BeEmpty())
		s.api.reset()
		s.expectReconciledAfter(ctx, soon, rp)
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
		Expect(s.livePackages()).To(ConsistOf(rp.Status.ReleasePackageID))
	}

	It("packs nothing though it sees no finalizer yet", func(ctx SpecContext) {
		rp = s.aReleasePackage()
		s.expectApplied(ctx, rp)
		outdated := rp.DeepCopy()
		s.expectReconciled(ctx, rp)
		expectHarmless(ctx, outdated)
		Expect(s.calls(simulator.OpPack)).To(Equal(1))
	})

	It("packs nothing though it sees no attempt yet", func(ctx SpecContext) {
		rp = s.aReleasePackage(func(rp *v1alpha1.ReleasePackage) { rp.Finalizers = []string{v1alpha1.UnpackFinalizer} })
		s.expectApplied(ctx, rp)
		outdated := rp.DeepCopy()
		s.expectReconciled(ctx, rp)
		expectHarmless(ctx, outdated)
		Expect(s.calls(simulator.OpPack)).To(Equal(1))
	})

	It("packs nothing though it sees the package before the one that replaced it", func(ctx SpecContext) {
		rp = s.expectPacked(ctx)
		Expect(s.console.Withdraw(rp.Status.ReleasePackageID)).To(Succeed())
		s.expectReconciledAfter(ctx, pollInterval, rp)
		expectEdited(ctx, s, rp, forced("again"))
		outdated := rp.DeepCopy()
		s.expectReconciled(ctx, rp)
		expectHarmless(ctx, outdated)
		Expect(s.calls(simulator.OpPack)).To(Equal(2))
	})

	It("records nothing twice though it sees the attempt still open", func(ctx SpecContext) {
		rp = s.aReleasePackage()
		s.expectApplied(ctx, rp)
		var outdated *v1alpha1.ReleasePackage
		s.api.afterStatus = func(rp *v1alpha1.ReleasePackage) error {
			if !recordsID(rp) {
				outdated = rp.DeepCopy()
			}
			return nil
		}
		s.expectReconciled(ctx, rp)
		expectHarmless(ctx, outdated)
		Expect(s.calls(simulator.OpPack)).To(Equal(1))
	})
})
