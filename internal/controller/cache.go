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

// StripUnused is a transformation for caches. It drops what no reconciler reads, and lets equal strings share their
// memory. Writes are patches that name what they change, so what is dropped is not lost.
func StripUnused(obj any) (any, error) {
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
		internStrings(rp)
	}
	return obj, nil
}

// internStrings lets the strings that many packages have in common share their memory.
func internStrings(rp *v1alpha1.ReleasePackage) {
	spec, st := &rp.Spec, &rp.Status
	intern(&rp.Kind)
	intern(&rp.APIVersion)
	intern(&rp.Namespace)
	for i := range rp.Finalizers {
		intern(&rp.Finalizers[i])
	}
	intern(&spec.WorkspaceRef.Kind)
	intern(&spec.WorkspaceRef.Name)
	intern(&spec.ApplyUserID)
	intern(&spec.DeletionPolicy)
	for i := range spec.ApproverIDs {
		intern(&spec.ApproverIDs[i])
	}
	intern(&st.State)
	intern(&st.ApplyUserID)
	for i := range st.ApproverIDs {
		intern(&st.ApproverIDs[i])
	}
	if w := st.Workspace; w != nil {
		intern(&w.Endpoint)
		intern(&w.ProjectID)
		intern(&w.WorkspaceID)
	}
	for i := range st.Items {
		intern(&st.Items[i].Type)
		intern(&st.Items[i].State)
	}
	for i := range st.Conditions {
		c := &st.Conditions[i]
		intern(&c.Type)
		intern(&c.Reason)
		intern(&c.Status)
		intern(&c.Message) // Ready and Deployed say the same.
	}
}

func intern[T ~string](text *T) { *text = unique.Make(*text).Value() }
