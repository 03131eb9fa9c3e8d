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
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

var _ = Describe("An object that a backup tool creates again, without its status", func() {
	var s *scene
	var rp *v1alpha1.ReleasePackage
	var id string

	begin := func(ctx context.Context, with ...func(*simulator.Options)) {
		GinkgoHelper()
		s = readyScene(ctx, with...)
		rp = s.expectPacked(ctx)
		id = rp.Status.ReleasePackageID
	}
	// lose lets the object go with its cluster, and restore creates it again, as another one.
	lose := func(ctx context.Context) {
		GinkgoHelper()
		Expect(s.Get(ctx, keyOf(rp), rp)).To(Succeed())
		rp.Finalizers = nil
		Expect(s.Update(ctx, rp)).To(Succeed())
		Expect(s.Delete(ctx, rp)).To(Succeed())
		s.restart()
	}
	restore := func(ctx context.Context, with ...func(*v1alpha1.ReleasePackage)) {
		GinkgoHelper()
		was := rp
		rp = s.aReleasePackage(with...)
		rp.Finalizers = []string{v1alpha1.UnpackFinalizer}
		s.expectApplied(ctx, rp)
		Expect(rp.UID).NotTo(Equal(was.UID))
		s.applied--
		s.expectReconciled(ctx, rp)
	}

	It("takes the package in review over, and withdraws it when it is deleted", func(ctx SpecContext) {
		begin(ctx)
		lose(ctx)
		restore(ctx)
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
		Expect(rp.Status.ReleasePackageID).To(Equal(id))
		s.expectReconciledAfter(ctx, pollInterval, rp)
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
		Expect(s.calls(simulator.OpPack)).To(Equal(1))
		Expect(s.calls(simulator.OpUnpack)).To(BeZero(), "its name makes it no other package")

		s.expectDeleted(ctx, rp)
		for range 2 {
			s.expectReconciledAfter(ctx, soon, rp)
		}
		s.expectGone(ctx, rp)
		Expect(s.livePackages()).To(BeEmpty())
	})

	It("takes it over though the backup had no finalizer either", func(ctx SpecContext) {
		begin(ctx)
		lose(ctx)
		rp = s.aReleasePackage()
		s.expectApplied(ctx, rp)
		s.applied--
		s.expectReconciled(ctx, rp)
		Expect(rp.Status.ReleasePackageID).To(Equal(id))
	})

	It("takes it over though the pending list cannot be looked at", func(ctx SpecContext) {
		begin(ctx, func(o *simulator.Options) { o.Assumptions.SharedItem = simulator.Accept })
		lose(ctx)
		s.inject(simulator.Fault{Operation: simulator.OpListItems, Kind: simulator.FaultError, Status: 400,
			Code: simulator.CodeInvalidParameter, Message: "No.",
			Times: simulator.Forever})
		rp = s.aReleasePackage()
		s.expectApplied(ctx, rp)
		s.applied--
		s.expectReconciled(ctx, rp)
		Expect(s.livePackages()).To(ConsistOf(id))
		Expect(rp.Status.ReleasePackageID).To(Equal(id))
	})

	DescribeTable("is deployed, if the package is", func(ctx SpecContext, search simulator.Match) {
		begin(ctx, func(o *simulator.Options) { o.Assumptions.Keyword = search })
		Expect(s.console.Deploy(id)).To(Succeed())
		lose(ctx)
		restore(ctx)
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonDeployed)
		expectCondition(rp, v1alpha1.ConditionDeployed, metav1.ConditionTrue, v1alpha1.ReasonDeployed)
		expectNoCondition(rp, v1alpha1.ConditionStalled, v1alpha1.ConditionReconciling)
		Expect(rp.Status.ReleasePackageID).To(Equal(id))
	},
		Entry("where a search finds parts of names", simulator.MatchContains),
		Entry("where a search finds whole names only", simulator.MatchExact),
	)

	It("is not taken for one that packs anew because the operator was restarted", func(ctx SpecContext) {
		begin(ctx)
		s.expectDeleted(ctx, rp)
		for range 2 {
			s.expectReconciledAfter(ctx, soon, rp)
		}
		s.expectGone(ctx, rp)
		rp = s.aReleasePackage(func(rp *v1alpha1.ReleasePackage) { rp.Spec.WorkspaceRef.Name = "later" })
		s.expectApplied(ctx, rp)
		s.expectReconciled(ctx, rp)
		expectCondition(rp, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonWorkspaceNotFound)
		s.restart()
		later := s.aWorkspace()
		later.Name = "later"
		s.expectApplied(ctx, later)
		s.expectReconciledAfter(ctx, time.Hour, rp)
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
	})

	It("does not pack again what someone withdrew, until it is asked to", func(ctx SpecContext) {
		begin(ctx)
		Expect(s.console.Withdraw(id)).To(Succeed())
		lose(ctx)
		restore(ctx)
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonWithdrawn,
			ContainSubstring("Package "+id))
		Expect(s.livePackages()).To(BeEmpty())

		expectEdited(ctx, s, rp, forced("again"))
		for range 2 {
			s.expectReconciledAfter(ctx, soon, rp)
		}
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
		Expect(s.livePackages()).To(ConsistOf(rp.Status.ReleasePackageID))
	})

	It("is told which package holds some of the items", func(ctx SpecContext) {
		begin(ctx)
		lose(ctx)
		restore(ctx, withItems(s.items...))
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonPreflightFailed,
			ContainSubstring("items "+string(s.items[0])+" are in package "+id))
		Expect(s.livePackages()).To(ConsistOf(id))
	})

	It("leaves a package of another name to whoever gave it, if the spec gives one", func(ctx SpecContext) {
		begin(ctx)
		lose(ctx)
		restore(ctx, func(rp *v1alpha1.ReleasePackage) { rp.Spec.PackageName = "given" })
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonPreflightFailed,
			ContainSubstring("are in package "+id))
		Expect(s.livePackages()).To(ConsistOf(id))
	})

	It("costs a few calls for each, however many there are", func(ctx SpecContext) {
		begin(ctx)
		other := s.expectPacked(ctx, named("other"), withItems(s.items[1]))
		lose(ctx)
		Expect(s.Get(ctx, keyOf(other), other)).To(Succeed())
		other.Finalizers = nil
		Expect(s.Update(ctx, other)).To(Succeed())
		Expect(s.Delete(ctx, other)).To(Succeed())
		lists, shows := s.calls(simulator.OpList), s.calls(simulator.OpShow)
		restore(ctx)
		rp = other
		restore(ctx, named("other"), withItems(s.items[1]))
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
		Expect(s.calls(simulator.OpList)-lists).To(BeNumerically("<=", 2), "the list is shared, and a round may have one")
		Expect(s.calls(simulator.OpShow) - shows).To(Equal(2))
	})
})

