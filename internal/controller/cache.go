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

package controller

import (
	"unique"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// Lean is a transformation for caches: it drops what no reconciler reads, and lets equal texts share their memory. What is dropped is not lost: writes
// are patches, which name what they change and nothing else.
func Lean(obj any) (any, error) {
	accessor, err := meta.Accessor(obj)
	if err != nil {
		return obj, nil //nolint:nilerr // A tombstone has no metadata, and nothing to drop.
	}
	accessor.SetManagedFields(nil)
	accessor.SetLabels(nil)
	accessor.SetOwnerReferences(nil)
	token, forced := accessor.GetAnnotations()[v1alpha1.ReconcileAtAnnotation]
	accessor.SetAnnotations(nil)
	if forced {
		accessor.SetAnnotations(map[string]string{v1alpha1.ReconcileAtAnnotation: token})
	}
	if rp, ok := obj.(*v1alpha1.ReleasePackage); ok {
		share(rp)
	}
	return obj, nil
}

// share lets the texts that thousands of packages have in common exist once.
func share(rp *v1alpha1.ReleasePackage) {
	spec, st := &rp.Spec, &rp.Status
	once(&rp.Kind)
	once(&rp.APIVersion)
	once(&rp.Namespace)
	for i := range rp.Finalizers {
		once(&rp.Finalizers[i])
	}
	once(&spec.WorkspaceRef.Kind)
	once(&spec.WorkspaceRef.Name)
	once(&spec.ApplyUserID)
	once(&spec.DeletionPolicy)
	for i := range spec.ApproverIDs {
		once(&spec.ApproverIDs[i])
	}
	once(&st.State)
	once(&st.ApplyUserID)
	for i := range st.ApproverIDs {
		once(&st.ApproverIDs[i])
	}
	if w := st.Workspace; w != nil {
		once(&w.Endpoint)
		once(&w.ProjectID)
		once(&w.WorkspaceID)
	}
	for i := range st.Items {
		once(&st.Items[i].Type)
		once(&st.Items[i].State)
	}
	for i := range st.Conditions {
		c := &st.Conditions[i]
		once(&c.Type)
		once(&c.Reason)
		once(&c.Status)
		once(&c.Message) // Ready and Deployed say the same.
	}
}

func once[T ~string](text *T) { *text = unique.Make(*text).Value() }
