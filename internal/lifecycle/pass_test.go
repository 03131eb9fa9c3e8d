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
	"slices"
	"time"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

// pass is one pass like the controller's.
type pass struct {
	obs lifecycle.Observation
	// forced and listed say that the annotation asked for the pass, and that the pending list was seen before something
	// was packed.
	forced, listed bool
	// tooLate says that the service does not withdraw the package, as an approver let it go.
	tooLate bool
	// unseen says that a look has to come first, which others share.
	unseen bool
	// restored says that the object came with the finalizer and nothing on record.
	restored bool
	// kept is the object as the API server has it, should the operator be stopped now.
	kept *v1alpha1.ReleasePackage
}

var trouble = lifecycle.Problem{Reason: v1alpha1.ReasonServiceUnavailable, Message: "The service cannot be reached"}

// look answers what the object needs, truly or not at all.
func (w *world) look(p *pass) {
	p.obs = lifecycle.Observation{Now: w.now, SettleTime: settleTime}
	need := lifecycle.Needs(w.rp)
	if need == lifecycle.NeedNothing {
		return
	}
	if chance(w, "looking", "works", "works", "works", "works", "works", "works", "fails") == "fails" {
		p.obs.Problem = &trouble
		return
	}
	target := here
	if w.moved && w.rp.Status.Workspace != nil {
		target = elsewhere
	}
	p.obs.Target, p.obs.PollInterval = &target, pollInterval
	if target == elsewhere {
		return
	}
	switch need {
	case lifecycle.NeedPackage:
		w.observePackage(p)
	case lifecycle.NeedSearch:
		w.search(p)
	case lifecycle.NeedNothing, lifecycle.NeedConnection:
	}
	if need != lifecycle.NeedSearch && !p.unseen && lifecycle.SearchesLate(w.rp, w.now) {
		w.searchLate(p)
	}
}

// lookAt shows a package as it was at some time, in a list or by itself.
func (w *world) lookAt(p *pass, id string, at time.Time) {
	m := w.find(id)
	w.seenAt, w.assumed = at, false
	if m == nil {
		p.obs.Gone = true
		return
	}
	m = m.asOf(at)
	one := m.Package
	switch w.mannerOf(m, at) {
	case shown:
		if id == w.rp.Status.ReleasePackageID && chance(w, "seen", "by itself", "in a list") == "in a list" {
			one.Items = w.rp.Status.Items
		}
		p.obs.Package = &one
	case dropped:
		p.obs.Gone = true
	case hidden:
		p.obs.Hidden = &trouble
	case listedOnly:
		if w.rp.Status.ReleasePackageID == "" {
			p.obs.Hidden = &trouble // Only what is recorded is looked for in the list.
			return
		}
		one.Items = w.rp.Status.Items
		p.obs.Package = &one
	}
}

// searchLate is a search that leaves out the recorded package.
func (w *world) searchLate(p *pass) {
	found, ok := w.candidates(func(one *lifecycle.Package) bool {
		return lifecycle.Plausible(w.rp, one) && one.ID != w.rp.Status.ReleasePackageID
	})
	if !ok {
		p.obs.Problem = &trouble
		return
	}
	p.obs.Candidates, p.obs.Searched = found, true
}

func (w *world) search(p *pass) {
	found, ok := w.candidates(func(one *lifecycle.Package) bool { return lifecycle.Plausible(w.rp, one) })
	if !ok {
		p.obs.Problem = &trouble
		return
	}
	p.obs.Candidates, p.obs.Searched = found, true
	if id := lifecycle.LookID(w.rp); id != "" {
		w.lookAt(p, id, w.now)
	}
	if p.obs.Problem != nil || !lifecycle.NeedsItems(w.rp, p.obs) {
		return
	}
	p.obs.ItemUnpacked = w.anyFree(w.rp.Status.Attempt.PendingItemIDs)
	p.obs.ItemElsewhere = !p.obs.ItemUnpacked && slices.ContainsFunc(w.packages, func(m *made) bool {
		return w.mannerOf(m, w.now) == shown && m.State != v1alpha1.StateWithdrawn &&
			m.State != v1alpha1.StateDeployFailed &&
			!lifecycle.Plausible(w.rp, &m.Package) && lifecycle.HoldsAttempted(w.rp, &m.Package)
	})
}

// candidates are all packages that are listed and plausible, with their items. It fails where the items of a live one
// are not shown.
func (w *world) candidates(plausible func(*lifecycle.Package) bool) (found []lifecycle.Package, ok bool) {
	for _, m := range w.packages {
		one := m.Package
		switch manner := w.mannerOf(m, w.now); {
		case manner == dropped, manner == hidden, !plausible(&one):
		case manner == listedOnly && m.State != v1alpha1.StateWithdrawn:
			return nil, false
		case manner == shown:
			found = append(found, one)
		}
	}
	return found, true
}

// permit holds back a step that would take what belongs to another object, or that the service would refuse.
func (w *world) permit(p *pass, step lifecycle.Step) lifecycle.Step {
	claims := lifecycle.RequiredClaims(w.rp, step)
	if w.older != nil {
		contested := slices.DeleteFunc(slices.Clone(claims),
			func(c lifecycle.Claim) bool { return !lifecycle.MustYield(w.rp, w.older, c) })
		if len(contested) > 0 {
			return lifecycle.AlreadyClaimed(w.rp, w.older, contested)
		}
	}
	if !lifecycle.NeedsPreflight(step) {
		return step
	}
	return w.preflight(p, step)
}

func (w *world) preflight(p *pass, step lifecycle.Step) lifecycle.Step {
	var pending map[string]lifecycle.PendingItem
	switch chance(w, "the pending list", "is shown", "is shown", "is shown", "is too long", "is not had") {
	case "is shown":
		pending = w.pending(lifecycle.PreflightItems(w.rp))
	case "is not had":
		return lifecycle.Blocked(w.rp, trouble)
	}
	p.listed = pending != nil
	found := lifecycle.Examine(w.rp, pending)
	existing := lifecycle.Existing{NoneListed: found.NoneListed(w.rp), Restored: p.restored}
	if step.Action == lifecycle.Pack &&
		(found.ItemsTaken() || existing.Restored || !p.listed && lifecycle.MayHaveLostStatus(w.rp, w.now)) {
		packages, ok := w.candidates(func(one *lifecycle.Package) bool {
			return lifecycle.NamedAs(w.rp, one.Name) || one.State != v1alpha1.StateDeployed &&
				one.State != v1alpha1.StateWithdrawn && lifecycle.Wants(w.rp, one)
		})
		if !ok {
			return lifecycle.Blocked(w.rp, trouble)
		}
		existing.Packages = packages
		if taken, ok := lifecycle.TakeExisting(w.rp, existing, pollInterval); ok {
			return taken
		}
		found.HeldBy(w.rp, packages, pending != nil)
	}
	if failed, ok := lifecycle.PreflightFailed(w.rp, found); ok {
		return failed
	}
	return step
}

// due is when the controller comes back after a pass, zero if it does not.
func (p *pass) due(rp *v1alpha1.ReleasePackage, step lifecycle.Step, now time.Time) time.Duration {
	delay := step.After
	if step.Blocked {
		delay = 5 * time.Minute
	}
	if left, bounded := lifecycle.DeletionTimeLeft(rp, now); bounded && (delay == 0 || left < delay) {
		delay = max(left, time.Millisecond)
	}
	if search := lifecycle.UntilLateSearch(rp, now); search > 0 && (delay == 0 || search < delay) {
		delay = search
	}
	return delay
}
