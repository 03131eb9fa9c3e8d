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

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// Decide says what to do next, given what Needs asked for.
func Decide(rp *v1alpha1.ReleasePackage, obs Observation) Step {
	held := rp.Status.Attempt != nil || rp.Status.ReleasePackageID != ""
	if rp.DeletionTimestamp.IsZero() && !hasFinalizer(rp) && (held || !rp.Spec.Suspend) {
		return Step{Action: AddFinalizer}
	}
	return withinDeadline(rp, obs, decideByRule(rp, obs))
}

// decideByRule follows the rule for the object's situation, unless what that needs could not be seen.
func decideByRule(rp *v1alpha1.ReleasePackage, obs Observation) Step {
	rule := rules[Classify(rp)]
	switch {
	case rule.need == NeedNothing:
	case obs.Problem != nil:
		return Blocked(rp, *obs.Problem)
	case moved(rp, obs):
		return stalledByMove(rp, obs)
	}
	return rule.decide(rp, obs)
}

// decideRecorded is about an object whose package is known.
func decideRecorded(rp *v1alpha1.ReleasePackage, obs Observation) Step {
	id, others := rp.Status.ReleasePackageID, late(rp, obs)
	switch {
	case adopts(rp) && string(rp.Spec.ReleasePackageID) != id:
		return Step{Action: Stall, Reason: v1alpha1.ReasonSpecFrozen, Message: fmt.Sprintf(
			"Package %s was packed before spec.releasePackageId could take effect; delete this object, and create another to "+
				"adopt package %s",
			id, rp.Spec.ReleasePackageID)}
	case len(others) > 0:
		return ambiguous(rp, fmt.Sprintf(
			"Besides package %s, packages %s are what this object asked for; they were packed by requests that arrived too late",
			id, idsOf(others)))
	case notShownYet(rp, obs):
		return Step{Action: Wait, Reason: v1alpha1.ReasonPackageNotFound, After: halfOf(obs.Now.Sub(recordedAt(rp))),
			Message: fmt.Sprintf(
				"The service does not show package %s, which it named a short while ago; the operator looks again", id)}
	case missing(rp, obs):
		return decideMissing(rp, obs)
	case outdated(rp, obs):
		return awaitWithdrawal(rp, v1alpha1.ReasonReplacing, replacing(rp), obs)
	}
	switch state := stateNow(rp, obs); state {
	case v1alpha1.StateWithdrawn:
		return decideWithdrawn(rp)
	case v1alpha1.StateDeployFailed:
		return decideFailed(rp, obs)
	case v1alpha1.StatePendingReview:
		if edited(rp) {
			return replace(rp, obs)
		}
		return asAdopted(rp, obs, Step{Action: Wait, After: obs.PollInterval})
	case v1alpha1.StateDeploying, v1alpha1.StateDeployed:
		step := Step{Action: Wait}
		if state == v1alpha1.StateDeploying {
			step.After = min(deployingInterval, obs.PollInterval)
		}
		if edited(rp) {
			step.Action, step.Reason = Stall, v1alpha1.ReasonSpecFrozen
			step.Message = fmt.Sprintf("Package %s was let go by an approver before the edit could replace it; "+
				"revert the edit, and release what it adds with another ReleasePackage", id)
		}
		return asAdopted(rp, obs, step)
	case v1alpha1.StateUnknown:
	}
	return Step{Action: Stall, Reason: v1alpha1.ReasonUnknownState, After: obs.PollInterval, Message: fmt.Sprintf(
		"The service reports the undocumented deploy_status %d for package %s; look at the package in the console. The "+
			"operator goes on watching it",
		rawState(obs), id)}
}

// decideMissing is about a package that the service denies, though nothing proves that it came to an end. So it is
// withdrawn before another one takes its place.
func decideMissing(rp *v1alpha1.ReleasePackage, obs Observation) Step {
	if ended(rp, v1alpha1.OutcomeWithdrawing) || edited(rp) && !ended(rp, v1alpha1.OutcomeGivenUp) ||
		packs(rp) && Forced(rp) && stalledFor(rp, v1alpha1.ReasonPackageNotFound) {
		return replace(rp, obs)
	}
	says := fmt.Sprintf("The service says that package %s does not exist", rp.Status.ReleasePackageID)
	if obs.Hidden != nil {
		says = fmt.Sprintf("The service neither lists package %s nor shows it (%s)", rp.Status.ReleasePackageID,
			obs.Hidden.Message)
	}
	return Step{Action: Stall, Reason: v1alpha1.ReasonPackageNotFound, After: lookAgain, Message: fmt.Sprintf(
		"%s, as if it had been withdrawn or deleted. If it was, %s", says, howToPackAgain(rp))}
}

func decideWithdrawn(rp *v1alpha1.ReleasePackage) Step {
	if ended(rp, v1alpha1.OutcomeWithdrawing, v1alpha1.OutcomeWithdrawn) || toBeReplaced(rp) {
		return Step{Action: Pack}
	}
	return Step{Action: Stall, Reason: v1alpha1.ReasonWithdrawn, Message: fmt.Sprintf(
		"Package %s was withdrawn at the service; %s", rp.Status.ReleasePackageID, howToPackAgain(rp))}
}

func decideFailed(rp *v1alpha1.ReleasePackage, obs Observation) Step {
	switch {
	case ended(rp, v1alpha1.OutcomeGivenUp):
		return Step{Action: Pack}
	case ended(rp, v1alpha1.OutcomeWithdrawing, v1alpha1.OutcomeWithdrawn), toBeReplaced(rp):
		return replace(rp, obs)
	}
	return Step{Action: Stall, Reason: v1alpha1.ReasonDeployFailed, Message: fmt.Sprintf(
		"The deployment of package %s failed; see its tasks in the console, then %s", rp.Status.ReleasePackageID,
		howToPackAgain(rp))}
}

