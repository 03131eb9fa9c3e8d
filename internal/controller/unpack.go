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
