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

package poll

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

// maxLooks bounds the looks at single packages in one run, so that a list which leaves out all that it should show
// does not lead to as many calls as there are packages, before anything else is looked at.
const maxLooks = 100

// maxFailedLooks is how many of them may fail in a row before the others are taken to fare no better: each may take
// as long as a call may.
const maxFailedLooks = 3

// run is one look at the packages of a group that are due.
type run struct {
	*group
	sequence uint64
	began    time.Time
	// due are the packages to look at.
	due []Subscription
	// awaited means that somebody waits for it, and made is how many calls it has made
	// that showed no change.
	awaited bool
	made    int
	// unfinished means that there was more to look at than one run does.
	unfinished bool
	// expected is what those that nobody waits for are expected to look like, by the package's id.
	expected map[string]RemoteState
	// listed is what a list showed, by the package's id, and found what came of looks at single packages.
	listed map[string]row
	found  map[subject]*Observation
}

// row is what a list showed of a package. The package itself is nil where it looks as expected: ten thousand of those
// are not worth keeping.
type row struct {
	RemoteState
	shown *dataarts.Package
}

// subject is what a look is about: an object may have another package by the time the look has ended.
type subject struct {
	object types.NamespacedName
	id     string
}

func (s *Subscription) subject() subject { return subject{s.Object, s.ID} }

// begin takes what is due. There is no other run of the group until deliver.
func (p *Poller) begin(g *group) *run {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sequence++
	g.running, g.calls = true, g.source.Calls()
	r := &run{
		group: g, sequence: p.sequence, began: p.clock.Now(),
		expected: map[string]RemoteState{}, listed: map[string]row{}, found: map[subject]*Observation{},
	}
	for _, s := range g.subscribers {
		// Those who wait are served a little early, if there is a run anyway.
		if !s.due.After(r.began) || s.gathers() && !s.due.After(r.began.Add(gatherFor)) {
			r.due = append(r.due, s.Subscription)
			if s.Required {
				g.calls.Hurry()
				r.awaited = true
			}
			if !s.Required && s.LastError == "" {
				r.expected[s.ID] = s.LastKnown
			}
		}
	}
	return r
}

// run looks at what is due, with as few calls as that takes, and tells those whose package has changed.
func (p *Poller) run(ctx context.Context, r *run) {
	defer func() { p.deliver(r, ctx.Err() != nil) }()
	p.checkSource(ctx, r)
	if len(r.due) == 0 {
		return
	}
	if r.listPays() {
		if err := r.list(ctx); err != nil {
			r.fail(err)
			return
		}
	}
	p.lookSingly(ctx, r)
}

// checkSource makes sure that the source is still the one that the workspace objects have: credentials that were
// taken away are not used for looks. What has another source by now is left to a run of its own.
func (p *Poller) checkSource(ctx context.Context, r *run) {
	type way struct {
		workspace   types.NamespacedName
		forDeletion bool
	}
	known := map[way]error{}
	r.due = slices.DeleteFunc(r.due, func(s Subscription) bool {
		by := way{s.Workspace, s.ForDeletion}
		err, tried := known[by]
		if !tried {
			var source Source
			if source, err = p.resolve(ctx, by.workspace, by.forDeletion); err == nil && source != r.source {
				err = errReplaced
			}
			known[by] = err
		}
		if err != nil && !errors.Is(err, errReplaced) {
			r.found[s.subject()] = r.failure(err)
		}
		return err != nil
	})
}

// errReplaced means that a workspace object has another source by now.
var errReplaced = errors.New("the connection was replaced")

// states are those that the packages are expected to be in; none where the service has no number for one of them.
func (r *run) states() []dataarts.DeployStatus {
	var states []dataarts.DeployStatus
	for i := range r.due {
		switch s := r.due[i].LastKnown.Status; s {
		case dataarts.StatusPendingReview, dataarts.StatusDeploying, dataarts.StatusDeployFailed:
			if !slices.Contains(states, s) {
				states = append(states, s)
			}
		case dataarts.StatusDeployed: // Nobody waits for it.
		}
	}
	slices.Sort(states)
	if slices.Contains(states, dataarts.StatusPendingReview) && !slices.Contains(states, dataarts.StatusDeploying) {
		states = append(states, dataarts.StatusDeploying) // What has got that far is not to cost a call of its own.
	}
	return states
}

