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
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// moreItems submits pending items, and returns the ids of so many.
func (s *scene) moreItems(n int) []v1alpha1.ID {
	GinkgoHelper()
	var ids []v1alpha1.ID
	for i := range n {
		submitted, err := s.console.Submit(simulator.NewItem{Name: fmt.Sprintf("job_%d", i), SubmitUserID: developer})
		Expect(err).NotTo(HaveOccurred())
		ids = append(ids, v1alpha1.ID(submitted[0]))
	}
	return ids
}

// aReleasePackageFor asks for a package of one item.
func (s *scene) aReleasePackageFor(item v1alpha1.ID) *v1alpha1.ReleasePackage {
	return s.aReleasePackage(named("release-"+string(item)),
		func(rp *v1alpha1.ReleasePackage) { rp.Spec.PendingItemIDs = []v1alpha1.ID{item} })
}

// reasons counts the ReleasePackages by the reason of a condition.
func (s *scene) reasons(ctx context.Context, condition string) map[string]int {
	GinkgoHelper()
	list := &v1alpha1.ReleasePackageList{}
	Expect(s.List(ctx, list, client.InNamespace(s.namespace))).To(Succeed())
	counts := map[string]int{}
	for i := range list.Items {
		if c := meta.FindStatusCondition(list.Items[i].Status.Conditions, condition); c != nil {
			counts[c.Reason]++
		}
	}
	return counts
}

func readyReasonOf(conditions []metav1.Condition) string {
	if c := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady); c != nil {
		return c.Reason
	}
	return ""
}

// unreadable lets the ids of packages have a shape that nobody knows.
func unreadable(op simulator.Operation, body string) simulator.Fault {
	return simulator.Fault{Operation: op, Kind: simulator.FaultRaw, AfterWork: true, Status: 200,
		ContentType: "application/json", Body: body, Times: simulator.Forever}
}

var _ = Describe("A workspace whose answers cannot be read", func() {
	const many = 30

	It("is sent nothing that changes something, until they can", func(ctx SpecContext) {
		s := newScene(ctx)
		s.inject(unreadable(simulator.OpList, `{"data":[{"package_id":["13"]}],"total":1}`))
		s.startManager(ctx)
		ws := s.aWorkspace()
		s.expectApplied(ctx, s.aSecret(), ws)
		Eventually(ctx, func() string {
			Expect(s.Get(ctx, client.ObjectKeyFromObject(ws), ws)).To(Succeed())
			return readyReasonOf(ws.Status.Conditions)
		}).Should(Equal(v1alpha1.ReasonServiceUnavailable))
		for _, item := range s.moreItems(many) {
			s.expectApplied(ctx, s.aReleasePackageFor(item))
		}
		Eventually(ctx, func() map[string]int { return s.reasons(ctx, v1alpha1.ConditionReconciling) }, "20s").Should(
			Equal(map[string]int{v1alpha1.ReasonServiceUnavailable: many}))
		Expect(s.calls(simulator.OpPack)).To(BeZero())

		s.service.Reset()
		Eventually(ctx, s.livePackages, "60s").Should(HaveLen(many))
	}, NodeTimeout(2*time.Minute))

	It("gets one request to pack at most, where it was empty before", func(ctx SpecContext) {
		s := newScene(ctx)
		ws := s.aWorkspace()
		items := s.moreItems(many)
		s.startManager(ctx)
		s.expectApplied(ctx, s.aSecret(), ws)
		Eventually(ctx, func() string {
			Expect(s.Get(ctx, client.ObjectKeyFromObject(ws), ws)).To(Succeed())
			return readyReasonOf(ws.Status.Conditions)
		}).Should(Equal(v1alpha1.ReasonAvailable))
		s.inject(unreadable(simulator.OpPack, `{"release_package_id":["13"]}`))
		s.inject(unreadable(simulator.OpList, `{"data":[{"package_id":["13"]}],"total":1}`))
		for _, item := range items {
			s.expectApplied(ctx, s.aReleasePackageFor(item))
		}
		Eventually(ctx, func() map[string]int { return s.reasons(ctx, v1alpha1.ConditionReconciling) }, "20s").Should(
			HaveKeyWithValue(v1alpha1.ReasonServiceUnavailable, BeNumerically(">=", many-1)))
		// None where a look of its own met the fault before the first request.
		Expect(s.calls(simulator.OpPack)).To(BeNumerically("<=", 1))
	}, NodeTimeout(time.Minute))
})
