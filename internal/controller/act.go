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
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

// act does the step and brings p.rp's status up to date. It returns the step to report, which is another one where
// the service had something to say. An error is trouble with the API server.
func (r *ReleasePackageReconciler) act(ctx context.Context, p *pass, step lifecycle.Step) (lifecycle.Step, error) {
	switch step.Action {
	case lifecycle.Wait, lifecycle.Stall, lifecycle.AddFinalizer:
		return step, nil
	case lifecycle.Adopt:
		lifecycle.RecordAdopted(p.rp, step.Package, p.conn.Target(), p.obs.Now)
		p.adopted = true
		return lifecycle.Adopted(p.rp, p.obs, step), nil
	case lifecycle.CloseAttempt:
		lifecycle.RecordNotPacked(p.rp, v1alpha1.OutcomeNotFound, "No such package was found, and its items are not packed")
		return step, nil
	case lifecycle.Pack:
		return r.pack(ctx, p)
	case lifecycle.Unpack:
		if err := r.beforeUnpack(ctx, p, step); err != nil {
			return step, err
		}
		// It may still be shown for a while, and must seem free to nobody.
		claim := lifecycle.PackageClaim(p.rp.Status.ReleasePackageID)
		r.reserved.take(p.rp.UID, p.conn.Target(), []lifecycle.Claim{claim}, r.Clock.Now())
		step, err := r.unpack(ctx, p, step)
		if err == nil && step.Action == lifecycle.RemoveFinalizer {
			err = r.removeFinalizer(ctx, p)
		}
		return step, err
	case lifecycle.RemoveFinalizer:
		return step, r.removeFinalizer(ctx, p)
	}
	return step, fmt.Errorf("unknown action %d", step.Action)
}

// addFinalizer adds the finalizer, so that no deletion can lose a package from here on.
func (r *ReleasePackageReconciler) addFinalizer(ctx context.Context, p *pass) error {
	controllerutil.AddFinalizer(p.rp, v1alpha1.UnpackFinalizer)
	return r.patchObject(ctx, p)
}

// removeFinalizer removes the finalizer.
func (r *ReleasePackageReconciler) removeFinalizer(ctx context.Context, p *pass) error {
	if !controllerutil.ContainsFinalizer(p.rp, v1alpha1.UnpackFinalizer) {
		return nil
	}
	controllerutil.RemoveFinalizer(p.rp, v1alpha1.UnpackFinalizer)
	return client.IgnoreNotFound(r.patchObject(ctx, p))
}

// patchObject writes the metadata, on condition that nobody wrote the object since it was read.
func (r *ReleasePackageReconciler) patchObject(ctx context.Context, p *pass) error {
	status := p.rp.Status
	if err := r.Patch(ctx, p.rp, client.MergeFromWithOptions(p.before, client.MergeFromWithOptimisticLock{})); err != nil {
		return err
	}
	p.before = p.rp.DeepCopy()
	p.rp.Status = status
	return nil
}
