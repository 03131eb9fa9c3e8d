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
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

func expectReason(g Gomega, rp *v1alpha1.ReleasePackage, reason string) {
	GinkgoHelper()
	g.Expect(rp.Status.Conditions).To(
		ContainElement(And(HaveField("Type", v1alpha1.ConditionReady), HaveField("Reason", reason))))
}

// These specs run the manager, since it is events of the API server that tell of a lost finalizer.
var _ = Describe("An object that was replaced by one without our finalizer", func() {
	var s *scene
	var rp *v1alpha1.ReleasePackage

	// inReview starts the manager and lets it pack the object.
	inReview := func(ctx context.Context, with ...func(*v1alpha1.ReleasePackage)) string {
		GinkgoHelper()
		s = newScene(ctx)
		s.startManager(ctx)
		rp = s.aReleasePackage(with...)
		s.expectApplied(ctx, s.aSecret(), s.aWorkspace(), rp)
		Eventually(ctx, func(g Gomega) {
			g.Expect(s.Get(ctx, keyOf(rp), rp)).To(Succeed())
			g.Expect(rp.Status.State).To(Equal(v1alpha1.StatePendingReview))
		}, "20s").Should(Succeed())
		return rp.Status.ReleasePackageID
	}
	// replace is what kubectl replace does with a manifest.
	replace := func(ctx context.Context, with ...func(*v1alpha1.ReleasePackage)) string {
		GinkgoHelper()
		manifest := s.aReleasePackage(with...)
		Eventually(ctx, func(g Gomega) {
			g.Expect(s.Get(ctx, keyOf(rp), rp)).To(Succeed())
			manifest.ResourceVersion = rp.ResourceVersion
			g.Expect(s.Update(ctx, manifest)).To(Succeed())
		}).Should(Succeed())
		return manifest.ResourceVersion
	}
	// snatch replaces and deletes the object before anyone has put the finalizer back.
	snatch := func(ctx context.Context, with ...func(*v1alpha1.ReleasePackage)) {
		GinkgoHelper()
		Eventually(ctx, func() error {
			return s.Delete(ctx, rp.DeepCopy(), client.Preconditions{ResourceVersion: new(replace(ctx, with...))})
		}, "20s", "1ms").Should(Succeed())
		s.expectGone(ctx, rp)
	}
	told := func(ctx context.Context) []string {
		GinkgoHelper()
		list := &eventsv1.EventList{}
		Expect(s.List(ctx, list, client.InNamespace(s.namespace))).To(Succeed())
		var reasons []string
		for i := range list.Items {
			reasons = append(reasons, list.Items[i].Reason)
		}
		return reasons
	}

	It("is given it back, so that its deletion withdraws the package", func(ctx SpecContext) {
		inReview(ctx)
		replace(ctx)
		Eventually(ctx, func(g Gomega) {
			g.Expect(s.Get(ctx, keyOf(rp), rp)).To(Succeed())
			g.Expect(rp.Finalizers).To(ContainElement(v1alpha1.UnpackFinalizer))
		}).Should(Succeed())
		Expect(s.Delete(ctx, rp)).To(Succeed())
		Eventually(ctx, s.livePackages, "20s").Should(BeEmpty())
	}, NodeTimeout(time.Minute))

	It("is given it back though it is suspended", func(ctx SpecContext) {
		inReview(ctx)
		replace(ctx, suspended)
		Eventually(ctx, func(g Gomega) {
			g.Expect(s.Get(ctx, keyOf(rp), rp)).To(Succeed())
			g.Expect(rp.Finalizers).To(ContainElement(v1alpha1.UnpackFinalizer))
		}).Should(Succeed())
	}, NodeTimeout(time.Minute))

	It("has its package withdrawn when it is gone before that", func(ctx SpecContext) {
		inReview(ctx)
		snatch(ctx)
		Eventually(ctx, s.livePackages, "20s").Should(BeEmpty())
		Eventually(ctx, told, "10s").WithArguments(ctx).Should(ContainElement(v1alpha1.EventUnpacked))
		Expect(s.calls(simulator.OpUnpack)).To(Equal(1))
	}, NodeTimeout(time.Minute))

	It("has its package left alone when that is to be retained", func(ctx SpecContext) {
		id := inReview(ctx, retained)
		snatch(ctx, retained)
		s.expectApplied(ctx, s.aReleasePackage(named("adopter"), adopting(id)))
		Eventually(ctx, func(g Gomega) {
			adopter := &v1alpha1.ReleasePackage{}
			g.Expect(s.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: "adopter"}, adopter)).To(Succeed())
			g.Expect(adopter.Status.ReleasePackageID).To(Equal(id))
		}, "20s").Should(Succeed())
		Expect(s.livePackages()).To(ConsistOf(id))
		Expect(s.calls(simulator.OpUnpack)).To(BeZero())
	}, NodeTimeout(time.Minute))

	It("has its package taken over at once by the same object again, when that is to be retained", func(ctx SpecContext) {
		id := inReview(ctx, retained)
		snatch(ctx, retained)
		again := s.aReleasePackage(retained)
		s.expectApplied(ctx, again)
		Eventually(ctx, func(g Gomega) {
			g.Expect(s.Get(ctx, keyOf(again), again)).To(Succeed())
			g.Expect(again.Status.ReleasePackageID).To(Equal(id))
		}, "20s").Should(Succeed())
		Expect(s.livePackages()).To(ConsistOf(id))
	}, NodeTimeout(time.Minute))

	It("leaves its package to one that asks for it by its id", func(ctx SpecContext) {
		id := inReview(ctx)
		adopter := s.aReleasePackage(named("adopter"), adopting(id))
		s.expectApplied(ctx, adopter)
		Eventually(ctx, func(g Gomega) {
			g.Expect(s.Get(ctx, keyOf(adopter), adopter)).To(Succeed())
			expectReason(g, adopter, v1alpha1.ReasonAlreadyClaimed)
		}, "20s").Should(Succeed())
		snatch(ctx)
		Eventually(ctx, func(g Gomega) {
			g.Expect(s.Get(ctx, keyOf(adopter), adopter)).To(Succeed())
			g.Expect(adopter.Status.ReleasePackageID).To(Equal(id))
		}, "30s").Should(Succeed())
		Expect(s.livePackages()).To(ConsistOf(id))
		Expect(s.calls(simulator.OpUnpack)).To(BeZero())
	}, NodeTimeout(time.Minute))

	It("has its package told of where that cannot be withdrawn", func(ctx SpecContext) {
		inReview(ctx)
		s.inject(simulator.Fault{Operation: simulator.OpUnpack, Kind: simulator.FaultError, Status: 400, Code: "DLF.6888",
			Message: "No.", Times: 1})
		s.inject(simulator.Fault{Operation: simulator.OpUnpack, Kind: simulator.FaultError, Status: 400,
			Code: simulator.CodeInvalidParameter, Message: "No.",
			Times: simulator.Forever})
		snatch(ctx)
		Eventually(ctx, told, "20s").WithArguments(ctx).Should(ContainElement(v1alpha1.EventOrphaned))
	}, NodeTimeout(time.Minute))

	It("has its package withdrawn with the credentials that went with it", func(ctx SpecContext) {
		inReview(ctx)
		s.inject(simulator.Fault{Operation: simulator.OpUnpack, Kind: simulator.FaultError, Status: 503, Message: "Down",
			Times: 2})
		snatch(ctx)
		Expect(s.Delete(ctx, s.aWorkspace())).To(Succeed())
		Expect(s.Delete(ctx, s.aSecret())).To(Succeed())
		Eventually(ctx, s.livePackages, "30s").Should(BeEmpty())
	}, NodeTimeout(time.Minute))

	It("hands nothing to another object of its name, which packs for itself", func(ctx SpecContext) {
		id := inReview(ctx)
		snatch(ctx)
		again := s.aReleasePackage()
		s.expectApplied(ctx, again)
		Eventually(ctx, func(g Gomega) {
			g.Expect(s.Get(ctx, keyOf(again), again)).To(Succeed())
			g.Expect(again.Status.State).To(Equal(v1alpha1.StatePendingReview))
			g.Expect(again.Status.ReleasePackageID).NotTo(Equal(id))
		}, "40s").Should(Succeed())
		Expect(s.livePackages()).To(ConsistOf(again.Status.ReleasePackageID))
	}, NodeTimeout(time.Minute))

	It("is found out by a manager that was away", func(ctx SpecContext) {
		inReview(ctx)
		Expect(rp.DeletionTimestamp).To(BeNil())
		replace(ctx)
		s.startManager(ctx)
		Eventually(ctx, func(g Gomega) {
			g.Expect(s.Get(ctx, keyOf(rp), rp)).To(Succeed())
			g.Expect(rp.Finalizers).To(ContainElement(v1alpha1.UnpackFinalizer))
		}).Should(Succeed())
	}, NodeTimeout(time.Minute))

})
