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
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

// Ids of users that look like those of the service.
var (
	developer, colleague = strings.Repeat("d", 32), strings.Repeat("e", 32)
	approver, deputy     = strings.Repeat("a", 32), strings.Repeat("b", 32)
)

// world is the service with one workspace, its people, and one object. All chance in it comes from t, so that a life
// can be made again, and cut short.
type world struct {
	t   *rapid.T
	now time.Time

	// rp is nil once the object is gone. objects counts those that there have been, tokens the passes that were forced.
	rp              *v1alpha1.ReleasePackage
	objects, tokens int
	backups         []*v1alpha1.ReleasePackage
	// older is an older object that asks for the same items.
	older *v1alpha1.ReleasePackage

	packages []*made
	late     []lateRequest
	// withdrawsFailed says whether the service withdraws packages whose deployment failed, refusesToUnpack that it
	// withdraws none.
	withdrawsFailed, refusesToUnpack bool
	// otherWords says that the service refuses to withdraw what it does not know in words that nobody documents,
	// acceptsUnknown that it accepts that and does nothing.
	otherWords, acceptsUnknown bool
	// moved says that the workspace object points elsewhere.
	moved bool
	// truthful says that no call fails any more.
	truthful bool
	// seenAt is from when the object's latest view of its package is. assumed says that it is what the service named
	// since, and that no look has shown it yet; watched that only another view leads to a pass.
	seenAt           time.Time
	assumed, watched bool
}

// made is a package at the service.
type made struct {
	lifecycle.Package
	// mine says that the object is answerable for it: it asked for it, or took it over. A person's choice, or a restore
	// of the cluster, ends that.
	mine bool
	// byHand says that somebody packed it in the console, with a name and contents that an object may ask for too.
	byHand bool
	// leftBehind says that the service does not withdraw it, so that the operator may give it up.
	leftBehind bool
	// asked is when the attempt began that asked for it.
	asked time.Time
	// awkward says that it came about in a way that no search can find out for sure, so that it is at least shown.
	awkward bool
	// revoked says that someone else may have withdrawn it, as far as the object can know.
	revoked bool
	// shownFrom is when the service begins to show it.
	shownFrom time.Time
	// manner is how the service shows it from then on, afterwards how it shows it once it is withdrawn.
	manner, afterwards manner
	// past is how it was before, written when the operator asked to withdraw it, and named when the service or a search
	// last gave it to the operator.
	past           []past
	written, named time.Time
}

// manner is how the service shows a package.
type manner string

const (
	shown manner = "shown"
	// dropped means that it is not listed, and that the service says that it does not exist.
	dropped manner = "dropped"
	// hidden means that it is not listed, and that the service refuses to show it.
	hidden manner = "hidden"
	// listedOnly means that it is listed, and that the service refuses to show its items.
	listedOnly manner = "listed only"
)

// lateRequest is a request to pack that arrives after its sender gave up on it.
type lateRequest struct {
	content lifecycle.Content
	arrives time.Time
	object  int
	asked   time.Time
	// again says that it arrived before, tooLate that it arrives after the settle time, which no request should.
	again, tooLate bool
}

// chance draws one of the choices. The first is the best that can happen, and the only one at a truthful service.
func chance[T any](w *world, what string, choices ...T) T {
	w.t.Helper()
	if w.truthful {
		return choices[0]
	}
	return oneOf(w.t, what, choices...)
}

// someTime draws a time of less than the bound.
func (w *world) someTime(what string, bound time.Duration) time.Duration {
	return time.Duration(rapid.IntRange(0, int(bound/time.Second)-1).Draw(w.t, what)) * time.Second
}

// live reports whether a package may still be deployed.
func (m *made) live() bool {
	return m.State == v1alpha1.StatePendingReview || m.State == v1alpha1.StateDeploying || m.State == v1alpha1.StateUnknown
}

func (m *made) content() lifecycle.Content {
	c := lifecycle.Content{PackageName: m.Name, ApplyUserID: m.ApplyUserID, ApproverIDs: m.ApproverIDs}
	for i := range m.Items {
		c.PendingItemIDs = append(c.PendingItemIDs, m.Items[i].ID)
	}
	return c
}

