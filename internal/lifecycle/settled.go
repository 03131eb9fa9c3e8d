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

package lifecycle

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// Settled reports whether there is nothing to do for an object until someone acts. Every other object needs a pass or a
// look that comes by itself.
func Settled(rp *v1alpha1.ReleasePackage) bool {
	deleting := !rp.DeletionTimestamp.IsZero()
	switch {
	case deleting && !hasFinalizer(rp):
		return true
	case meta.IsStatusConditionTrue(rp.Status.Conditions, v1alpha1.ConditionReconciling):
		return false
	case meta.IsStatusConditionTrue(rp.Status.Conditions, v1alpha1.ConditionStalled), rp.Spec.Suspend && !deleting:
		return true
	}
	return !deleting && rp.Status.State == v1alpha1.StateDeployed
}

// SettledAfterFailure reports whether an object is settled because its package failed or is gone, and its conditions
// say so. Such an object needs no look, not even after a restart.
func SettledAfterFailure(rp *v1alpha1.ReleasePackage) bool {
	failed := rp.Status.State == v1alpha1.StateWithdrawn || rp.Status.State == v1alpha1.StateDeployFailed
	stalled := meta.FindStatusCondition(rp.Status.Conditions, v1alpha1.ConditionStalled)
	return failed && stalled != nil && slices.Contains(failureReasons, stalled.Reason) &&
		rp.DeletionTimestamp.IsZero() && rp.Status.ObservedGeneration == rp.Generation &&
		hasFinalizer(rp) && !Forced(rp) && !mayComeLate(rp)
}

// failureReasons are the reasons for which an object with a failed package stalls.
var failureReasons = []string{
	v1alpha1.ReasonWithdrawn, v1alpha1.ReasonDeployFailed, v1alpha1.ReasonPackageNotFound,
}
