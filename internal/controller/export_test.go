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

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// NewFairQueue is the queue of both controllers, with a clock of its own.
var NewFairQueue = newFairQueue

// Background is a priority of requests.
var Background = background

// EndWithoutRequeue ends a pass that has left nothing to wake its object.
func EndWithoutRequeue(ctx context.Context, rp *v1alpha1.ReleasePackage) ctrl.Result {
	return newPass(ctx, rp).ensureRequeue(ctx, ctrl.Result{})
}
