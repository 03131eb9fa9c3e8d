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
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// soon is a while that is well inside the settle time.
const soon = 2 * time.Second

// lostReply does the work and cuts the line.
var lostReply = simulator.Fault{Operation: simulator.OpPack, Kind: simulator.FaultDrop, AfterWork: true}

// lostRequest cuts the line before any work.
var lostRequest = simulator.Fault{Operation: simulator.OpPack, Kind: simulator.FaultDrop}

// staleLists show what was there before anything in a test.
var staleLists = simulator.Fault{Operation: simulator.OpList, Kind: simulator.FaultStale, Lag: time.Hour,
	Times: simulator.Forever}

// expectAdopted checks that the one package at the service was found and nothing was sent twice.
func (s *scene) expectAdopted(rp *v1alpha1.ReleasePackage) {
	GinkgoHelper()
	Expect(s.calls(simulator.OpPack)).To(Equal(1))
	Expect(s.livePackages()).To(ConsistOf(rp.Status.ReleasePackageID))
	Expect(rp.Status.Attempt.Outcome).To(Equal(v1alpha1.OutcomePacked))
	expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
	expectNoCondition(rp, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled)
}

func expectOutcomeUnknown(rp *v1alpha1.ReleasePackage) {
	GinkgoHelper()
	Expect(rp.Status.Attempt.Outcome).To(BeEmpty())
	Expect(rp.Status.ReleasePackageID).To(BeEmpty())
	expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionUnknown, v1alpha1.ReasonOutcomeUnknown)
	expectCondition(rp, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonOutcomeUnknown,
		ContainSubstring("sends nothing meanwhile"))
}

