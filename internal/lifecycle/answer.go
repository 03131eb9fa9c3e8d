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

package lifecycle

import (
	"fmt"
	"time"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// Answer is what came of a request to pack or to withdraw a package. Its zero value says that it was accepted.
type Answer struct {
	Kind AnswerKind
	// PackageID is the id of the package that was packed.
	PackageID string
	// Refusal is the service's own words, and Error says what went wrong on whose part.
	Refusal, Error string
	// Problem is what conditions tell of where the answer says nothing of the package.
	Problem Problem

	// Looked tells that the package was looked at after the answer.
	Looked bool
	// Items is what the pending list said of its items after the answer, nil before that was asked.
	Items *ItemsSay
}

// AnswerKind is what an answer says.
type AnswerKind int

// Kinds of answers.
const (
	AnswerAccepted AnswerKind = iota
	// AnswerRefused: the service does not do that, for a reason that does not pass by itself.
	AnswerRefused
	// AnswerNotFound: the service knows no package of that id.
	AnswerNotFound
	// AnswerTooLate: an approver let the package go already.
	AnswerTooLate
	// AnswerUnclear: it speaks of this request, but in words that are not documented.
	AnswerUnclear
	// AnswerShared: it was about several packages, and does not say about which of them.
	AnswerShared
	// AnswerNotDone: provably nothing was done, for a reason that is not the request's.
	AnswerNotDone
	// AnswerNone: it says nothing, or there was none.
	AnswerNone
)

// RecordPackAnswer records what came of the request to pack. Where that is not known, the attempt stays open.
func RecordPackAnswer(rp *v1alpha1.ReleasePackage, a Answer, now time.Time) {
	switch a.Kind {
	case AnswerAccepted:
		recordPacked(rp, a.PackageID, now)
	case AnswerRefused:
		RecordNotPacked(rp, v1alpha1.OutcomeRefused, a.Refusal)
	case AnswerNotDone:
		RecordNotPacked(rp, v1alpha1.OutcomeNotDone, a.Error)
	case AnswerNotFound, AnswerTooLate, AnswerUnclear, AnswerShared, AnswerNone: // These are no answers to this request.
		rp.Status.Attempt.Message = truncate(a.Error, maxMessage)
	}
}

// AfterPack is the step after what came of a request to pack is recorded.
func AfterPack(rp *v1alpha1.ReleasePackage, obs Observation, a Answer) Step {
	switch a.Kind {
	case AnswerAccepted:
		return Step{Action: Wait, After: obs.PollInterval, Event: Event{Reason: v1alpha1.EventPacked,
			Message: fmt.Sprintf("Packed %s as package %s", rp.Status.PackageName, a.PackageID)}}
	case AnswerRefused:
		return packRefused(rp)
	case AnswerNotDone:
		return Blocked(rp, a.Problem)
	case AnswerNotFound, AnswerTooLate, AnswerUnclear, AnswerShared, AnswerNone:
	}
	return awaitOutcome(rp)
}

// HeldUp is what came of a request to pack that was not sent, as the operator was held up until it could no longer be
// answered within the settle time.
func HeldUp() Answer {
	return Answer{Kind: AnswerNotDone, Error: "The operator was held up for so long that the request was not sent"}
}

// AfterHeldUp is the step after that.
func AfterHeldUp(rp *v1alpha1.ReleasePackage) Step {
	return Step{Action: Wait, Reason: v1alpha1.ReasonPacking, Message: rp.Status.Attempt.Message, After: minLookDelay}
}

// FurtherLook is what has to be looked at before it is clear what an answer means.
type FurtherLook int

// Further looks.
const (
	NoFurtherLook FurtherLook = iota
	// LookAtPackage: someone may have been faster, so the package is looked at once more.
	LookAtPackage
	// LookAtItems: the pending list says whether the items are in a package.
	LookAtItems
)

// Proof is what an answer about the recorded package proves, to be kept in the status.
type Proof int

// Proofs.
const (
	ProvesNothing Proof = iota
	// ProvesAccepted: the service accepted to withdraw the package.
	ProvesAccepted
	// ProvesEnd: the package has ended.
	ProvesEnd
	// ProvesLetGo: an approver let the package go, and the service does not withdraw it.
	ProvesLetGo
	// ProvesMissing: the package is missing, without a break since Status.MissingTime.
	ProvesMissing
	// ProvesBreak: what is missing counts anew.
	ProvesBreak
)

// RecordUnpackAnswer records what a step after the answer to a request to withdraw the package has proved.
func RecordUnpackAnswer(rp *v1alpha1.ReleasePackage, step Step, now time.Time) {
	st := &rp.Status
	switch step.Proves {
	case ProvesNothing:
	case ProvesEnd:
		st.State = v1alpha1.StateWithdrawn
		fallthrough
	case ProvesAccepted:
		closeAttempt(rp, v1alpha1.OutcomeWithdrawn, "")
		st.UnpackedTime, st.MissingTime = timeOrNil(now), nil
	case ProvesLetGo:
		closeAttempt(rp, v1alpha1.OutcomeGivenUp, "")
	case ProvesMissing:
		if st.MissingTime == nil {
			st.MissingTime = timeOrNil(now)
		}
	case ProvesBreak:
		st.MissingTime = nil
	}
}

// AfterUnpack is the step after an answer to the request that a step made to withdraw the recorded package, and what
// it proves. Where something has to be looked at first, it says what; then it is called again. Only a look shows
// whether the package is withdrawn, so every answer that allows for that leads to one.
func AfterUnpack(rp *v1alpha1.ReleasePackage, obs Observation, step Step, a Answer) (Step, FurtherLook) {
	if a.Kind != AnswerAccepted {
		step.Event = Event{} // As far as this answer tells, the call has withdrawn nothing.
	}
	switch a.Kind {
	case AnswerAccepted:
		if denied(obs) {
			return afterEnd(rp, obs, step), NoFurtherLook
		}
		// The time in which the request waited for its turn is no reason to wait any longer.
		step.Proves = ProvesAccepted
		return LookSoon(step), NoFurtherLook
	case AnswerShared:
		return LookSoon(step), NoFurtherLook
	case AnswerTooLate:
		return afterLetGo(rp, obs, step), NoFurtherLook
	case AnswerRefused, AnswerNotFound, AnswerUnclear:
		return afterDenial(rp, obs, step, a)
	case AnswerNotDone, AnswerNone:
	}
	return Blocked(rp, a.Problem), NoFurtherLook
}

// afterDenial is about an answer which may mean that there is no such package.
func afterDenial(rp *v1alpha1.ReleasePackage, obs Observation, step Step, a Answer) (Step, FurtherLook) {
	notFound, shown := a.Kind == AnswerNotFound, !denied(obs)
	contradicts := notFound && shown && shownTooLong(rp, obs, step)
	switch {
	case shown && !a.Looked && (!notFound || contradicts):
		return step, LookAtPackage
	case !shown && notFound:
		return afterEnd(rp, obs, step), NoFurtherLook
	case !shown && a.Items == nil:
		return step, LookAtItems
	case !shown:
		return afterMissing(rp, obs, step, *a.Items, a.Refusal), NoFurtherLook
	case Ended(rp), notFound && !contradicts:
		return step, NoFurtherLook
	}
	return afterRefusal(rp, a), NoFurtherLook
}

// afterRefusal is about an answer which says that a package that is there is not withdrawn.
func afterRefusal(rp *v1alpha1.ReleasePackage, a Answer) Step {
	switch a.Kind {
	case AnswerNotFound:
		return unpackRefused(rp, a.Refusal+" (and yet it shows the package)")
	case AnswerUnclear:
		return Blocked(rp, a.Problem)
	case AnswerRefused, AnswerTooLate, AnswerAccepted, AnswerShared, AnswerNotDone, AnswerNone:
	}
	return unpackRefused(rp, a.Refusal)
}

// afterEnd is about a package that the service denies. What proves that it has ended is a look that denies it
// together with the answer to a request to withdraw it: the service accepted that, says that there is none, or refuses
// while the items are in no package. A moment after the package was recorded all of that may come from where it is not
// known yet, so that it proves nothing.
func afterEnd(rp *v1alpha1.ReleasePackage, obs Observation, step Step) Step {
	if notShownYet(rp, obs) {
		return untilShown(rp, obs, step)
	}
	if !rp.DeletionTimestamp.IsZero() && len(late(rp, obs)) == 0 {
		step = nothingLeft(rp)
	} else {
		step = LookSoon(step)
	}
	step.Proves = ProvesEnd
	return step
}

// shownTooLong reports whether a package has been shown for all of the settle time that the service says it does not
// know. Before that, someone may just have withdrawn it.
func shownTooLong(rp *v1alpha1.ReleasePackage, obs Observation, step Step) bool {
	told := stalledFor(rp, v1alpha1.ReasonUnpackRefused) && rp.Status.ObservedGeneration == rp.Generation
	return told || sinceReason(rp, step.Reason, obs.Now) >= obs.SettleTime
}

// afterMissing is about a refusal to withdraw a package that the service denies. What it says about an id that it does
// not know is not documented, so the refusal may mean that. It does if the items are free. Where they are not listed,
// it does if that is the answer for all of the settle time, so that no lag and no passing trouble is taken for an end.
func afterMissing(rp *v1alpha1.ReleasePackage, obs Observation, step Step, items ItemsSay, refusal string) Step {
	refused := func(why string, proves Proof) Step {
		step := unpackRefused(rp, refusal+" (it neither shows nor lists the package, "+why+")")
		step.Proves = proves
		return step
	}
	since := obs.Now
	if rp.Status.MissingTime != nil {
		since = rp.Status.MissingTime.Time
	}
	switch settled := !withinSettleTime(since, obs); {
	case notShownYet(rp, obs):
		return untilShown(rp, obs, step)
	case items == ItemsUnknown: // Only what is found without a break counts.
		return refused("and what has become of its items is not known", ProvesBreak)
	case items == ItemsAreFree, items == ItemsNotListed && settled:
		return afterEnd(rp, obs, step)
	case settled:
		return refused("but lists items of it as being in one", ProvesMissing)
	}
	step.Proves, step.After = ProvesMissing, halfOf(obs.Now.Sub(since))
	step.Message = fmt.Sprintf(
		"The service neither shows nor lists package %s, and refuses to withdraw it (%s); the operator makes sure that "+
			"this is no passing trouble",
		rp.Status.ReleasePackageID, refusal)
	return step
}

// afterLetGo is about a package that an approver let go. In review, the next look shows how far it has come since. A
// package that came to a bad end is left behind: there is nothing that could be withdrawn.
func afterLetGo(rp *v1alpha1.ReleasePackage, obs Observation, step Step) Step {
	step.After = min(step.After, deployingInterval)
	switch {
	case rp.Status.State != v1alpha1.StateDeployFailed && rp.Status.State != v1alpha1.StateUnknown:
	case !rp.DeletionTimestamp.IsZero() && len(late(rp, obs)) == 0:
		return finalized(fmt.Sprintf("Package %s was let go by an approver, and the service does not withdraw it",
			rp.Status.ReleasePackageID))
	default:
		step.Proves = ProvesLetGo
	}
	return step
}
