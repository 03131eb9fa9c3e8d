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
	"github.com/dataarts-operator/dataarts-operator/internal/workspace"
)

// secretRecheck is how soon a pass comes back that calls are held back from. It makes none, but finds a corrected Secret.
const secretRecheck = 30 * time.Second

// await ends a pass that waits for a look. It is worth a word only if the object has changed since its conditions were written, unless its time is over:
// that its deletion is not on record yet then lets the package be withdrawn, for once.
func (r *ReleasePackageReconciler) await(ctx context.Context, p *pass) (ctrl.Result, error) {
	step := lifecycle.AwaitLook(p.rp)
	left, bounded := lifecycle.DeletionTimeLeft(p.rp, r.Clock.Now())
	if overdue := bounded && left <= 0; !overdue && !lifecycle.ConditionsCurrent(p.rp) {
		return r.report(ctx, p, step)
	}
	r.plan(ctx, p, step)
	return r.comeBack(p, step), nil
}

// plan says how long it is until the next pass or look. Trouble at the service backs off for each object; it is told of by conditions and events, so it
// is no error of the reconciler, whose errors are left for trouble with the API server.
func (r *ReleasePackageReconciler) plan(ctx context.Context, p *pass, step lifecycle.Step) {
	request := ctrl.Request{NamespacedName: client.ObjectKeyFromObject(p.rp)}
	p.delay, p.planned = step.After, r.Clock.Now()
	if p.watchable(step) {
		p.delay = lifecycle.LookAfter(p.rp, step)
	}
	switch {
	case p.cause == nil:
		r.backoff().Forget(request)
	case p.onlyWatches():
		r.backoff().Forget(request)
		p.delay = p.conn.PollInterval()
	default:
		p.delay = r.delayAfter(p, request)
		ctrl.LoggerFrom(ctx).V(1).Info("Pass is hindered", "cause", p.cause.Error(), "comesBackAfter", p.delay.String())
	}
}

// delayAfter is when to try again what was hindered: when calls are let through again as far as that is known, else by backoff.
func (r *ReleasePackageReconciler) delayAfter(p *pass, request ctrl.Request) time.Duration {
	if busy, ok := errors.AsType[*workspace.BusyError](p.cause); ok {
		return busy.After
	}
	delay := r.backoff().When(request)
	if p.conn == nil {
		return delay
	}
	held := p.conn.RetryAfter() // Asked for once: it may end at any moment.
	if held <= 0 {
		return delay
	}
	kind := dataarts.KindOf(p.cause)
	if kind == dataarts.Throttled {
		return held // No Secret that is corrected changes that, and the time that is told is that of the next try.
	}
	held = min(held, secretRecheck)
	if kind == dataarts.Unauthorized {
		return held
	}
	return max(delay, held) // The service is away, for who knows how long.
}

// onlyWatches reports whether nothing but a look that others share keeps this object from knowing that all is well.
func (p *pass) onlyWatches() bool {
	return p.shared && !lifecycle.RequiredFreshness(p.rp).Required
}

// worthTelling is how far off the next try has to be for its time to be worth a write.
const worthTelling = 10 * time.Second

// nextAttempt is when a hindered pass is tried again; zero if it is not hindered, or tried again so soon that nobody would look.
func (p *pass) nextAttempt() time.Time {
	if p.cause == nil || p.onlyWatches() || p.delay < worthTelling {
		return time.Time{}
	}
	return p.planned.Add(p.delay)
}