var _ = Describe("An outcome that is not known", func() {
	var s *scene
	var rp *v1alpha1.ReleasePackage

	BeforeEach(func(ctx SpecContext) {
		s = readyScene(ctx)
		rp = s.aReleasePackage()
		s.expectApplied(ctx, rp)
	})

	It("is found out when the reply was lost", func(ctx SpecContext) {
		s.inject(lostReply)
		s.expectReconciled(ctx, rp)
		expectOutcomeUnknown(rp)
		Expect(s.told()).To(ConsistOf(HavePrefix("Warning OutcomeUnknown ")))

		s.expectReconciledAfter(ctx, soon, rp)
		s.expectAdopted(rp)
		Expect(s.told()).To(ConsistOf(HavePrefix("Normal Adopted ")))
	})

	It("is found out in spite of packages that look alike", func(ctx SpecContext) {
		s.inject(lostReply)
		s.expectReconciled(ctx, rp)
		ours := s.livePackages()
		name := rp.Status.PackageName
		var others []string
		for _, other := range []struct{ name, applicant string }{{name + "-b", developer}, {name, deployer}} {
			id, err := s.console.Pack(other.name, other.applicant, []string{deployer}, []string{string(s.items[0])})
			Expect(err).NotTo(HaveOccurred())
			others = append(others, id)
		}

		s.expectReconciledAfter(ctx, soon, rp)
		Expect(rp.Status.ReleasePackageID).To(Equal(ours[0]))
		for _, id := range others {
			Expect(s.console.Vanish(id)).To(Succeed())
		}
	})

	It("is not guessed when two packages are what was asked for", func(ctx SpecContext) {
		s.inject(lostReply)
		s.expectReconciled(ctx, rp)
		twin, err := s.console.Pack(rp.Status.PackageName, developer, []string{deployer}, []string{string(s.items[0])})
		Expect(err).NotTo(HaveOccurred())
		s.told()

		for range 2 {
			s.expectReconciledAfter(ctx, soon, rp)
		}
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonAmbiguousPackage,
			ContainSubstring("Packages 1, 2"), ContainSubstring("spec.releasePackageId"))
		Expect(s.told()).To(ConsistOf(HavePrefix("Warning AmbiguousPackage ")))

		Expect(s.console.Withdraw(twin)).To(Succeed())
		expectEdited(ctx, s, rp, func(rp *v1alpha1.ReleasePackage) { rp.Spec.ReleasePackageID = "1" })
		s.expectReconciled(ctx, rp)
		s.expectAdopted(rp)
	})

	It("is not settled by a choice that contradicts what is found", func(ctx SpecContext) {
		s.inject(lostReply)
		s.expectReconciled(ctx, rp)
		ours := s.livePackages()[0]
		other, err := s.console.Pack("by hand", developer, []string{deployer}, []string{string(s.items[1])})
		Expect(err).NotTo(HaveOccurred())
		expectEdited(ctx, s, rp, adopting(other))
		s.expectReconciledAfter(ctx, soon, rp)
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonAmbiguousPackage,
			ContainSubstring("made package "+ours))
		Expect(rp.Status.ReleasePackageID).To(BeEmpty())

		expectEdited(ctx, s, rp, adopting(ours))
		s.expectReconciledAfter(ctx, soon, rp)
		Expect(rp.Status.ReleasePackageID).To(Equal(ours))
		Expect(s.console.Vanish(other)).To(Succeed())
	})

	It("is settled by a choice where nothing is found", func(ctx SpecContext) {
		s.inject(lostRequest)
		s.expectReconciled(ctx, rp)
		other, err := s.console.Pack("by hand", developer, []string{deployer}, []string{string(s.items[0])})
		Expect(err).NotTo(HaveOccurred())
		s.inject(staleLists)
		s.expectReconciledAfter(ctx, settleTime+time.Second, rp)
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonAmbiguousPackage)

		s.service.Reset()
		expectEdited(ctx, s, rp, func(rp *v1alpha1.ReleasePackage) { rp.Spec.ReleasePackageID = v1alpha1.ID(other) })
		s.expectReconciled(ctx, rp)
		Expect(rp.Status.ReleasePackageID).To(Equal(other))
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
		Expect(s.calls(simulator.OpPack)).To(BeZero())
	})

	It("is nothing when the request was lost, and is packed again after the settle time alone", func(ctx SpecContext) {
		s.inject(lostRequest)
		s.expectReconciled(ctx, rp)
		started := s.clock.Now()

		var result = s.expectReconciled(ctx, rp)
		for s.clock.Now().Add(result.RequeueAfter).Sub(started) < settleTime {
			result = s.expectReconciledAfter(ctx, result.RequeueAfter, rp)
			expectOutcomeUnknown(rp)
		}
		Expect(s.calls(simulator.OpPack)).To(Equal(1), "no second request before the settle time")
		Expect(s.told()).To(ConsistOf(HavePrefix("Warning OutcomeUnknown ")))

		s.expectReconciledAfter(ctx, settleTime, rp)
		Expect(rp.Status.Attempt.Outcome).To(Equal(v1alpha1.OutcomeNotFound))
		s.expectReconciledAfter(ctx, soon, rp)
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
		Expect(rp.Status.Attempt.Number).To(BeEquivalentTo(2))
		Expect(s.calls(simulator.OpPack)).To(Equal(2))
		Expect(s.livePackages()).To(HaveLen(1))
		Expect(s.told()).To(ConsistOf(HavePrefix("Normal Packed ")))
	})

	It("is not taken for nothing while the items are in a package that is not shown", func(ctx SpecContext) {
		s.inject(lostRequest)
		s.expectReconciled(ctx, rp)
		other, err := s.console.Pack("by hand", developer, []string{deployer}, []string{string(s.items[0])})
		Expect(err).NotTo(HaveOccurred())

		s.inject(staleLists)
		s.expectReconciledAfter(ctx, settleTime+time.Second, rp)
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonAmbiguousPackage,
			ContainSubstring("none of its items"))
		Expect(s.calls(simulator.OpPack)).To(Equal(1))

		s.service.Reset()
		Expect(s.console.Withdraw(other)).To(Succeed())
		expectEdited(ctx, s, rp, forced("look again"))
		s.expectReconciled(ctx, rp)
		s.expectReconciledAfter(ctx, soon, rp)
		Expect(s.livePackages()).To(ConsistOf(rp.Status.ReleasePackageID))
	})

	It("is nothing where another package has the items, which is told", func(ctx SpecContext) {
		s.inject(lostRequest)
		s.expectReconciled(ctx, rp)
		other, err := s.console.Pack("by hand", developer, []string{deployer}, []string{string(s.items[0]),
			string(s.items[1])})
		Expect(err).NotTo(HaveOccurred())

		s.expectReconciledAfter(ctx, settleTime+time.Second, rp)
		Expect(rp.Status.Attempt.Outcome).To(Equal(v1alpha1.OutcomeNotFound))
		s.expectReconciledAfter(ctx, soon, rp)
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonPreflightFailed,
			ContainSubstring(other), ContainSubstring("by hand"))
		Expect(s.calls(simulator.OpPack)).To(Equal(1))

		Expect(s.console.Withdraw(other)).To(Succeed())
		expectEdited(ctx, s, rp, forced("look again"))
		s.expectReconciled(ctx, rp)
		s.expectReconciledAfter(ctx, soon, rp)
		Expect(s.livePackages()).To(ConsistOf(rp.Status.ReleasePackageID))
	})

	It("is nothing where one of the items is unpacked, as a package would have them all", func(ctx SpecContext) {
		both := s.aReleasePackage(func(rp *v1alpha1.ReleasePackage) { rp.Name, rp.Spec.PendingItemIDs = "both", s.items[:2] })
		s.expectApplied(ctx, both)
		s.inject(lostRequest)
		s.expectReconciled(ctx, both)
		other, err := s.console.Pack("by hand", developer, []string{deployer}, []string{string(s.items[0])})
		Expect(err).NotTo(HaveOccurred())
		Expect(s.console.Deploy(other)).To(Succeed())

		s.expectReconciledAfter(ctx, settleTime+time.Second, both)
		Expect(both.Status.Attempt.Outcome).To(Equal(v1alpha1.OutcomeNotFound))
		s.expectReconciledAfter(ctx, soon, both)
		expectCondition(both, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonPreflightFailed,
			ContainSubstring(string(s.items[0])))

		expectEdited(ctx, s, both, func(rp *v1alpha1.ReleasePackage) { rp.Spec.PendingItemIDs = s.items[1:2] })
		s.expectReconciled(ctx, both)
		s.expectReconciledAfter(ctx, soon, both)
		expectCondition(both, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
	})

	It("is not taken for nothing while a look fails", func(ctx SpecContext) {
		s.inject(lostReply)
		s.expectReconciled(ctx, rp)
		s.inject(simulator.Fault{Operation: simulator.OpList, Kind: simulator.FaultError, Status: 502, Times: 2})
		s.clock.Step(settleTime + time.Second)
		for range 2 {
			s.expectTrouble(ctx, rp)
		}
		expectCondition(rp, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonServiceUnavailable)
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionUnknown, v1alpha1.ReasonServiceUnavailable)
		s.expectReconciled(ctx, rp)
		s.expectAdopted(rp)
	})

	It("is found out when someone withdrew the package meanwhile", func(ctx SpecContext) {
		s.inject(lostReply)
		s.expectReconciled(ctx, rp)
		Expect(s.console.Withdraw(s.livePackages()[0])).To(Succeed())
		s.expectReconciledAfter(ctx, soon, rp)
		expectCondition(rp, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonOutcomeUnknown)
		s.expectReconciledAfter(ctx, settleTime, rp)
		s.expectReconciledAfter(ctx, pollInterval, rp)
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonWithdrawn)
		Expect(s.calls(simulator.OpPack)).To(Equal(1))
	})

	It("is found out when the answer cannot be read", func(ctx SpecContext) {
		s.inject(simulator.Fault{Operation: simulator.OpPack, Kind: simulator.FaultRaw, AfterWork: true, Status: 200,
			ContentType: "text/html", Body: "<html>Sign in</html>"})
		s.expectReconciled(ctx, rp)
		expectOutcomeUnknown(rp)
		s.expectReconciledAfter(ctx, soon, rp)
		s.expectAdopted(rp)
	})

	DescribeTable("is found out after a crash", func(ctx SpecContext, crash func(*scene)) {
		crash(s)
		Expect(func() { _, _ = s.reconciler.Reconcile(ctrl.LoggerInto(ctx, GinkgoLogr), requestFor(rp)) }).To(
			PanicWith("crash"))
		s.restart()
		s.api.reset()
		Expect(s.Get(ctx, keyOf(rp), rp)).To(Succeed())
		Expect(rp.Status.Attempt).To(HaveValue(HaveField("Outcome", BeEmpty())))

		s.expectReconciledAfter(ctx, soon, rp)
		for range 2 {
			s.expectReconciledAfter(ctx, settleTime+time.Second, rp)
		}
		Expect(s.livePackages()).To(ConsistOf(rp.Status.ReleasePackageID))
		Expect(s.console.Packages()).To(HaveLen(1))
		Expect(s.calls(simulator.OpPack)).To(Equal(1))
	},
		Entry("between the record of the attempt and the request", func(s *scene) {
			s.api.afterStatus = func(*v1alpha1.ReleasePackage) error { panic("crash") }
		}),
		Entry("between the reply and the record of the id", func(s *scene) {
			s.api.beforeStatus = func(rp *v1alpha1.ReleasePackage) error {
				if recordsID(rp) {
					panic("crash")
				}
				return nil
			}
		}),
	)
})

