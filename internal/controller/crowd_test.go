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
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// eventsAbout counts the events about objects of a kind by their reason.
func (s *scene) eventsAbout(ctx context.Context, kind string) map[string]int {
	GinkgoHelper()
	list := &eventsv1.EventList{}
	Expect(s.List(ctx, list, client.InNamespace(s.namespace))).To(Succeed())
	counts := map[string]int{}
	for i := range list.Items {
		if list.Items[i].Regarding.Kind == kind {
			counts[list.Items[i].Reason]++
		}
	}
	return counts
}

var _ = Describe("Hundreds of packages of a workspace in trouble", func() {
	It("are written once for it, told of once in all, and woken when it is over", func(ctx SpecContext) {
		const many, few = 200, 50 // Some writes meet a cache that lags behind: the more, the busier the machine is.
		s := newScene(ctx)
		s.startManager(ctx)
		ws := s.aWorkspace()
		ws.Spec.RequestsPerSecond = 10
		s.expectApplied(ctx, ws)
		for _, item := range s.moreItems(many) {
			s.expectApplied(ctx, s.aReleasePackageFor(item))
		}
		reasons := func() map[string]int { return s.reasons(ctx, v1alpha1.ConditionReconciling) }

		By("having no Secret")
		Eventually(ctx, reasons, "30s").Should(Equal(map[string]int{v1alpha1.ReasonCredentialsNotFound: many}))
		Expect(s.written.Load()).To(BeNumerically("<=", 2*many+few), "the finalizer, and the conditions")
		before := s.written.Load()
		Consistently(ctx, s.written.Load, "20s", "1s").Should(Equal(before), "no retry is worth a write")

		By("having a wrong key")
		secret := s.aSecret()
		secret.StringData = map[string]string{v1alpha1.SecretKeyAccessKey: accessKey, v1alpha1.SecretKeySecretKey: "wrong"}
		s.expectApplied(ctx, secret)
		Eventually(ctx, reasons, "15s").Should(Equal(map[string]int{v1alpha1.ReasonCredentialsRejected: many}))
		Expect(s.written.Load()).To(BeNumerically("<=", 3*many+few))
		Expect(s.eventsAbout(ctx, "ReleasePackage")).To(BeEmpty())
		Expect(s.eventsAbout(ctx, "DataArtsWorkspace")).To(Equal(map[string]int{
			v1alpha1.ReasonCredentialsNotFound: 1, v1alpha1.ReasonCredentialsRejected: 1,
		}))

		By("having the right one")
		right := time.Now()
		expectEdited(ctx, s, secret, func(secret *corev1.Secret) {
			secret.Data, secret.StringData = nil, map[string]string{v1alpha1.SecretKeyToken: token}
		})
		Eventually(ctx, reasons, "30s").ShouldNot(HaveKey(v1alpha1.ReasonCredentialsRejected))
		GinkgoWriter.Println("all were woken after", time.Since(right), "with", s.calls(simulator.OpPack), "packed")
		Expect(s.calls(simulator.OpPack)).To(BeNumerically("<", many), "the others wait for their turn, and say so")
		Eventually(ctx, func() map[string]int { return s.reasons(ctx, v1alpha1.ConditionReady) }, "60s").Should(
			Equal(map[string]int{v1alpha1.ReasonPendingReview: many}))
		Expect(s.written.Load()).To(BeNumerically("<=", 6*many))
	}, NodeTimeout(3*time.Minute))
})
