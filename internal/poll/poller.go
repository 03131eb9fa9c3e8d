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

// Package poll looks at packages on behalf of many objects at once, and tells those whose package has changed.
package poll

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// Poller keeps who has subscribed to which package through which source. Looks are made in runs.
type Poller struct {
	clock   clock.PassiveClock
	resolve Resolve
	// nudge wakes Start when the next run is due earlier than it was.
	nudge chan struct{}

	mu       sync.Mutex
	onChange func(types.NamespacedName)
	// sources are the present sources of workspace objects. What is subscribed to through an object is looked at with
	// that, whichever its subscriber has used.
	sources map[types.NamespacedName]Source
	groups  map[Source]*group
	// in has the group of each object.
	in map[types.NamespacedName]*group
	// sequence counts looks and writes, so that a look which began before a write is told from one that began after it.
	sequence uint64
	// lastWrite has the sequence of the latest request to change a package, and forgotten is the latest of those that it
	// has no longer.
	lastWrite map[place]uint64
	forgotten uint64
}

// place is where a package is.
type place struct {
	v1alpha1.PinnedWorkspace
	id string
}

// group is who has subscribed through one source.
type group struct {
	source      Source
	subscribers map[types.NamespacedName]*subscriber
	// running means that a run is being made, and calls are its calls: who comes to wait for a look meanwhile makes them
	// hurry.
	running bool
	calls   Calls
	// asked is when the latest look was asked for that somebody waits for, or that is a package's first. planned is when
	// the next run was last said to begin.
	asked, planned time.Time
	// pages is how many pages the lists had, by the states that they were about.
	pages map[string]int
}

// subscriber is an object and what is known of its package.
type subscriber struct {
	Subscription
	due time.Time
	// sequence and seenAt are those of the latest look that succeeded; zero if there was none.
	sequence uint64
	seenAt   time.Time
	// assumed means that no look has been made since what the service said at seenAt.
	assumed bool
	// news is what the object is to be told or waits for, and the error that it tells of.
	news     *Observation
	failures int
}

// New makes a poller that makes no looks before Start.
func New(c clock.PassiveClock, resolve Resolve) *Poller {
	return &Poller{
		clock: c, resolve: resolve, nudge: make(chan struct{}, 1), onChange: func(types.NamespacedName) {},
		sources: map[types.NamespacedName]Source{}, groups: map[Source]*group{}, in: map[types.NamespacedName]*group{},
		lastWrite: map[place]uint64{},
	}
}

// OnChange has a function called for each object whose package has changed, or whose required look was made. It must
// not block.
func (p *Poller) OnChange(f func(types.NamespacedName)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.onChange = f
}

// Subscribe asks for looks at a package from now on, in place of what was asked for its object before. They are made
// with the source that the workspace object has then, which need not be the one that its caller has used. If that
// leads elsewhere by now, or there is none, nothing is subscribed to, and Subscribe returns false.
func (p *Poller) Subscribe(used Source, to Subscription) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	source := p.sources[to.Workspace]
	if source == nil || source.Target() != used.Target() {
		p.remove(to.Object)
		return false
	}
	s := p.subscriberFor(to)
	// A look at the package that this one replaces says nothing.
	if v := to.Observed; v != nil && (v.id == "" || v.id == to.ID) {
		// Nor does one that may be older than a request to change it which is not remembered any more.
		if sequence := p.sequenceOf(v); sequence > max(s.sequence, p.forgotten) {
			s.sequence, s.seenAt, s.news, s.failures = sequence, v.Began, v, 0
			s.assumed = v.Assumed
		}
	}
	s.Observed = nil
	if v := s.news; v != nil && !to.Required && to.LastError == "" && (v.Err != nil || v.state() == to.LastKnown) {
		s.news = nil // It is on record, so that its time is all that matters.
	}
	p.schedule(p.put(source, s), s)
	return true
}

// subscriberFor is the one that the object is already, if that is about the same package.
func (p *Poller) subscriberFor(to Subscription) *subscriber {
	s := &subscriber{Subscription: to}
	g := p.in[to.Object]
	switch {
	case g == nil:
	case g.subscribers[to.Object].ID == to.ID:
		*s = *g.subscribers[to.Object]
		s.Subscription = to
	default:
		p.remove(to.Object)
	}
	return s
}

// put files a subscriber with the group of its source.
func (p *Poller) put(source Source, s *subscriber) *group {
	if g := p.in[s.Object]; g != nil && g.source != source {
		p.remove(s.Object)
	}
	g := p.groups[source]
	if g == nil {
		g = &group{source: source, subscribers: map[types.NamespacedName]*subscriber{}, pages: map[string]int{}}
		p.groups[source] = g
	}
	g.subscribers[s.Object], p.in[s.Object] = s, g
	return g
}

// Subscribed reports whether a look at an object's package is due, sooner or later.
func (p *Poller) Subscribed(object types.NamespacedName) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := p.in[object]
	return g != nil && !g.subscribers[object].due.IsZero()
}

// Unsubscribe ends the looks for an object.
func (p *Poller) Unsubscribe(object types.NamespacedName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remove(object)
}

// remove takes a subscriber out of its group, which ends with its last. What was written to its package is remembered
// until no run can be under way that began before.
func (p *Poller) remove(object types.NamespacedName) {
	g := p.in[object]
	if g == nil {
		return
	}
	delete(g.subscribers, object)
	delete(p.in, object)
	if len(g.subscribers) == 0 && !g.running {
		delete(p.groups, g.source)
	}
}

// Latest returns what looks have shown of an object's package. It is false unless one that began after the latest
// request to change the package has succeeded, or the latest one failed. Whether it is recent enough is for the
// caller to say.
func (p *Poller) Latest(object types.NamespacedName, id string) (Observation, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := p.in[object]
	if g == nil || g.subscribers[object].ID != id {
		return Observation{}, false
	}
	s := g.subscribers[object]
	v, valid := Observation{Began: s.seenAt}, s.sequence > p.lastWrite[place{g.source.Target(), id}]
	if s.news != nil {
		v, valid = *s.news, valid || s.news.Err != nil
	} else {
		valid = valid && !s.seenAt.IsZero()
	}
	if !valid {
		return Observation{}, false
	}
	v.Assumed = s.assumed
	return v, true
}

// SetSource says which source a workspace object has from now on, and hands over to it what is subscribed to through
// the object. If that leads elsewhere, the subscribers are told instead.
func (p *Poller) SetSource(workspace types.NamespacedName, source Source) {
	p.mu.Lock()
	defer p.mu.Unlock()
	from := p.sources[workspace]
	if from == source {
		return
	}
	p.sources[workspace] = source
	p.handOver(workspace, from, source)
}

// RemoveSource says that a workspace object has no source any more. Its subscribers are told.
func (p *Poller) RemoveSource(workspace types.NamespacedName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	from := p.sources[workspace]
	delete(p.sources, workspace)
	p.handOver(workspace, from, nil)
}

func (p *Poller) handOver(workspace types.NamespacedName, from, to Source) {
	g := p.groups[from]
	if g == nil {
		return
	}
	for _, s := range g.subscribers {
		switch {
		case s.Workspace != workspace:
		case to == nil || to.Target() != from.Target():
			p.remove(s.Object)
			p.onChange(s.Object)
		default:
			p.schedule(p.put(to, s), s)
		}
	}
}
