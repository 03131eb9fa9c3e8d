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

// Package lifecycle decides what happens next to a ReleasePackage, and says what its status is to be. It is pure: no
// calls, no clock of its own, no clients. The controller gathers what can be seen, asks Decide, does the one step
// that it gets, and records the result with the functions here.
package lifecycle

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// Package is a package as the service shows it, in the words of the API.
type Package struct {
	ID   string
	Name string
	// State is never empty. RawState is the service's own number, for states that the API has no word for.
	State    v1alpha1.PackageState
	RawState int

	ApplyUserID string
	ApproverIDs []string
	// Items holds each item once.
	Items []v1alpha1.PackageItem

	// PackedTime, DeployedTime and DeployedBy are zero where the service does not show them.
	PackedTime   time.Time
	DeployedTime time.Time
	DeployedBy   string
}

// Problem is what keeps a pass from what it wants: a sentence for a condition, the same for the same situation.
type Problem struct {
	Reason  string
	Message string
}

// Observation is all that a decision depends on besides the object itself. What was not looked at is zero.
type Observation struct {
	// Now is the time of this pass.
	Now time.Time
	// SettleTime is how long after its start a lost request may still take effect.
	SettleTime time.Duration
	// PollInterval is how often a package in review is looked at.
	PollInterval time.Duration

	// Target is where the workspace object points to, nil where no connection was needed or none was had.
	Target *v1alpha1.PinnedWorkspace
	// Problem is set when something that Needs asked for could not be seen. A failed look is never an absence.
	Problem *Problem

	// Package is the answer to a look at LookID. Gone is set instead when the service said that there is no such
	// package, and Hidden when it refuses to show it, with these words, and does not list it either (if it is a recorded
	// one, whose name is known).
	Package *Package
	Gone    bool
	Hidden  *Problem

	// Candidates are all packages that the latest attempt may have made, with their items; valid when Searched is set.
	// Where SearchesLate asked for them, the recorded one is not among them.
	Candidates []Package
	Searched   bool
	// ItemUnpacked is set when an item of the attempt was seen in the pending list, and not in a package. Had the
	// attempt made a package that is still there, all its items would be in that.
	ItemUnpacked bool
	// ItemElsewhere is set when a package that the attempt cannot have made was seen to hold an item of it. The service
	// shows who had the item, and nothing of the attempt, so that there is nothing of it.
	ItemElsewhere bool
}

// Need is what has to be looked at before a decision can be made. The less, the fewer calls.
type Need int

const (
	// NeedNothing means that the object alone decides.
	NeedNothing Need = iota
	// NeedConnection means that the next step makes a call, but no look is needed before it.
	NeedConnection
	// NeedPackage means a look at the package that LookID names.
	NeedPackage
	// NeedSearch means a search for what the latest attempt has made: its outcome is not known, or it was refused or
	// lost and another is to follow. If LookID names a package, a look at that is needed too.
	NeedSearch
)

// LookID is the id of the package to look at: the recorded one, else the one to adopt, unless the object is being
// deleted.
func LookID(rp *v1alpha1.ReleasePackage) string {
	if rp.Status.ReleasePackageID != "" || !rp.DeletionTimestamp.IsZero() {
		return rp.Status.ReleasePackageID
	}
	return string(rp.Spec.ReleasePackageID)
}

// AttemptOpen reports whether a request to pack may have been sent whose outcome is not known.
func AttemptOpen(rp *v1alpha1.ReleasePackage) bool {
	return rp.Status.Attempt != nil && rp.Status.Attempt.Outcome == ""
}

// Forced reports whether the annotation asks for a pass that has not been made yet.
func Forced(rp *v1alpha1.ReleasePackage) bool {
	token := rp.Annotations[v1alpha1.ReconcileAtAnnotation]
	return token != "" && handledToken(token) != rp.Status.LastHandledReconcileAt
}

// stalledFor reports whether the object tells people that it waits for them for this reason.
func stalledFor(rp *v1alpha1.ReleasePackage, reason string) bool {
	told := meta.FindStatusCondition(rp.Status.Conditions, v1alpha1.ConditionStalled)
	return told != nil && told.Reason == reason
}

// refused reports whether the latest attempt came to an answer that seems to prove that nothing was packed. The
// service's codes are not all documented, so a search comes before anything that relies on it.
func refused(rp *v1alpha1.ReleasePackage) bool {
	return rp.Status.Attempt != nil && rp.Status.Attempt.Outcome == v1alpha1.OutcomeRefused
}

// mayHaveMade reports whether no package is on record though a request may have made one all the same: it was
// refused, which may have been no refusal, or lost without a trace, and took effect too late.
func mayHaveMade(rp *v1alpha1.ReleasePackage) bool {
	a := rp.Status.Attempt
	lost := a != nil && (a.Outcome == v1alpha1.OutcomeNotFound || a.Outcome == v1alpha1.OutcomeNotDone && a.LostBefore > 0)
	return rp.Status.ReleasePackageID == "" && (refused(rp) || lost)
}

// refusedAsIs reports whether the service refused what this very spec asks for.
func refusedAsIs(rp *v1alpha1.ReleasePackage) bool {
	return refused(rp) && rp.Status.Attempt.Generation == rp.Generation && !Forced(rp)
}

// maxLost is how many requests with the same content may be lost without a trace, one after the other, before a
// person has to look.
const maxLost = 3

// lostTooOften reports whether it is useless to send the same once more.
func lostTooOften(rp *v1alpha1.ReleasePackage) bool {
	a := rp.Status.Attempt
	return a != nil && a.Outcome == v1alpha1.OutcomeNotFound && a.LostInRow >= maxLost-1 &&
		a.ContentHash == WantedContent(rp).Hash() && !Forced(rp)
}

// lostNames are the names of the requests that were lost one after the other. Those that the object gives differ.
func lostNames(rp *v1alpha1.ReleasePackage) string {
	names := SearchNames(rp)
	if !generated(rp, rp.Status.Attempt.PackageName) {
		return names[0]
	}
	return listed(names[:min(len(names), maxLost)])
}

// edited reports whether the spec asks for another package than the one that was packed.
func edited(rp *v1alpha1.ReleasePackage) bool {
	return packs(rp) && rp.Status.Attempt.ContentHash != WantedContent(rp).Hash()
}

// packs reports whether the object's package was packed by the operator, so that an edit or a forced pass may replace
// it.
func packs(rp *v1alpha1.ReleasePackage) bool { return !adopts(rp) && rp.Status.Attempt != nil }

// adopts reports whether the spec names an existing package, so that none is ever packed for it.
func adopts(rp *v1alpha1.ReleasePackage) bool { return rp.Spec.ReleasePackageID != "" }

func hasFinalizer(rp *v1alpha1.ReleasePackage) bool {
	return slices.Contains(rp.Finalizers, v1alpha1.UnpackFinalizer)
}
