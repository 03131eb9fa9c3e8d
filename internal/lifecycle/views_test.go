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

package lifecycle_test

import (
	"time"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

// longestView is how old a view may be that many share.
const longestView = 90 * time.Second

// past is how a package was until some time.
type past struct {
	until              time.Time
	state              v1alpha1.PackageState
	manner, afterwards manner
}

// remember keeps how a package is before it changes.
func (w *world) remember(m *made) {
	m.past = append(m.past, past{w.now, m.State, m.manner, m.afterwards})
}

// asOf is a package as it was at some time.
func (m *made) asOf(at time.Time) *made {
	was := *m
	for _, p := range m.past {
		if at.Before(p.until) {
			was.State, was.manner, was.afterwards = p.state, p.manner, p.afterwards
			break
		}
	}
	return &was
}

// observePackage takes what looks that others share have shown of the recorded package, as the controller does.
func (w *world) observePackage(p *pass) {
	id := w.rp.Status.ReleasePackageID
	if id == "" || p.forced {
		w.lookAt(p, lifecycle.LookID(w.rp), w.now)
		return
	}
	switch chance(w, "the view", "is fresh", "is fresh", "is old", "shows no change", "is not there") {
	case "is not there":
		p.unseen = lifecycle.RequiredFreshness(w.rp).Required
		return
	case "shows no change":
		if w.unchanged() {
			if w.assumed && lifecycle.RequiredFreshness(w.rp).Required {
				w.lookAt(p, id, w.now)
			}
			return
		}
	case "is old":
		if at := w.now.Add(-w.someTime("seconds old", longestView)); w.mayBeFrom(at) {
			w.lookAt(p, id, at)
			return
		}
	}
	w.lookAt(p, id, w.now)
}

// mayBeFrom reports whether the latest view may be from that time: not from before an earlier one, or before the
// operator's latest request.
func (w *world) mayBeFrom(at time.Time) bool {
	m := w.find(w.rp.Status.ReleasePackageID)
	return m != nil && at.After(m.written) && at.After(m.PackedTime) && at.After(w.seenAt)
}

// unchanged reports whether a look may have shown just what is on record. What was packed or adopted a moment ago
// counts as seen. Looks at packages that nobody waits to be deployed are always awaited, so that what they show is
// handed out.
func (w *world) unchanged() bool {
	m := w.find(w.rp.Status.ReleasePackageID)
	if st := w.rp.Status.State; st != v1alpha1.StatePendingReview && st != v1alpha1.StateDeploying {
		return false
	}
	assumed := m != nil && w.assumed && w.now.Sub(m.named) < longestView
	return m != nil && (m.written.IsZero() || m.written.Before(w.seenAt)) && (assumed || !w.news())
}

// news reports whether a look at the recorded package shows something else than what is on record.
func (w *world) news() bool {
	m := w.find(w.rp.Status.ReleasePackageID)
	if m == nil {
		return true
	}
	manner := w.mannerOf(m, w.now)
	return m.State != w.rp.Status.State || manner == dropped || manner == hidden
}

// waitsForNews reports whether only a look that shows something else leads to the next pass.
func (w *world) waitsForNews(step lifecycle.Step) bool {
	return !step.Blocked && step.After > 0 && w.rp.Status.ReleasePackageID != "" && !w.moved && !lifecycle.Forced(w.rp) &&
		lifecycle.Needs(w.rp) == lifecycle.NeedPackage && !lifecycle.RequiredFreshness(w.rp).Required
}

// await waits for a look.
func (w *world) await() time.Duration {
	step := lifecycle.AwaitLook(w.rp)
	if !lifecycle.ConditionsCurrent(w.rp) {
		lifecycle.Summarize(w.rp, step, w.now)
		w.checkStatus(step)
	}
	return step.After
}
