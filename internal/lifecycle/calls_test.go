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

package lifecycle_test

import (
	"time"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

// pack sends a request that may be accepted, refused, lost on either way, received twice or late.
func (w *world) pack(p *pass) lifecycle.Step {
	items := w.rp.Status.Items
	lifecycle.BeginAttempt(w.rp, here, w.now)
	lifecycle.Summarize(w.rp, lifecycle.Step{Reason: v1alpha1.ReasonPacking, Message: "Being packed"}, w.now)
	p.kept = w.rp.DeepCopy()
	content := lifecycle.Request(w.rp)
	late := lateRequest{content: content, object: w.objects, asked: w.now}
	fate := chance(w, "packing", "works", "works", "works", "works", "is lost before", "is lost after", "is late",
		"is too late", "is throttled",
		"is done though refused", "is done twice", "is done twice and lost", "is done again later and lost", "is shown later",
		"is shown later and lost")
	switch fate {
	case "is lost before":
		return w.lost()
	case "is throttled":
		p.blocked = true
		lifecycle.RecordNotPacked(w.rp, v1alpha1.OutcomeNotDone, "throttled")
		return lifecycle.Blocked(w.rp, trouble)
	case "is late", "is too late":
		late.arrives = w.now.Add(w.someTime("seconds late", settleTime))
		if late.tooLate = fate == "is too late"; late.tooLate {
			late.arrives = late.arrives.Add(settleTime + time.Minute)
		}
		w.late = append(w.late, late)
		return w.lost()
	}
	step := w.deliver(fate, content)
	if w.rp.Status.ReleasePackageID != "" {
		lifecycle.RecordItems(w.rp, nil, items)
	}
	return step
}

// deliver brings the request to the service. What it answers may be lost, or untrue.
func (w *world) deliver(fate string, content lifecycle.Content) lifecycle.Step {
	m := w.receive(content)
	if m == nil {
		lifecycle.RecordNotPacked(w.rp, v1alpha1.OutcomeRefused, "refused")
		return lifecycle.PackRefused(w.rp)
	}
	m.mine, m.asked = true, w.now
	switch fate {
	case "is done though refused":
		m.awkward = true
		lifecycle.RecordNotPacked(w.rp, v1alpha1.OutcomeRefused, "refused")
		return lifecycle.PackRefused(w.rp)
	case "is lost after":
		return w.lost()
	case "is done twice":
		m.awkward, w.make(content).awkward = true, true
	case "is done twice and lost":
		again := w.make(content)
		again.mine, again.asked, again.awkward, m.awkward = true, w.now, true, true
		return w.lost()
	case "is done again later and lost":
		m.awkward = true
		w.late = append(w.late, lateRequest{
			content: content, object: w.objects, asked: w.now, arrives: w.now.Add(w.someTime("seconds late", settleTime)),
			again: true,
		})
		return w.lost()
	case "is shown later", "is shown later and lost":
		m.shownFrom = w.now.Add(w.someTime("seconds until it is shown", settleTime))
		if fate == "is shown later and lost" {
			return w.lost()
		}
	}
	m.named, w.assumed = w.now, true
	lifecycle.RecordPacked(w.rp, m.ID, w.now)
	return lifecycle.Step{Action: lifecycle.Wait, After: pollInterval}
}

func (w *world) lost() lifecycle.Step {
	lifecycle.RecordOutcomeUnknown(w.rp, "timed out")
	return lifecycle.AwaitOutcome(w.rp)
}

// unpack sends a request that may be lost on either way. Somebody may be faster.
func (w *world) unpack(p *pass, step lifecycle.Step) lifecycle.Step {
	fate := chance(w, "withdrawing", "works", "works", "works", "works", "is lost before", "is lost after", "is outrun")
	if fate == "is lost before" {
		p.blocked = true
		return lifecycle.Blocked(w.rp, trouble)
	}
	m := w.find(w.rp.Status.ReleasePackageID)
	w.written(m, fate == "is outrun")
	done, known := w.withdraw(m)
	refused := known && !done && w.refusesToUnpack || !known && w.otherWords
	if refused {
		w.lookAfterRefusal(p)
	}
	switch {
	case fate == "is lost after":
		p.blocked = true
		return lifecycle.Blocked(w.rp, trouble)
	case refused:
		return w.refusedToUnpack(p, step)
	case known && !done:
		p.tooLate = true
		step = lifecycle.UnpackTooLate(w.rp, p.obs, step)
		if a := w.rp.Status.Attempt; a != nil && a.Outcome == v1alpha1.OutcomeGivenUp {
			m.leftBehind = true
		}
		return step
	case known:
		return lifecycle.Unpacked(w.rp, p.obs, step)
	case p.obs.Gone, p.obs.Hidden != nil:
		return lifecycle.NothingToUnpack(w.rp, p.obs, step)
	}
	return lifecycle.UnpackUnknown(w.rp, p.obs, step, "does not exist")
}

// written takes down that a request to withdraw a package has arrived, maybe after an approver was faster.
func (w *world) written(m *made, outrun bool) {
	if m == nil {
		return
	}
	if outrun && m.State == v1alpha1.StatePendingReview {
		w.turn(m, v1alpha1.StateDeploying)
	}
	m.written = w.now
}

// lookAfterRefusal looks once more where the package was seen before: somebody may have been faster.
func (w *world) lookAfterRefusal(p *pass) {
	if p.obs.Hidden == nil && !p.obs.Gone {
		p.obs.Package = nil
		w.lookAt(p, w.rp.Status.ReleasePackageID, w.now)
		lifecycle.RecordObservation(w.rp, p.obs)
	}
}

// refusedToUnpack is what the controller makes of a refusal.
func (w *world) refusedToUnpack(p *pass, step lifecycle.Step) lifecycle.Step {
	switch {
	case p.obs.Gone, p.obs.Hidden != nil:
		var items lifecycle.ItemsSay
		if chance(w, "the pending list", "is shown", "is shown", "is too long") == "is shown" {
			ids := lifecycle.ItemsOf(w.rp)
			items = lifecycle.WhatItemsSay(ids, w.pending(ids))
		}
		return lifecycle.UnpackDenied(w.rp, p.obs, step, items, "not allowed")
	case lifecycle.Ended(w.rp):
		return step
	}
	return lifecycle.UnpackRefused(w.rp, "not allowed")
}

// withdraw reports whether the package is withdrawn now, and whether the service knows it.
func (w *world) withdraw(m *made) (done, known bool) {
	switch {
	case m == nil, m.State == v1alpha1.StateWithdrawn && m.afterwards != shown, w.now.Before(m.shownFrom):
		return w.acceptsUnknown, w.acceptsUnknown
	case w.refusesToUnpack:
		return false, true
	case m.State == v1alpha1.StatePendingReview, m.State == v1alpha1.StateDeployFailed && w.withdrawsFailed:
		w.turn(m, v1alpha1.StateWithdrawn)
	}
	return m.State == v1alpha1.StateWithdrawn, true
}
