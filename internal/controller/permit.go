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

// permit holds back a step that would take what belongs to another object, or that the service would refuse.
func (r *ReleasePackageReconciler) permit(ctx context.Context, p *pass, step lifecycle.Step) (lifecycle.Step, error) {
	claims := lifecycle.RequiredClaims(p.rp, step)
	if step.Action == lifecycle.Unpack && p.obs.Package == nil {
		// The package is not seen, only that it is not shown.
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
	if instead, err := r.contested(ctx, p, claims); instead != nil || err != nil {
		return orElse(instead, step), err
	}
	if !lifecycle.NeedsPreflight(step) {
		return step, nil
	}
	return r.preflight(ctx, p, step)
}

// contested reserves claims for the rest of this pass, or is the step instead of one that would take them from another object. It makes no call.
func (r *ReleasePackageReconciler) contested(ctx context.Context, p *pass, claims []lifecycle.Claim) (*lifecycle.Step, error) {
	if gone := r.vanished.holder(p.rp.UID, p.conn.Target(), claims...); gone != nil {
		return new(lifecycle.AwaitVanished(p.rp, gone, p.obs.Now)), nil
	}
	other, contested, err := r.rival(ctx, p, claims)
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

func orElse(instead *lifecycle.Step, step lifecycle.Step) lifecycle.Step {
	if instead != nil {
		return *instead
	}
	return step
}

// preflight looks at the pending list before something is packed. A look that fails because of the connection or the service holds the step
// back, since the request would fare no better and might be lost. One that the service does not allow or that is too long does not: a request
// with bad items is refused, and does no harm.
func (r *ReleasePackageReconciler) preflight(ctx context.Context, p *pass, step lifecycle.Step) (lifecycle.Step, error) {
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

// pendingFrom puts the pending list in the words of the lifecycle; nil means that it was not seen.
func pendingFrom(listed map[string]dataarts.PendingItem, err error) map[string]lifecycle.PendingItem {
	if err != nil {
		return nil
	}
	items := make(map[string]lifecycle.PendingItem, len(listed))
	for id, item := range listed {
		items[id] = lifecycle.PendingItem{
			ID: id, Name: item.Name, Type: typeFrom(item.TaskType), SubmittedBy: item.SubmitUserID, Packed: item.PackageFlag != 0,
		}
	}
	return items
}
