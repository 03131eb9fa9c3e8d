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

var (
	noAnswer   = lifecycle.Answer{Kind: lifecycle.AnswerNone, Error: "timed out", Problem: trouble}
	throttled  = lifecycle.Answer{Kind: lifecycle.AnswerNotDone, Error: "throttled", Problem: trouble}
	refused    = lifecycle.Answer{Kind: lifecycle.AnswerRefused, Error: "refused", Refusal: "refused"}
	notAllowed = lifecycle.Answer{Kind: lifecycle.AnswerRefused, Error: "not allowed", Refusal: "not allowed"}
	// refusedAfterLook is a refusal though a look has just shown the package.
	refusedAfterLook = lifecycle.Answer{Kind: lifecycle.AnswerRefused, Refusal: "DLF.3051: invalid", Looked: true}

	notFound = lifecycle.Answer{Kind: lifecycle.AnswerNotFound, Error: "does not exist", Refusal: "does not exist"}
	tooLate  = lifecycle.Answer{Kind: lifecycle.AnswerTooLate, Error: "deployed", Refusal: "deployed"}
)

// pack sends a request that may be accepted, refused, lost on either way, received twice or late.
func (w *world) pack(p *pass) lifecycle.Step {
	items := w.rp.Status.Items
	lifecycle.BeginAttempt(w.rp, here, w.now)
	lifecycle.Summarize(w.rp, lifecycle.Step{Reason: v1alpha1.ReasonPacking, Message: "Being packed"}, w.now)
	p.kept = w.rp.DeepCopy()
	answer := w.send()
	lifecycle.RecordPackAnswer(w.rp, answer, w.now)
	if answer.Kind == lifecycle.AnswerAccepted {
		lifecycle.RecordItems(w.rp, nil, items)
	}
	return lifecycle.AfterPack(w.rp, p.obs, answer)
}

// send returns the answer to the request of the open attempt.
func (w *world) send() lifecycle.Answer {
	content := lifecycle.Request(w.rp)
	late := lateRequest{content: content, object: w.objects, asked: w.now}
	fate := chance(w, "packing", "works", "works", "works", "works", "is lost before", "is lost after", "is late",
		"is too late", "is throttled",
		"is done though refused", "is done twice", "is done twice and lost", "is done again later and lost", "is shown later",
		"is shown later and lost")
	switch fate {
	case "is lost before":
		return noAnswer
	case "is throttled":
		return throttled
	case "is late", "is too late":
		late.arrives = w.now.Add(w.someTime("seconds late", settleTime))
		if late.tooLate = fate == "is too late"; late.tooLate {
			late.arrives = late.arrives.Add(settleTime + time.Minute)
		}
		w.late = append(w.late, late)
		return noAnswer
	}
	return w.deliver(fate, content)
}

// deliver brings the request to the service. What it answers may be lost, or untrue.
func (w *world) deliver(fate string, content lifecycle.Content) lifecycle.Answer {
	m := w.receive(content)
	if m == nil {
		return refused
	}
	m.mine, m.asked = true, w.now
	switch fate {
	case "is done though refused":
		m.awkward = true
		return refused
	case "is lost after":
		return noAnswer
	case "is done twice":
		m.awkward, w.make(content).awkward = true, true
	case "is done twice and lost":
		again := w.make(content)
		again.mine, again.asked, again.awkward, m.awkward = true, w.now, true, true
		return noAnswer
	case "is done again later and lost":
		m.awkward = true
		w.late = append(w.late, lateRequest{
			content: content, object: w.objects, asked: w.now, arrives: w.now.Add(w.someTime("seconds late", settleTime)),
			again: true,
		})
		return noAnswer
	case "is shown later", "is shown later and lost":
		m.shownFrom = w.now.Add(w.someTime("seconds until it is shown", settleTime))
		if fate == "is shown later and lost" {
			return noAnswer
		}
	}
	m.named, w.assumed = w.now, true
	return lifecycle.Answer{PackageID: m.ID}
}

// unpack sends a request that may be lost on either way. Somebody may be faster.
func (w *world) unpack(p *pass, step lifecycle.Step) lifecycle.Step {
	answer := w.sendUnpack(p)
	for {
		after, look := lifecycle.AfterUnpack(w.rp, p.obs, step, answer)
		switch look {
		case lifecycle.NoFurtherLook:
			lifecycle.RecordUnpackAnswer(w.rp, after, p.obs.Now)
			if a := w.rp.Status.Attempt; a != nil && after.Proves == lifecycle.ProvesLetGo {
				w.find(w.rp.Status.ReleasePackageID).leftBehind = true
			}
			return after
		case lifecycle.LookAtPackage:
			p.obs.Package, answer.Looked = nil, true
			w.lookAt(p, w.rp.Status.ReleasePackageID, w.now)
			lifecycle.RecordObservation(w.rp, p.obs)
		case lifecycle.LookAtItems:
			answer.Items = new(w.whatItemsSay())
		}
	}
}

// sendUnpack returns the answer to a request to withdraw the package.
func (w *world) sendUnpack(p *pass) lifecycle.Answer {
	fate := chance(w, "withdrawing", "works", "works", "works", "works", "is lost before", "is lost after", "is outrun")
	if fate == "is lost before" {
		return noAnswer
	}
	m := w.find(w.rp.Status.ReleasePackageID)
	w.written(m, fate == "is outrun")
	done, known := w.withdraw(m)
	switch {
	case fate == "is lost after":
		return noAnswer
	case known && done:
		return lifecycle.Answer{}
	case known && w.refusesToUnpack, !known && w.otherWords:
		return notAllowed
	case known:
		p.tooLate = true
		return tooLate
	}
	return notFound
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

// whatItemsSay looks at the pending list for the items of the package.
func (w *world) whatItemsSay() lifecycle.ItemsSay {
	if chance(w, "the pending list", "is shown", "is shown", "is too long") != "is shown" {
		return lifecycle.ItemsUnknown
	}
	ids := lifecycle.ItemsOf(w.rp)
	return lifecycle.WhatItemsSay(ids, w.pending(ids))
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
