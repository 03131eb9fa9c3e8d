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
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// Summarize computes the conditions, once and last, from the recorded status and the step that was taken. The same
// situation gives the same text.
func Summarize(rp *v1alpha1.ReleasePackage, step Step, now time.Time) {
	rp.Status.ObservedGeneration = rp.Generation
	ready := readyByState(rp)
	work := workOf(step)
	switch {
	case step.Reason == v1alpha1.ReasonSuspended:
		// Nothing was looked at, so what was said last stands.
		if was := meta.FindStatusCondition(rp.Status.Conditions, v1alpha1.ConditionReady); was != nil {
			ready.status = was.Status
		}
		if edited(rp) {
			ready.status = metav1.ConditionFalse
		}
		ready.reason, ready.message = step.Reason, step.Message
		if ready.status != metav1.ConditionTrue {
			work = v1alpha1.ConditionStalled
		}
	case step.Reason != "" && speaksForReady(rp, ready.status, work):
		ready = verdict{readyWhile(rp, ready.status, step.Reason), step.Reason, firstClause(step.Message)}
	case step.Reason == "" && ready.status != metav1.ConditionTrue:
		// The step only put something on record; the next pass is due to go on from there.
		work, step.Reason, step.Message = v1alpha1.ConditionReconciling, ready.reason, ready.message
	}

	c := conditions{rp: rp, now: now}
	c.set(v1alpha1.ConditionReady, ready)
	c.set(v1alpha1.ConditionDeployed, deployed(rp, step))
	for _, kind := range []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} {
		if was := meta.FindStatusCondition(rp.Status.Conditions, kind); was != nil && was.Reason != step.Reason {
			meta.RemoveStatusCondition(&rp.Status.Conditions, kind) // What the operator is at now began now.
		}
		if kind == work {
			c.set(kind, verdict{metav1.ConditionTrue, step.Reason, step.Message})
			continue
		}
		meta.RemoveStatusCondition(&rp.Status.Conditions, kind)
	}
}

// workOf is the condition that tells what the operator is at: none once there is nothing to do but to watch.
func workOf(step Step) string {
	switch {
	case step.Action == Stall:
		return v1alpha1.ConditionStalled
	case step.Reason != "" && step.Reason != v1alpha1.ReasonSuspended:
		return v1alpha1.ConditionReconciling
	}
	return ""
}

// speaksForReady reports whether the step's reason is also the reason of Ready, so that the columns show it. A
// problem of ours, such as an unreachable service, does not change what is known of a package that is as specified.
func speaksForReady(rp *v1alpha1.ReleasePackage, ready metav1.ConditionStatus, work string) bool {
	return ready != metav1.ConditionTrue ||
		work == v1alpha1.ConditionStalled ||
		edited(rp) ||
		!rp.DeletionTimestamp.IsZero()
}

// readyWhile is Unknown where a package may exist that is not seen or not understood.
func readyWhile(rp *v1alpha1.ReleasePackage, ready metav1.ConditionStatus, reason string) metav1.ConditionStatus {
	if ready == metav1.ConditionUnknown || AttemptOpen(rp) || reason == v1alpha1.ReasonWorkspaceChanged {
		return metav1.ConditionUnknown
	}
	return metav1.ConditionFalse
}

type verdict struct {
	status          metav1.ConditionStatus
	reason, message string
}

func readyByState(rp *v1alpha1.ReleasePackage) verdict {
	id := rp.Status.ReleasePackageID
	if AttemptOpen(rp) {
		return verdict{metav1.ConditionUnknown, v1alpha1.ReasonOutcomeUnknown, "Whether a package exists is not known yet"}
	}
	if id == "" {
		return verdict{metav1.ConditionFalse, v1alpha1.ReasonNotPacked, "No package exists yet"}
	}
	switch rp.Status.State {
	case v1alpha1.StatePendingReview:
		message := fmt.Sprintf("Package %s is packed and waits for an approver to deploy it in the console", id)
		if selfReviewed(rp) {
			message += ". Its only approver is the applicant, who should not review their own release; name another"
		}
		return verdict{metav1.ConditionTrue, v1alpha1.ReasonPendingReview, message}
	case v1alpha1.StateDeploying:
		return verdict{metav1.ConditionTrue, v1alpha1.ReasonDeploying, fmt.Sprintf("Package %s is being deployed", id)}
	case v1alpha1.StateDeployed:
		return verdict{metav1.ConditionTrue, v1alpha1.ReasonDeployed, fmt.Sprintf("Package %s is deployed", id)}
	case v1alpha1.StateDeployFailed:
		return verdict{metav1.ConditionFalse, v1alpha1.ReasonDeployFailed,
			fmt.Sprintf("The deployment of package %s failed", id)}
	case v1alpha1.StateWithdrawn:
		return verdict{metav1.ConditionFalse, v1alpha1.ReasonWithdrawn, fmt.Sprintf("Package %s was withdrawn", id)}
	case v1alpha1.StateUnknown:
	}
	return verdict{metav1.ConditionUnknown, v1alpha1.ReasonUnknownState,
		fmt.Sprintf("The state of package %s is not known", id)}
}

