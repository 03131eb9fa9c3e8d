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

// Package controller is the shell around the decisions of package lifecycle: it reads, looks, does one thing, and
// records. It is the only writer to the API server.
package controller

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
	"github.com/dataarts-operator/dataarts-operator/internal/poll"
	"github.com/dataarts-operator/dataarts-operator/internal/workspace"
)

const (
	// ReleasePackageController names the controller in logs, metrics and events.
	ReleasePackageController = "releasepackage-controller"

	// minBackoff and maxBackoff bound the backoff after a failure. The service counts calls, so the first is not in a
	// hurry.
	minBackoff = time.Second
	maxBackoff = 5 * time.Minute

	// conflictDelay lets the cache catch up with a write that came before ours.
	conflictDelay = 200 * time.Millisecond
)

// ReleasePackageReconciler brings packages at the service in line with ReleasePackages.
type ReleasePackageReconciler struct {
	client.Client
	// Live reads past the cache, where a decision depends on the latest write.
	Live       client.Reader
	Workspaces *workspace.Connections
	Events     events.EventRecorder
	Clock      clock.PassiveClock
	// SettleTime is how long after the start of an attempt a lost request may still take effect. It has to be well above
	// the time that a call may take.
	SettleTime time.Duration

	once     sync.Once
	failures workqueue.TypedRateLimiter[reconcile.Request]
	reserved reservations
	searches searches
	returned givenBack
	vanished vanished
	origins  origins
	findings findings
	looked   looked
	refusals refusals
}

// +kubebuilder:rbac:groups=release.dataarts-operator.io,resources=releasepackages,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=release.dataarts-operator.io,resources=releasepackages/status,verbs=patch
// +kubebuilder:rbac:groups=release.dataarts-operator.io,resources=dataartsworkspaces,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile makes one pass: it looks at what the next step depends on, does that step, and records what came of it. A
// pass makes at most one call that changes something at the service.
func (r *ReleasePackageReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	rp := &v1alpha1.ReleasePackage{}
	if err := r.Get(ctx, req.NamespacedName, rp); err != nil {
		r.failureBackoff().Forget(req)
		r.origins.forget(req.NamespacedName)
		r.findings.forget(req.NamespacedName)
		r.looked.forget(req.NamespacedName)
		r.refusals.forget(req)
		r.Workspaces.Poller().Unsubscribe(req.NamespacedName)
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if lifecycle.SettledAfterFailure(rp) {
		r.Workspaces.Poller().Unsubscribe(req.NamespacedName)
		return ctrl.Result{}, nil
	}
	p := newPass(ctx, rp)
	if rp.Status.Attempt == nil {
		p.restored = r.origins.restored(rp)
	} else {
		r.origins.forget(req.NamespacedName)
	}
	doubtful := true
	defer func() { // A panic, too, ends what is reserved for the rest of the pass.
		r.reserved.settle(rp.UID, r.Clock.Now(), func(claim lifecycle.Claim) bool {
			return doubtful || slices.Contains(lifecycle.ClaimsToKeep(p.rp), claim)
		})
	}()
	result, err := r.pass(ctx, p)
	busy, _ := errors.AsType[*workspace.BusyError](err)
	doubtful = err != nil && busy == nil // What could not be recorded may be on record all the same.
	if words := refusedWords(err); words != "" && ctx.Err() == nil {
		return r.refused(ctx, p, words), nil
	}
	if err != nil {
		return ignoreTransient(ctx, err)
	}
	r.refusals.forget(req)
	return p.ensureRequeue(ctx, result), nil
}

// pass looks, decides, acts and reports.
func (r *ReleasePackageReconciler) pass(ctx context.Context, p *pass) (ctrl.Result, error) {
	if err := r.observe(ctx, p); err != nil {
		return ctrl.Result{}, err
	}
	if p.unseen {
		return r.await(ctx, p)
	}
	step := lifecycle.Decide(p.rp, p.obs)
	if step.Action == lifecycle.AddFinalizer {
		if err := r.addFinalizer(ctx, p); err != nil {
			return ctrl.Result{}, err
		}
		step = lifecycle.Decide(p.rp, p.obs)
	}
	lifecycle.RecordObservation(p.rp, p.obs)
	step, err := r.admit(ctx, p, step)
	if err != nil {
		return ctrl.Result{}, err
	}
	if step, err = r.act(ctx, p, step); err != nil {
		return ctrl.Result{}, err
	}
	return r.report(ctx, p, step)
}

// pass is what one Reconcile carries from step to step.
type pass struct {
	// rp is the object with what this pass has found out, before is the object as the API server has it.
	rp, before *v1alpha1.ReleasePackage
	// first is the object as the pass found it: events tell of the difference.
	first *v1alpha1.ReleasePackage
	// conn is nil where no connection is needed or none was had.
	conn *workspace.Connection
	obs  lifecycle.Observation
	// unseen tells that a look at the package has to come first, which is made for many at once.
	unseen bool
	// looked is what this pass has seen of the recorded package by a look of its own.
	looked *poll.Observation
	// pending is what the pending list shows of the items to pack, nil where it was not seen.
	pending map[string]lifecycle.PendingItem
	// partly tells that more packages may hold those items than this pass looked into.
	partly bool
	// ownOnly tells that nothing speaks for such a package but that the items were not seen: only one of the object's
	// own name is looked for.
	ownOnly bool
	// cause is the error behind a problem that the conditions tell of.
	cause error
	// restored tells that the object comes from a backup.
	restored bool
	// adopted tells that this pass has put a package on record that it saw.
	adopted bool
	// vanished tells that the object is gone, so that nothing is recorded.
	vanished bool
	// shared tells that the error is that of a look which many share, and which is made again without a pass.
	shared bool
	// packed is set once the service may have packed: from then on the record must be made, whatever happens.
	packed bool
	// delay is how long it is until the next pass or look; zero if none is due. watched tells that it is a look.
	delay   time.Duration
	watched bool
	// paced means that the delay is the interval of the workspace's polls.
	paced bool
	// planned is when that was worked out.
	planned time.Time
}

func newPass(ctx context.Context, rp *v1alpha1.ReleasePackage) *pass {
	logger := ctrl.LoggerFrom(ctx)
	logger.V(1).Info("Pass begins", "state", rp.Status.State, "deleting", !rp.DeletionTimestamp.IsZero())
	unchanged := rp.DeepCopy()
	return &pass{rp: rp, before: unchanged, first: unchanged}
}

// ignoreTransient turns an error that is no news into a requeue: another writer was faster, the manager stops, or other
// packages are packed first.
func ignoreTransient(ctx context.Context, err error) (ctrl.Result, error) {
	busy, isBusy := errors.AsType[*workspace.BusyError](err)
	switch {
	case isBusy:
		return ctrl.Result{RequeueAfter: max(busy.After, minDelay), Priority: &background}, nil
	case apierrors.IsConflict(err):
		return ctrl.Result{RequeueAfter: conflictDelay, Priority: &background}, nil
	case ctx.Err() != nil:
		return ctrl.Result{}, nil //nolint:nilerr // The context's end is the reason of whatever failed.
	}
	return ctrl.Result{}, err
}