var _ = Describe("The list of what is in flight, which restored objects share", func() {
	It("is read anew when the service has no package that it holds", func(ctx SpecContext) {
		s := readyScene(ctx, func(o *simulator.Options) {
			o.Assumptions.UnknownPackage, o.Assumptions.WithdrawnPackage = simulator.NoCode, simulator.PackageGone
		})
		restored := func(rp *v1alpha1.ReleasePackage) { rp.Finalizers = []string{v1alpha1.UnpackFinalizer} }
		lost := make([]*v1alpha1.ReleasePackage, len(s.items))
		for i, id := range s.items {
			lost[i] = s.expectPacked(ctx, named("release-"+string(id)), withItems(id))
		}
		for _, rp := range lost {
			Expect(s.Get(ctx, keyOf(rp), rp)).To(Succeed())
			rp.Finalizers = nil
			Expect(s.Update(ctx, rp)).To(Succeed())
			Expect(s.Delete(ctx, rp)).To(Succeed())
		}
		s.restart()
		other := s.aReleasePackage(named("other"), restored, withItems("998")) // It reads all lists, as nothing fits.
		s.expectApplied(ctx, other)
		s.expectReconciled(ctx, other)
		expectCondition(other, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonPreflightFailed)

		Expect(s.console.Withdraw(lost[1].Status.ReleasePackageID)).To(Succeed())
		rp := s.aReleasePackage(named(lost[1].Name), restored, withItems(s.items[1]))
		s.expectApplied(ctx, rp)
		s.clock.Step(6 * time.Second)
		s.expectTrouble(ctx, rp)
		s.expectReconciledAfter(ctx, firstTry, rp)
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
		Expect(s.livePackages()).To(ConsistOf(lost[0].Status.ReleasePackageID, rp.Status.ReleasePackageID))
	})

	It("is left alone as long as the same is found and told", func(ctx SpecContext) {
		s := readyScene(ctx)
		id, err := s.console.Pack("by hand", developer, []string{deployer}, []string{string(s.items[0])})
		Expect(err).NotTo(HaveOccurred())
		rp := s.aReleasePackage(withItems(s.items...))
		s.expectApplied(ctx, rp)
		s.expectReconciled(ctx, rp)
		heldBy := func(id string) {
			GinkgoHelper()
			expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonPreflightFailed,
				ContainSubstring("items "+string(s.items[0])+" are in package "+id+" (by hand)"))
		}
		heldBy(id)
		asked := func() int { return s.calls(simulator.OpList) + s.calls(simulator.OpShow) }
		before, version := asked(), rp.ResourceVersion
		s.told()
		for range 3 {
			s.expectReconciledAfter(ctx, 5*time.Minute, rp)
			heldBy(id)
		}
		Expect(asked()).To(Equal(before))
		Expect(rp.ResourceVersion).To(Equal(version))
		Expect(s.told()).To(BeEmpty())

		Expect(s.console.Withdraw(id)).To(Succeed())
		id, err = s.console.Pack("by hand", developer, []string{deployer}, []string{string(s.items[0])})
		Expect(err).NotTo(HaveOccurred())
		expectEdited(ctx, s, rp, forced("look"))
		s.expectReconciledAfter(ctx, 5*time.Minute, rp)
		heldBy(id)
		Expect(s.calls(simulator.OpPack)).To(BeZero())
	})

	It("is gone through in turn where it is long, and each package looked into once", func(ctx SpecContext) {
		const many = 45
		s := readyScene(ctx)
		for i := range many {
			items, err := s.console.Submit(simulator.NewItem{Name: fmt.Sprintf("job_%d", i), SubmitUserID: developer})
			Expect(err).NotTo(HaveOccurred())
			_, err = s.console.Pack(fmt.Sprintf("by hand %d", i), developer, []string{deployer}, items)
			Expect(err).NotTo(HaveOccurred())
		}
		s.applied += many // Nobody applies those.
		rp := s.aReleasePackage(withItems("998"))
		s.expectApplied(ctx, rp)
		for _, shows := range []int{20, 40, many, many, many} {
			s.expectReconciledAfter(ctx, 5*time.Minute, rp)
			expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonPreflightFailed)
			Expect(s.calls(simulator.OpShow)).To(Equal(shows))
		}
		other := s.aReleasePackage(named("other"), withItems("999"))
		s.expectApplied(ctx, other)
		s.expectReconciled(ctx, other)
		Expect(s.calls(simulator.OpShow)).To(Equal(many))
	})
})

