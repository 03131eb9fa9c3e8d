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
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/quota"
)

const (
	// firstLook is how soon packages are looked at that this process has never seen: those that were there when it started.
	firstLook = time.Second
	// quiet is how long nobody may have asked for a look before a round for those who await one begins, so that what is done to many packages
	// one after the other is seen with one look. No one waits longer for it than longestWait, and perPage for each page of a list if that is what
	// the look takes: a list that costs more is worth a longer wait, up to worthWaiting.
	quiet        = time.Second
	longestWait  = 5 * time.Second
	perPage      = 500 * time.Millisecond
	worthWaiting = 30 * time.Second
	// firstRetry and lastRetry bound the backoff of looks that fail.
	firstRetry = 5 * time.Second
	lastRetry  = 5 * time.Minute
	// passing is how many looks in a row may fail before that is told to those who only watch.
	passing = 3
)

// observer keeps who watches which package through which connection. Its looks are made in rounds: see round.
type observer struct {
	clock clock.PassiveClock
	// tell is told of objects whose package has changed. It must not block.
	tell func(types.NamespacedName)
	// nudge wakes the one who makes the rounds when the next is due earlier than it was.
	nudge chan struct{}

	mu sync.Mutex
	// ways are the present connections of workspace objects. What is watched through an object is with that, whichever its watcher has used.
	ways  map[types.NamespacedName]*Connection
	polls map[*Connection]*poll
	at    map[types.NamespacedName]*poll
	// turn counts looks and writes, so that a look which began before a write is told from one that began after it.
	turn uint64
	// written has the turn of the latest request to change a package, and forgotten is the latest of those that are in it no longer.
	written   map[place]uint64
	forgotten uint64
}

// place is where a package is.
type place struct {
	v1alpha1.PinnedWorkspace
	id string
}

// poll is what is watched through one connection.
type poll struct {
	conn    *Connection
	entries map[types.NamespacedName]*entry
	// running tells that a round is being made, and series is its calls: who comes to await a look meanwhile lends it their priority.
	running bool
	series  *quota.Series
	// asked is when the latest look was asked for that someone awaits, or that is a package's first, and planned when the next round was last said to begin.
	asked, planned time.Time
	// pages is how many pages the lists had, by the states that they were about.
	pages map[string]int
}

// entry is one watched package.
type entry struct {
	Watch
	due time.Time
	// turn and seenAt are those of the latest look that succeeded; zero if there was none.
	turn   uint64
	seenAt time.Time
	// assumed tells that no look has been made since what the service said at seenAt.
	assumed bool
	// view is what the object is to be told or waits for, and the trouble that it tells of.
	view     *View
	failures int
}

func newObserver(c clock.PassiveClock) *observer {
	return &observer{
		clock: c, tell: func(types.NamespacedName) {}, nudge: make(chan struct{}, 1),
		ways: map[types.NamespacedName]*Connection{}, polls: map[*Connection]*poll{}, at: map[types.NamespacedName]*poll{},
		written: map[place]uint64{},
	}
}

// watch takes a Watch in place of the object's earlier one, unless the workspace object has come to lead elsewhere.
func (o *observer) watch(used *Connection, w Watch) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	conn := o.ways[w.Workspace]
	if conn == nil || conn.target != used.target {
		o.remove(w.Object)
		return false
	}
	if w.After == used.pollInterval {
		w.After = conn.pollInterval
	}
	e := o.entryFor(w)
	if w.Seen != nil && (w.Seen.id == "" || w.Seen.id == w.ID) { // A look at the package that this one replaces says nothing.
		// Nor does one that may be older than a request to change it which is not remembered any more.
		if turn := o.turnOf(w.Seen); turn > max(e.turn, o.forgotten) {
			e.turn, e.seenAt, e.view, e.failures = turn, w.Seen.Began, w.Seen, 0
			e.assumed = w.Seen.turn == 0
		}
	}
	e.Seen = nil
	if v := e.view; v != nil && !w.Awaited && w.Trouble == "" && (v.Err != nil || v.outlook() == w.Known) {
		e.view = nil // It is on record, so that its time is all that matters.
	}
	p := o.put(conn, e)
	o.schedule(p, e)
	return true
}

