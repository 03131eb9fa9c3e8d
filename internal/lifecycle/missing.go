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
	"time"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// ItemsSay is what the pending list tells of the items of a package that cannot be seen.
type ItemsSay int

const (
	// ItemsUnknown where the list is not to be had or shows nothing at all, as it may to someone who may not see it, or
	// where it is not known what is in the package.
	ItemsUnknown ItemsSay = iota
	// ItemsNotListed where one of them is missing and none is packed: withdrawn items may be lost, and packed ones be
	// left out.
	ItemsNotListed
	// ItemsAreFree where each of them is listed as being in no package.
	ItemsAreFree
	// ItemsArePacked where one of them is listed as being in a package, which may be this one.
	ItemsArePacked
)

// ItemsOf are the items in the recorded package, as far as is known.
func ItemsOf(rp *v1alpha1.ReleasePackage) []string {
	st := &rp.Status
	if len(st.Items) == 0 && packs(rp) {
		return st.Attempt.PendingItemIDs
	}
	ids := make([]string, 0, len(st.Items))
	for i := range st.Items {
		ids = append(ids, st.Items[i].ID)
	}
	return ids
}

// WhatItemsSay reads the pending list, as far as it shows the items.
func WhatItemsSay(ids []string, pending map[string]PendingItem) ItemsSay {
	if len(ids) == 0 {
		return ItemsUnknown
	}
	says := ItemsAreFree
	for _, id := range ids {
		switch item, listed := pending[id]; {
		case listed && item.Packed:
			return ItemsArePacked
		case !listed:
			says = ItemsNotListed
		}
	}
	return says
}

// denied reports whether the service does not show a package: it says that there is none of that id, or refuses to
// show it and does not list it either. Alone, neither is proof that the package has ended: what it answers about an
// id that it does not know is not documented.
func denied(obs Observation) bool { return obs.Gone || obs.Hidden != nil }

// NothingToUnpack records that a package which the service denies has ended, and returns the step after that. What
// proves it is a look that denies the package together with the answer to a request to withdraw it: the service
// accepted that, says that there is none, or refuses while the items are in no package. A moment after the package
// was recorded all of that may come from where it is not known yet, so that it proves nothing.
func NothingToUnpack(rp *v1alpha1.ReleasePackage, obs Observation, step Step) Step {
	if notShownYet(rp, obs) {
		return untilShown(rp, obs, step)
	}
	recordUnpacked(rp, obs)
	rp.Status.State = v1alpha1.StateWithdrawn
	if !rp.DeletionTimestamp.IsZero() && len(late(rp, obs)) == 0 {
		return nothingLeft(rp)
	}
	return LookSoon(step)
}

// UnpackUnknown is the step after the service said that there is no package to withdraw, though it was seen. Someone
// may just have withdrawn it; if it goes on for all of the settle time, it is a refusal.
func UnpackUnknown(rp *v1alpha1.ReleasePackage, obs Observation, step Step, refusal string) Step {
	told := stalledFor(rp, v1alpha1.ReasonUnpackRefused) && rp.Status.ObservedGeneration == rp.Generation
	if told || sinceReason(rp, step.Reason, obs.Now) >= obs.SettleTime {
		return UnpackRefused(rp, refusal+" (and yet it shows the package)")
	}
	return step
}

