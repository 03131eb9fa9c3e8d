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

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

var _ = Describe("Packages that were packed after requests like theirs were lost", func() {
	It("are looked at together with all others, and searched for late ones rarely", func(ctx SpecContext) {
		const many, intervals = 65, 20
		s := newScene(ctx)
		ws := s.aWorkspace()
		ws.Spec.PollInterval.Duration = time.Second
		s.expectApplied(ctx, s.aSecret(), ws)
		packages := s.packedAfterALoss(ctx, many)
		searches := 0
		for _, rp := range packages {
			if lifecycle.SearchesLate(rp, time.Now()) || lifecycle.UntilLateSearch(rp, time.Now()) < time.Minute {
				searches++
			}
		}
		s.startManager(ctx)
		Eventually(ctx, s.allCalls, "20s").Should(BeNumerically(">", 0))
		began := time.Now()
		Eventually(ctx, func() time.Duration { return time.Since(began) }, "30s",
			"1s").Should(BeNumerically(">=", intervals*time.Second))
		Expect(s.calls(simulator.OpList)).To(BeNumerically("<=", 2*intervals+searches),
			"a list of one page for all each time, and the searches")
		Expect(s.calls(simulator.OpShow)).To(BeNumerically("<=", 5), "as none but their own package is found")

		Expect(s.console.Deploy(packages[0].Status.ReleasePackageID)).To(Succeed())
		Eventually(ctx, func() (v1alpha1.PackageState, error) {
			err := s.Get(ctx, keyOf(packages[0]), packages[0])
			return packages[0].Status.State, err
		}, "10s").Should(Equal(v1alpha1.StateDeployed))
	}, NodeTimeout(2*time.Minute))
})

// packedAfterALoss has packages in review on record, each of which took two attempts.
func (s *scene) packedAfterALoss(ctx context.Context, n int) []*v1alpha1.ReleasePackage {
	GinkgoHelper()
	packages := make([]*v1alpha1.ReleasePackage, n)
	for i := range packages {
		items, err := s.console.Submit(simulator.NewItem{Name: fmt.Sprintf("job_%d", i), SubmitUserID: developer})
		Expect(err).NotTo(HaveOccurred())
		rp := s.aReleasePackage(func(rp *v1alpha1.ReleasePackage) {
			rp.Name, rp.Spec.PendingItemIDs = fmt.Sprintf("release-%d", i), []v1alpha1.ID{v1alpha1.ID(items[0])}
			rp.Finalizers = []string{v1alpha1.UnpackFinalizer}
		})
		s.expectApplied(ctx, rp)
		lifecycle.BeginAttempt(rp, v1alpha1.PinnedWorkspace{Endpoint: s.endpoint, ProjectID: project,
			WorkspaceID: workspaceID}, time.Now())
		lifecycle.RecordNotPacked(rp, v1alpha1.OutcomeNotFound, "No such package was found")
		lifecycle.BeginAttempt(rp, v1alpha1.PinnedWorkspace{Endpoint: s.endpoint, ProjectID: project,
			WorkspaceID: workspaceID}, time.Now())
		id, err := s.console.Pack(rp.Status.PackageName, developer, []string{deployer}, items)
		Expect(err).NotTo(HaveOccurred())
		lifecycle.RecordPackAnswer(rp, lifecycle.Answer{PackageID: id}, time.Now())
		lifecycle.Summarize(rp, lifecycle.Step{Action: lifecycle.Wait}, time.Now())
		Expect(s.Status().Update(ctx, rp)).To(Succeed())
		Expect(rp.Status.Attempt.LostBefore).To(BeEquivalentTo(1))
		packages[i] = rp
	}
	return packages
}