// toBeReplaced reports whether a package that came to a bad end is to be packed again: the spec was edited, or
// someone who saw that end in the status asks for it.
func toBeReplaced(rp *v1alpha1.ReleasePackage) bool {
	known := rp.Status.State == v1alpha1.StateWithdrawn || rp.Status.State == v1alpha1.StateDeployFailed
	return edited(rp) || packs(rp) && known && Forced(rp)
}

// ended reports whether the recorded package was packed by the operator, which then gave it up in one of these ways
// for another.
func ended(rp *v1alpha1.ReleasePackage, outcomes ...v1alpha1.AttemptOutcome) bool {
	return packs(rp) && slices.Contains(outcomes, rp.Status.Attempt.Outcome)
}

// replace withdraws the package first: its items are free only then.
func replace(rp *v1alpha1.ReleasePackage, obs Observation) Step {
	id := rp.Status.ReleasePackageID
	return Step{Action: Unpack, Reason: v1alpha1.ReasonReplacing, After: lookDelay(rp, v1alpha1.ReasonReplacing, obs.Now),
		Message: replacing(rp),
		Event:   Event{Reason: v1alpha1.EventUnpacked, Message: fmt.Sprintf("Withdrew package %s, to pack again", id)}}
}

func decideRefused(rp *v1alpha1.ReleasePackage, _ Observation) Step { return packRefused(rp) }

func decideLost(rp *v1alpha1.ReleasePackage, _ Observation) Step {
	return Step{Action: Stall, Reason: v1alpha1.ReasonOutcomeUnknown, Message: fmt.Sprintf(
		"%d requests to pack %s, one after the other, were lost without a trace; have the service looked at, then %s",
		maxLost, lostNames(rp), howToPackAgain(rp))}
}

func decideSuspended(rp *v1alpha1.ReleasePackage, _ Observation) Step {
	message := "Suspended by spec.suspend; set it to false to go on"
	if edited(rp) {
		message = "Suspended by spec.suspend, with an edit that is not applied yet; set it to false to go on"
	}
	return Step{Action: Wait, Reason: v1alpha1.ReasonSuspended, Message: message}
}

// Blocked is the step while a problem is in the way, with what must not be forgotten over it. The caller comes back
// by backoff, so no time is given here.
func Blocked(rp *v1alpha1.ReleasePackage, p Problem) Step {
	if AttemptOpen(rp) {
		p.Message += ". " + outcomeUnknown(rp)
	}
	if !rp.DeletionTimestamp.IsZero() {
		p.Message += ". To delete this object without that, set spec.deletionPolicy to Retain, which leaves the package " +
			"at the service"
	}
	return Step{Action: Wait, Blocked: true, Reason: p.Reason, Message: p.Message}
}

func moved(rp *v1alpha1.ReleasePackage, obs Observation) bool {
	return rp.Status.Workspace != nil && obs.Target != nil && *rp.Status.Workspace != *obs.Target
}

func stalledByMove(rp *v1alpha1.ReleasePackage, obs Observation) Step {
	was, is := rp.Status.Workspace, obs.Target
	return Step{Action: Stall, Reason: v1alpha1.ReasonWorkspaceChanged, Message: fmt.Sprintf(
		"The package was sent to workspace %s of project %s at %s, but %s %s now points to workspace %s of project %s at "+
			"%s; point it back, or set spec.deletionPolicy to Retain and delete this object to let the package go",
		was.WorkspaceID, was.ProjectID, was.Endpoint, rp.Spec.WorkspaceRef.Kind, rp.Spec.WorkspaceRef.Name,
		is.WorkspaceID, is.ProjectID, is.Endpoint)}
}

// packRefused is the step after the service examined the request of the latest attempt and refused it.
func packRefused(rp *v1alpha1.ReleasePackage) Step {
	anotherName := ""
	if name := rp.Status.Attempt.PackageName; name == rp.Spec.PackageName {
		anotherName = fmt.Sprintf(
			", and that no package has, or ever had, the name %s: if one may have, set another spec.packageName", name)
	}
	return Step{Action: Stall, Reason: v1alpha1.ReasonRefused, Message: fmt.Sprintf(
		"The service refused to pack: %s. Check that the items are pending and not packed, that applyUserId submitted "+
			"them, that the approvers may deploy in the workspace%s; then edit the spec, or set the annotation %s to a "+
			"new value to try again",
		rp.Status.Attempt.Message, anotherName, v1alpha1.ReconcileAtAnnotation)}
}

func howToPackAgain(rp *v1alpha1.ReleasePackage) string {
	if adopts(rp) {
		return "delete this object, or create another ReleasePackage, as what was adopted is not packed again"
	}
	return fmt.Sprintf("edit the spec, or set the annotation %s to a new value, to pack again",
		v1alpha1.ReconcileAtAnnotation)
}

// stateNow is the state just seen, else the recorded one where none was needed.
func stateNow(rp *v1alpha1.ReleasePackage, obs Observation) v1alpha1.PackageState {
	switch {
	case denied(obs) && unpacked(rp):
		return v1alpha1.StateWithdrawn
	case obs.Package != nil:
		return obs.Package.State
	}
	return rp.Status.State
}

func rawState(obs Observation) int {
	if obs.Package == nil {
		return 0
	}
	return obs.Package.RawState
}