var _ = Describe("Another object of the same name", func() {
	It("packs for itself after a deletion, though the service still shows what was withdrawn", func(ctx SpecContext) {
		s := readyScene(ctx, func(o *simulator.Options) { o.Assumptions.ItemLag, o.Assumptions.ListLag = 20, 20 })
		first := s.expectPacked(ctx)
		id := first.Status.ReleasePackageID
		s.expectDeleted(ctx, first)
		for range 3 {
			s.expectReconciledAfter(ctx, time.Second, first)
		}
		s.expectGone(ctx, first)

		again := s.aReleasePackage()
		s.expectApplied(ctx, again)
		for range 20 {
			s.expectReconciledAfter(ctx, 5*time.Second, again)
			Expect(again.Status.ReleasePackageID).NotTo(Equal(id))
		}
		s.expectReconciledAfter(ctx, 5*time.Minute, again)
		expectCondition(again, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
		Expect(s.livePackages()).To(ConsistOf(again.Status.ReleasePackageID))
	})

	It("packs for itself after a deletion, whatever was withdrawn before", func(ctx SpecContext) {
		s := readyScene(ctx)
		first := s.expectPacked(ctx)
		s.expectDeleted(ctx, first)
		for range 2 {
			s.expectReconciledAfter(ctx, soon, first)
		}
		s.expectGone(ctx, first)
		s.restart()
		again := s.aReleasePackage()
		s.expectApplied(ctx, again)
		s.expectReconciledAfter(ctx, time.Hour, again)
		expectCondition(again, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
		Expect(s.livePackages()).To(ConsistOf(again.Status.ReleasePackageID))
	})
})
