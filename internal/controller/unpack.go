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

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
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

// unpack withdraws the package, and looks at what has to be known to understand the answer.
func (r *ReleasePackageReconciler) unpack(ctx context.Context, p *pass, step lifecycle.Step) (lifecycle.Step, error) {
	err := p.conn.Unpack(ctx, p.rp.Status.ReleasePackageID)
	p.obs.Now = r.Clock.Now() // It may have waited for long.
	if err == nil {
		r.returned.note(p.rp, p.conn.Target(), p.obs.Now, r.SettleTime)
	}
	answer := answerFrom(err)
	for {
		after, look := lifecycle.AfterUnpack(p.rp, p.obs, step, answer)
		if look == lifecycle.NoFurtherLook {
			lifecycle.RecordUnpackAnswer(p.rp, after, p.obs.Now)
			return p.after(after, err)
		}
		if err := p.lookFurther(ctx, look, &answer); err != nil {
			return p.blockedBy(err)
		}
	}
}

// lookFurther adds to an answer what the package or its items look like now.
func (p *pass) lookFurther(ctx context.Context, look lifecycle.FurtherLook, answer *lifecycle.Answer) error {
	if look == lifecycle.LookAtItems {
		items, err := p.whatItemsSay(ctx)
		answer.Items = &items
		return err
	}
	if err := p.look(ctx); err != nil {
		return err
	}
	answer.Looked = true
	lifecycle.RecordObservation(p.rp, p.obs)
	return nil
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

// after is a step after an answer. Where that says that something is in the way, the pass backs off as its error asks.
func (p *pass) after(step lifecycle.Step, err error) (lifecycle.Step, error) {
	if step.Blocked {
		err = p.setProblem(err)
		return step, err
	}
	return step, nil
}

// blockedBy is the step while an error is in the way.
func (p *pass) blockedBy(err error) (lifecycle.Step, error) {
	if err := p.setProblem(err); err != nil {
		return lifecycle.Step{}, err
	}
	return lifecycle.Blocked(p.rp, *p.obs.Problem), nil
}
