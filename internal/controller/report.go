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
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
	"github.com/dataarts-operator/dataarts-operator/internal/workspace"
)

// recordBackoff is how the outcome of a request to pack is written: for about half a minute, whatever the API server
// says.
var recordBackoff = wait.Backoff{Duration: 50 * time.Millisecond, Factor: 2, Jitter: 0.1, Steps: 10,
	Cap: 15 * time.Second}

// errSuperseded means that an attempt was given up by someone else before its outcome was recorded.
var errSuperseded = errors.New("the attempt was superseded before its outcome was recorded")

// report makes known what came of the pass: conditions, status, events, and when to come back.
func (r *ReleasePackageReconciler) report(ctx context.Context, p *pass, step lifecycle.Step) (ctrl.Result, error) {
	r.planRequeue(ctx, p, step)
	if step.Action == lifecycle.RemoveFinalizer {
		return r.reportFinalized(ctx, p, step)
	}
	if err := r.record(ctx, p, step); err != nil {
		if p.packed && p.rp.Status.ReleasePackageID != "" && errors.Is(err, errSuperseded) {
			r.publish(ctx, p, r.withdrawOrphan(context.WithoutCancel(ctx), p))
		}
		return ctrl.Result{}, err
	}
	r.publish(ctx, p, p.worthTelling(lifecycle.Events(p.first, p.rp))...)
	r.publish(ctx, p, step.Event)
	return r.requeue(p, step), nil
}

// reportFinalized makes known that the object was let go, on the object too if others keep it.
func (r *ReleasePackageReconciler) reportFinalized(ctx context.Context, p *pass,
	step lifecycle.Step) (ctrl.Result, error) {
	r.publish(ctx, p, step.Event)
	if step.Event.Reason == v1alpha1.EventOrphaned {
		orphanedPackages.Inc()
	}
	if len(p.rp.Finalizers) > 0 {
		if err := r.record(ctx, p, lifecycle.AwaitOtherFinalizers(p.rp)); err != nil {
			return ctrl.Result{}, err
		}
	}
	return r.requeue(p, step), nil
}

// withdrawOrphan withdraws the package that this pass has packed and could not record, as the object is gone or has
// gone on without it. While the object's outcome is open elsewhere, or it has come to know of this package, that is
// left to whoever is at it. What it returns is all that is left of the package besides the log.
func (r *ReleasePackageReconciler) withdrawOrphan(ctx context.Context, p *pass) lifecycle.Event {
	id := p.rp.Status.ReleasePackageID
	told := lifecycle.Event{Reason: v1alpha1.ReasonAmbiguousPackage, Warning: true, Message: fmt.Sprintf(
		"Package %s was packed by an attempt that had been given up meanwhile; if status.releasePackageId does not name "+
			"it, withdraw it in the console", id)}
	live := &v1alpha1.ReleasePackage{}
	err := r.Live.Get(ctx, client.ObjectKeyFromObject(p.rp), live)
	switch abandoned := apierrors.IsNotFound(err) || err == nil && live.UID != p.rp.UID; {
	case p.rp.Spec.DeletionPolicy == v1alpha1.DeletionRetain, err != nil && !abandoned:
		return told
	case !abandoned && (live.Status.ReleasePackageID == "" || live.Status.ReleasePackageID == id):
		return told
	}
	if !withdraw(ctx, p.conn, id) {
		return told
	}
	return lifecycle.Event{Reason: v1alpha1.EventUnpacked, Message: fmt.Sprintf(
		"Withdrew package %s, which was packed by an attempt that had been given up meanwhile", id)}
}

// withdraw withdraws a package that no later pass looks after, and reports whether that succeeded.
func withdraw(ctx context.Context, conn *workspace.Connection, id string) bool {
	err := conn.Unpack(ctx, id)
	if errors.Is(err, workspace.ErrUnpackShared) {
		if detail, err := conn.Look(ctx, id); err == nil && detail.Deleted {
			return true
		}
		err = conn.Unpack(ctx, id)
	}
	return err == nil
}

// record computes the conditions and writes the status, if it changed.
func (r *ReleasePackageReconciler) record(ctx context.Context, p *pass, step lifecycle.Step) error {
	if p.cause == nil && step.Reason != v1alpha1.ReasonSuspended {
		lifecycle.MarkHandled(p.rp)
	}
	lifecycle.Summarize(p.rp, step, r.Clock.Now())
	p.recordNextAttempt()
	if p.packed {
		return r.recordOutcome(context.WithoutCancel(ctx), p)
	}
	return client.IgnoreNotFound(r.patchStatus(ctx, p))
}

