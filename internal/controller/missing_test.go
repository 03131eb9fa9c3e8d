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
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// What a service says about a package that it does not know is not documented, so whatever it says, the end of a
// package has to be found out.
var _ = Describe("A package that is gone", func() {
	const soon = 2 * time.Second

	for _, code := range []simulator.Code{simulator.CodeNoTask, simulator.CodeInvalidParameter, simulator.NoCode} {
		Describe("where the service answers "+string(code), func() {
			var s *scene

			differing := func(also ...func(*simulator.Assumptions)) func(*simulator.Options) {
				return func(o *simulator.Options) {
					o.Assumptions.UnknownPackage, o.Assumptions.WithdrawnPackage = code, simulator.PackageGone
					for _, change := range also {
						change(&o.Assumptions)
					}
				}
			}
			BeforeEach(func(ctx SpecContext) { s = readyScene(ctx, differing()) })

			// expectEnd makes the passes that end a deletion.
			expectEnd := func(ctx SpecContext, rp *v1alpha1.ReleasePackage, passes int) {
				GinkgoHelper()
				for range passes {
					s.expectReconciledAfter(ctx, soon, rp)
				}
				s.expectGone(ctx, rp)
				Expect(s.livePackages()).To(BeEmpty())
			}

			It("was revoked in the console: its object can be deleted", func(ctx SpecContext) {
				rp := s.expectPacked(ctx)
				s.clock.Step(settleTime)
				Expect(s.console.Withdraw(rp.Status.ReleasePackageID)).To(Succeed())
				s.expectReconciledAfter(ctx, pollInterval, rp)
				s.expectDeleted(ctx, rp)
				expectEnd(ctx, rp, 1)
			})

			It("was revoked in the console a moment ago: its object can be deleted", func(ctx SpecContext) {
				rp := s.expectPacked(ctx)
				s.clock.Step(settleTime)
				s.expectReconciledAfter(ctx, pollInterval, rp)
				Expect(s.console.Withdraw(rp.Status.ReleasePackageID)).To(Succeed())
				s.expectDeleted(ctx, rp)
				expectEnd(ctx, rp, 2)
			})

			It("was adopted and withdrawn with its object, however recently it was packed", func(ctx SpecContext) {
				id, err := s.console.Pack("theirs", developer, []string{deployer}, []string{string(s.items[0])})
				Expect(err).NotTo(HaveOccurred())
				rp := s.aReleasePackage(adopting(id))
				s.expectApplied(ctx, rp)
				s.expectReconciled(ctx, rp)
				Expect(rp.Status.ReleasePackageID).To(Equal(id))
				s.expectDeleted(ctx, rp)
				expectEnd(ctx, rp, 2)
				Expect(s.calls(simulator.OpUnpack)).To(Equal(1))
				Expect(s.told()).To(ContainElement(HavePrefix("Normal Unpacked ")))
			})

			It("followed requests that were lost: its object can be deleted", func(ctx SpecContext) {
				rp := s.aReleasePackage()
				s.expectApplied(ctx, rp)
				s.inject(lostRequest)
				s.expectReconciled(ctx, rp)
				s.expectReconciledAfter(ctx, settleTime+time.Second, rp)
				for range 2 {
					s.expectReconciledAfter(ctx, soon, rp)
				}
				Expect(rp.Status.Attempt.LostBefore).To(BeEquivalentTo(1))
				Expect(rp.Status.ReleasePackageID).NotTo(BeEmpty())
				s.clock.Step(settleTime)
				Expect(s.console.Withdraw(rp.Status.ReleasePackageID)).To(Succeed())
				s.expectReconciledAfter(ctx, pollInterval, rp)
				s.expectDeleted(ctx, rp)
				expectEnd(ctx, rp, 1)
			})

			It("was withdrawn before the operator could record that: its object can be deleted", func(ctx SpecContext) {
				rp := s.expectPacked(ctx)
				s.clock.Step(settleTime)
				s.inject(simulator.Fault{Operation: simulator.OpUnpack, Kind: simulator.FaultDrop, AfterWork: true})
				s.expectDeleted(ctx, rp)
				s.expectTrouble(ctx, rp)
				s.restart()
				expectEnd(ctx, rp, 1)
			})

			It("was withdrawn by someone who was faster: its object can be deleted", func(ctx SpecContext) {
				rp := s.expectPacked(ctx)
				s.clock.Step(settleTime)
				s.beforeCall(unpackPath, func() {
					defer GinkgoRecover()
					Expect(s.console.Withdraw(rp.Status.ReleasePackageID)).To(Succeed())
				})
				s.expectDeleted(ctx, rp)
				expectEnd(ctx, rp, 2)
			})

			It("is packed anew after an edit, though someone was faster to withdraw it", func(ctx SpecContext) {
				rp := s.expectPacked(ctx)
				s.clock.Step(settleTime)
				s.beforeCall(unpackPath, func() {
					defer GinkgoRecover()
					Expect(s.console.Withdraw(rp.Status.ReleasePackageID)).To(Succeed())
				})
				first := rp.Status.ReleasePackageID
				expectEdited(ctx, s, rp, func(rp *v1alpha1.ReleasePackage) { rp.Spec.PendingItemIDs = s.items[1:] })
				for range 3 {
					s.expectReconciledAfter(ctx, soon, rp)
				}
				expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
				Expect(s.livePackages()).To(ConsistOf(And(Not(Equal(first)), Equal(rp.Status.ReleasePackageID))))
			})

			It("gives its items back to nobody: its object can be deleted once that is no passing trouble",
				func(ctx SpecContext) {
					s = readyScene(ctx, differing(func(a *simulator.Assumptions) { a.WithdrawnItem = simulator.ItemGone }))
					theirs, err := s.console.Pack("theirs", developer, []string{deployer}, []string{string(s.items[1])})
					Expect(err).NotTo(HaveOccurred(), "a workspace that shows nothing proves nothing")
					rp := s.expectPacked(ctx)
					s.clock.Step(settleTime)
					Expect(s.console.Withdraw(rp.Status.ReleasePackageID)).To(Succeed())
					s.expectDeleted(ctx, rp)
					s.expectReconciledAfter(ctx, soon, rp)
					if code != simulator.CodeNoTask {
						expectCondition(rp, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonUnpacking,
							ContainSubstring("neither shows nor lists"))
						s.clock.Step(settleTime)
						s.expectReconciledAfter(ctx, soon, rp)
					}
					s.expectGone(ctx, rp)
					Expect(s.livePackages()).To(ConsistOf(theirs))
				})

			if code != simulator.CodeNoTask {
				It("is not taken to be gone where the service shows nothing at all, as to someone who lost their role",
					func(ctx SpecContext) {
						rp := s.expectPacked(ctx)
						s.clock.Step(settleTime)
						Expect(s.console.Vanish(rp.Status.ReleasePackageID)).To(Succeed())
						for _, op := range []simulator.Operation{simulator.OpList, simulator.OpListItems} {
							s.inject(simulator.Fault{Operation: op, Kind: simulator.FaultRaw, Status: http.StatusOK,
								ContentType: "application/json",
								Body:        `{"data":[],"total":0}`, Times: simulator.Forever})
						}
						s.expectDeleted(ctx, rp)
						for range 5 {
							s.expectReconciledAfter(ctx, settleTime, rp)
						}
						expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonUnpackRefused, twoWaysOut)
					})
			}

			It("is not taken to be gone because it is hidden", func(ctx SpecContext) {
				rp := s.expectPacked(ctx)
				s.clock.Step(settleTime)
				hide := func(op simulator.Operation) simulator.Fault {
					f := simulator.Fault{Operation: op, Kind: simulator.FaultError, Status: 400, Code: simulator.CodeInvalidParameter,
						Times: simulator.Forever}
					if code == simulator.NoCode {
						f.Status, f.Code = 404, ""
					}
					return f
				}
				s.inject(hide(simulator.OpShow))
				s.inject(hide(simulator.OpUnpack))
				s.inject(simulator.Fault{Operation: simulator.OpList, Kind: simulator.FaultRaw, Status: http.StatusOK,
					ContentType: "application/json",
					Body:        `{"data":[],"total":0}`, Times: simulator.Forever})
				s.expectDeleted(ctx, rp)
				for range 5 {
					s.expectReconciledAfter(ctx, settleTime, rp)
				}
				expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonUnpackRefused, twoWaysOut)
				Expect(s.livePackages()).To(ConsistOf(rp.Status.ReleasePackageID))
			})
		})
	}
})
