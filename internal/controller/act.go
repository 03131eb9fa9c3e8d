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
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
	"github.com/dataarts-operator/dataarts-operator/internal/workspace"
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

// pack records an attempt, sends it, and takes down its outcome. Nothing that can fail stands between the answer and
// the record of it, which report makes. The budget is waited for before, so that the request leaves right after the
// attempt is recorded.
func (r *ReleasePackageReconciler) pack(ctx context.Context, p *pass) (lifecycle.Step, error) {
	if err := p.conn.Admit(ctx, p.rp.CreationTimestamp.Time); err != nil {
		return r.packDeferred(p, err)
	}
	// The pending list may have taken its time, and what another has recorded meanwhile is known by now.
	claims := lifecycle.RequiredClaims(p.rp, lifecycle.Step{Action: lifecycle.Pack})
	if instead, err := r.reserve(ctx, p, claims); instead != nil || err != nil {
		p.conn.Unadmit()
		return stepOr(instead, lifecycle.Step{}), err
	}
	previous, start := p.rp.Status.Attempt, r.Clock.Now()
	lifecycle.BeginAttempt(p.rp, p.conn.Target(), start)
	// While the same trouble lasts, its conditions stay as they are instead of flapping with each try.
	if previous == nil || previous.Outcome != v1alpha1.OutcomeNotDone {
		lifecycle.Summarize(p.rp, lifecycle.Step{Reason: v1alpha1.ReasonPacking,
			Message: fmt.Sprintf("Package %s is being packed", p.rp.Status.PackageName)}, start)
	}
	if err := r.recordAttempt(ctx, p); err != nil {
		p.conn.Unadmit()
		return lifecycle.Step{}, err
	}

	// A process that is told to stop finishes this call. One that was frozen for long does not begin it: whoever took
	// over may have concluded by then that this attempt made nothing.
	ctx = context.WithoutCancel(ctx)
	p.packed = true
	if r.Clock.Since(p.rp.Status.Attempt.StartTime.Time)+p.conn.Timeout() > r.SettleTime {
		p.conn.Unadmit()
		lifecycle.RecordNotPacked(p.rp, v1alpha1.OutcomeNotDone,
			"The operator was held up for so long that the request was not sent")
		return lifecycle.Step{Action: lifecycle.Wait, Reason: v1alpha1.ReasonPacking, Message: p.rp.Status.Attempt.Message,
			After: conflictDelay}, nil
	}
	content := lifecycle.Request(p.rp)
	id, err := p.conn.Pack(ctx, dataarts.PackRequest{
		PackageName:    content.PackageName,
		ApplyUserID:    content.ApplyUserID,
		PendingItemIDs: content.PendingItemIDs,
		ApproverIDs:    content.ApproverIDs,
	})
	if err != nil {
		return p.notPacked(err)
	}
	lifecycle.RecordPacked(p.rp, id, r.Clock.Now())
	lifecycle.RecordItems(p.rp, p.pending, p.first.Status.Items)
	return lifecycle.Step{Action: lifecycle.Wait, After: p.conn.PollInterval(), Event: lifecycle.Event{
		Reason: v1alpha1.EventPacked, Message: fmt.Sprintf("Packed %s as package %s", content.PackageName, id)}}, nil
}

// recordTime is how long the record of an attempt may take.
const recordTime = 10 * time.Second

// recordAttempt writes the open attempt, unless the process is told to stop. Once it has begun, that stops neither
// the write nor the request: a write that is broken off may be done all the same, and then the next process looks for
// a package that nobody asked for.
func (r *ReleasePackageReconciler) recordAttempt(ctx context.Context, p *pass) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	return r.patchStatus(ctx, p)
}

// maxSilentWait is how long a package waits for its turn without that being told.
const maxSilentWait = 2 * time.Minute

// packDeferred is about a package that is not packed now. One that comes back soon for its turn writes nothing,
// unless its conditions tell of trouble that is over.
func (r *ReleasePackageReconciler) packDeferred(p *pass, err error) (lifecycle.Step, error) {
	if busy, ok := errors.AsType[*workspace.BusyError](err); !ok || busy.After > maxSilentWait {
		return p.blockedBy(err)
	}
	if !lifecycle.TellsOfTrouble(p.rp) {
		return lifecycle.Step{}, err
	}
	p.cause = err
	return lifecycle.Step{Action: lifecycle.Wait, Reason: v1alpha1.ReasonPacking,
		Message: "The package is packed when its turn comes within the service's limit of calls"}, nil
}

// notPacked tells the three outcomes of a failed request apart: refused, provably without effect for another reason,
// and unknown.
func (p *pass) notPacked(err error) (lifecycle.Step, error) {
	switch dataarts.KindOf(err) {
	case dataarts.Refused:
		lifecycle.RecordNotPacked(p.rp, v1alpha1.OutcomeRefused, refusalFrom(err))
		return lifecycle.PackRefused(p.rp), nil
	case dataarts.Unauthorized, dataarts.Forbidden, dataarts.Throttled, dataarts.Unreachable:
		lifecycle.RecordNotPacked(p.rp, v1alpha1.OutcomeNotDone, err.Error())
		return p.blockedBy(err)
	case dataarts.Unknown, dataarts.NotFound, dataarts.AlreadyDeployed: // The last two are no answers to this request.
	}
	lifecycle.RecordOutcomeUnknown(p.rp, err.Error())
	return lifecycle.OutcomeUnknown(p.rp), nil
}

