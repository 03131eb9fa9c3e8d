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
	"errors"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/workspace"
)

// interval is the time between two calls of a crowded scene.
const interval = 1020 * time.Millisecond

// crowded is a scene in which someone waits for the budget's next turn, and there is no room for others.
func crowded(ctx context.Context) (s *scene, conn *workspace.Connection, waits <-chan error) {
	GinkgoHelper()
	s = readyScene(ctx)
	s.reconciler.Workspaces.Pace, s.reconciler.Workspaces.Workers = s.clock, 2
	expectEdited(ctx, s, s.aWorkspace(), func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.RequestsPerSecond = 1 })
	conn, err := s.reconciler.Workspaces.Connect(ctx, s.namespace, v1alpha1.WorkspaceReference{Name: "default"})
	Expect(err).NotTo(HaveOccurred())
	Expect(conn.Pending(ctx, []string{string(s.items[0])})).NotTo(BeEmpty())
	id, err := s.console.Pack("seen", developer, []string{deployer}, []string{string(s.items[1])})
	Expect(err).NotTo(HaveOccurred())
	s.clock.Step(interval)
	_, err = conn.Look(ctx, id) // Until the id of a package was read, one request to pack is made at a time.
	Expect(err).NotTo(HaveOccurred())
	Expect(s.console.Withdraw(id)).To(Succeed())
	answer := make(chan error, 1)
	go func() { answer <- conn.AcquirePack(ctx, time.Time{}) }()
	Eventually(ctx, s.clock.HasWaiters).Should(BeTrue())
	return s, conn, answer
}

var _ = Describe("A package for which there is no room to wait", func() {
	It("comes back for its turn, and nothing is written meanwhile", func(ctx SpecContext) {
		s, _, waits := crowded(ctx)
		rp := s.aReleasePackage()
		s.expectApplied(ctx, rp)
		Expect(s.pass(ctx, rp)).To(HaveField("RequeueAfter", 2*interval))
		writes := s.api.writes
		Expect(s.pass(ctx, rp)).To(HaveField("RequeueAfter", 3*interval), "another turn")
		Expect(s.api.writes).To(Equal(writes))
		Expect(s.Get(ctx, keyOf(rp), rp)).To(Succeed())
		Expect(rp.Status).To(Equal(v1alpha1.ReleasePackageStatus{}))
		Expect(s.told()).To(BeEmpty())

		s.clock.Step(interval)
		Eventually(ctx, waits).Should(Receive(BeNil()))
		s.expectReconciledAfter(ctx, interval, rp)
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
	})

	It("says so if that takes more than two minutes", func(ctx SpecContext) {
		s, conn, waits := crowded(ctx)
		var busy *workspace.BusyError
		for busy == nil || busy.After < 2*time.Minute {
			Expect(errors.As(conn.AcquirePack(ctx, time.Time{}), &busy)).To(BeTrue())
		}
		rp := s.aReleasePackage()
		s.expectApplied(ctx, rp)
		for range 2 {
			result, err := s.pass(ctx, rp)
			Expect(requeue{result, err}).To(within(busy.After+interval, busy.After+2*interval))
			expectCondition(rp, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonThrottled,
				ContainSubstring("this one has its turn later"),
				ContainSubstring("spec.requestsPerSecond of the workspace is the limit"))
		}
		Expect(s.told()).To(BeEmpty(), "much to do is no trouble")
		Expect(s.livePackages()).To(BeEmpty())

		s.clock.Step(interval)
		Eventually(ctx, waits).Should(Receive(BeNil()))
		s.expectReconciledAfter(ctx, busy.After, rp)
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
		expectNoCondition(rp, v1alpha1.ConditionReconciling)
	})
})
