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
	"unsafe"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/controller"
)

var _ = Describe("What caches hold", func() {
	aPackage := func() *v1alpha1.ReleasePackage {
		return &v1alpha1.ReleasePackage{
			ObjectMeta: metav1.ObjectMeta{
				Name: "release", Namespace: "data-team", Finalizers: []string{v1alpha1.UnpackFinalizer},
				ManagedFields:   []metav1.ManagedFieldsEntry{{Manager: "argocd"}},
				Labels:          map[string]string{"app": "jobs"},
				OwnerReferences: []metav1.OwnerReference{{Name: "owner"}},
				Annotations: map[string]string{"kubectl.kubernetes.io/last-applied-configuration": "{}",
					v1alpha1.ReconcileAtAnnotation: "now"},
			},
			Spec: v1alpha1.ReleasePackageSpec{ApproverIDs: []v1alpha1.UserID{v1alpha1.UserID([]byte(deployer))}},
			Status: v1alpha1.ReleasePackageStatus{State: v1alpha1.StatePendingReview,
				Conditions: []metav1.Condition{{Type: "Ready", Message: "As it is"}}},
		}
	}

	It("leaves out what no reconciler reads, and nothing else", func() {
		stripped, err := controller.StripUnused(aPackage())
		Expect(err).NotTo(HaveOccurred())
		want := aPackage()
		want.ManagedFields, want.Labels, want.OwnerReferences = nil, nil, nil
		want.Annotations = map[string]string{v1alpha1.ReconcileAtAnnotation: "now"}
		Expect(stripped).To(Equal(want))
	})

	It("has texts that are equal once", func() {
		one, two := aPackage(), aPackage()
		where := func(rp *v1alpha1.ReleasePackage) *byte { return unsafe.StringData(string(rp.Spec.ApproverIDs[0])) }
		Expect(where(one)).NotTo(BeIdenticalTo(where(two)))
		for _, rp := range []*v1alpha1.ReleasePackage{one, two} {
			_, err := controller.StripUnused(rp)
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(where(one)).To(BeIdenticalTo(where(two)))
	})

	It("may be a mark of what is gone", func() {
		tombstone := cache.DeletedFinalStateUnknown{Key: "data-team/release"}
		Expect(controller.StripUnused(tombstone)).To(Equal(tombstone))
	})
})
