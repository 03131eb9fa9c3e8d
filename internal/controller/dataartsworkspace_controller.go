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
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
	"github.com/dataarts-operator/dataarts-operator/internal/workspace"
)

const (
	// DataArtsWorkspaceController names the controller in logs, metrics and events.
	DataArtsWorkspaceController = "dataartsworkspace-controller"

	// recheckInterval is how often the Secret is read again, and a workspace in trouble is tried again.
	recheckInterval = 30 * time.Second
	// secretInterval is how often the Secret is read again while it is what is wrong, so that all who wait for it go on
	// within seconds.
	secretInterval = 5 * time.Second
	// probeInterval is how often a workspace in order is tried again.
	probeInterval = 10 * time.Minute
	// countDelay gathers changes of packages, so that a thousand of them are one write and not a thousand.
	countDelay = 2 * time.Second
	// pauseTolerance is how far the recorded end of a pause may be off.
	pauseTolerance = 5 * time.Second
)

// DataArtsWorkspaceReconciler tells whether a workspace can be called, and how many packages are in it.
type DataArtsWorkspaceReconciler struct {
	client.Client
	Workspaces *workspace.Connections
	Events     events.EventRecorder
	Clock      clock.PassiveClock
	// Needed reports whether the connection of an object is needed though no package refers to it: see
	// ReleasePackageReconciler.HasRemains.
	Needed func(types.NamespacedName) bool

	mu     sync.Mutex
	probes map[types.NamespacedName]probe
}

// probe is the latest call that tried a connection out.
type probe struct {
	conn *workspace.Connection
	at   time.Time
	err  error
}

// +kubebuilder:rbac:groups=release.dataarts-operator.io,resources=dataartsworkspaces/status,verbs=patch

// Reconcile tries the connection, counts the packages, and writes the status if any of it changed.
func (r *DataArtsWorkspaceReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	result, err := r.pass(ctx, req)
	if err != nil {
		return ignoreTransient(ctx, err)
	}
	return result, nil
}

func (r *DataArtsWorkspaceReconciler) pass(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	ws := &v1alpha1.DataArtsWorkspace{}
	if err := r.Get(ctx, req.NamespacedName, ws); err != nil {
		if apierrors.IsNotFound(err) {
			return r.gone(ctx, req.NamespacedName)
		}
		return ctrl.Result{}, err
	}
	before := ws.DeepCopy()
	conn, err := r.try(ctx, ws)
	problem := problemOf(err)
	if err != nil && (problem == nil || ctx.Err() != nil) {
		return ctrl.Result{}, err // A call that ended because the manager stops tells nothing of the service.
	}
	r.summarize(ws, problem)
	again := r.recordPause(ws, conn)
	recordPollInterval(ws, conn)
	if err := r.count(ctx, ws); err != nil {
		return ctrl.Result{}, err
	}
	if problem != nil && problem.Reason == v1alpha1.ReasonCredentialsNotFound && ws.Status.Packages == 0 &&
		!r.Needed(req.NamespacedName) {
		r.forget(req.NamespacedName) // Credentials that were taken away are kept for withdrawals only.
	}
	if !equality.Semantic.DeepEqual(before.Status, ws.Status) {
		if err := r.Status().Patch(ctx, ws, client.MergeFrom(before)); err != nil {
			return ctrl.Result{}, client.IgnoreNotFound(err)
		}
		r.publish(ctx, before, ws)
	}
	if blamesSecret(problem) {
		again = min(again, secretInterval)
	}
	return ctrl.Result{RequeueAfter: jitter(again)}, nil
}

// blamesSecret reports whether another Secret may be all that is needed.
func blamesSecret(problem *lifecycle.Problem) bool {
	if problem == nil {
		return false
	}
	switch problem.Reason {
	case v1alpha1.ReasonCredentialsNotFound, v1alpha1.ReasonCredentialsInvalid, v1alpha1.ReasonCredentialsRejected:
		return true
	}
	return false
}

