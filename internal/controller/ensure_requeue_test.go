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
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/controller"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// forgetful counts the passes that are made to forget their objects. No other may.
var forgetful int

var _ = AfterEach(func() {
	Expect(counted("dataarts_operator_forgotten_objects_total")).To(BeEquivalentTo(forgetful),
		"a pass left nothing to wake its object")
})

// hurrying is a clock that goes on whenever someone looks at it.
type hurrying struct {
	began time.Time
	step  time.Duration
	looks atomic.Int64
}

func (h *hurrying) Now() time.Time                  { return h.began.Add(time.Duration(h.looks.Add(1)) * h.step) }
func (h *hurrying) Since(t time.Time) time.Duration { return h.Now().Sub(t) }

var _ = Describe("The end of a pass", func() {
	It("leaves another one to come whenever it is that calls are let through again", func(ctx SpecContext) {
		s := readyScene(ctx)
		rp := s.aReleasePackage()
		s.expectApplied(ctx, rp)
		for looks := range 30 { // In one of these runs, the pause ends while the pass is being ended.
			s.restart()
			s.reconciler.Workspaces.Clock = &hurrying{began: time.Now(), step: 10 * time.Minute / time.Duration(2*looks+3)}
			s.inject(simulator.Fault{Operation: simulator.OpListItems, Kind: simulator.FaultError, Status: 401,
				Code: simulator.CodeUnauthorized, Times: 1})
			result, err := s.reconciler.Reconcile(ctx, requestFor(rp))
			Expect(err).NotTo(HaveOccurred())
			Expect(result.RequeueAfter).To(And(BeNumerically(">", 0), Not(Equal(time.Minute))), "run %d", looks)
			Expect(s.Get(ctx, keyOf(rp), rp)).To(Succeed())
			expectCondition(rp, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonCredentialsRejected)
		}
	})

	It("leaves another one to come even if it was forgotten, which is counted", func(ctx SpecContext) {
		rp := &v1alpha1.ReleasePackage{Status: v1alpha1.ReleasePackageStatus{State: v1alpha1.StatePendingReview}}
		forgetful++
		Expect(controller.EndWithoutRequeue(ctx, rp)).To(HaveField("RequeueAfter", time.Minute))
		rp.Status.State = v1alpha1.StateDeployed
		Expect(controller.EndWithoutRequeue(ctx, rp)).To(Equal(ctrl.Result{}), "it is settled")
	})
})
