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
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// PendingItem is an item as the service's pending list shows it.
type PendingItem struct {
	ID string
	// Name and Type are those of the task, in the words of the API.
	Name, Type string
	// SubmittedBy is empty where the service does not show it.
	SubmittedBy string
	// Packed is set when the item is in a package.
	Packed bool
}

// NeedsPreflight reports whether a step is to be checked against the pending list before it is made.
func NeedsPreflight(step Step) bool { return leadsToPacking(step) }

// TimeoutFits reports whether a request that may take so long is surely over within the settle time, after the record
// of it was written. No other is sent.
func TimeoutFits(timeout, settleTime time.Duration) bool { return timeout+minLookDelay <= settleTime }

// TimeoutTooLong is the step instead of one that packs where two settings contradict each other.
func TimeoutTooLong(timeout, settleTime time.Duration) Step {
	return Step{Action: Stall, Reason: v1alpha1.ReasonWorkspaceInvalid, Message: fmt.Sprintf(
		"Nothing was sent: a call may take %s, as spec.timeout of the workspace says, which is not well below the "+
			"operator's --settle-time of %s, "+
			"after which a request counts as lost; lower the one or raise the other", timeout, settleTime)}
}

// PreflightItems are the items to look for: those of the spec that the object does not have in its package already.
func PreflightItems(rp *v1alpha1.ReleasePackage) []string {
	have := packedClaims(rp)
	return slices.DeleteFunc(plainStrings(rp.Spec.PendingItemIDs),
		func(id string) bool { return slices.Contains(have, itemClaim(id)) })
}

// Preflight is what speaks against a step that packs.
type Preflight struct {
	// NotListed and Packed are items that the pending list does not hold, or shows as being in a package.
	NotListed, Packed []string
	// Held are sentences about items that are in a package of which no object knows.
	Held []string
	// Submitters are those of the items, where none of them is the applicant.
	Submitters []string
	// Approvers are ids of approvers that do not look like ids of users.
	Approvers []string
}

// Examine compares what the spec asks for with what the pending list shows of PreflightItems. If that is not known,
// pending is nil.
func Examine(rp *v1alpha1.ReleasePackage, pending map[string]PendingItem) Preflight {
	var found Preflight
	for _, id := range rp.Spec.ApproverIDs {
		if !userID.MatchString(string(id)) {
			found.Approvers = append(found.Approvers, string(id))
		}
	}
	if pending == nil {
		return found
	}
	submitted := len(packedClaims(rp)) > 0 // Then the applicant may have submitted what is packed already.
	for _, id := range PreflightItems(rp) {
		item, listed := pending[id]
		switch {
		case !listed:
			found.NotListed = append(found.NotListed, id)
			continue
		case item.Packed:
			found.Packed = append(found.Packed, id)
		}
		submitted = submitted || item.SubmittedBy == "" || item.SubmittedBy == string(rp.Spec.ApplyUserID)
		found.Submitters = append(found.Submitters, item.SubmittedBy)
	}
	if submitted {
		found.Submitters = nil
	}
	return found
}

// userID is what IAM makes user ids of. A login name in its place is the usual mistake.
var userID = regexp.MustCompile(`^[0-9A-Za-z]{32}$`)

// ItemsTaken reports whether the items speak for a package that holds them already.
func (f Preflight) ItemsTaken() bool { return len(f.NotListed)+len(f.Packed) > 0 }

// NoneListed reports whether none of the items is in the pending list, as after the deployment of a package that held
// them all.
func (f Preflight) NoneListed(rp *v1alpha1.ReleasePackage) bool {
	return len(f.NotListed) > 0 && len(f.NotListed) == len(PreflightItems(rp))
}

// HeldBy takes down which packages hold items that the pending list does not show as free; all that they hold, where
// that list is not known.
func (f *Preflight) HeldBy(rp *v1alpha1.ReleasePackage, packages []Package, listKnown bool) {
	free := func(id string) bool {
		return listKnown && !slices.Contains(f.NotListed, id) && !slices.Contains(f.Packed, id)
	}
	for i := range packages {
		p := &packages[i]
		ids := slices.DeleteFunc(wantedIn(rp, p), func(id string) bool {
			return p.ID == rp.Status.ReleasePackageID || p.State == v1alpha1.StateWithdrawn ||
				!listKnown && p.State == v1alpha1.StateDeployed || free(id)
		})
		if len(ids) == 0 {
			continue
		}
		held := func(id string) bool { return slices.Contains(ids, id) }
		f.NotListed, f.Packed = slices.DeleteFunc(f.NotListed, held), slices.DeleteFunc(f.Packed, held)
		f.Held = append(f.Held, fmt.Sprintf("items %s are in package %s (%s)", listed(ids), p.ID, p.Name))
	}
	slices.Sort(f.Held)
}

