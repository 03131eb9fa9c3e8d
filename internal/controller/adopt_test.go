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

// These specs run the manager, as only its queue shows whether a pass is followed by another, and how often.
var _ = Describe("The manager that adopts a package", func() {
	// adopter is an object that adopts a package of the first item, applied to a scene with a manager.
	adopter := func(ctx context.Context, with ...func(*v1alpha1.ReleasePackage)) (*scene, *v1alpha1.ReleasePackage) {
		GinkgoHelper()
		s := newScene(ctx)
		s.startManager(ctx)
		id, err := s.console.Pack("by hand", developer, []string{deployer}, []string{string(s.items[0])})
		Expect(err).NotTo(HaveOccurred())
		rp := s.aReleasePackage(adopting(id))
		for _, change := range with {
			change(rp)
		}
		s.expectApplied(ctx, s.aSecret(), s.aWorkspace(), rp)
		return s, rp
	}
	becomes := func(ctx context.Context, s *scene, rp *v1alpha1.ReleasePackage, reason string) {
		GinkgoHelper()
		Eventually(ctx, func(g Gomega) {
			g.Expect(s.Get(ctx, keyOf(rp), rp)).To(Succeed())
			expectReason(g, rp, reason)
		}, "20s").Should(Succeed())
	}

	It("says in what it differs from the spec, and then is calm", func(ctx SpecContext) {
		s, rp := adopter(ctx, func(rp *v1alpha1.ReleasePackage) { rp.Spec.PendingItemIDs = []v1alpha1.ID{"999"} })
		becomes(ctx, s, rp, v1alpha1.ReasonSpecDiffers)
		Expect(rp.Status.ReleasePackageID).NotTo(BeEmpty())
		shown := s.calls(simulator.OpShow)
		Consistently(ctx, func() int { return s.calls(simulator.OpShow) }, "4s").Should(BeNumerically("<=", shown+1))
	}, NodeTimeout(time.Minute))

	It("is calm where there is nothing to say", func(ctx SpecContext) {
		s, rp := adopter(ctx)
		becomes(ctx, s, rp, v1alpha1.ReasonPendingReview)
		shown := s.calls(simulator.OpShow)
		Consistently(ctx, func() int { return s.calls(simulator.OpShow) }, "4s").Should(BeNumerically("<=", shown+1))
	}, NodeTimeout(time.Minute))

	It("waits for one that is not shown yet", func(ctx SpecContext) {
		s := newScene(ctx)
		s.startManager(ctx)
		rp := s.aReleasePackage(adopting("1"))
		s.expectApplied(ctx, s.aSecret(), s.aWorkspace(), rp)
		becomes(ctx, s, rp, v1alpha1.ReasonPackageNotFound)
		Expect(rp.Status.Conditions).To(ContainElement(HaveField("Type", v1alpha1.ConditionReconciling)))
		_, err := s.console.Pack("by hand", developer, []string{deployer}, []string{string(s.items[0])})
		Expect(err).NotTo(HaveOccurred())
		becomes(ctx, s, rp, v1alpha1.ReasonPendingReview)
	}, NodeTimeout(time.Minute))
})

var _ = Describe("A package to adopt that is not shown", func() {
	It("is waited for less and less often, then told of, and adopted all the same when it appears", func(ctx SpecContext) {
		s := readyScene(ctx)
		rp := s.aReleasePackage(adopting("1"))
		s.expectApplied(ctx, rp)
		for range 20 {
			result := s.expectReconciled(ctx, rp)
			if rp.Status.Conditions[len(rp.Status.Conditions)-1].Type == v1alpha1.ConditionStalled {
				break
			}
			expectCondition(rp, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonPackageNotFound,
				ContainSubstring("may just not be shown yet"))
			s.clock.Step(result.RequeueAfter)
		}
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonPackageNotFound,
			ContainSubstring("correct spec.releasePackageId"))
		Expect(s.calls(simulator.OpShow)).To(BeNumerically("<=", 15))

		s.expectReconciledAfter(ctx, 5*time.Minute, rp)
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonPackageNotFound)
		_, err := s.console.Pack("by hand", developer, []string{deployer}, []string{string(s.items[0])})
		Expect(err).NotTo(HaveOccurred())
		s.expectReconciledAfter(ctx, 5*time.Minute, rp)
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
	})
})
