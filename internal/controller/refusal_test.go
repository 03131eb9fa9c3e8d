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
	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// expectPolicy sets up an admission policy on updates of a resource in the scene's namespace, and waits until it
// refuses what a probe does. What it returns takes the policy away again.
func (s *scene) expectPolicy(ctx context.Context, resource, rule string, probe func() error) (lift func()) {
	GinkgoHelper()
	policy := &admissionv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: s.namespace},
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{{
				RuleWithOperations: admissionv1.RuleWithOperations{
					Operations: []admissionv1.OperationType{admissionv1.Update},
					Rule: admissionv1.Rule{APIGroups: []string{v1alpha1.GroupVersion.Group}, APIVersions: []string{"*"},
						Resources: []string{resource}},
				},
			}}},
			Validations: []admissionv1.Validation{{Expression: rule, Message: "not in this house"}},
		},
	}
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: s.namespace},
		Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName:        policy.Name,
			ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
			MatchResources: &admissionv1.MatchResources{NamespaceSelector: &metav1.LabelSelector{
				MatchLabels: map[string]string{"kubernetes.io/metadata.name": s.namespace}}},
		},
	}
	Expect(s.Create(ctx, policy)).To(Succeed())
	Expect(s.Create(ctx, binding)).To(Succeed())
	lift = func() {
		_ = s.Delete(ctx, binding)
		_ = s.Delete(ctx, policy)
	}
	DeferCleanup(func(ctx SpecContext) { _ = client.IgnoreNotFound(s.Delete(ctx, binding)) })
	Eventually(ctx, probe, "30s").Should(MatchError(ContainSubstring("not in this house")))
	return lift
}

var _ = Describe("A write that an admission policy refuses", func() {
	// expectToldOnce makes passes that are refused, later and later, and told of once.
	expectToldOnce := func(ctx context.Context, s *scene, rp *v1alpha1.ReleasePackage) {
		GinkgoHelper()
		var last time.Duration
		for range 5 {
			result, err := s.pass(ctx, rp)
			Expect(err).NotTo(HaveOccurred())
			Expect(result.RequeueAfter).To(BeNumerically(">", last))
			last = result.RequeueAfter
		}
		Expect(s.told()).To(ConsistOf(And(HavePrefix("Warning WriteRefused "), ContainSubstring("not in this house"))))
		Expect(s.calls(simulator.OpPack)).To(BeZero())
	}

	It("is told of by an event and a condition, if it is that of the finalizer", func(ctx SpecContext) {
		s := readyScene(ctx)
		rp := s.aReleasePackage()
		s.expectApplied(ctx, rp)
		lift := s.expectPolicy(ctx, "releasepackages", "!has(object.metadata.finalizers)", func() error {
			probe := rp.DeepCopy()
			probe.Finalizers = []string{v1alpha1.UnpackFinalizer}
			return s.Update(ctx, probe, client.DryRunAll)
		})
		expectToldOnce(ctx, s, rp)
		expectCondition(rp, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonWriteRefused,
			ContainSubstring("not in this house"))

		lift()
		Eventually(ctx, func() string {
			s.expectReconciled(ctx, rp)
			return rp.Status.ReleasePackageID
		}, "30s").ShouldNot(BeEmpty())
		expectNoCondition(rp, v1alpha1.ConditionReconciling)
	})

	It("is told of by an event, if it is that of the status", func(ctx SpecContext) {
		s := readyScene(ctx)
		rp := s.aReleasePackage()
		s.expectApplied(ctx, rp)
		lift := s.expectPolicy(ctx, "releasepackages/status", "false", func() error {
			probe := rp.DeepCopy()
			probe.Status.PackageName = "probe"
			return s.Status().Update(ctx, probe, client.DryRunAll)
		})
		expectToldOnce(ctx, s, rp)
		Expect(rp.Status).To(Equal(v1alpha1.ReleasePackageStatus{}))

		lift()
		Eventually(ctx, func() string {
			s.expectReconciled(ctx, rp)
			return rp.Status.ReleasePackageID
		}, "30s").ShouldNot(BeEmpty())
	})
})