// UnpackDenied is the step after the service refused to withdraw a package that it denies. What it says about an id
// that it does not know is not documented, so the refusal may mean that. It does if the items are free. Where they
// are not listed, it does if that is the answer for all of the settle time, so that no lag and no passing trouble is
// taken for an end.
func UnpackDenied(rp *v1alpha1.ReleasePackage, obs Observation, step Step, items ItemsSay, refusal string) Step {
	switch {
	case notShownYet(rp, obs):
		return untilShown(rp, obs, step)
	case items == ItemsUnknown:
		rp.Status.MissingTime = nil // Only what is found without a break counts.
		return UnpackRefused(rp, refusal+" (it neither shows nor lists the package, and what has become of its items is "+
			"not known)")
	}
	if rp.Status.MissingTime == nil {
		rp.Status.MissingTime = timeOrNil(obs.Now)
	}
	since := rp.Status.MissingTime.Time
	switch settled := !withinSettleTime(since, obs); {
	case items == ItemsAreFree, items == ItemsNotListed && settled:
		return NothingToUnpack(rp, obs, step)
	case settled:
		return UnpackRefused(rp, refusal+" (it neither shows nor lists the package, but lists items of it as being in one)")
	}
	step.After = halfOf(obs.Now.Sub(since))
	step.Message = fmt.Sprintf(
		"The service neither shows nor lists package %s, and refuses to withdraw it (%s); the operator makes sure that "+
			"this is no passing trouble",
		rp.Status.ReleasePackageID, refusal)
	return step
}

// missing reports whether the service denies a package that did not come to an end as far as is known. After the
// service accepted to withdraw it, that is its end.
func missing(rp *v1alpha1.ReleasePackage, obs Observation) bool {
	return denied(obs) && stateNow(rp, obs) != v1alpha1.StateWithdrawn
}

// notShownYet reports whether the service denies a package that was named so recently that it may just not be shown
// yet. Only where the operator withdrew it meanwhile is that an answer.
func notShownYet(rp *v1alpha1.ReleasePackage, obs Observation) bool {
	return denied(obs) && withinSettleTime(recordedAt(rp), obs) && !unpacked(rp) &&
		rp.Status.State != v1alpha1.StateWithdrawn
}

// untilShown is the step of a request to withdraw a package that may just not be shown yet. It is made again after
// each look, as that may take a while.
func untilShown(rp *v1alpha1.ReleasePackage, obs Observation, step Step) Step {
	step.After = halfOf(obs.Now.Sub(recordedAt(rp)))
	return step
}

// Ended reports whether nothing is left of the recorded package that could be withdrawn, as far as is recorded.
func Ended(rp *v1alpha1.ReleasePackage) bool {
	return rp.Status.State == v1alpha1.StateWithdrawn || rp.Status.State == v1alpha1.StateDeployed
}

// outdated reports whether a package looks as it did before the operator withdrew it, so soon after the service
// accepted that that the look may lag behind.
func outdated(rp *v1alpha1.ReleasePackage, obs Observation) bool {
	undone := []v1alpha1.PackageState{v1alpha1.StatePendingReview, v1alpha1.StateDeployFailed, v1alpha1.StateUnknown}
	state := stateNow(rp, obs)
	return rp.Status.UnpackedTime != nil && withinSettleTime(rp.Status.UnpackedTime.Time, obs) &&
		state == rp.Status.State && slices.Contains(undone, state)
}

// awaitWithdrawal waits for a look to show what the service has accepted.
func awaitWithdrawal(rp *v1alpha1.ReleasePackage, reason, message string, obs Observation) Step {
	return Step{Action: Wait, Reason: reason, Message: message, After: halfOf(obs.Now.Sub(rp.Status.UnpackedTime.Time))}
}

// unpacked reports whether the service accepted to withdraw the recorded package, or had nothing to withdraw.
func unpacked(rp *v1alpha1.ReleasePackage) bool {
	return rp.Status.UnpackedTime != nil || ended(rp, v1alpha1.OutcomeWithdrawn)
}

// recordedAt is when the package was recorded, by our clock; the zero time if that is not known.
func recordedAt(rp *v1alpha1.ReleasePackage) time.Time {
	switch st := &rp.Status; {
	case st.RecordedTime != nil:
		return st.RecordedTime.Time
	case packs(rp):
		return st.Attempt.StartTime.Time
	}
	return time.Time{}
}

// withinSettleTime reports whether what happened then may not be seen everywhere yet.
func withinSettleTime(then time.Time, obs Observation) bool {
	return obs.Now.Sub(then) < obs.SettleTime
}
