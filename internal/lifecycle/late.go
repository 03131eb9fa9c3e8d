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
	"hash/fnv"
	"slices"
	"time"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

const (
	// lateEvery is how often a late package is looked for while nothing else asks for that. No request should be late,
	// so that the search is not to cost much. Each object has a time of its own within that, at which a pass may be this
	// late.
	lateEvery  = time.Hour
	lateWindow = 5 * time.Minute
)

// mayComeLate reports whether requests like the one that made the recorded package were lost before it. No request
// should take effect after the settle time; should one do so all the same, its package is found by a search.
func mayComeLate(rp *v1alpha1.ReleasePackage) bool {
	return packs(rp) && rp.Status.ReleasePackageID != "" && rp.Status.Attempt.LostBefore > 0
}

// SearchesLate reports whether a pass that looks at anything is to search for late packages too: before the object
// gives its package up or replaces it, when someone asks, as long as it tells of one, and now and then.
func SearchesLate(rp *v1alpha1.ReleasePackage, now time.Time) bool {
	if !mayComeLate(rp) {
		return false
	}
	replaces := edited(rp) || ended(rp, v1alpha1.OutcomeWithdrawing, v1alpha1.OutcomeWithdrawn, v1alpha1.OutcomeGivenUp)
	atOnce := !rp.DeletionTimestamp.IsZero() || Forced(rp) || tellsOfLate(rp)
	return replaces || atOnce || sinceOwnTime(rp, now) < lateWindow
}

// UntilLateSearch is how long it is until a pass is to be made for such a search alone, whatever else the object
// waits for; zero if none is.
func UntilLateSearch(rp *v1alpha1.ReleasePackage, now time.Time) time.Duration {
	switch {
	case !mayComeLate(rp), !rp.DeletionTimestamp.IsZero(), rp.Spec.Suspend:
		return 0
	case tellsOfLate(rp):
		return lookAgain
	case rp.Status.State == v1alpha1.StateDeployed:
		return 0
	}
	return lateEvery - sinceOwnTime(rp, now)
}

func tellsOfLate(rp *v1alpha1.ReleasePackage) bool {
	return stalledFor(rp, v1alpha1.ReasonAmbiguousPackage)
}

// sinceOwnTime is how long ago the latest of the times was at which the object has a search. They depend on its UID,
// so that those of many objects are spread evenly, and are the same after a restart.
func sinceOwnTime(rp *v1alpha1.ReleasePackage, now time.Time) time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(rp.UID)) // A hash takes everything.
	own := time.Duration(int64(h.Sum32())*time.Millisecond.Nanoseconds()) % lateEvery
	return time.Duration(now.Add(-own).UnixNano()) % lateEvery
}

// late are the packages besides the recorded one that are what its attempt asked for, or have a name that only this
// object can have given.
func late(rp *v1alpha1.ReleasePackage, obs Observation) []Package {
	if !mayComeLate(rp) {
		return nil
	}
	return slices.DeleteFunc(made(rp, obs), func(p Package) bool {
		return p.ID == rp.Status.ReleasePackageID || p.State == v1alpha1.StateDeployed
	})
}

// made are the packages that are not withdrawn and that are what the latest attempt asked for or, where another was
// lost before it, have a name that only this object can have given.
func made(rp *v1alpha1.ReleasePackage, obs Observation) []Package {
	return slices.DeleteFunc(sinceAttempt(rp, live(obs.Candidates)), func(p Package) bool {
		ours := hashOf(rp, &p) == rp.Status.Attempt.ContentHash || rp.Status.Attempt.LostBefore > 0 && generated(rp, p.Name)
		return !ours || !Plausible(rp, &p)
	})
}
