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
	"github.com/onsi/gomega/types"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// expectApplied creates objects.
func (s *scene) expectApplied(ctx context.Context, objects ...client.Object) {
	GinkgoHelper()
	for _, obj := range objects {
		Expect(s.Create(ctx, obj)).To(Succeed())
		if _, ok := obj.(*v1alpha1.ReleasePackage); ok {
			s.applied++
		}
	}
}

// expectEdited changes an object as a user does, whatever its version.
func expectEdited[T client.Object](ctx context.Context, s *scene, obj T, change func(T)) {
	GinkgoHelper()
	Expect(s.Get(ctx, client.ObjectKeyFromObject(obj), obj)).To(Succeed())
	change(obj)
	Expect(s.Update(ctx, obj)).To(Succeed())
}

// expectDeleted asks for the deletion of a ReleasePackage that has a finalizer.
func (s *scene) expectDeleted(ctx context.Context, rp *v1alpha1.ReleasePackage) {
	GinkgoHelper()
	Expect(s.Delete(ctx, rp)).To(Succeed())
	Expect(s.Get(ctx, keyOf(rp), rp)).To(Succeed())
}

func (s *scene) expectGone(ctx context.Context, rp *v1alpha1.ReleasePackage) {
	GinkgoHelper()
	err := s.Get(ctx, keyOf(rp), &v1alpha1.ReleasePackage{})
	Expect(apierrors.IsNotFound(err)).To(BeTrue(), "%s is still there: %v", rp.Name, err)
}

// firstTry is how soon a pass comes back after the first failure.
const firstTry = time.Second

func keyOf(rp *v1alpha1.ReleasePackage) client.ObjectKey { return client.ObjectKeyFromObject(rp) }

func requestFor(rp *v1alpha1.ReleasePackage) ctrl.Request {
	return ctrl.Request{NamespacedName: keyOf(rp)}
}

// pass makes one pass, after the looks at packages that are about due, and reads back what it left. A pass that only
// asks for a look is followed by that look and another one. The result says when the next pass or look is due.
func (s *scene) pass(ctx context.Context, rp *v1alpha1.ReleasePackage) (ctrl.Result, error) {
	GinkgoHelper()
	if rp.Generation == rp.Status.ObservedGeneration { // Otherwise the pass is due to the user, and comes at once.
		s.look(ctx, aboutDue)
	}
	before := s.allCalls()
	result, err := s.reconciler.Reconcile(ctrl.LoggerInto(ctx, GinkgoLogr), requestFor(rp))
	if s.allCalls() == before && s.look(ctx, awaited) {
		result, err = s.reconciler.Reconcile(ctrl.LoggerInto(ctx, GinkgoLogr), requestFor(rp))
	}
	if next := s.reconciler.Workspaces.Poller().NextRun(); result.RequeueAfter == 0 && !next.IsZero() {
		result.RequeueAfter = next.Sub(s.clock.Now()) // The look leads to another pass.
	}
	switch readErr := s.Get(context.WithoutCancel(ctx), keyOf(rp), rp); {
	case apierrors.IsNotFound(readErr):
		return result, err
	default:
		Expect(readErr).NotTo(HaveOccurred())
	}
	if len(rp.Status.Conditions) > 0 {
		expectSoundConditions(rp, err != nil || result.RequeueAfter > 0)
	}
	return result, err
}

const (
	// outdated is how old a view is that is not withdrawn upon without another look.
	outdated = 11 * time.Second
	// awaited is when a look is made that someone waits for, and aboutDue is when the others may be, which are spread
	// over a tenth of the time.
	awaited  = 1200 * time.Millisecond
	aboutDue = pollInterval / 8
)

// look makes the looks that are due within a time, which it lets pass, and reports whether there were any.
func (s *scene) look(ctx context.Context, within time.Duration) bool {
	looked := false
	for {
		due := s.reconciler.Workspaces.Poller().NextRun()
		if due.IsZero() || due.Sub(s.clock.Now()) > within {
			return looked
		}
		if due.After(s.clock.Now()) {
			s.clock.SetTime(due)
		}
		s.reconciler.Workspaces.Poller().RunNext(ctx)
		looked, within = true, 0
	}
}

