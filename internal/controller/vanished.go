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
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

const (
	// vanishedController names the part that clears up after objects which went without our finalizer.
	vanishedController = "releasepackage-vanished"
	// vanishedWorkers is how many of them are seen to at the same time: it is to happen never, and then a whole
	// namespace at once.
	vanishedWorkers = 10
	// tellVanishedAfter is how long a package may be left before that is told, while the operator goes on trying.
	tellVanishedAfter = 5 * time.Minute
)

// vanished are the objects that went without our finalizer while they may have had a package to withdraw. There is no
// object any more to keep a record in, so this process remembers them; what it forgets when it ends, nobody knows.
// The zero value is ready for use.
type vanished struct {
	mu   sync.Mutex
	left map[types.UID]*remains
}

// remains are what is left of one object.
type remains struct {
	// rp is the object as if it were being deleted, with what was found out since.
	rp *v1alpha1.ReleasePackage
	// unsure tells that someone may have let the package go on purpose, so that it is told of and not withdrawn.
	unsure bool
	// sent and told say that a request to withdraw was sent, and that the package may stay.
	sent, told bool
	// helpless says that it was told and cannot be tried again for want of a connection, so that nobody need wait for it.
	helpless bool
	noticed  time.Time
}

// note takes down an object that is gone, if it has left something behind.
func (v *vanished) note(rp *v1alpha1.ReleasePackage, unseen bool, now time.Time) bool {
	if !lifecycle.LeftBehind(rp, now) {
		return false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.left == nil {
		v.left = map[types.UID]*remains{}
	}
	kept := lifecycle.AsDeleted(rp, now)
	v.left[rp.UID] = &remains{rp: kept, noticed: now, unsure: unseen && len(rp.Finalizers) == len(kept.Finalizers)}
	return true
}

// of returns a copy of what is left of an object.
func (v *vanished) of(uid types.UID) (remains, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	left := v.left[uid]
	if left == nil {
		return remains{}, false
	}
	return *left, true
}

// keep takes down what was found out, and forget ends it.
func (v *vanished) keep(left remains) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.left[left.rp.UID] = &left
}

func (v *vanished) forget(uid types.UID) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.left, uid)
}

// holder is an object other than the given one that has left something which is claimed, nil if there is none.
func (v *vanished) holder(uid types.UID, place v1alpha1.PinnedWorkspace,
	claims ...lifecycle.Claim) *v1alpha1.ReleasePackage {
	v.mu.Lock()
	defer v.mu.Unlock()
	for id, left := range v.left {
		if at := left.rp.Status.Workspace; id == uid || left.helpless || at == nil || *at != place {
			continue
		}
		if slices.ContainsFunc(lifecycle.Claims(left.rp),
			func(has lifecycle.Claim) bool { return slices.Contains(claims, has) }) {
			return left.rp
		}
	}
	return nil
}

// HasRemains reports whether an object that used a workspace object has left something to withdraw, for which its
// connection is needed.
func (r *ReleasePackageReconciler) HasRemains(ws types.NamespacedName) bool {
	r.vanished.mu.Lock()
	defer r.vanished.mu.Unlock()
	for _, left := range r.vanished.left {
		if left.rp.Namespace == ws.Namespace && left.rp.Spec.WorkspaceRef.Name == ws.Name {
			return true
		}
	}
	return false
}

// setUpVanished lets deletions through that our finalizer did not hold back.
func (r *ReleasePackageReconciler) setUpVanished(mgr ctrl.Manager) error {
	type requests = workqueue.TypedRateLimitingInterface[types.UID]
	note := func(rp *v1alpha1.ReleasePackage, unseen bool, queue requests) {
		if r.Vanished(rp, unseen) {
			queue.Add(rp.UID)
		}
	}
	noted := handler.TypedFuncs[*v1alpha1.ReleasePackage, types.UID]{
		DeleteFunc: func(_ context.Context, e event.TypedDeleteEvent[*v1alpha1.ReleasePackage], queue requests) {
			note(e.Object, e.DeleteStateUnknown, queue)
		},
		// One was deleted, and another made under its name, while the watch was interrupted.
		UpdateFunc: func(_ context.Context, e event.TypedUpdateEvent[*v1alpha1.ReleasePackage], queue requests) {
			if e.ObjectOld.UID != e.ObjectNew.UID {
				note(e.ObjectOld, true, queue)
			}
		},
	}
	return builder.TypedControllerManagedBy[types.UID](mgr).
		Named(vanishedController).
		WatchesRawSource(source.TypedKind(mgr.GetCache(), &v1alpha1.ReleasePackage{}, noted)).
		WithOptions(controller.TypedOptions[types.UID]{MaxConcurrentReconciles: vanishedWorkers}).
		Complete(reconcile.TypedFunc[types.UID](r.ClearUp))
}

