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
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// Bounds of the schema on texts that come from outside.
const (
	maxMessage     = 1024
	maxToken       = 1024
	maxName        = 512
	maxDeployedBy  = 256
	maxItemName    = 256
	maxItemsInView = 1000

	maxApproversInView = 100
)

// BeginAttempt records in the status that a request is about to be sent to target. It must be stored before the
// request leaves: what it opens keeps every later pass from sending another.
func BeginAttempt(rp *v1alpha1.ReleasePackage, target v1alpha1.PinnedWorkspace, now time.Time) {
	st := &rp.Status
	retire(rp)
	content, name := WantedContent(rp), nextName(rp)
	number := int32(1)
	if st.Attempt != nil {
		number = st.Attempt.Number + 1
	}
	lost, inRow := lostSoFar(rp)
	st.ReleasePackageID, st.State, st.Items, st.ApplyUserID, st.ApproverIDs = "", "", nil, "", nil
	st.PackedTime, st.RecordedTime, st.UnpackedTime, st.MissingTime = nil, nil, nil, nil
	st.DeployedTime, st.DeployedBy = nil, ""
	st.PackageName = name
	st.Workspace = &target
	st.Attempt = &v1alpha1.PackAttempt{
		Number:      number,
		PackageName: name,
		ContentHash: content.Hash(),
		LostBefore:  lost,
		LostInRow:   inRow,
		StartTime:   metav1.NewTime(now),

		PendingItemIDs: content.PendingItemIDs,
		Generation:     rp.Generation,
	}
	MarkHandled(rp)
}

// retire takes down that the recorded package makes way for another.
func retire(rp *v1alpha1.ReleasePackage) {
	st := &rp.Status
	if st.ReleasePackageID == "" {
		return
	}
	ids := append(slices.Clone(st.WithdrawnPackageIDs), st.ReleasePackageID)
	st.WithdrawnPackageIDs = ids[max(0, len(ids)-v1alpha1.MaxWithdrawnPackageIDs):]
}

// lostSoFar counts the tries since the first that was lost, and the lost ones right before the next.
func lostSoFar(rp *v1alpha1.ReleasePackage) (all, inRow int32) {
	was := rp.Status.Attempt
	if was == nil {
		return 0, 0
	}
	switch was.Outcome {
	case v1alpha1.OutcomeNotFound:
		all, inRow = was.LostBefore+1, was.LostInRow+1
	case v1alpha1.OutcomeNotDone: // Nothing was sent, so that it is between the lost ones and the next.
		all, inRow = was.LostBefore, was.LostInRow
	case v1alpha1.OutcomeRefused:
		if was.LostBefore > 0 {
			all = was.LostBefore + 1
		}
	case v1alpha1.OutcomePacked, v1alpha1.OutcomeWithdrawing, v1alpha1.OutcomeWithdrawn, v1alpha1.OutcomeGivenUp:
	}
	if Forced(rp) {
		inRow = 0
	}
	return all, inRow
}

// recordPacked closes the attempt with the id that the service gave.
func recordPacked(rp *v1alpha1.ReleasePackage, id string, now time.Time) {
	closeAttempt(rp, v1alpha1.OutcomePacked, "")
	rp.Status.ReleasePackageID = id
	rp.Status.State = v1alpha1.StatePendingReview
	rp.Status.PackedTime, rp.Status.RecordedTime = timeOrNil(now), timeOrNil(now)
}

// RecordItems records what is in the package that was just packed, as far as the pending list has shown it before, or
// the package that this one replaces.
func RecordItems(rp *v1alpha1.ReleasePackage, listed map[string]PendingItem, earlier []v1alpha1.PackageItem) {
	known := make(map[string]v1alpha1.PackageItem, len(listed)+len(earlier))
	for _, item := range earlier {
		known[item.ID] = item
	}
	for id, item := range listed {
		known[id] = v1alpha1.PackageItem{Name: item.Name, Type: item.Type}
	}
	items := make([]v1alpha1.PackageItem, 0, len(rp.Status.Attempt.PendingItemIDs))
	for _, id := range rp.Status.Attempt.PendingItemIDs {
		item := known[id]
		item.ID, item.State = id, v1alpha1.StatePendingReview
		items = append(items, item)
	}
	rp.Status.Items = presentable(items)
}

// RecordNotPacked closes the attempt: provably, nothing was packed. The workspace is no longer pinned.
func RecordNotPacked(rp *v1alpha1.ReleasePackage, outcome v1alpha1.AttemptOutcome, message string) {
	closeAttempt(rp, outcome, message)
	rp.Status.Workspace = nil
}

// RecordAdopted takes over a package that was found at target. Unless the spec names it, it counts as packed by an
// attempt of this object, so that an edit replaces it.
func RecordAdopted(rp *v1alpha1.ReleasePackage, p *Package, target v1alpha1.PinnedWorkspace, now time.Time) {
	switch a := rp.Status.Attempt; {
	case adopts(rp) && AttemptOpen(rp):
		closeAttempt(rp, v1alpha1.OutcomePacked, "Chosen by spec.releasePackageId")
	case adopts(rp):
	// It stays on record what was asked for, so that what else came of it is found too.
	case a != nil && !rp.DeletionTimestamp.IsZero():
		retire(rp)
		closeAttempt(rp, v1alpha1.OutcomePacked, "Found by a search, to be withdrawn")
	case a == nil, a.ContentHash != hashOf(rp, p), rp.Status.ReleasePackageID != "":
		BeginAttempt(rp, target, now)
		closeAttempt(rp, v1alpha1.OutcomePacked, "Found at the service, so that nothing was sent")
	default:
		closeAttempt(rp, v1alpha1.OutcomePacked, "Found by a search, as the answer was lost")
	}
	rp.Status.ReleasePackageID = p.ID
	rp.Status.Workspace = &target
	rp.Status.PackedTime, rp.Status.RecordedTime, rp.Status.UnpackedTime, rp.Status.MissingTime = nil, timeOrNil(now), nil,
		nil
	recordPackage(rp, p, now)
}

