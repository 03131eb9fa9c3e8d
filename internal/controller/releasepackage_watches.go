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

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// SetupWithManager registers the controller.
func (r *ReleasePackageReconciler) SetupWithManager(mgr ctrl.Manager, concurrency int) error {
	for field, indexer := range Indexes() {
		if err := mgr.GetFieldIndexer().IndexField(context.Background(), &v1alpha1.ReleasePackage{}, field,
			indexer); err != nil {
			return err
		}
	}
	if err := r.setUpVanished(mgr); err != nil {
		return err
	}
	return ctrl.NewControllerManagedBy(mgr).
		Named(ReleasePackageController).
		For(&v1alpha1.ReleasePackage{}, builder.WithPredicates(Wakes())).
		Watches(&v1alpha1.ReleasePackage{}, handler.EnqueueRequestsFromMapFunc(r.waiters),
			builder.WithPredicates(claimsFreed())).
		Watches(&v1alpha1.DataArtsWorkspace{}, handler.EnqueueRequestsFromMapFunc(r.waitingFor),
			builder.WithPredicates(workspaceChanged())).
		WatchesRawSource(source.Func(r.looks)).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: concurrency,
			RateLimiter:             newBackoff(),
			NewQueue:                newQueue,
		}).
		Complete(r)
}

// looks asks for a pass of each object whose package has changed at the service.
func (r *ReleasePackageReconciler) looks(_ context.Context,
	queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	r.Workspaces.Poller().OnChange(func(object types.NamespacedName) {
		request := reconcile.Request{NamespacedName: object}
		if q, ok := queue.(priorityqueue.PriorityQueue[reconcile.Request]); ok {
			q.AddWithOpts(priorityqueue.AddOpts{Priority: &background}, request)
			return
		}
		queue.Add(request)
	})
	return nil
}

// Indexes are what the reconcilers look ReleasePackages up by. A client without a cache, which has none, cannot serve
// them.
func Indexes() map[string]client.IndexerFunc {
	return map[string]client.IndexerFunc{
		workspaceIndex: workspaceIndexOf,
		claimIndex:     claimIndexOf,
		yieldIndex:     yieldIndexOf,
	}
}

// Wakes lets through the changes of a ReleasePackage that ask for a pass: what its users do, and not what the
// operator writes.
func Wakes() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return specChanged().Update(e) || forced(e) || finalizerLost(e)
	}}
}

// madeAgain reports whether an update is about two objects: one was deleted, and another made under its name, while
// the watch was interrupted.
func madeAgain(e event.UpdateEvent) bool { return e.ObjectOld.GetUID() != e.ObjectNew.GetUID() }

// forced reports whether the annotation that asks for a pass has a new value.
func forced(e event.UpdateEvent) bool {
	before, after := e.ObjectOld.GetAnnotations(), e.ObjectNew.GetAnnotations()
	return before[v1alpha1.ReconcileAtAnnotation] != after[v1alpha1.ReconcileAtAnnotation]
}

// finalizerLost reports whether someone replaced an object by one without our finalizer, which would let a deletion
// pass by its package.
func finalizerLost(e event.UpdateEvent) bool {
	return e.ObjectNew.GetDeletionTimestamp().IsZero() &&
		controllerutil.ContainsFinalizer(e.ObjectOld, v1alpha1.UnpackFinalizer) &&
		!controllerutil.ContainsFinalizer(e.ObjectNew, v1alpha1.UnpackFinalizer)
}

// waitingFor are the ReleasePackages that a change of their workspace may help. Those that are in order are left alone.
func (r *ReleasePackageReconciler) waitingFor(ctx context.Context, ws client.Object) []reconcile.Request {
	packages, err := packagesOf(ctx, r.Client, ws)
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Listing the packages of a workspace failed", "workspace",
			client.ObjectKeyFromObject(ws))
		return nil
	}
	return requestsFor(packages, needsAttention)
}

// requestsFor asks for a pass of each package that is concerned.
func requestsFor(packages []v1alpha1.ReleasePackage,
	concerned func(*v1alpha1.ReleasePackage) bool) []reconcile.Request {
	var requests []reconcile.Request
	for i := range packages {
		if rp := &packages[i]; concerned(rp) {
			requests = append(requests,
				reconcile.Request{NamespacedName: types.NamespacedName{Namespace: rp.Namespace, Name: rp.Name}})
		}
	}
	return requests
}