// Vanished takes down the last state of an object that is gone, and reports whether ClearUp has something to do for
// it. unseen tells that this state may not be its last.
func (r *ReleasePackageReconciler) Vanished(rp *v1alpha1.ReleasePackage, unseen bool) bool {
	if rp.Spec.DeletionPolicy == v1alpha1.DeletionRetain {
		r.reserved.leave(rp.UID) // Its package stays, for whoever asks for the same.
	}
	return r.vanished.note(rp, unseen, r.Clock.Now())
}

// ClearUp makes one pass for an object that is gone, like those that a deletion makes, with nothing to write but
// events.
func (r *ReleasePackageReconciler) ClearUp(ctx context.Context, uid types.UID) (ctrl.Result, error) {
	left, ok := r.vanished.of(uid)
	if !ok {
		return ctrl.Result{}, nil
	}
	// The request has a UID alone.
	ctx = ctrl.LoggerInto(ctx, ctrl.LoggerFrom(ctx).WithValues("namespace", left.rp.Namespace, "name", left.rp.Name))
	p := newPass(ctx, left.rp.DeepCopy())
	p.vanished = true
	if err := r.observe(ctx, p); err != nil {
		return ignoreTransient(ctx, err)
	}
	step := lifecycle.Decide(p.rp, p.obs)
	lifecycle.RecordObservation(p.rp, p.obs)
	defer func() { // What was withdrawn may still be shown for a while.
		has := lifecycle.PackageClaim(p.rp.Status.ReleasePackageID)
		r.reserved.settle(uid, r.Clock.Now(), func(claim lifecycle.Claim) bool { return claim == has })
	}()
	step, err := r.actOnRemains(ctx, p, &left, step)
	if err != nil {
		return ignoreTransient(ctx, err)
	}
	left.rp = p.rp
	if step.Action == lifecycle.RemoveFinalizer {
		if left.sent {
			r.publish(ctx, p, lifecycle.WithdrawnLeft(p.rp))
		}
		r.failureBackoff().Forget(requestOfRemains(p.rp))
		r.vanished.forget(uid)
		return ctrl.Result{}, nil
	}
	r.tellOfRemains(ctx, p, &left, step)
	left.helpless = left.told && p.conn == nil
	r.vanished.keep(left)
	delay := lifecycle.VanishedDelay(step, p.obs.Now.Sub(left.noticed))
	if p.cause != nil {
		delay = r.retryDelay(p, requestOfRemains(p.rp))
	}
	return ctrl.Result{RequeueAfter: jitter(max(delay, minDelay))}, nil
}

// actOnRemains does the step. What another object has, or asks for by its id, is that object's.
func (r *ReleasePackageReconciler) actOnRemains(ctx context.Context, p *pass, left *remains,
	step lifecycle.Step) (lifecycle.Step, error) {
	done := lifecycle.Step{Action: lifecycle.RemoveFinalizer}
	switch step.Action {
	case lifecycle.Adopt:
		lifecycle.RecordAdopted(p.rp, step.Package, p.conn.Target(), p.obs.Now)
	case lifecycle.CloseAttempt:
		lifecycle.RecordNotPacked(p.rp, v1alpha1.OutcomeNotFound, "")
	case lifecycle.Unpack:
		claim := lifecycle.PackageClaim(p.rp.Status.ReleasePackageID)
		others, err := r.claimants(ctx, p, claim)
		switch {
		case err != nil:
			return step, err
		case len(others) > 0:
			left.sent = false // It is not ours to tell of.
			return done, nil
		case !r.reserved.take(p.rp.UID, p.conn.Target(), []lifecycle.Claim{claim}, p.obs.Now):
			return lifecycle.AwaitReservation(p.rp, p.obs.Now), nil
		}
		if left.unsure {
			r.orphan(ctx, p, left, "it may have been let go on purpose while the operator did not watch")
			return done, nil
		}
		left.sent = true
		return r.unpack(ctx, p, step)
	case lifecycle.Wait, lifecycle.AddFinalizer, lifecycle.Pack, lifecycle.RemoveFinalizer, lifecycle.Stall:
	}
	return step, nil
}

// tellOfRemains tells, once, of what is not withdrawn and may stay.
func (r *ReleasePackageReconciler) tellOfRemains(ctx context.Context, p *pass, left *remains, step lifecycle.Step) {
	late := p.obs.Now.Sub(left.noticed) > tellVanishedAfter && step.Message != ""
	if step.Action == lifecycle.Stall || late {
		r.orphan(ctx, p, left, step.Message)
	}
}

func (r *ReleasePackageReconciler) orphan(ctx context.Context, p *pass, left *remains, why string) {
	if left.told {
		return
	}
	left.told = true
	r.publish(ctx, p, lifecycle.OrphanLeft(p.rp, why))
	orphanedPackages.Inc()
}

// requestOfRemains is what trouble backs off by: apart from that of another object of the same name.
func requestOfRemains(rp *v1alpha1.ReleasePackage) ctrl.Request {
	return ctrl.Request{NamespacedName: types.NamespacedName{Namespace: rp.Namespace, Name: rp.Name + "/" +
		string(rp.UID)}}
}
