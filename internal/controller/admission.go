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

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
	"github.com/dataarts-operator/dataarts-operator/internal/workspace"
)

// admit returns the step, or another one where the step would take what another object claims, or where the service
// would refuse it.
func (r *ReleasePackageReconciler) admit(ctx context.Context, p *pass, step lifecycle.Step) (lifecycle.Step, error) {
	claims := lifecycle.RequiredClaims(p.rp, step)
	if step.Action == lifecycle.Unpack && p.obs.Package == nil {
		// That the package is not shown has to come from a service whose answers can be read.
		if err := p.conn.CheckAnswers(ctx); err != nil {
			return p.blockedBy(err)
		}
	}
	if len(claims) == 0 {
		return step, nil
	}
	if lifecycle.NeedsPreflight(step) && !lifecycle.TimeoutFits(p.conn.Timeout(), r.SettleTime) {
		return lifecycle.TimeoutTooLong(p.conn.Timeout(), r.SettleTime), nil
	}
	if instead, err := r.reserve(ctx, p, claims); instead != nil || err != nil {
		return stepOr(instead, step), err
	}
	if !lifecycle.NeedsPreflight(step) {
		return step, nil
	}
	return r.preflight(ctx, p, step)
}

// reserve reserves claims for the rest of this pass. Where another object goes first, it returns the step to take
// instead. It makes no call to the service.
func (r *ReleasePackageReconciler) reserve(
	ctx context.Context, p *pass, claims []lifecycle.Claim,
) (*lifecycle.Step, error) {
	if gone := r.vanished.holder(p.rp.UID, p.conn.Target(), claims...); gone != nil {
		return new(lifecycle.AwaitVanished(p.rp, gone, p.obs.Now)), nil
	}
	other, contested, err := r.conflict(ctx, p, claims)
	switch {
	case err != nil:
		return nil, err
	case other != nil:
		return new(lifecycle.AlreadyClaimed(p.rp, other, contested)), nil
	case !r.reserved.take(p.rp.UID, p.conn.Target(), claims, r.Clock.Now()):
		return new(lifecycle.AwaitReservation(p.rp, p.obs.Now)), nil
	}
	return nil, nil
}

// stepOr is the step to take instead, if there is one.
func stepOr(instead *lifecycle.Step, step lifecycle.Step) lifecycle.Step {
	if instead != nil {
		return *instead
	}
	return step
}

// preflight looks at the pending list before something is packed. If the connection or the service fails, it holds the
// step back: the request would fail too, and might be lost. If the service does not allow the look, or the list is too
// long, it does not: a request with bad items is refused and does no harm.
func (r *ReleasePackageReconciler) preflight(
	ctx context.Context, p *pass, step lifecycle.Step,
) (lifecycle.Step, error) {
	if err := p.conn.CheckAnswers(ctx); err != nil {
		return p.blockedBy(err)
	}
	listed, err := p.conn.Pending(ctx, lifecycle.PreflightItems(p.rp))
	inconclusive := errors.Is(err, workspace.ErrTooLong) || errors.Is(err, dataarts.ErrIncomplete)
	switch kind := dataarts.KindOf(err); {
	case err == nil, inconclusive, kind == dataarts.Refused, kind == dataarts.NotFound, kind == dataarts.Forbidden:
	default:
		return p.blockedBy(err)
	}
	p.pending = pendingFrom(listed, err)
	found := lifecycle.Examine(p.rp, p.pending)
	since := r.returned.since(p.conn.Target(), found.Taken())
	if awaits, ok := lifecycle.AwaitItems(p.rp, p.obs, found, since); ok {
		return awaits, nil
	}
	if step.Action == lifecycle.Pack {
		if taken, ok, err := r.takeExisting(ctx, p, &found); ok || err != nil {
			return taken, err
		}
	}
	if failed, ok := lifecycle.PreflightFailed(p.rp, found); ok {
		return failed, nil
	}
	return step, nil
}

// pendingFrom translates the pending list for the lifecycle. It is nil if the list was not seen.
func pendingFrom(listed map[string]dataarts.PendingItem, err error) map[string]lifecycle.PendingItem {
	if err != nil {
		return nil
	}
	items := make(map[string]lifecycle.PendingItem, len(listed))
	for id, item := range listed {
		items[id] = lifecycle.PendingItem{
			ID: id, Name: item.Name, Type: typeFrom(item.TaskType), SubmittedBy: item.SubmitUserID,
			Packed: item.PackageFlag != 0,
		}
	}
	return items
}