// Taken are the items that do not seem to be free.
func (f Preflight) Taken() []string { return slices.Concat(f.NotListed, f.Packed) }

// AwaitItems is the step instead of one that packs items which the operator has given back a moment ago, as long as
// the pending list may lag behind that, or false if it is not that. since is when they were given back, as far as
// this process remembers; the object remembers what it had itself.
func AwaitItems(rp *v1alpha1.ReleasePackage, obs Observation, found Preflight, since time.Time) (Step, bool) {
	taken, own := found.Taken(), ItemsOf(rp)
	reason := v1alpha1.ReasonPacking
	if at := rp.Status.UnpackedTime; at != nil &&
		!slices.ContainsFunc(taken, func(id string) bool { return !slices.Contains(own, id) }) {
		since, reason = at.Time, v1alpha1.ReasonReplacing
	}
	if len(taken) == 0 || Forced(rp) || !withinSettleTime(since, obs) {
		return Step{}, false
	}
	return Step{Action: Wait, Reason: reason, After: halfOf(obs.Now.Sub(since)), Message: fmt.Sprintf(
		"Items %s were given back a short while ago, and the service does not list them as unpacked yet; the operator "+
			"looks again", listed(taken))}, true
}

// PreflightFailed is the step instead of one that the service would refuse, or false if nothing was found. A pass
// that is forced by someone who was told goes on: it leaves the verdict to the service. It does not where a package
// is known to hold the items, which may be the object's own: then there would be two. An annotation that came with
// the object, from Git or a backup, forces nothing.
func PreflightFailed(rp *v1alpha1.ReleasePackage, found Preflight) (Step, bool) {
	wrong := slices.Clone(found.Held)
	for _, finding := range []struct {
		what string
		ids  []string
		tail string
	}{
		{"items", found.NotListed,
			"are not in the pending list of the workspace: they do not exist, were released, or are in a package"},
		{"items", found.Packed, "are in another package"},
		{"the items were submitted by", found.Submitters, "and not by spec.applyUserId " + string(rp.Spec.ApplyUserID)},
		{"approvers", found.Approvers, "do not look like IAM user ids, which have 32 letters and digits"},
	} {
		if len(finding.ids) > 0 {
			wrong = append(wrong, fmt.Sprintf("%s %s %s", finding.what, listed(finding.ids), finding.tail))
		}
	}
	overruled := Forced(rp) && stalledFor(rp, v1alpha1.ReasonPreflightFailed) && len(found.Held) == 0
	if len(wrong) == 0 || overruled {
		return Step{}, false
	}
	wayOut := fmt.Sprintf("if it is right as it is, set the annotation %s to a new value to let the service decide",
		v1alpha1.ReconcileAtAnnotation)
	if len(found.Held) > 0 {
		wayOut = "or take over what is there with spec.releasePackageId, or withdraw it in the console"
	}
	return Step{Action: Stall, Reason: v1alpha1.ReasonPreflightFailed, After: lookAgain, Message: fmt.Sprintf(
		"Nothing was sent: %s. Correct the spec; %s. The operator looks again every few minutes", strings.Join(wrong, "; "),
		wayOut)}, true
}

// TellsOfPreflight reports whether the object tells people that it is not packed as it is now.
func TellsOfPreflight(rp *v1alpha1.ReleasePackage) bool {
	return ConditionsCurrent(rp) && stalledFor(rp, v1alpha1.ReasonPreflightFailed)
}

// listed are sorted words in a sentence, cut short where there are many.
func listed(words []string) string {
	const enough = 10
	words = slices.Compact(slices.Sorted(slices.Values(words)))
	if more := len(words) - enough; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(words[:enough], ", "), more)
	}
	return strings.Join(words, ", ")
}