// comeBack sees to it that the next pass is made. A package that is looked at together with others wakes its object; everyone else comes back by
// the clock.
func (r *ReleasePackageReconciler) comeBack(p *pass, step lifecycle.Step) ctrl.Result {
	after := r.watchOrWait(p, step)
	if step.Action != lifecycle.RemoveFinalizer {
		left, bounded := lifecycle.DeletionTimeLeft(p.rp, r.Clock.Now())
		overdue := left <= 0 && p.watched // The look decides, and is about to be made.
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

// watchOrWait leaves a watch if a look that others share is what comes next, or says how long to wait; zero if there is no need to.
func (r *ReleasePackageReconciler) watchOrWait(p *pass, step lifecycle.Step) time.Duration {
	ownCallFailed := p.cause != nil && !p.shared && p.rp.Status.ReleasePackageID != ""
	switch {
	case ownCallFailed: // It is made again.
	case p.delay > 0 && p.watchable(step):
		if p.watched = r.Workspaces.Watch(p.conn, p.watch()); p.watched {
			return 0
		}
		return conflictDelay // The workspace object has come to lead elsewhere.
	default:
		r.Workspaces.Unwatch(client.ObjectKeyFromObject(p.rp))
	}
	if p.delay > 0 {
		return jitter(p.delay)
	}
	return 0
}

// sooner is the shorter of two delays; one that is zero is none.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}

// watchable reports whether the next thing to do is a look at the recorded package that others may share.
func (p *pass) watchable(step lifecycle.Step) bool {
	pinned := p.rp.Status.Workspace
	return p.conn != nil && step.Action != lifecycle.RemoveFinalizer && !lifecycle.Forced(p.rp) && pinned != nil && *pinned == p.conn.Target() &&
		p.rp.Status.ReleasePackageID != "" && lifecycle.Needs(p.rp) == lifecycle.NeedPackage
}

// watch is what to look for on behalf of this object.
func (p *pass) watch() workspace.Watch {
	rp, st := p.rp, &p.rp.Status
	w := workspace.Watch{
		Object:    client.ObjectKeyFromObject(rp),
		Workspace: client.ObjectKey{Namespace: rp.Namespace, Name: rp.Spec.WorkspaceRef.Name},
		ToUnpack:  !rp.DeletionTimestamp.IsZero(),
		ID:        st.ReleasePackageID,
		Name:      st.PackageName,
		After:     p.delay,
		Known:     outlookOf(st.State),
		Awaited:   lifecycle.RequiredFreshness(rp).Required,
		Seen:      p.looked,
	}
	if p.shared {
		w.Trouble = p.cause.Error()
	}
	named := p.packed || p.adopted
	if named && st.State == v1alpha1.StatePendingReview { // The service has just said so.
		w.Seen = &workspace.View{Began: p.obs.Now}
	}
	return w
}

// outlookOf is what looks show as long as a package is in a state.
func outlookOf(state v1alpha1.PackageState) workspace.Outlook {
	switch state {
	case v1alpha1.StatePendingReview:
		return workspace.Outlook{Status: dataarts.StatusPendingReview}
	case v1alpha1.StateDeploying:
		return workspace.Outlook{Status: dataarts.StatusDeploying}
	case v1alpha1.StateDeployed:
		return workspace.Outlook{Status: dataarts.StatusDeployed}
	case v1alpha1.StateDeployFailed:
		return workspace.Outlook{Status: dataarts.StatusDeployFailed}
	case v1alpha1.StateWithdrawn:
		return workspace.Outlook{Deleted: true}
	case v1alpha1.StateUnknown:
	}
	return workspace.Outlook{}
}

// minDelay keeps a deadline that is just over from being rounded to no delay at all.
const minDelay = time.Millisecond

func (r *ReleasePackageReconciler) backoff() workqueue.TypedRateLimiter[reconcile.Request] {
	r.once.Do(func() { r.failures = newBackoff() })
	return r.failures
}

// newBackoff counts failures of its own. The queue's cannot serve for trouble at the service too: a pass without an error resets it.
func newBackoff() workqueue.TypedRateLimiter[reconcile.Request] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstRetry, lastRetry)
}

// jitter spreads what came together over a tenth of the time. It never comes early.
func jitter(d time.Duration) time.Duration {
	return d + rand.N(d/10+1) //nolint:gosec // No secret depends on it.
}
