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
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

// mostDetails bounds the looks at single packages in one round, so that a list which leaves out all that it should show does not lead to as many
// calls as there are packages, before anything else is looked at.
const mostDetails = 100

// round is one look at the packages of a poll that are due.
type round struct {
	*poll
	turn  uint64
	began time.Time
	// wanted are the packages that are due; awaited tells that someone waits for one of them.
	wanted  []Watch
	awaited bool
	// listed is what a list showed, by the package's id, and found what came of looks at single packages.
	listed map[string]*dataarts.Package
	found  map[types.NamespacedName]*View
}

// begin takes what is due. There is no other round of the poll until end.
func (o *observer) begin(p *poll) *round {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.turn++
	p.running = true
	r := &round{
		poll: p, turn: o.turn, began: o.clock.Now(),
		listed: map[string]*dataarts.Package{}, found: map[types.NamespacedName]*View{},
	}
	for _, e := range p.entries {
		// Those who wait are served a little early, if there is a round anyway.
		if !e.due.After(r.began) || e.Awaited && !e.due.After(r.began.Add(quiet)) {
			r.wanted = append(r.wanted, e.Watch)
			r.awaited = r.awaited || e.Awaited
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
	if states := r.states(); len(states) > 0 && len(r.wanted) > r.pagesOf(states) {
		if err := r.list(ctx, states); err != nil {
			r.fail(err)
			return
		}
	}
	r.details(ctx)
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
			r.found[w.Object] = &View{Began: r.began, Err: err}
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

// pagesOf is how many pages the list of some states had the last time; one if that is not known.
func (r *round) pagesOf(states []dataarts.DeployStatus) int {
	if n := r.pages[fmt.Sprint(states)]; n > 0 {
		return n
	}
	return 1
}

// list reads the list of packages in some states, page by page, unless it turns out that looks at single packages cost less. What it shows is
// taken down. What it does not show proves nothing: it may have slipped from one page to another.
func (r *round) list(ctx context.Context, states []dataarts.DeployStatus) error {
	options := dataarts.ListOptions{States: states, AppliedAfter: r.oldest()}
	urgency := last
	if r.awaited {
		urgency = second
	}
	fetch := func(offset int) ([]dataarts.Package, int, error) {
		options.Offset = offset
		page, err := r.conn.list(ctx, urgency, options)
		return page.Packages, page.Total, err
	}
	keep := func(page []dataarts.Package) {
		for i := range page {
			r.listed[page[i].ID] = &page[i]
		}
	}
	pages, err := sweep(fetch, keep, func(p dataarts.Package) string { return p.ID }, len(r.wanted))
	r.pages[fmt.Sprint(states)] = pages
	return err
}

// oldest is when the first of the packages was packed, by the service's clock; zero where that is not known of one.
func (r *round) oldest() time.Time {
	var oldest time.Time
	for i := range r.wanted {
		if r.wanted[i].PackedAt.IsZero() {
			return time.Time{}
		}
		oldest = earlier(oldest, r.wanted[i].PackedAt)
	}
	return appliedAfter(oldest)
}

// details looks at the packages that no list has shown, one by one.
func (r *round) details(ctx context.Context) {
	made := 0
	for i := range r.wanted {
		w := &r.wanted[i]
		if r.shows(w) != nil {
			continue
		}
		if made++; made > mostDetails {
			return // The others are still due, and have the next round.
		}
		v := r.conn.Find(ctx, w.ID, w.Name, w.PackedAt)
		r.found[w.Object] = &v
		switch dataarts.KindOf(v.Err) {
		case dataarts.Unauthorized, dataarts.Throttled, dataarts.Unreachable:
			r.fail(v.Err) // The others would fare no better.
			return
		case dataarts.Unknown, dataarts.Refused, dataarts.NotFound, dataarts.AlreadyDeployed, dataarts.Forbidden:
		}
	}
}

// shows is what the list has of a package, nil if nothing. A list that shows a package as it was before is out of date and has nothing of it.
func (r *round) shows(w *Watch) *dataarts.Package {
	p := r.listed[w.ID]
	if p != nil && w.Known.Status == dataarts.StatusDeploying && p.Status == dataarts.StatusPendingReview && !p.Deleted {
		return nil
	}
	return p
}

// fail is about a round that an error ended: whoever has no answer yet has this one.
func (r *round) fail(err error) {
	for i := range r.wanted {
		w := &r.wanted[i]
		if r.found[w.Object] == nil && r.shows(w) == nil {
			r.found[w.Object] = &View{Began: r.began, Err: err}
		}
	}
}

// end hands out what the round has shown. Where it was cut off, it has shown nothing.
func (o *observer) end(r *round, cutOff bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	r.running = false
	// Those that are looked at together stay together.
	spread := jitter(time.Second)
	for object, e := range r.entries {
		v := r.viewOf(e)
		switch {
		case cutOff, v == nil:
		case r.turn <= o.written[place{r.conn.target, e.ID}]:
			// It was asked to change meanwhile, so that the next look counts.
		case v.Err != nil:
			o.failed(object, e, v)
		default:
			o.seen(object, e, v, r, spread)
		}
	}
	if len(r.entries) == 0 && o.polls[r.conn] == r.poll {
		delete(o.polls, r.conn)
	}
	o.wake()
}

// viewOf is what a round has shown of a package, whether or not that was due; nil if nothing.
func (r *round) viewOf(e *entry) *View {
	if v := r.found[e.Object]; v != nil {
		return v
	}
	if p := r.shows(&e.Watch); p != nil {
		return &View{Began: r.began, Package: &dataarts.PackageDetail{Package: *p}}
	}
	return nil
}

// seen takes down a look that succeeded.
func (o *observer) seen(object types.NamespacedName, e *entry, v *View, r *round, spread time.Duration) {
	e.turn, e.seenAt, e.failures = r.turn, v.Began, 0
	e.due = v.Began.Add(time.Duration(float64(e.After) * spread.Seconds()))
	if e.Awaited || e.Trouble != "" || v.outlook() != e.Known {
		e.view, e.due = v, e.due.Add(lastRetry) // The object is told, and says how it goes on.
		o.tell(object)
	}
}

// failed takes down a look that failed. Those who only watch are told when that lasts.
func (o *observer) failed(object types.NamespacedName, e *entry, v *View) {
	e.failures++
	e.due = o.clock.Now().Add(jitter(min(firstRetry<<min(e.failures-1, 10), lastRetry)))
	if (e.Awaited || e.failures >= passing || lasts(v.Err)) && (e.Awaited || e.Trouble != v.Err.Error()) {
		e.view, v.Awaited = v, e.Awaited
		o.tell(object)
	}
}

// lasts reports whether an error is not one of those that come and go.
func lasts(err error) bool {
	if _, unusable := errors.AsType[*Error](err); unusable {
		return true
	}
	switch dataarts.KindOf(err) {
	case dataarts.Unauthorized, dataarts.Forbidden, dataarts.Refused:
		return true
	case dataarts.Unknown, dataarts.NotFound, dataarts.AlreadyDeployed, dataarts.Throttled, dataarts.Unreachable:
	}
	return false
}
