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
	"errors"
	"math/rand/v2"
	"time"

	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
	"github.com/dataarts-operator/dataarts-operator/internal/poll"
	"github.com/dataarts-operator/dataarts-operator/internal/workspace"
)

// secretRecheck is how soon a pass follows one that may make no call. It makes none either, but finds a corrected
// Secret.
const secretRecheck = 30 * time.Second

// await ends a pass that waits for a shared look. It writes the status only if the object has changed since its
// conditions were written. It does not where the deletion is overdue: decideDeletion withdraws the package once as long
// as the status does not tell of the deletion.
func (r *ReleasePackageReconciler) await(ctx context.Context, p *pass) (ctrl.Result, error) {
	step := lifecycle.AwaitLook(p.rp)
	left, bounded := lifecycle.DeletionTimeLeft(p.rp, r.Clock.Now())
	if overdue := bounded && left <= 0; !overdue && !lifecycle.ConditionsCurrent(p.rp) {
		return r.report(ctx, p, step)
	}
	r.planRequeue(ctx, p, step)
	return r.requeue(p, step), nil
}

// planRequeue works out how long it is until the next pass or look. Trouble at the service backs off for each object.
// Conditions and events tell of it, so Reconcile returns no error for it: its errors are about the API server.
func (r *ReleasePackageReconciler) planRequeue(ctx context.Context, p *pass, step lifecycle.Step) {
	request := ctrl.Request{NamespacedName: client.ObjectKeyFromObject(p.rp)}
	p.delay, p.planned = step.After, r.Clock.Now()
	if p.watchable(step) {
		p.delay = lifecycle.LookAfter(p.rp, step)
		p.paced = p.delay == p.obs.PollInterval && p.rp.Status.State != v1alpha1.StateDeploying
	}
	switch {
	case p.cause == nil:
		r.failureBackoff().Forget(request)
	case p.onlyWatches():
		r.failureBackoff().Forget(request)
		p.delay, p.paced = p.conn.PollInterval(), true
	default:
		p.delay = r.retryDelay(p, request)
		ctrl.LoggerFrom(ctx).V(1).Info("Pass failed", "cause", p.cause.Error(), "requeueAfter", p.delay.String())
	}
}

// retryDelay is how soon a failed pass is tried again: when calls are let through again if that is known, else by
// backoff.
func (r *ReleasePackageReconciler) retryDelay(p *pass, request ctrl.Request) time.Duration {
	if busy, ok := errors.AsType[*workspace.BusyError](p.cause); ok {
		return busy.After
	}
	delay := r.failureBackoff().When(request)
	if p.conn == nil {
		return delay
	}
	held := p.conn.RetryAfter() // It may end at any moment, so it is asked for once.
	if held <= 0 {
		return delay
	}
	kind := dataarts.KindOf(p.cause)
	if kind == dataarts.Throttled {
		return held // A corrected Secret does not change that.
	}
	held = min(held, secretRecheck)
	if kind == dataarts.Unauthorized {
		return held
	}
	return max(delay, held) // Nobody knows how long the service is away.
}

// onlyWatches reports whether the object has nothing to do but to be watched, and only a shared look failed.
func (p *pass) onlyWatches() bool {
	return p.shared && !lifecycle.RequiredFreshness(p.rp).Required
}

// worthTelling is how far off the next try has to be for its time to be worth a write.
const worthTelling = 10 * time.Second

// nextAttempt is when a failed pass is tried again; zero if nothing failed, or if it is tried again too soon to tell.
func (p *pass) nextAttempt() time.Time {
	if p.cause == nil || p.onlyWatches() || p.delay < worthTelling {
		return time.Time{}
	}
	return p.planned.Add(p.delay)
}

// requeue says when the next pass is made. An object whose package shared looks watch is woken by them; every other
// object is requeued after a time.
func (r *ReleasePackageReconciler) requeue(p *pass, step lifecycle.Step) ctrl.Result {
	after := r.subscribeOrWait(p, step)
	if step.Action != lifecycle.RemoveFinalizer {
		left, bounded := lifecycle.DeletionTimeLeft(p.rp, r.Clock.Now())
		overdue := left <= 0 && p.watched // The look that is about to be made wakes the object.
		if bounded && !overdue {
			after = sooner(after, max(left, minDelay))
		}
	}
	after = sooner(after, lifecycle.UntilLateSearch(p.rp, r.Clock.Now()))
	result := ctrl.Result{RequeueAfter: after}
	if after > 0 {
		result.Priority = &background
	}
	return result
}

