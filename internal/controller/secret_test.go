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
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

var _ = Describe("Many packages whose workspace has no usable Secret", func() {
	const many = 100
	var s *scene

	// applied are so many packages, none of which can be packed yet.
	applied := func(ctx context.Context) {
		GinkgoHelper()
		for i := range many {
			items, err := s.console.Submit(simulator.NewItem{Name: fmt.Sprintf("job_%d", i), SubmitUserID: developer})
			Expect(err).NotTo(HaveOccurred())
			s.expectApplied(ctx, s.aReleasePackage(func(rp *v1alpha1.ReleasePackage) {
				rp.Name, rp.Spec.PendingItemIDs = fmt.Sprintf("release-%d", i), []v1alpha1.ID{v1alpha1.ID(items[0])}
			}))
		}
	}
	blocked := func(ctx context.Context, reason string) func() int {
		return func() int {
			list := &v1alpha1.ReleasePackageList{}
			Expect(s.List(ctx, list, client.InNamespace(s.namespace))).To(Succeed())
			n := 0
			for i := range list.Items {
				if c := meta.FindStatusCondition(list.Items[i].Status.Conditions, v1alpha1.ConditionReconciling); c != nil &&
					c.Reason == reason {
					n++
				}
			}
			return n
		}
	}

	BeforeEach(func(ctx SpecContext) { s = newScene(ctx) })

	It("share its reads, and all go on within seconds when it is there", func(ctx SpecContext) {
		s.expectApplied(ctx, s.aWorkspace())
		applied(ctx)
		s.startManager(ctx)
		began := time.Now()
		Eventually(ctx, blocked(ctx, v1alpha1.ReasonCredentialsNotFound), "30s").Should(Equal(many))
		Expect(float64(s.secretReads.Load())).To(BeNumerically("<=", 3+time.Since(began).Seconds()), "not one for each")
		s.expectApplied(ctx, s.aSecret())
		Eventually(ctx, s.livePackages, "30s").Should(HaveLen(many))
	}, NodeTimeout(2*time.Minute))

	It("share its reads while the service rejects the key, and all go on within seconds when that is corrected",
		func(ctx SpecContext) {
			wrong := s.aSecret()
			wrong.StringData = map[string]string{v1alpha1.SecretKeyAccessKey: accessKey, v1alpha1.SecretKeySecretKey: "wrong"}
			s.expectApplied(ctx, wrong, s.aWorkspace())
			applied(ctx)
			s.startManager(ctx)
			Eventually(ctx, blocked(ctx, v1alpha1.ReasonCredentialsRejected), "30s").Should(Equal(many))
			Expect(s.Delete(ctx, wrong)).To(Succeed())
			s.expectApplied(ctx, s.aSecret())
			Eventually(ctx, s.livePackages, "30s").Should(HaveLen(many))
			Expect(s.allCalls()).To(BeNumerically("<=", 2*many), "the wrong key is not tried again and again")
		}, NodeTimeout(2*time.Minute))
})