// some draws a package, nil if there is none.
func (w *world) some() *made {
	if len(w.packages) == 0 {
		return nil
	}
	return w.packages[rapid.IntRange(1, len(w.packages)).Draw(w.t, "package")-1]
}

func (w *world) find(id string) *made {
	for _, m := range w.packages {
		if m.ID == id {
			return m
		}
	}
	return nil
}

// mannerOf is how the service shows a package at some time.
func (w *world) mannerOf(m *made, at time.Time) manner {
	switch {
	case at.Before(m.shownFrom):
		return dropped
	case m.State == v1alpha1.StateWithdrawn:
		return m.afterwards
	}
	return m.manner
}

// pending is the pending list, as far as it holds the items: each of those that exist until it is deployed.
func (w *world) pending(ids []string) map[string]lifecycle.PendingItem {
	items := map[string]lifecycle.PendingItem{}
	for _, id := range ids {
		if id != "404" {
			items[id] = lifecycle.PendingItem{ID: id, SubmittedBy: developer}
		}
	}
	for _, m := range w.packages {
		for _, id := range m.content().PendingItemIDs {
			item, listed := items[id]
			switch {
			case !listed:
			case m.State == v1alpha1.StateDeployed:
				delete(items, id)
			case m.live(), m.State == v1alpha1.StateDeployFailed && w.withdrawsFailed:
				item.Packed = true
				items[id] = item
			}
		}
	}
	return items
}

// allFree reports whether all items are in the pending list, and in no package.
func (w *world) allFree(ids []string) bool {
	pending := w.pending(ids)
	return !slices.ContainsFunc(ids, func(id string) bool {
		item, listed := pending[id]
		return !listed || item.Packed
	})
}

// anyFree reports whether one of the items is in the pending list, and in no package.
func (w *world) anyFree(ids []string) bool {
	return slices.ContainsFunc(ids, func(id string) bool { return w.allFree([]string{id}) })
}

// receive packs what was asked for, or refuses and returns nil.
func (w *world) receive(content lifecycle.Content) *made {
	if !w.allFree(content.PendingItemIDs) || chance(w, "the service", "packs", "packs", "packs", "packs",
		"refuses") == "refuses" {
		return nil
	}
	return w.make(content)
}

// make makes a package, whatever the items are in.
func (w *world) make(content lifecycle.Content) *made {
	m := &made{Package: lifecycle.Package{
		ID: fmt.Sprint(len(w.packages) + 1), Name: content.PackageName, State: v1alpha1.StatePendingReview, RawState: 1,
		ApplyUserID: content.ApplyUserID, ApproverIDs: content.ApproverIDs, PackedTime: w.now,
	}, manner: shown}
	for _, id := range content.PendingItemIDs {
		m.Items = append(m.Items, v1alpha1.PackageItem{ID: id})
	}
	w.packages = append(w.packages, m)
	return m
}

// tick lets time pass, and late requests arrive.
func (w *world) tick(d time.Duration) {
	until := w.now.Add(d)
	slices.SortStableFunc(w.late, func(a, b lateRequest) int { return a.arrives.Compare(b.arrives) })
	for len(w.late) > 0 && !w.late[0].arrives.After(until) {
		l := w.late[0]
		w.late = w.late[1:]
		w.now = l.arrives
		w.arrive(l)
	}
	w.now = until
}

func (w *world) arrive(l lateRequest) {
	open := w.rp != nil && w.objects == l.object && lifecycle.AttemptOpen(w.rp) &&
		w.rp.Status.Attempt.StartTime.Time.Equal(l.asked)
	switch {
	case l.tooLate:
		// While an attempt is open, nothing could tell its package from this one.
		if w.rp == nil || !lifecycle.AttemptOpen(w.rp) {
			w.make(l.content).awkward = true
		}
	case l.again && open:
		m := w.make(l.content)
		m.mine, m.awkward, m.asked = true, true, l.asked
	case !l.again:
		if m := w.receive(l.content); m != nil {
			m.mine, m.asked = open, l.asked
		}
	}
}
