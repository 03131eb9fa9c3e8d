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

// What the service answers a moment after something was done may not know of that yet.
var _ = Describe("A service whose answers lag behind", func() {
	const lag = 8
	const long = 20 // passes, with which everything has to come to an end

	lagging := func(change func(*simulator.Assumptions)) func(*simulator.Options) {
		return func(o *simulator.Options) { change(&o.Assumptions) }
	}
	// expectCalm makes the passes that are due until the object is as expected. None of them tells of trouble.
	expectCalm := func(ctx SpecContext, s *scene, rp *v1alpha1.ReleasePackage, done func() bool) {
		GinkgoHelper()
		for range long {
			after := s.expectReconciled(ctx, rp).RequeueAfter
			Expect(s.told()).NotTo(ContainElement(HavePrefix("Warning")))
			expectNoCondition(rp, v1alpha1.ConditionStalled)
			if done() {
				return
			}
			Expect(after).To(And(BeNumerically(">", 0), BeNumerically("<=", time.Minute)))
			s.clock.Step(after)
		}
		Fail("it did not come to an end: " + string(rp.Status.State))
	}
	gone := func(ctx SpecContext, s *scene, rp *v1alpha1.ReleasePackage) func() bool {
		return func() bool { return s.Get(ctx, keyOf(rp), &v1alpha1.ReleasePackage{}) != nil }
	}

	It("in the pending list lets an edit wait for its items", func(ctx SpecContext) {
		s := readyScene(ctx, lagging(func(a *simulator.Assumptions) { a.ItemLag = lag }))
		rp := s.expectPacked(ctx)
		first := rp.Status.ReleasePackageID
		expectEdited(ctx, s, rp, func(rp *v1alpha1.ReleasePackage) {
			rp.Spec.ApproverIDs = []v1alpha1.UserID{deployer}
			rp.Spec.PackageName = "another"
		})
		expectCalm(ctx, s, rp, func() bool {
			return rp.Status.State == v1alpha1.StatePendingReview && rp.Status.ReleasePackageID != first
		})
		Expect(s.livePackages()).To(ConsistOf(rp.Status.ReleasePackageID))
	})

	It("in the pending list lets the next object wait for the items of one that was deleted", func(ctx SpecContext) {
		s := readyScene(ctx, lagging(func(a *simulator.Assumptions) { a.ItemLag = lag }))
		rp := s.expectPacked(ctx)
		s.expectDeleted(ctx, rp)
		expectCalm(ctx, s, rp, gone(ctx, s, rp))
		next := s.aReleasePackage(func(rp *v1alpha1.ReleasePackage) { rp.Name = "next" })
		s.expectApplied(ctx, next)
		expectCalm(ctx, s, next, func() bool { return next.Status.State == v1alpha1.StatePendingReview })
	})

	It("in the pending list does not hide for long that items are packed", func(ctx SpecContext) {
		s := readyScene(ctx, lagging(func(a *simulator.Assumptions) { a.ItemLag = lag }))
		rp := s.expectPacked(ctx)
		expectEdited(ctx, s, rp, func(rp *v1alpha1.ReleasePackage) { rp.Spec.PackageName = "another" })
		s.expectReconciled(ctx, rp)
		_, err := s.console.Pack("theirs", developer, []string{deployer}, []string{string(s.items[0])})
		Expect(err).NotTo(HaveOccurred())
		s.applied++
		s.clock.Step(settleTime)
		for range 2 {
			s.expectReconciledAfter(ctx, soon, rp)
		}
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonPreflightFailed)
	})

	for _, code := range []simulator.Code{simulator.CodeNoTask, simulator.CodeInvalidParameter, simulator.NoCode} {
		for _, become := range []simulator.WithdrawnPackage{simulator.PackageFlagged, simulator.PackageGone} {
			Describe("in lists and looks, with "+string(code)+" for what it does not know, and "+string(
				become)+" withdrawn packages", func() {
				var s *scene
				BeforeEach(func(ctx SpecContext) {
					s = readyScene(ctx, lagging(func(a *simulator.Assumptions) {
						a.ListLag, a.ShowLag, a.ItemLag, a.UnknownPackage, a.WithdrawnPackage = lag, lag, lag, code, become
					}))
				})

				It("is in no hurry after a pack", func(ctx SpecContext) {
					rp := s.aReleasePackage()
					s.expectApplied(ctx, rp)
					s.expectReconciled(ctx, rp)
					expectEdited(ctx, s, rp, forced("now"))
					expectCalm(ctx, s, rp, func() bool {
						return rp.Status.Items != nil && s.clock.Since(rp.CreationTimestamp.Time) > lag*time.Second
					})
				})

				It("ends a deletion", func(ctx SpecContext) {
					rp := s.expectPacked(ctx)
					s.clock.Step(settleTime)
					s.expectDeleted(ctx, rp)
					expectCalm(ctx, s, rp, gone(ctx, s, rp))
					Expect(s.livePackages()).To(BeEmpty())
					Expect(s.calls(simulator.OpUnpack)).To(Equal(1))
				})

				It("ends the deletion of what was packed a moment ago", func(ctx SpecContext) {
					rp := s.aReleasePackage()
					s.expectApplied(ctx, rp)
					s.expectReconciled(ctx, rp)
					s.expectDeleted(ctx, rp)
					expectCalm(ctx, s, rp, gone(ctx, s, rp))
					Expect(s.livePackages()).To(BeEmpty())
				})

				It("replaces after an edit", func(ctx SpecContext) {
					rp := s.expectPacked(ctx)
					first := rp.Status.ReleasePackageID
					s.clock.Step(settleTime)
					expectEdited(ctx, s, rp, func(rp *v1alpha1.ReleasePackage) { rp.Spec.PackageName = "another" })
					expectCalm(ctx, s, rp, func() bool {
						return rp.Status.State == v1alpha1.StatePendingReview && rp.Status.ReleasePackageID != first
					})
					Expect(s.livePackages()).To(ConsistOf(rp.Status.ReleasePackageID))
					Expect(s.calls(simulator.OpUnpack)).To(Equal(1))
				})
			})
		}
	}
})