// subscribeOrWait subscribes the object to shared looks if one of them comes next. Otherwise it returns how long to
// wait, or zero if no pass is due.
func (r *ReleasePackageReconciler) subscribeOrWait(p *pass, step lifecycle.Step) time.Duration {
	ownCallFailed := p.cause != nil && !p.shared && p.rp.Status.ReleasePackageID != ""
	switch {
	case ownCallFailed: // The next pass makes the call again.
	case p.delay > 0 && p.watchable(step):
		if p.watched = r.Workspaces.Poller().Subscribe(p.conn, p.subscription()); p.watched {
			return 0
		}
		return conflictDelay // The workspace object has come to lead elsewhere.
	default:
		r.Workspaces.Poller().Unsubscribe(client.ObjectKeyFromObject(p.rp))
	}
	if p.delay > 0 {
		return jitter(p.delay)
	}
	return 0
}

// sooner is the shorter of two delays. Zero means that there is none.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}

// watchable reports whether the next thing to do is a shared look at the recorded package.
func (p *pass) watchable(step lifecycle.Step) bool {
	pinned := p.rp.Status.Workspace
	return p.conn != nil && step.Action != lifecycle.RemoveFinalizer && !lifecycle.Forced(p.rp) &&
		pinned != nil && *pinned == p.conn.Target() &&
		p.rp.Status.ReleasePackageID != "" && lifecycle.Needs(p.rp) == lifecycle.NeedPackage
}

// subscription is what to look for on behalf of this object.
func (p *pass) subscription() poll.Subscription {
	rp, st := p.rp, &p.rp.Status
	s := poll.Subscription{
		Object:      client.ObjectKeyFromObject(rp),
		Workspace:   client.ObjectKey{Namespace: rp.Namespace, Name: rp.Spec.WorkspaceRef.Name},
		ForDeletion: !rp.DeletionTimestamp.IsZero(),
		ID:          st.ReleasePackageID,
		Name:        st.PackageName,
		After:       p.delay,
		Paced:       p.paced,
		LastKnown:   remoteStateOf(st.State),
		Required:    lifecycle.RequiredFreshness(rp).Required,
		Observed:    p.looked,
	}
	if p.shared {
		s.LastError = p.cause.Error()
	}
	named := p.packed || p.adopted
	if named && st.State == v1alpha1.StatePendingReview { // The service has just said so.
		s.Observed = &poll.Observation{Began: p.obs.Now, Assumed: true}
	}
	return s
}

// remoteStateOf is what looks show as long as a package is in a state.
func remoteStateOf(state v1alpha1.PackageState) poll.RemoteState {
	switch state {
	case v1alpha1.StatePendingReview:
		return poll.RemoteState{Status: dataarts.StatusPendingReview}
	case v1alpha1.StateDeploying:
		return poll.RemoteState{Status: dataarts.StatusDeploying}
	case v1alpha1.StateDeployed:
		return poll.RemoteState{Status: dataarts.StatusDeployed}
	case v1alpha1.StateDeployFailed:
		return poll.RemoteState{Status: dataarts.StatusDeployFailed}
	case v1alpha1.StateWithdrawn:
		return poll.RemoteState{Deleted: true}
	case v1alpha1.StateUnknown:
	}
	return poll.RemoteState{}
}

// minDelay keeps a deadline that is just over from being rounded to no delay at all.
const minDelay = time.Millisecond

func (r *ReleasePackageReconciler) failureBackoff() workqueue.TypedRateLimiter[reconcile.Request] {
	r.once.Do(func() { r.failures = newBackoff() })
	return r.failures
}

// newBackoff counts failures at the service. The queue's own backoff cannot serve for them, as a pass without an error
// resets it.
func newBackoff() workqueue.TypedRateLimiter[reconcile.Request] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](minBackoff, maxBackoff)
}

// jitter lengthens a delay by up to a tenth, so that objects which failed together are not tried again together.
func jitter(d time.Duration) time.Duration {
	return d + rand.N(d/10+1) //nolint:gosec // No secret depends on it.
}
