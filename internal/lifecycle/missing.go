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
