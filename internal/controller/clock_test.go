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

// Nothing waits for a time of the service, and nothing is ruled out by one that someone may still deploy.
var _ = Describe("A service whose clock is off", func() {
	for _, hours := range []int{8, -8} {
		Describe(time.Duration(hours*int(time.Hour)).String(), func() {
			var s *scene
			BeforeEach(func(ctx SpecContext) {
				s = readyScene(ctx, func(o *simulator.Options) {
					o.Assumptions.ClockOffset, o.Assumptions.WithdrawnPackage = hours*3600, simulator.PackageGone
				})
			})
			past := func(t *metav1.Time) bool { return t == nil || !t.After(s.clock.Now()) }

			DescribeTable("finds what a lost answer left", func(ctx SpecContext, name string) {
				rp := s.aReleasePackage(func(rp *v1alpha1.ReleasePackage) { rp.Spec.PackageName = name })
				s.expectApplied(ctx, rp)
				s.inject(lostReply)
				s.expectReconciled(ctx, rp)
				s.expectReconciledAfter(ctx, soon, rp)
				Expect(s.livePackages()).To(ConsistOf(rp.Status.ReleasePackageID))
				Expect(past(rp.Status.PackedTime)).To(BeTrue())

				s.expectDeleted(ctx, rp)
				for range 2 {
					s.expectReconciledAfter(ctx, soon, rp)
				}
				s.expectGone(ctx, rp)
				Expect(s.livePackages()).To(BeEmpty())
			},
				Entry("under its own name", ""),
				Entry("under a name that others may give", "release"),
			)

			It("delays no deletion, and shows no time that is yet to come", func(ctx SpecContext) {
				rp := s.expectPacked(ctx)
				s.expectReconciledAfter(ctx, settleTime, rp)
				Expect(past(rp.Status.PackedTime)).To(BeTrue())
				s.expectDeleted(ctx, rp)
				for range 2 {
					s.expectReconciledAfter(ctx, soon, rp)
				}
				s.expectGone(ctx, rp)
			})

			It("shows when a deployment ended, at the latest when that was seen", func(ctx SpecContext) {
				rp := s.expectPacked(ctx)
				Expect(s.console.Deploy(rp.Status.ReleasePackageID)).To(Succeed())
				s.expectReconciledAfter(ctx, pollInterval, rp)
				Expect(rp.Status.State).To(Equal(v1alpha1.StateDeployed))
				Expect(rp.Status.DeployedTime).NotTo(BeNil())
				Expect(past(rp.Status.DeployedTime)).To(BeTrue())
			})

			It("believes that a package is gone once it was recorded long ago", func(ctx SpecContext) {
				rp := s.expectPacked(ctx)
				s.clock.Step(settleTime)
				Expect(s.console.Withdraw(rp.Status.ReleasePackageID)).To(Succeed())
				s.expectReconciledAfter(ctx, pollInterval, rp)
				expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonPackageNotFound)
			})
		})
	}
})