// recordNextAttempt brings the time of the next try up to date, unless nothing else has changed: thousands of
// packages that are tried again and again are not worth a write each time.
func (p *pass) recordNextAttempt() {
	at := p.nextAttempt()
	p.rp.Status.NextAttemptTime = p.before.Status.NextAttemptTime
	if at.IsZero() && p.cause == nil || !equality.Semantic.DeepEqual(p.before.Status, p.rp.Status) {
		lifecycle.RecordNextAttempt(p.rp, at)
	}
}

// worthTelling leaves out what is no news about this package, as the event about its workspace tells of it for all.
func (p *pass) worthTelling(all []lifecycle.Event) []lifecycle.Event {
	if p.obs.Problem == nil || !p.shared && !ofWorkspace(p.cause) {
		return all
	}
	return slices.DeleteFunc(all, func(e lifecycle.Event) bool { return e.Warning && e.Reason == p.obs.Problem.Reason })
}

// patchStatus writes the status, on condition that nobody wrote the object since it was read.
func (r *ReleasePackageReconciler) patchStatus(ctx context.Context, p *pass) error {
	if equality.Semantic.DeepEqual(p.before.Status, p.rp.Status) {
		return nil
	}
	unchanged := client.MergeFromWithOptions(p.before, client.MergeFromWithOptimisticLock{})
	if err := r.Status().Patch(ctx, p.rp, unchanged); err != nil {
		return err
	}
	p.before = p.rp.DeepCopy()
	return nil
}

// recordOutcome writes what came of the attempt, again and again: what it writes nobody else knows. A user's edit in
// between does not stop it; another attempt does. Should it fail, the attempt stays open, and the next pass looks for
// the package.
func (r *ReleasePackageReconciler) recordOutcome(ctx context.Context, p *pass) error {
	var last error
	err := wait.ExponentialBackoffWithContext(ctx, recordBackoff, func(ctx context.Context) (bool, error) {
		last = r.patchStatus(ctx, p)
		switch {
		case last == nil:
			return true, nil
		case apierrors.IsNotFound(last):
			return false, errSuperseded
		case apierrors.IsConflict(last):
			return false, r.rebase(ctx, p)
		}
		return false, nil
	})
	if err == nil {
		return nil
	}
	if wait.Interrupted(err) {
		err = last
	}
	ctrl.LoggerFrom(ctx).Error(err, "Recording the outcome of an attempt failed", "attempt", p.rp.Status.Attempt.Number,
		"outcome", p.rp.Status.Attempt.Outcome, "packageName", p.rp.Status.Attempt.PackageName, "releasePackageId",
		p.rp.Status.ReleasePackageID)
	return fmt.Errorf("recording the outcome of attempt %d: %w", p.rp.Status.Attempt.Number, err)
}

// rebase puts this pass's status on the latest version of the object, as long as its attempt is the one that is open
// there.
func (r *ReleasePackageReconciler) rebase(ctx context.Context, p *pass) error {
	live := &v1alpha1.ReleasePackage{}
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(p.rp), live); err != nil {
		if apierrors.IsNotFound(err) {
			return errSuperseded
		}
		return nil // The next try finds out whether the API server is back.
	}
	ours, theirs := p.rp.Status.Attempt, live.Status.Attempt
	if live.UID == p.rp.UID && equality.Semantic.DeepEqual(live.Status, p.rp.Status) {
		p.before, p.rp = live.DeepCopy(), live // The write was done, and its answer lost.
		return nil
	}
	if live.UID != p.rp.UID || !lifecycle.AttemptOpen(live) || theirs.Number != ours.Number {
		return errSuperseded
	}
	p.before = live.DeepCopy()
	live.Status = p.rp.Status
	live.Status.ObservedGeneration = p.rp.Generation
	p.rp = live
	return nil
}

// publish tells of changes, as events for users and as log lines for the platform team.
func (r *ReleasePackageReconciler) publish(ctx context.Context, p *pass, all ...lifecycle.Event) {
	ctx = ctrl.LoggerInto(ctx, ctrl.LoggerFrom(ctx).WithValues(
		"workspace", p.rp.Spec.WorkspaceRef.Name, "releasePackageId", p.rp.Status.ReleasePackageID))
	for _, e := range all {
		if e.Reason != "" {
			tell(ctx, r.Events, p.rp, e)
		}
	}
}

// tell publishes one event about an object and logs it.
func tell(ctx context.Context, recorder events.EventRecorder, about client.Object, e lifecycle.Event) {
	kind := corev1.EventTypeNormal
	if e.Warning {
		kind = corev1.EventTypeWarning
	}
	recorder.Eventf(about, nil, kind, e.Reason, "Reconcile", "%s", note(e.Message))
	ctrl.LoggerFrom(ctx).Info(e.Reason, "message", e.Message)
}

// maxNote is how long the API server lets the text of an event be, in bytes.
const maxNote = 1024

func note(message string) string {
	if len(message) <= maxNote {
		return message
	}
	return strings.ToValidUTF8(message[:maxNote], "")
}
