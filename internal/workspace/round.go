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

package workspace

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/quota"
)

// mostDetails bounds the looks at single packages in one round, so that a list which leaves out all that it should show does not lead to as many
// calls as there are packages, before anything else is looked at.
const mostDetails = 100

// mostFailures is how many of them may fail in a row before the others are taken to fare no better: each may take as long as a call may.
const mostFailures = 3

// round is one look at the packages of a poll that are due.
type round struct {
	*poll
	turn  uint64
	began time.Time
	// wanted are the packages that are due.
	wanted []Watch
	// unfinished tells that there was more to look at than one round does.
	unfinished bool
	// expected is what those that nobody waits for are expected to look like, by the package's id.
	expected map[string]Outlook
	// listed is what a list showed, by the package's id, and found what came of looks at single packages.
	listed map[string]sighting
	found  map[subject]*View
}

// sighting is what a list showed of a package. The package itself is nil where it looks as expected: ten thousand of those are not worth keeping.
type sighting struct {
	Outlook
	shown *dataarts.Package
}

// subject is what a look is about: an object may have another package by the time the look has ended.
type subject struct {
	object types.NamespacedName
	id     string
}

func (w *Watch) subject() subject { return subject{w.Object, w.ID} }

// begin takes what is due. There is no other round of the poll until end.
func (o *observer) begin(p *poll) *round {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.turn++
	p.running, p.series = true, p.conn.series(quota.Background)
	r := &round{
		poll: p, turn: o.turn, began: o.clock.Now(),
		expected: map[string]Outlook{}, listed: map[string]sighting{}, found: map[subject]*View{},
	}
	for _, e := range p.entries {
		// Those who wait are served a little early, if there is a round anyway.
		if !e.due.After(r.began) || e.gathers() && !e.due.After(r.began.Add(quiet)) {
			r.wanted = append(r.wanted, e.Watch)
			if e.Awaited {
				p.series.Raise(quota.Lookup)
			}
			if !e.Awaited && e.Trouble == "" {
				r.expected[e.ID] = e.Known
			}
		}
	}
	return r
}

// round looks at what is due, with as few calls as that takes, and tells those whose package has changed.
func (c *Connections) round(ctx context.Context, p *poll) {
	r := c.observing().begin(p)
	defer func() { c.observing().end(r, ctx.Err() != nil) }()
	c.reconnect(ctx, r)
	if len(r.wanted) == 0 {
		return
	}
	if r.listPays() {
		if err := r.list(ctx); err != nil {
			r.fail(err)
			return
		}
	}
	r.details(ctx, c.observing())
}

// reconnect makes sure that the connection is still the one that the workspace objects describe: credentials that were taken away are not used
// for looks. What is watched through another connection by now is left to a round of its own.
func (c *Connections) reconnect(ctx context.Context, r *round) {
	type way struct {
		workspace types.NamespacedName
		toUnpack  bool
	}
	known := map[way]error{}
	r.wanted = slices.DeleteFunc(r.wanted, func(w Watch) bool {
		by := way{w.Workspace, w.ToUnpack}
		err, tried := known[by]
		if !tried {
			err = c.leadsTo(ctx, by.workspace, by.toUnpack, r.conn)
			known[by] = err
		}
		if err != nil && !errors.Is(err, errReplaced) {
			r.found[w.subject()] = r.failure(err)
		}
		return err != nil
	})
}

// errReplaced means that a workspace object has another connection by now.
var errReplaced = errors.New("the connection was replaced")

func (c *Connections) leadsTo(ctx context.Context, workspace types.NamespacedName, toUnpack bool, conn *Connection) error {
	connect := c.Connect
	if toUnpack {
		connect = c.ConnectToUnpack
	}
	now, err := connect(ctx, workspace.Namespace, v1alpha1.WorkspaceReference{Name: workspace.Name})
	if err == nil && now != conn {
		return errReplaced
	}
	return err
}

