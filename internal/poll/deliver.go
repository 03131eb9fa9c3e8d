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
	"errors"
	"math/rand/v2"
	"time"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

const (
	// shortestBackoff and longestBackoff bound the time after which looks that fail are made again.
	shortestBackoff = 5 * time.Second
	longestBackoff  = 5 * time.Minute
	// lastingFailures is how many looks in a row have to fail before that is told to those who do not wait for one.
	lastingFailures = 3
)

// deliver hands out what the run has shown. Where it was cut off, it has shown nothing.
func (p *Poller) deliver(r *run, cutOff bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r.running, r.calls = false, nil
	next := r.nextLook()
	for _, s := range r.subscribers {
		v := r.observationOf(s)
		switch {
		case v == nil && !cutOff && !r.unfinished && !s.due.After(r.began):
			// Whatever kept the run from looking, the next one has to wait.
			s.due = p.clock.Now().Add(next.scaled(shortestBackoff))
		case cutOff, v == nil:
		case v.sequence <= max(s.sequence, p.lastWrite[place{r.source.Target(), s.ID}]):
			// It was seen or asked to change meanwhile, so that the next look counts. That is made for all together, even if
			// it is a little later.
			after := next.after(s)
			if due := r.began.Add(after); !s.gathers() && due.Before(s.due.Add(after/4)) {
				s.due = due
			}
		case v.Err != nil:
			p.failed(s, v, next)
		default:
			p.succeeded(s, v, next)
		}
	}
	if len(r.subscribers) == 0 && p.groups[r.source] == r.group {
		delete(p.groups, r.source)
	}
	p.forget()
	p.wake()
}

// observationOf is what a run has shown of a package, whether or not that was due; nil if nothing.
func (r *run) observationOf(s *subscriber) *Observation {
	if v := r.found[s.subject()]; v != nil {
		return v
	}
	if !r.shows(&s.Subscription) {
		return nil
	}
	v := &Observation{Began: r.began, sequence: r.sequence}
	switch shown := r.listed[s.ID]; {
	case shown.shown != nil:
		v.Package = &dataarts.PackageDetail{Package: *shown.shown}
	case shown.RemoteState != s.LastKnown || s.Required || s.LastError != "":
		return nil // More was expected of it meanwhile than to look as it did.
	}
	return v
}

// succeeded takes down a look that succeeded.
func (p *Poller) succeeded(s *subscriber, v *Observation, next *nextLook) {
	s.news, s.sequence, s.seenAt, s.failures, s.assumed = nil, v.sequence, v.Began, 0, false
	changed := !v.unchanged() && v.state() != s.LastKnown
	if s.Required && !changed && s.due.After(v.Began.Add(gatherFor)) {
		return // Others were looked at. Whoever means to come back later is told then.
	}
	s.due = v.Began.Add(next.after(s))
	if s.Required || s.LastError != "" || changed {
		s.news, s.due = v, s.due.Add(longestBackoff) // The object is told, and says how it goes on.
		p.onChange(s.Object)
	}
}

// failed takes down a look that failed. Those who do not wait for it are told when that lasts.
func (p *Poller) failed(s *subscriber, v *Observation, next *nextLook) {
	s.failures++
	s.due = p.clock.Now().Add(next.scaled(min(shortestBackoff<<min(s.failures-1, 10), longestBackoff)))
	if (s.Required || s.failures >= lastingFailures || lasts(v.Err)) && (s.Required || s.LastError != v.Err.Error()) {
		s.news, v.Required = v, s.Required
		p.onChange(s.Object)
	}
}

// nextLook is when to look again after a run. Those that were looked at together stay together.
type nextLook struct {
	// spread keeps runs apart that would come at the same time for no reason but their intervals.
	spread float64
	// interval is that of the source, and least how soon its budget lets any run follow.
	interval, least time.Duration
}

func (r *run) nextLook() *nextLook {
	n := &nextLook{spread: 1 + rand.Float64()/10} //nolint:gosec // No secret depends on it.
	if !r.awaited {
		n.least = r.source.Polled(r.made)
	}
	n.interval = r.source.PollInterval()
	return n
}

func (n *nextLook) after(s *subscriber) time.Duration {
	if s.Paced {
		return n.interval
	}
	return n.scaled(max(s.After, n.least))
}

func (n *nextLook) scaled(d time.Duration) time.Duration { return time.Duration(float64(d) * n.spread) }

// lasts reports whether an error is not one of those that come and go.
func lasts(err error) bool {
	if e, ok := errors.AsType[interface {
		error
		Lasting() bool
	}](err); ok {
		return e.Lasting()
	}
	switch dataarts.KindOf(err) {
	case dataarts.Unauthorized, dataarts.Forbidden, dataarts.Refused:
		return true
	case dataarts.Unknown, dataarts.NotFound, dataarts.AlreadyDeployed, dataarts.Throttled, dataarts.Unreachable:
	}
	return false
}
