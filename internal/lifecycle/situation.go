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
	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// Situation is where an object is in its lifecycle, as far as the object itself tells. Every object is in exactly one.
// What a pass looks at and which function decides follow from it: see the rules.
type Situation string

// Situations of an object that is not being deleted.
const (
	// Suspended: spec.suspend holds everything back.
	Suspended Situation = "Suspended"
	// NotPacked: nothing was sent that could have made a package.
	NotPacked Situation = "NotPacked"
	// Adopting: the spec names an existing package that is not on record yet.
	Adopting Situation = "Adopting"
	// OutcomeUnknown: a request to pack may have been sent, and what came of it is not known.
	OutcomeUnknown Situation = "OutcomeUnknown"
	// Refused: the service refused what this very spec asks for.
	Refused Situation = "Refused"
	// LostTooOften: one request after the other was lost without a trace, so that a person has to look.
	LostTooOften Situation = "LostTooOften"
	// InDoubt: no package is on record, and another request is to follow one that was refused or lost, and may have made
	// something all the same.
	InDoubt Situation = "InDoubt"
	// Packed: the recorded package is as specified, and people have yet to decide about it, or it is being deployed.
	Packed Situation = "Packed"
	// Replacing: the recorded package makes way for another one, as the spec was edited.
	Replacing Situation = "Replacing"
	// OutOfOrder: the recorded package was withdrawn, failed, or is not shown.
	OutOfOrder Situation = "OutOfOrder"
	// Deployed: the recorded package is deployed, and that is final.
	Deployed Situation = "Deployed"
	// DeployedBesides: the same, but the object tells of other packages that requests made which arrived too late.
	DeployedBesides Situation = "DeployedBesides"
)

// Situations of an object that is being deleted.
const (
	// NothingToWithdraw: nothing was sent that could have made a package.
	NothingToWithdraw Situation = "NothingToWithdraw"
	// Retained: spec.deletionPolicy leaves what there is.
	Retained Situation = "Retained"
	// DeletedUnknown: a request to pack may have been sent, and what came of it is not known.
	DeletedUnknown Situation = "DeletedUnknown"
	// DeletedInDoubt: no package is on record, but a request that was refused or lost may have made one all the same.
	DeletedInDoubt Situation = "DeletedInDoubt"
	// Withdrawing: the recorded package is to be withdrawn.
	Withdrawing Situation = "Withdrawing"
	// DeletedEnded: nothing is left of the recorded package that could be withdrawn.
	DeletedEnded Situation = "DeletedEnded"
	// DeletedEndedInDoubt: the same, but requests were lost before the one that made it, and may have made something.
	DeletedEndedInDoubt Situation = "DeletedEndedInDoubt"
	// LetGo: the operator has let go of the object. Others keep it from being deleted.
	LetGo Situation = "LetGo"
)

// rule is what follows from a situation.
type rule struct {
	// need is what has to be looked at.
	need Need
	// fresh is how recent a shared look at the recorded package has to be, where need asks for one.
	fresh Freshness
	// decide says what to do next, given that look.
	decide func(*v1alpha1.ReleasePackage, Observation) Step
}

// beforeWithdrawal is how fresh a look has to be before a package may be withdrawn. The recorded state does not stand.
var beforeWithdrawal = Freshness{Required: true, PreferredAge: preferredAge, MaxAge: maxAge}