// states are those that the packages are expected to be in; none where the service has no number for one of them.
func (r *round) states() []dataarts.DeployStatus {
	var states []dataarts.DeployStatus
	for i := range r.wanted {
		switch s := r.wanted[i].Known.Status; s {
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

// listPays reports whether a list costs less than looks at single packages, going by the pages that it had the last time, or one if that is not
// known. Lists grow shorter again, so each round without one counts for a page less.
func (r *round) listPays() bool {
	states := r.states()
	if len(states) == 0 {
		return false
	}
	key := fmt.Sprint(states)
	if len(r.wanted) > max(1, r.pages[key]) {
		return true
	}
	r.pages[key]--
	return false
}

// list reads the list of packages in some states, page by page, unless it turns out that looks at single packages cost less. What it shows is
// taken down. What it does not show proves nothing: it may have slipped from one page to another.
func (r *round) list(ctx context.Context) error {
	states, pages := r.states(), 0
	for page, err := range dataarts.EachPage(r.conn.pages(ctx, r.series, dataarts.ListOptions{States: states})) {
		if err != nil {
			return err
		}
		for i := range page.Rows {
			seen := sighting{Outlook: outlookOf(&page.Rows[i])}
			if expected, ok := r.expected[page.Rows[i].ID]; !ok || expected != seen.Outlook {
				seen.shown = new(page.Rows[i])
			}
			r.listed[page.Rows[i].ID] = seen
		}
		if pages = cmp.Or(pages, page.Pages()); pages > len(r.wanted) {
			break
		}
	}
	r.pages[fmt.Sprint(states)] = pages
	return nil
}

// details looks at the packages that no list has shown, one by one, at those first that someone waits for. They are part of the round's series of calls, so that
// they go on however busy the budget is. Nobody waits for more than a few seconds of looks that only others have asked for.
func (r *round) details(ctx context.Context, o *observer) {
	r.series.Raise(quota.Lookup)
	slices.SortStableFunc(r.wanted, func(a, b Watch) int { return cmp.Compare(urgency(&a), urgency(&b)) })
	began := o.clock.Now()
	made, failed := 0, 0
	for i := range r.wanted {
		w := &r.wanted[i]
		if r.shows(w) {
			continue
		}
		late := !w.Awaited && o.clock.Since(began) > longestWait
		if made == mostDetails || late && o.awaited(r) {
			r.unfinished = true // The others are still due, and have the next round.
			return
		}
		made++
		v := r.conn.find(ctx, r.look, w.ID, w.Name)
		r.found[w.subject()] = &v
		if v.Err == nil {
			failed = 0
			continue
		}
		failed++
		if failed == mostFailures || meetsAll(v.Err) {
			r.fail(v.Err)
			return
		}
	}
}

func urgency(w *Watch) quota.Priority {
	if w.Awaited {
		return quota.Lookup
	}
	return quota.Background
}

// look is Connection.Look as part of the round's series of calls.
func (r *round) look(ctx context.Context, id string) (dataarts.PackageDetail, error) {
	if err := r.series.Acquire(ctx); err != nil {
		return dataarts.PackageDetail{}, err
	}
	detail, err := r.conn.client.Show(ctx, id)
	return detail, r.conn.note(err)
}

// awaited reports whether someone waits for this round, or has come to wait for the next one.
func (o *observer) awaited(r *round) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return r.wanted[0].Awaited || r.asked.After(r.began)
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

// shows reports whether the list has shown a package. A list that shows one as it was before is out of date, and has nothing of it.
func (r *round) shows(w *Watch) bool {
	seen, listed := r.listed[w.ID]
	outdated := w.Known.Status == dataarts.StatusDeploying && seen.Status == dataarts.StatusPendingReview
	return listed && !outdated
}

// fail is about a round that an error ended: whoever has no answer yet has this one.
func (r *round) fail(err error) {
	for i := range r.wanted {
		w := &r.wanted[i]
		if r.found[w.subject()] == nil && !r.shows(w) {
			r.found[w.subject()] = r.failure(err)
		}
	}
}

func (r *round) failure(err error) *View { return &View{Began: r.began, Err: err, turn: r.turn} }
