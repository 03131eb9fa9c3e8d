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

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// asAdopted is the step for an object whose package is in order, unless the package was adopted and the spec
// describes another one. What the spec says of an adopted package is compared, and never acted upon.
func asAdopted(rp *v1alpha1.ReleasePackage, obs Observation, step Step) Step {
	p := obs.Package
	if p == nil {
		p = recordedPackage(rp)
	}
	differing := differences(rp, p)
	if len(differing) == 0 {
		return step
	}
	step.Action, step.Reason = Stall, v1alpha1.ReasonSpecDiffers
	step.Message = fmt.Sprintf(
		"Package %s was adopted and is left as it is, but %s; correct these fields of the spec, or leave them out",
		p.ID, strings.Join(differing, "; "))
	return step
}

// Adopted is the step after an adoption was recorded: what there is to say of the package is said at once, as no
// later look would show more. What there is to do is done by the next pass.
func Adopted(rp *v1alpha1.ReleasePackage, obs Observation, step Step) Step {
	if !rp.DeletionTimestamp.IsZero() {
		return step
	}
	obs.Package, obs.Gone, obs.Hidden, obs.Candidates = step.Package, false, nil, nil
	next := decideRecorded(rp, obs)
	if next.Action != Wait && next.Action != Stall {
		return step
	}
	next.Event = step.Event
	return next
}

// differences says in what a package is another than the spec of an object that adopts it describes. What the spec
// leaves out, or the service does not show, is not compared.
func differences(rp *v1alpha1.ReleasePackage, p *Package) []string {
	if !adopts(rp) {
		return nil
	}
	var differing []string
	compare := func(field, want, have string) {
		if want != "" && have != "" && want != have {
			differing = append(differing, fmt.Sprintf("%s is %s, and the package has %s", field, want, have))
		}
	}
	shown := contentOf(p)
	compare("spec.packageName", rp.Spec.PackageName, shown.PackageName)
	compare("spec.applyUserId", string(rp.Spec.ApplyUserID), shown.ApplyUserID)
	compare("spec.pendingItemIds", sorted(plainStrings(rp.Spec.PendingItemIDs)), sorted(shown.PendingItemIDs))
	compare("spec.approverIds", sorted(plainStrings(rp.Spec.ApproverIDs)), sorted(shown.ApproverIDs))
	return differing
}

func sorted(ids []string) string {
	return strings.Join(slices.Sorted(slices.Values(ids)), ", ")
}

// recordedPackage is the package as the status has it, for when no look is needed any more.
func recordedPackage(rp *v1alpha1.ReleasePackage) *Package {
	st := &rp.Status
	return &Package{
		ID: st.ReleasePackageID, Name: st.PackageName, State: st.State,
		ApplyUserID: st.ApplyUserID, ApproverIDs: st.ApproverIDs, Items: st.Items,
	}
}

// decideAdoption is about an object that names an existing package which is not recorded yet.
func decideAdoption(rp *v1alpha1.ReleasePackage, obs Observation) Step {
	switch {
	case denied(obs):
		return notShownToAdopt(rp, obs)
	case obs.Package.State == v1alpha1.StateWithdrawn:
		return Step{Action: Stall, Reason: v1alpha1.ReasonWithdrawn, Message: fmt.Sprintf(
			"Package %s was withdrawn and cannot be adopted; correct spec.releasePackageId", rp.Spec.ReleasePackageID)}
	}
	return adopt(rp, obs.Package, "as spec.releasePackageId asks", obs.PollInterval)
}

// notShownToAdopt is about a package that the service denies or refuses to show. One that was packed a moment ago may
// just not be shown yet, so that there is some patience first.
func notShownToAdopt(rp *v1alpha1.ReleasePackage, obs Observation) Step {
	says := fmt.Sprintf("The service says that package %s does not exist in the workspace", rp.Spec.ReleasePackageID)
	if obs.Hidden != nil {
		says = fmt.Sprintf("The service refuses to show package %s, as if it did not exist (%s)", rp.Spec.ReleasePackageID,
			obs.Hidden.Message)
	}
	waited := sinceReason(rp, v1alpha1.ReasonPackageNotFound, obs.Now)
	told := stalledFor(rp, v1alpha1.ReasonPackageNotFound) && rp.Status.ObservedGeneration == rp.Generation
	if told || waited >= obs.SettleTime {
		return Step{Action: Stall, Reason: v1alpha1.ReasonPackageNotFound, After: lookAgain,
			Message: says + "; correct spec.releasePackageId. The operator looks again every few minutes"}
	}
	return Step{Action: Wait, Reason: v1alpha1.ReasonPackageNotFound, After: halfOf(waited),
		Message: says + ". If it was packed a moment ago, it may just not be shown yet; the operator looks again"}
}

// adopt takes a package over. Unless that only waits for review now, the next pass has more to say or to do.
func adopt(rp *v1alpha1.ReleasePackage, p *Package, why string, poll time.Duration) Step {
	step := Step{Action: Adopt, Package: p, After: minLookDelay, Event: Event{Reason: v1alpha1.EventAdopted,
		Message: fmt.Sprintf("Adopted package %s (%s), %s", p.ID, p.Name, why)}}
	if p.State == v1alpha1.StatePendingReview && !edited(rp) && len(differences(rp, p)) == 0 {
		step.After = poll
	}
	return step
}