// checkUnchanged reads the object past the cache, and fails with a conflict if it has changed: an edit may have been
// taken back, or the policy switched to Retain. A request to pack needs no such check, as the record of its attempt has
// a precondition.
func (r *ReleasePackageReconciler) checkUnchanged(ctx context.Context, p *pass) error {
	live := &v1alpha1.ReleasePackage{}
	err := r.Live.Get(ctx, client.ObjectKeyFromObject(p.rp), live)
	if client.IgnoreNotFound(err) != nil {
		return err
	}
	if err != nil || live.ResourceVersion != p.before.ResourceVersion {
		return apierrors.NewConflict(v1alpha1.GroupVersion.WithResource("releasepackages").GroupResource(), p.rp.Name,
			errStale)
	}
	return nil
}

// beforeUnpack checks that the package is still to be withdrawn. Unless the object is being deleted, it records that
// the operator withdraws the package.
func (r *ReleasePackageReconciler) beforeUnpack(ctx context.Context, p *pass, step lifecycle.Step) error {
	if err := r.checkUnchanged(ctx, p); err != nil || !lifecycle.Replaces(step) {
		return err
	}
	lifecycle.BeginWithdrawal(p.rp)
	// The conditions wait for the outcome, so that they do not flap where it is the same each time.
	return r.patchStatus(ctx, p)
}

// errStale means that the cache lags behind the API server.
var errStale = errors.New("the object has changed since it was read")

// unpack withdraws the package. Only the next look says whether it is gone, so every answer that allows for that
// leads there.
func (r *ReleasePackageReconciler) unpack(ctx context.Context, p *pass, step lifecycle.Step) (lifecycle.Step, error) {
	err := p.conn.Unpack(ctx, p.rp.Status.ReleasePackageID)
	p.obs.Now = r.Clock.Now() // It may have waited for long.
	if err == nil {
		r.returned.note(p.rp, p.conn.Target(), p.obs.Now, r.SettleTime)
		return lifecycle.Unpacked(p.rp, p.obs, step), nil
	}
	step.Event = lifecycle.Event{} // As far as this answer tells, the call has withdrawn nothing.
	if errors.Is(err, workspace.ErrUnpackShared) {
		return lifecycle.LookSoon(step), nil
	}
	switch kind := dataarts.KindOf(err); {
	case kind == dataarts.AlreadyDeployed:
		return lifecycle.UnpackTooLate(p.rp, p.obs, step), nil
	case dataarts.MayDeny(err):
		return p.unpackDenied(ctx, step, err)
	}
	return p.blockedBy(err)
}

// unpackDenied finds out what a refusal to withdraw the package means. If a look showed the package before, another
// one is made: someone may have been faster.
func (p *pass) unpackDenied(ctx context.Context, step lifecycle.Step, refusal error) (lifecycle.Step, error) {
	notFound := dataarts.KindOf(refusal) == dataarts.NotFound
	unknown := lifecycle.UnpackUnknown(p.rp, p.obs, step, refusalFrom(refusal))
	if (!notFound || unknown.Action == lifecycle.Stall) && p.obs.Hidden == nil && !p.obs.Gone {
		if err := p.look(ctx); err != nil {
			return p.blockedBy(err)
		}
		lifecycle.RecordObservation(p.rp, p.obs)
	}
	switch {
	case notFound && (p.obs.Gone || p.obs.Hidden != nil):
		return lifecycle.NothingToUnpack(p.rp, p.obs, step), nil
	case p.obs.Gone, p.obs.Hidden != nil:
		items, err := p.whatItemsSay(ctx)
		if err != nil {
			return p.blockedBy(err)
		}
		return lifecycle.UnpackDenied(p.rp, p.obs, step, items, refusalFrom(refusal)), nil
	case lifecycle.Ended(p.rp):
		return step, nil
	case notFound:
		return unknown, nil
	case dataarts.KindOf(refusal) == dataarts.Unknown:
		return p.blockedBy(refusal)
	}
	return lifecycle.UnpackRefused(p.rp, refusalFrom(refusal)), nil
}

// whatItemsSay looks at the pending list for the items of a package that cannot be seen. The look is made now: the
// service does not check again what is concluded from it.
func (p *pass) whatItemsSay(ctx context.Context) (lifecycle.ItemsSay, error) {
	ids := lifecycle.ItemsOf(p.rp)
	listed, err := p.conn.PendingNow(ctx, ids)
	switch kind := dataarts.KindOf(err); {
	case err == nil && len(listed) > 0:
	case err == nil:
		if shows, err := p.conn.ShowsAny(ctx); err != nil || !shows {
			return lifecycle.ItemsUnknown, err
		}
	case kind == dataarts.Refused, kind == dataarts.Forbidden:
		return lifecycle.ItemsUnknown, nil
	default:
		return lifecycle.ItemsUnknown, err
	}
	return lifecycle.WhatItemsSay(ids, pendingFrom(listed, nil)), nil
}

// blockedBy is the step while an error is in the way.
func (p *pass) blockedBy(err error) (lifecycle.Step, error) {
	if err := p.setProblem(err); err != nil {
		return lifecycle.Step{}, err
	}
	return lifecycle.Blocked(p.rp, *p.obs.Problem), nil
}
