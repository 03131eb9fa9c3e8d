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

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

var _ = Describe("A timeout that the settle time does not cover", func() {
	It("keeps packages from being packed, names both settings, and costs nothing", func(ctx SpecContext) {
		s := newScene(ctx)
		ws := s.aWorkspace()
		ws.Spec.Timeout.Duration = 30 * time.Second
		s.expectApplied(ctx, s.aSecret(), ws)
		s.reconciler.SettleTime = 5 * time.Second
		rp := s.aReleasePackage()
		s.expectApplied(ctx, rp)
		Expect(s.expectReconciled(ctx, rp)).To(BeZero())
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonWorkspaceInvalid,
			ContainSubstring("spec.timeout"), ContainSubstring("--settle-time of 5s"))
		Expect(rp.Status.Attempt).To(BeNil())
		version := rp.ResourceVersion
		Expect(s.expectReconciledAfter(ctx, time.Hour, rp)).To(BeZero())
		Expect(rp.ResourceVersion).To(Equal(version))
		Expect(s.allCalls()).To(BeZero())

		expectEdited(ctx, s, ws, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.Timeout.Duration = 2 * time.Second })
		s.expectReconciled(ctx, rp)
		Expect(s.livePackages()).To(HaveLen(1))
	})

	It("keeps what is packed from being withdrawn for an edit", func(ctx SpecContext) {
		s := readyScene(ctx)
		rp := s.expectPacked(ctx)
		s.reconciler.SettleTime = 5 * time.Second
		expectEdited(ctx, s, rp, func(rp *v1alpha1.ReleasePackage) { rp.Spec.PendingItemIDs = s.items[1:] })
		s.expectReconciled(ctx, rp)
		expectCondition(rp, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonWorkspaceInvalid)
		Expect(s.calls(simulator.OpUnpack)).To(BeZero())
	})
})