// entryFor is the entry of an object for a Watch: the one it has, if that is about the same package.
func (o *observer) entryFor(w Watch) *entry {
	e := &entry{Watch: w}
	p := o.at[w.Object]
	switch {
	case p == nil:
	case p.entries[w.Object].ID == w.ID:
		*e = *p.entries[w.Object]
		e.Watch = w
	default:
		o.remove(w.Object)
	}
	return e
}

// put files an entry with the poll of its connection.
func (o *observer) put(conn *Connection, e *entry) *poll {
	if p := o.at[e.Object]; p != nil && p.conn != conn {
		o.remove(e.Object)
	}
	p := o.polls[conn]
	if p == nil {
		p = &poll{conn: conn, entries: map[types.NamespacedName]*entry{}, pages: map[string]int{}}
		o.polls[conn] = p
	}
	p.entries[e.Object], o.at[e.Object] = e, p
	return p
}

func (o *observer) watched(object types.NamespacedName) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	p := o.at[object]
	return p != nil && !p.entries[object].due.IsZero()
}

// unwatch ends the watching for an object.
func (o *observer) unwatch(object types.NamespacedName) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.remove(object)
}

// remove takes an entry out of its poll, which ends with its last. What was written to its package is remembered until no round can be under way
// that began before.
func (o *observer) remove(object types.NamespacedName) {
	p := o.at[object]
	if p == nil {
		return
	}
	delete(p.entries, object)
	delete(o.at, object)
	if len(p.entries) == 0 && !p.running {
		delete(o.polls, p.conn)
	}
}

// wrote notes that a package was asked to change: what was seen before says nothing any more.
func (o *observer) wrote(target v1alpha1.PinnedWorkspace, ids ...string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.turn++
	for _, id := range ids {
		o.written[place{target, id}] = o.turn
	}
}

// nextTurn is the turn of a look that begins now.
func (o *observer) nextTurn() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.turn++
	return o.turn
}

// turnOf is the turn of a view that its caller has: now, where no look has led to it.
func (o *observer) turnOf(v *View) uint64 {
	if v.turn > 0 {
		return v.turn
	}
	o.turn++
	return o.turn
}

// forget drops the record of writes to packages that nobody watches, unless a round is under way which may have begun before them.
func (o *observer) forget() {
	if len(o.written) == 0 {
		return
	}
	for _, p := range o.polls {
		if p.running {
			return
		}
	}
	watched := make(map[place]bool, len(o.at))
	for object, p := range o.at {
		watched[place{p.conn.target, p.entries[object].ID}] = true
	}
	maps.DeleteFunc(o.written, func(where place, turn uint64) bool {
		if !watched[where] {
			o.forgotten = max(o.forgotten, turn)
		}
		return !watched[where]
	})
}

// view is what is known of an object's package from looks that began after the latest request to change it.
func (o *observer) view(object types.NamespacedName, id string) (View, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	p := o.at[object]
	if p == nil || p.entries[object].ID != id {
		return View{}, false
	}
	e := p.entries[object]
	switch valid := e.turn > o.written[place{p.conn.target, id}]; {
	case e.view != nil && (valid || e.view.Err != nil):
		v := *e.view
		v.assumed = e.assumed
		return v, true
	case valid && !e.seenAt.IsZero():
		return View{Began: e.seenAt, assumed: e.assumed}, true
	}
	return View{}, false
}

// lead takes down which connection a workspace object has from now on, nil for none, and hands over to it what is watched through the object. If it
// leads elsewhere, or there is none, the objects that watch are told instead.
func (o *observer) lead(workspace types.NamespacedName, to *Connection) {
	o.mu.Lock()
	defer o.mu.Unlock()
	from := o.ways[workspace]
	if from == to {
		return
	}
	o.ways[workspace] = to
	if to == nil {
		delete(o.ways, workspace)
	}
	if p := o.polls[from]; p != nil {
		for _, object := range slices.Collect(maps.Keys(p.entries)) {
			if e := p.entries[object]; e.Workspace == workspace {
				o.move(e, from, to)
			}
		}
	}
}

func (o *observer) move(e *entry, from, to *Connection) {
	if to == nil || to.target != from.target {
		o.remove(e.Object)
		o.tell(e.Object)
		return
	}
	if e.After == from.pollInterval {
		e.After = to.pollInterval
	}
	o.schedule(o.put(to, e), e)
}