// RecordObservation takes over what a look at the recorded package showed.
func RecordObservation(rp *v1alpha1.ReleasePackage, obs Observation) {
	if obs.Problem != nil {
		rp.Status.MissingTime = nil // Only what is found without a break counts.
	}
	switch {
	case rp.Status.ReleasePackageID == "" || notShownYet(rp, obs):
	case denied(obs) && unpacked(rp):
		rp.Status.State = v1alpha1.StateWithdrawn
	case missing(rp, obs):
		rp.Status.State = v1alpha1.StateUnknown
	case obs.Package != nil && obs.Package.ID == rp.Status.ReleasePackageID:
		stands := outdated(rp, obs)
		recordPackage(rp, obs.Package, obs.Now)
		rp.Status.MissingTime = nil
		if !stands {
			takeBackWithdrawal(rp)
		}
	}
}

// takeBackWithdrawal notes that a package which the operator withdrew is not withdrawn after all, so that whatever
// becomes of it later is someone else's doing.
func takeBackWithdrawal(rp *v1alpha1.ReleasePackage) {
	switch rp.Status.State {
	case v1alpha1.StatePendingReview, v1alpha1.StateDeploying, v1alpha1.StateDeployed:
		rp.Status.UnpackedTime = nil
		if a := rp.Status.Attempt; a != nil &&
			(a.Outcome == v1alpha1.OutcomeWithdrawing || a.Outcome == v1alpha1.OutcomeWithdrawn) {
			closeAttempt(rp, v1alpha1.OutcomePacked, "")
		}
	case v1alpha1.StateDeployFailed, v1alpha1.StateWithdrawn, v1alpha1.StateUnknown:
	}
}

// RecordNextAttempt records when something that is blocked is tried again; zero where nothing is, or soon.
func RecordNextAttempt(rp *v1alpha1.ReleasePackage, at time.Time) {
	rp.Status.NextAttemptTime = timeOrNil(at)
}

// MarkHandled echoes the annotation that forced this pass.
func MarkHandled(rp *v1alpha1.ReleasePackage) {
	if token := rp.Annotations[v1alpha1.ReconcileAtAnnotation]; token != "" {
		rp.Status.LastHandledReconcileAt = handledToken(token)
	}
}

// closeAttempt records how the latest attempt ended. An adopted package has none.
func closeAttempt(rp *v1alpha1.ReleasePackage, outcome v1alpha1.AttemptOutcome, message string) {
	if rp.Status.Attempt == nil {
		return
	}
	rp.Status.Attempt.Outcome = outcome
	rp.Status.Attempt.Message = truncate(message, maxMessage)
}

// recordPackage takes over what the service shows. Its clock may be ahead of ours, and a time that is yet to come
// would tell nobody anything.
func recordPackage(rp *v1alpha1.ReleasePackage, p *Package, now time.Time) {
	st := &rp.Status
	deployedBefore := st.State == v1alpha1.StateDeployed
	st.State = p.State
	st.PackageName = truncate(p.Name, maxName)
	if st.PackedTime == nil && !p.PackedTime.After(now) {
		st.PackedTime = timeOrNil(p.PackedTime)
	}
	switch {
	case p.State != v1alpha1.StateDeployed:
		st.DeployedTime, st.DeployedBy = nil, ""
	case !deployedBefore || st.DeployedTime == nil:
		st.DeployedTime = timeOrNil(earlier(p.DeployedTime, now))
		fallthrough
	default:
		st.DeployedBy = truncate(p.DeployedBy, maxDeployedBy)
	}
	st.ApplyUserID = truncate(p.ApplyUserID, v1alpha1.MaxIDLength)
	if len(p.ApproverIDs) > 0 {
		st.ApproverIDs = presentableIDs(p.ApproverIDs)
	}
	if items := presentable(p.Items); len(items) > 0 {
		st.Items = items
	}
}

// presentable leaves out what the schema could not take, so that the rest can be recorded.
func presentable(items []v1alpha1.PackageItem) []v1alpha1.PackageItem {
	var kept []v1alpha1.PackageItem
	for _, item := range items {
		if item.ID == "" || len(item.ID) > v1alpha1.MaxIDLength {
			continue
		}
		item.Name = truncate(item.Name, maxItemName)
		kept = append(kept, item)
	}
	return kept[:min(len(kept), maxItemsInView)]
}

// presentableIDs are sorted, so that the order in which the service shows them is no change, and leave out what the
// schema could not take.
func presentableIDs(ids []string) []string {
	kept := slices.DeleteFunc(slices.Sorted(slices.Values(ids)),
		func(id string) bool { return id == "" || len(id) > v1alpha1.MaxIDLength })
	return kept[:min(len(kept), maxApproversInView)]
}

// timeOrNil keeps whole seconds, as the API server does, so that an unchanged time compares as equal.
func timeOrNil(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	return &metav1.Time{Time: t.Truncate(time.Second)}
}

func earlier(a, b time.Time) time.Time {
	if a.After(b) {
		return b
	}
	return a
}

func handledToken(token string) string { return truncate(token, maxToken) }

// truncate cuts to at most n bytes, at a character's end.
func truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