// listPays reports whether a list costs less than looks at single packages, going by the pages that it had the last
// time, or one if that is not known. Lists grow shorter again, so each run without one counts for a page less.
func (r *run) listPays() bool {
	states := r.states()
	if len(states) == 0 {
		return false
	}
	key := fmt.Sprint(states)
	if len(r.due) > max(1, r.pages[key]) {
		return true
	}
	r.pages[key]--
	return false
}

// list reads the list of packages in some states, page by page, unless it turns out that looks at single packages
// cost less. What it shows is taken down. What it does not show proves nothing: it may have slipped from one page to
// another.
func (r *run) list(ctx context.Context) error {
	states, pages := r.states(), 0
	fetch := func(offset int) (dataarts.Page[dataarts.Package], error) {
		r.made++
		return r.calls.ListPage(ctx, states, offset)
	}
	for page, err := range dataarts.EachPage(fetch) {
		if err != nil {
			return err
		}
		for i := range page.Rows {
			shown := row{RemoteState: stateOf(&page.Rows[i])}
			if expected, ok := r.expected[page.Rows[i].ID]; !ok || expected != shown.RemoteState {
				shown.shown = new(page.Rows[i])
			}
			r.listed[page.Rows[i].ID] = shown
		}
		if pages = cmp.Or(pages, page.Pages()); pages > len(r.due) {
			break
		}
	}
	r.pages[fmt.Sprint(states)] = pages
	return nil
}

// lookSingly looks at the packages that no list has shown, one by one, at those first that somebody waits for. It
// belongs to the run's calls, so that it goes on however busy the budget is. Nobody waits for more than a few seconds
// of looks that only others have asked for.
func (p *Poller) lookSingly(ctx context.Context, r *run) {
	r.calls.Hurry()
	required := func(s *Subscription) int {
		if s.Required {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(r.due, func(a, b Subscription) int { return cmp.Compare(required(&a), required(&b)) })
	began := p.clock.Now()
	looks, failed := 0, 0
	for i := range r.due {
		s := &r.due[i]
		if r.shows(s) {
			continue
		}
		late := !s.Required && p.clock.Since(began) > longestGathering
		if looks == maxLooks || late && p.required(r) {
			r.unfinished = true // The others are still due, and have the next run.
			return
		}
		looks++
		v := p.find(ctx, r.source, r.calls.Look, s.ID, s.Name)
		r.found[s.subject()] = &v
		if v.Err != nil || v.state() == s.LastKnown {
			r.made++ // The look at a change is no poll: there is one for each, however often polls are made.
		}
		if v.Err == nil {
			failed = 0
			continue
		}
		failed++
		if failed == maxFailedLooks || meetsAll(v.Err) {
			r.fail(v.Err)
			return
		}
	}
}

// required reports whether somebody waits for this run, or has come to wait for the next one.
func (p *Poller) required(r *run) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return r.due[0].Required || r.asked.After(r.began)
}

// meetsAll reports whether an error that one look came to is what the others would come to as well.
func meetsAll(err error) bool {
	switch dataarts.KindOf(err) {
	case dataarts.Unauthorized, dataarts.Throttled, dataarts.Unreachable:
		return true
	case dataarts.Unknown, dataarts.Refused, dataarts.NotFound, dataarts.AlreadyDeployed, dataarts.Forbidden:
	}
	return false
}

// shows reports whether the list has shown a package. A list that shows one as it was before is out of date, and has
// nothing of it.
func (r *run) shows(s *Subscription) bool {
	shown, listed := r.listed[s.ID]
	outdated := s.LastKnown.Status == dataarts.StatusDeploying && shown.Status == dataarts.StatusPendingReview
	return listed && !outdated
}

// fail ends a run because of an error: whoever has no answer yet has this one.
func (r *run) fail(err error) {
	for i := range r.due {
		s := &r.due[i]
		if r.found[s.subject()] == nil && !r.shows(s) {
			r.found[s.subject()] = r.failure(err)
		}
	}
}

func (r *run) failure(err error) *Observation {
	return &Observation{Began: r.began, Err: err, sequence: r.sequence}
}