// expectReconciled makes one pass that meets no trouble.
func (s *scene) expectReconciled(ctx context.Context, rp *v1alpha1.ReleasePackage) ctrl.Result {
	GinkgoHelper()
	result, err := s.pass(ctx, rp)
	Expect(err).NotTo(HaveOccurred())
	return result
}

// expectTrouble makes one pass that asks for backoff.
func (s *scene) expectTrouble(ctx context.Context, rp *v1alpha1.ReleasePackage) {
	GinkgoHelper()
	result, err := s.pass(ctx, rp)
	Expect(err).NotTo(HaveOccurred())
	Expect(result.RequeueAfter).To(BeNumerically(">=", firstTry))
	Expect(meta.IsStatusConditionTrue(rp.Status.Conditions, v1alpha1.ConditionReconciling)).To(BeTrue())
}

// expectReconciledAfter makes a pass at a later time.
func (s *scene) expectReconciledAfter(ctx context.Context, d time.Duration, rp *v1alpha1.ReleasePackage) ctrl.Result {
	GinkgoHelper()
	s.clock.Step(d)
	return s.expectReconciled(ctx, rp)
}

// expectPacked applies a ReleasePackage and brings it into review, with nothing left to record.
func (s *scene) expectPacked(ctx context.Context, with ...func(*v1alpha1.ReleasePackage)) *v1alpha1.ReleasePackage {
	GinkgoHelper()
	rp := s.aReleasePackage(with...)
	s.expectApplied(ctx, rp)
	s.expectReconciled(ctx, rp)
	s.expectReconciledAfter(ctx, pollInterval, rp)
	expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
	s.told()
	s.api.reset()
	return rp
}

// told are the events since the last time it was called.
func (s *scene) told() []string {
	var all []string
	for {
		select {
		case e := <-s.recorder.Events:
			all = append(all, e)
		default:
			return all
		}
	}
}

func (s *scene) calls(op simulator.Operation) int { return s.service.Counts()[op] }

// allCalls counts what reached the service.
func (s *scene) allCalls() int {
	sum := 0
	for _, n := range s.service.Counts() {
		sum += n
	}
	return sum
}

// livePackages are the packages that someone who looks for packages finds.
func (s *scene) livePackages() []string {
	var ids []string
	for _, p := range s.console.Packages() {
		if p.Live() {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

func (s *scene) inject(f simulator.Fault) {
	GinkgoHelper()
	Expect(s.service.Inject(f)).To(Succeed())
}

// expectOnePackageEach is the first promise: one ReleasePackage, at most one live package.
func (s *scene) expectOnePackageEach() {
	GinkgoHelper()
	Expect(len(s.livePackages())).To(BeNumerically("<=", s.applied), "live packages: %v", s.livePackages())
}

// expectSoundConditions checks what holds after every pass, given whether another one is due.
func expectSoundConditions(rp *v1alpha1.ReleasePackage, due bool) {
	GinkgoHelper()
	conditions := rp.Status.Conditions
	ready := meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReady)
	reconciling := meta.FindStatusCondition(conditions, v1alpha1.ConditionReconciling) != nil
	stalled := meta.FindStatusCondition(conditions, v1alpha1.ConditionStalled) != nil
	Expect(ready || reconciling || stalled).To(BeTrue(), "nothing tells what goes on: %+v", conditions)
	Expect(reconciling && stalled).To(BeFalse(), "both Reconciling and Stalled: %+v", conditions)
	Expect(meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)).NotTo(BeNil())
	Expect(due || lifecycle.Settled(rp)).To(BeTrue(), "no pass is due, and it is not settled: %+v", conditions)
}

func expectCondition(rp *v1alpha1.ReleasePackage, kind string, status metav1.ConditionStatus, reason string,
	message ...types.GomegaMatcher) {
	GinkgoHelper()
	c := meta.FindStatusCondition(rp.Status.Conditions, kind)
	Expect(c).To(HaveValue(And(HaveField("Status", status), HaveField("Reason", reason),
		HaveField("ObservedGeneration", rp.Generation))),
		"condition %s in %+v", kind, rp.Status.Conditions)
	Expect(c.Message).To(And(message...))
}

func expectNoCondition(rp *v1alpha1.ReleasePackage, kinds ...string) {
	GinkgoHelper()
	for _, kind := range kinds {
		Expect(meta.FindStatusCondition(rp.Status.Conditions, kind)).To(BeNil(), "condition %s", kind)
	}
}