// selfReviewed reports whether nobody but the applicant may deploy the package, against the advice of the User Guide,
// "Releasing a Job Task".
func selfReviewed(rp *v1alpha1.ReleasePackage) bool {
	applicant, approvers := string(rp.Spec.ApplyUserID), plainStrings(rp.Spec.ApproverIDs)
	if adopts(rp) {
		applicant, approvers = rp.Status.ApplyUserID, rp.Status.ApproverIDs
	}
	return len(approvers) == 1 && approvers[0] == applicant
}

// deployed says of the deployment what Ready says of the package, and is True in one state alone. Nobody is told to
// wait for an approver while the package is being withdrawn, or is not to be seen.
func deployed(rp *v1alpha1.ReleasePackage, step Step) verdict {
	v := readyByState(rp)
	if v.status == metav1.ConditionTrue && rp.Status.State != v1alpha1.StateDeployed {
		v.status = metav1.ConditionFalse
	}
	withdraws := step.Reason == v1alpha1.ReasonUnpacking || step.Reason == v1alpha1.ReasonReplacing
	missed := step.Reason == v1alpha1.ReasonPackageNotFound && rp.Status.State == v1alpha1.StateUnknown
	if missed || withdraws && rp.Status.State == v1alpha1.StatePendingReview {
		v.reason, v.message = step.Reason, firstClause(step.Message)
	}
	return v
}

// firstClause is what the matter is, without what to do: that is told once, by the condition that is about the
// operator.
func firstClause(message string) string {
	end := len(message)
	for _, mark := range []string{"; ", ". "} {
		if i := strings.Index(message, mark); i >= 0 {
			end = min(end, i)
		}
	}
	return message[:end]
}

type conditions struct {
	rp  *v1alpha1.ReleasePackage
	now time.Time
}

func (c conditions) set(kind string, v verdict) {
	meta.SetStatusCondition(&c.rp.Status.Conditions, metav1.Condition{
		Type:               kind,
		Status:             v.status,
		Reason:             v.reason,
		Message:            v.message,
		ObservedGeneration: c.rp.Generation,
		LastTransitionTime: metav1.NewTime(c.now.Truncate(time.Second)),
	})
}

// Events are what a change from before to after is worth telling, each once: the same situation gives none.
func Events(before, after *v1alpha1.ReleasePackage) []Event {
	var events []Event
	was, is := &before.Status, &after.Status
	if is.State != was.State && (is.State == v1alpha1.StateDeploying || is.State == v1alpha1.StateDeployed) {
		v := readyByState(after)
		events = append(events, Event{Reason: v.reason, Message: v.message})
	}
	for _, kind := range []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} {
		c := meta.FindStatusCondition(is.Conditions, kind)
		if c == nil || slices.Contains(routine, c.Reason) || sameSituation(meta.FindStatusCondition(was.Conditions, kind),
			c) {
			continue
		}
		if kind == v1alpha1.ConditionReconciling &&
			(c.Message == readyByState(after).message || c.Reason == v1alpha1.ReasonPackageNotFound) {
			// A matter of record alone, or of a service that takes its time: the next pass finds out what is to be told of it.
			continue
		}
		events = append(events, Event{Reason: c.Reason, Message: c.Message, Warning: true})
	}
	return events
}

// routine are reasons of work that goes as it should; what it leads to has an event of its own.
var routine = []string{
	v1alpha1.ReasonPacking, v1alpha1.ReasonReplacing, v1alpha1.ReasonUnpacking, v1alpha1.ReasonDeploying,
	v1alpha1.ReasonSuspended,
	v1alpha1.ReasonReleased,
}

// TellsOfTrouble reports whether the conditions tell of something in the way, other than too many calls.
func TellsOfTrouble(rp *v1alpha1.ReleasePackage) bool {
	for _, kind := range []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} {
		c := meta.FindStatusCondition(rp.Status.Conditions, kind)
		if c != nil && c.Reason != v1alpha1.ReasonThrottled && !slices.Contains(routine, c.Reason) {
			return true
		}
	}
	return false
}

func sameSituation(a, b *metav1.Condition) bool {
	return a != nil && a.Reason == b.Reason && a.Message == b.Message
}