var _ = Describe("A request that arrives after it was given up", func() {
	var s *scene
	var rp *v1alpha1.ReleasePackage
	var late string

	BeforeEach(func(ctx SpecContext) {
		s = readyScene(ctx, func(o *simulator.Options) { o.Assumptions.SharedItem = simulator.Accept })
		rp = s.aReleasePackage()
		s.expectApplied(ctx, rp)
		s.inject(simulator.Fault{Operation: simulator.OpPack, Kind: simulator.FaultDrop})
		s.expectReconciled(ctx, rp)
		for range 3 {
			s.expectReconciledAfter(ctx, settleTime, rp)
		}
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
		Expect(rp.Status.Attempt.Number).To(BeEquivalentTo(2))

		var err error
		late, err = s.console.Pack(rp.Status.PackageName, developer, []string{deployer}, []string{string(s.items[0])})
		Expect(err).NotTo(HaveOccurred())
		s.applied++ // The service has broken the rule that this counts by.
	})

	It("is told of", func(ctx SpecContext) {
		s.expectReconciledAfter(ctx, lifecycle.UntilLateSearch(rp, s.clock.Now()), rp)
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonAmbiguousPackage,
			ContainSubstring("packages "+late+" are what this object asked for"))
		Expect(s.console.Withdraw(late)).To(Succeed())
		s.expectReconciledAfter(ctx, 5*time.Minute, rp)
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
	})

	It("is told of at once if someone asks, or edits the object", func(ctx SpecContext) {
		expectEdited(ctx, s, rp, func(rp *v1alpha1.ReleasePackage) { rp.Spec.PackageName = "another" })
		s.expectReconciled(ctx, rp)
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonAmbiguousPackage,
			ContainSubstring("packages "+late))
		Expect(s.livePackages()).To(ConsistOf(rp.Status.ReleasePackageID, late), "nothing was withdrawn")
	})

	It("is withdrawn with the object", func(ctx SpecContext) {
		s.expectDeleted(ctx, rp)
		for range 5 {
			s.expectReconciledAfter(ctx, soon, rp)
		}
		s.expectGone(ctx, rp)
		Expect(s.livePackages()).To(BeEmpty())
	})
})
