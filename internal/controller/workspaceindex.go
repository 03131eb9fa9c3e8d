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
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// workspaceIndex finds ReleasePackages by the workspace object that they refer to.
const workspaceIndex = "spec.workspaceRef.name"

func workspaceIndexOf(obj client.Object) []string {
	rp, ok := obj.(*v1alpha1.ReleasePackage)
	if !ok {
		return nil
	}
	return []string{rp.Spec.WorkspaceRef.Name}
}

// packagesOf lists the ReleasePackages of a workspace object, straight from the cache: they are for reading only.
func packagesOf(ctx context.Context, c client.Reader, ws client.Object) ([]v1alpha1.ReleasePackage, error) {
	list := &v1alpha1.ReleasePackageList{}
	err := c.List(ctx, list, client.InNamespace(ws.GetNamespace()), client.MatchingFields{workspaceIndex: ws.GetName()},
		client.UnsafeDisableDeepCopy)
	return list.Items, err
}

// needsAttention reports whether a ReleasePackage is not in order, or had no pass yet.
func needsAttention(rp *v1alpha1.ReleasePackage) bool {
	conditions := rp.Status.Conditions
	return !meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReady) ||
		meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReconciling) ||
		meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionStalled)
}

// inFlight reports whether there is more to come from a ReleasePackage, without anyone having to set it right first.
func inFlight(rp *v1alpha1.ReleasePackage) bool {
	if meta.IsStatusConditionTrue(rp.Status.Conditions, v1alpha1.ConditionStalled) {
		return false
	}
	if !rp.DeletionTimestamp.IsZero() {
		return true
	}
	switch rp.Status.State {
	case v1alpha1.StateDeployed:
		return false
	case v1alpha1.StateDeployFailed, v1alpha1.StateWithdrawn: // Another one is to follow, or it would be Stalled.
	case v1alpha1.StatePendingReview, v1alpha1.StateDeploying, v1alpha1.StateUnknown:
	}
	return true
}

// workspaceChanged lets through what may help a package that waits for its workspace: a new one, another spec,
// another verdict.
func workspaceChanged() predicate.Predicate {
	return predicate.Funcs{
		DeleteFunc:  func(event.DeleteEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			was, ok1 := e.ObjectOld.(*v1alpha1.DataArtsWorkspace)
			is, ok2 := e.ObjectNew.(*v1alpha1.DataArtsWorkspace)
			return ok1 && ok2 && (madeAgain(e) || was.Generation != is.Generation ||
				readyReason(was.Status.Conditions) != readyReason(is.Status.Conditions))
		},
	}
}

func readyReason(conditions []metav1.Condition) string {
	if c := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady); c != nil {
		return c.Reason
	}
	return ""
}
