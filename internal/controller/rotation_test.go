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
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

var _ = Describe("Packages whose passes hold a connection that is replaced", func() {
	It("have their approvals, edits and deletions seen, at the usual cost", func(ctx SpecContext) {
		s := newScene(ctx)
		s.startManager(ctx)
		ws := s.aWorkspace()
		ws.Spec.PollInterval.Duration = time.Second
		s.expectApplied(ctx, s.aSecret(), ws)

		packages := s.packedOneByOne(ctx, 6, func(n int) { s.rotate(ctx, n) })
		Expect(s.console.Deploy(packages[0].Status.ReleasePackageID)).To(Succeed())
		Expect(s.console.Deploy(packages[1].Status.ReleasePackageID)).To(Succeed())
		expectEdited(ctx, s, packages[2], func(rp *v1alpha1.ReleasePackage) { rp.Spec.PackageName = "edited-2" })
		expectEdited(ctx, s, packages[3], func(rp *v1alpha1.ReleasePackage) { rp.Spec.PackageName = "edited-3" })
		Expect(s.Delete(ctx, packages[4])).To(Succeed())
		Expect(s.Delete(ctx, packages[5])).To(Succeed())

		for _, rp := range packages[:2] {
			Eventually(ctx, func() (v1alpha1.PackageState, error) {
				err := s.Get(ctx, keyOf(rp), rp)
				return rp.Status.State, err
			}, "20s").Should(Equal(v1alpha1.StateDeployed))
		}
		for _, rp := range packages[2:4] {
			old := rp.Status.ReleasePackageID
			Eventually(ctx, func() (v1alpha1.ReleasePackageStatus, error) {
				err := s.Get(ctx, keyOf(rp), rp)
				return rp.Status, err
			}, "20s").Should(And(HaveField("State", v1alpha1.StatePendingReview),
				HaveField("ReleasePackageID", Not(Equal(old)))))
		}
		for _, rp := range packages[4:] {
			Eventually(ctx, func() bool { return apierrors.IsNotFound(s.Get(ctx, keyOf(rp), rp)) }, "20s").Should(BeTrue())
		}
		s.service.Reset()
		Consistently(ctx, func() int { return s.service.Counts()[simulator.OpList] + s.service.Counts()[simulator.OpShow] },
			"3s").Should(BeNumerically("<=", 5))
		Expect(s.connections.Poller().NextRun()).To(BeTemporally(">", s.forwarded.Now().Add(-time.Second)),
			"no run is due again and again")
	}, NodeTimeout(2*time.Minute))
})

// packedOneByOne has packages packed, and lets something happen right before each request is received.
func (s *scene) packedOneByOne(ctx context.Context, n int, before func(n int)) []*v1alpha1.ReleasePackage {
	GinkgoHelper()
	var packages []*v1alpha1.ReleasePackage
	for i := range n {
		ids, err := s.console.Submit(simulator.NewItem{Name: fmt.Sprintf("job_%d", i), SubmitUserID: developer})
		Expect(err).NotTo(HaveOccurred())
		rp := s.aReleasePackage(func(rp *v1alpha1.ReleasePackage) {
			rp.Name, rp.Spec.PendingItemIDs = fmt.Sprintf("release-%d", i), []v1alpha1.ID{v1alpha1.ID(ids[0])}
		})
		s.beforeCall(packPath, func() {
			defer GinkgoRecover()
			before(i)
		})
		s.expectApplied(ctx, rp)
		Eventually(ctx, func() (string, error) {
			err := s.Get(ctx, keyOf(rp), rp)
			return rp.Status.ReleasePackageID, err
		}, "20s").ShouldNot(BeEmpty())
		packages = append(packages, rp)
	}
	return slices.Clip(packages)
}

// rotate replaces a valid key by another valid one, and waits until the manager has noticed.
func (s *scene) rotate(ctx context.Context, n int) {
	GinkgoHelper()
	ref := v1alpha1.WorkspaceReference{Name: "default"}
	old, err := s.connections.Connect(ctx, s.namespace, ref)
	Expect(err).NotTo(HaveOccurred())
	secret := s.aSecret()
	if n%2 == 0 {
		secret.StringData = map[string]string{v1alpha1.SecretKeyAccessKey: accessKey, v1alpha1.SecretKeySecretKey: secretKey}
	}
	Expect(s.Delete(ctx, s.aSecret())).To(Succeed())
	Expect(s.Create(ctx, secret)).To(Succeed())
	s.forwarded.by.Add(int64(15 * time.Second)) // Until then, it is taken to be unchanged.
	Expect(s.connections.Connect(ctx, s.namespace, ref)).NotTo(BeIdenticalTo(old))
}