// try finds the connection and calls the service, unless it answered the same connection a short while ago.
func (r *DataArtsWorkspaceReconciler) try(ctx context.Context,
	ws *v1alpha1.DataArtsWorkspace) (*workspace.Connection, error) {
	conn, err := r.Workspaces.ConnectTo(ctx, ws)
	if err != nil {
		return nil, err
	}
	ws.Status.Endpoint = conn.Target().Endpoint
	key, now := client.ObjectKeyFromObject(ws), r.Clock.Now()
	r.mu.Lock()
	last := r.probes[key]
	r.mu.Unlock()
	fresh := probeInterval
	if last.err != nil || conn.Doubtful() {
		fresh = recheckInterval
	}
	if last.conn == conn && (now.Sub(last.at) < fresh || !conn.ThrottledUntil().IsZero()) {
		// While calls are paused there is nothing to be learned, and the status tells of the pause itself.
		return conn, last.err
	}
	last = probe{conn: conn, at: now, err: conn.Probe(ctx)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.probes == nil {
		r.probes = map[types.NamespacedName]probe{}
	}
	r.probes[key] = last
	return conn, last.err
}

// gone forgets an object that was deleted, once no package refers to it. Until then, its connection may be needed to
// withdraw one.
func (r *DataArtsWorkspaceReconciler) gone(ctx context.Context, key types.NamespacedName) (ctrl.Result, error) {
	ws := &v1alpha1.DataArtsWorkspace{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
	packages, err := packagesOf(ctx, r.Client, ws)
	if err != nil {
		return ctrl.Result{}, err
	}
	if len(packages) > 0 || r.Needed(key) {
		return ctrl.Result{RequeueAfter: jitter(recheckInterval)}, nil
	}
	r.forget(key)
	return ctrl.Result{}, nil
}

func (r *DataArtsWorkspaceReconciler) forget(key types.NamespacedName) {
	r.Workspaces.Forget(key)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.probes, key)
}

// SetupWithManager registers the controller. It relies on the index that the controller of ReleasePackages makes.
func (r *DataArtsWorkspaceReconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named(DataArtsWorkspaceController).
		For(&v1alpha1.DataArtsWorkspace{}, builder.WithPredicates(specChanged())).
		Watches(&v1alpha1.ReleasePackage{}, countLater()).
		WatchesRawSource(source.Func(r.pauses)).
		// One that does not answer must not keep the others from their verdict.
		WithOptions(controller.Options{MaxConcurrentReconciles: 4, NewQueue: newQueue}).
		Complete(r)
}

// specChanged lets through what is new or has another spec.
func specChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return madeAgain(e) || e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration()
	}}
}

// pauses asks for a look at each object whose calls are paused.
func (r *DataArtsWorkspaceReconciler) pauses(_ context.Context,
	q workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	r.Workspaces.OnThrottled(func(key types.NamespacedName) { q.Add(reconcile.Request{NamespacedName: key}) })
	return nil
}

// countLater asks for a count when a package comes, goes, or changes between in flight and finished.
func countLater() handler.EventHandler {
	later := func(obj client.Object, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		if rp, ok := obj.(*v1alpha1.ReleasePackage); ok {
			q.AddAfter(reconcile.Request{NamespacedName: types.NamespacedName{
				Namespace: rp.Namespace, Name: rp.Spec.WorkspaceRef.Name}}, countDelay)
		}
	}
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			later(e.Object, q)
		},
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			later(e.Object, q)
		},
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			was, ok1 := e.ObjectOld.(*v1alpha1.ReleasePackage)
			is, ok2 := e.ObjectNew.(*v1alpha1.ReleasePackage)
			if !ok1 || !ok2 {
				return
			}
			if was.Spec.WorkspaceRef.Name != is.Spec.WorkspaceRef.Name {
				later(was, q)
				later(is, q)
				return
			}
			if inFlight(was) != inFlight(is) {
				later(is, q)
			}
		},
	}
}