// rules are the one table of the lifecycle: docs/lifecycle.md shows it, and a test holds the two together.
//
//exhaustive:enforce
var rules = map[Situation]rule{
	Suspended:           {need: NeedNothing, decide: decideSuspended},
	NotPacked:           {need: NeedConnection, decide: packUnlessMade},
	Adopting:            {need: NeedPackage, fresh: beforeWithdrawal, decide: decideAdoption},
	OutcomeUnknown:      {need: NeedSearch, decide: decideOpenAttempt},
	Refused:             {need: NeedNothing, decide: decideRefused},
	LostTooOften:        {need: NeedNothing, decide: decideLost},
	InDoubt:             {need: NeedSearch, decide: packUnlessMade},
	Packed:              {need: NeedPackage, decide: decideRecorded},
	Replacing:           {need: NeedPackage, fresh: beforeWithdrawal, decide: decideRecorded},
	OutOfOrder:          {need: NeedPackage, fresh: beforeWithdrawal, decide: decideRecorded},
	Deployed:            {need: NeedNothing, decide: decideRecorded},
	DeployedBesides:     {need: NeedConnection, decide: decideRecorded}, // For SearchesLate.
	NothingToWithdraw:   {need: NeedNothing, decide: decideNothingToWithdraw},
	Retained:            {need: NeedNothing, decide: decideRetained},
	DeletedUnknown:      {need: NeedSearch, decide: decideDeletedUnknown},
	DeletedInDoubt:      {need: NeedSearch, decide: decideDeletedInDoubt},
	Withdrawing:         {need: NeedPackage, fresh: beforeWithdrawal, decide: decideWithdrawal},
	DeletedEnded:        {need: NeedNothing, decide: decideWithdrawal},
	DeletedEndedInDoubt: {need: NeedConnection, decide: decideWithdrawal}, // For SearchesLate.
	LetGo:               {need: NeedNothing, decide: decideLetGo},
}

// Needs says what to look at.
func Needs(rp *v1alpha1.ReleasePackage) Need { return rules[Classify(rp)].need }

// RequiredFreshness says how fresh a view of the recorded package has to be where Needs asks for the package.
func RequiredFreshness(rp *v1alpha1.ReleasePackage) Freshness { return rules[Classify(rp)].fresh }

// Classify says in which situation an object is. It goes by what is on record alone.
func Classify(rp *v1alpha1.ReleasePackage) Situation {
	if !rp.DeletionTimestamp.IsZero() {
		return classifyDeleted(rp)
	}
	switch {
	case rp.Spec.Suspend:
		return Suspended
	case rp.Status.ReleasePackageID != "":
		return classifyRecorded(rp)
	case AttemptOpen(rp):
		return OutcomeUnknown
	case adopts(rp):
		return Adopting
	case refusedAsIs(rp):
		return Refused
	case lostTooOften(rp):
		return LostTooOften
	case mayHaveMade(rp):
		return InDoubt
	}
	return NotPacked
}

// classifyRecorded is about an object with a package on record.
func classifyRecorded(rp *v1alpha1.ReleasePackage) Situation {
	st := &rp.Status
	undecided := st.State == v1alpha1.StatePendingReview || st.State == v1alpha1.StateDeploying
	givenUp := st.UnpackedTime != nil || st.Attempt != nil && st.Attempt.Outcome != v1alpha1.OutcomePacked
	switch {
	case st.State == v1alpha1.StateDeployed && mayComeLate(rp) && tellsOfLate(rp):
		return DeployedBesides
	case st.State == v1alpha1.StateDeployed:
		return Deployed
	case edited(rp) || givenUp:
		return Replacing
	case !undecided || reportsMissing(rp):
		return OutOfOrder
	}
	return Packed
}

// classifyDeleted is about an object that is being deleted.
func classifyDeleted(rp *v1alpha1.ReleasePackage) Situation {
	switch {
	case Finalized(rp):
		return LetGo
	case rp.Status.ReleasePackageID == "" && !AttemptOpen(rp) && !mayHaveMade(rp):
		return NothingToWithdraw
	case rp.Spec.DeletionPolicy == v1alpha1.DeletionRetain:
		return Retained
	case AttemptOpen(rp):
		return DeletedUnknown
	case mayHaveMade(rp):
		return DeletedInDoubt
	case Ended(rp) && mayComeLate(rp):
		return DeletedEndedInDoubt
	case Ended(rp):
		return DeletedEnded
	}
	return Withdrawing
}
