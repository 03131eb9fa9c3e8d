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

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
	"github.com/dataarts-operator/dataarts-operator/internal/workspace"
)

// pack records an attempt, sends it, and takes down its outcome. Nothing that can fail stands between the answer and
// the record of it, which report makes. The budget is waited for before, so that the request leaves right after the
// attempt is recorded.
func (r *ReleasePackageReconciler) pack(ctx context.Context, p *pass) (lifecycle.Step, error) {
	if err := p.conn.AcquirePack(ctx, p.rp.CreationTimestamp.Time); err != nil {
		return r.packDeferred(p, err)
	}
	// The pending list may have taken its time, and what another has recorded meanwhile is known by now.
	claims := lifecycle.RequiredClaims(p.rp, lifecycle.Step{Action: lifecycle.Pack})
	if instead, err := r.reserve(ctx, p, claims); instead != nil || err != nil {
		p.conn.ReleasePack()
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
		p.conn.ReleasePack()
		return lifecycle.Step{}, err
	}

	// A process that is told to stop finishes this call. One that was frozen for long does not begin it: whoever took
	// over may have concluded by then that this attempt made nothing.
	ctx = context.WithoutCancel(ctx)
	p.packed = true
	if r.Clock.Since(p.rp.Status.Attempt.StartTime.Time)+p.conn.Timeout() > r.SettleTime {
		p.conn.ReleasePack()
		lifecycle.RecordPackAnswer(p.rp, lifecycle.HeldUp(), r.Clock.Now())
		return lifecycle.AfterHeldUp(p.rp), nil
	}
	content := lifecycle.Request(p.rp)
	id, err := p.conn.Pack(ctx, dataarts.PackRequest{
		PackageName:    content.PackageName,
		ApplyUserID:    content.ApplyUserID,
		PendingItemIDs: content.PendingItemIDs,
		ApproverIDs:    content.ApproverIDs,
	})
	answer := answerFrom(err)
	answer.PackageID = id
	lifecycle.RecordPackAnswer(p.rp, answer, r.Clock.Now())
	if err == nil {
		lifecycle.RecordItems(p.rp, p.pending, p.first.Status.Items)
	}
	return p.after(lifecycle.AfterPack(p.rp, p.obs, answer), err)
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

// errStale means that the cache lags behind the API server.
var errStale = errors.New("the object has changed since it was read")

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
