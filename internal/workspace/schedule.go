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
	"time"

	"github.com/dataarts-operator/dataarts-operator/internal/quota"
)

// schedule says when an entry is looked at next.
func (o *observer) schedule(p *poll, e *entry) {
	now := o.clock.Now()
	latest := now.Add(e.After)
	switch {
	case e.Awaited:
		e.due, p.asked = latest, now
		if p.series != nil { // The round under way is what the look waits for.
			p.series.Raise(quota.Lookup)
		}
	case e.seenAt.IsZero():
		e.due, p.asked = now.Add(min(firstLook, e.After)), now
	case e.due.After(now) && e.due.Before(latest): // It stays as it was.
	default:
		e.due = p.alongside(e, now, latest)
	}
	if p.planned.IsZero() || e.due.Before(p.planned) {
		p.planned = e.due
		o.wake()
	}
}

// alongside is the time at which others are looked at that are in the same state, so that one look serves all; latest if there are none.
func (p *poll) alongside(e *entry, now, latest time.Time) time.Time {
	for _, other := range p.entries {
		if other == e || other.Awaited || other.Known != e.Known || other.seenAt.IsZero() {
			continue
		}
		if other.due.After(now) && other.due.Before(latest) {
			return other.due
		}
		break // One speaks for all: they are looked at together.
	}
	return latest
}

func (o *observer) wake() {
	select {
	case o.nudge <- struct{}{}:
	default:
	}
}

// next is when the next round is due, and of which poll; nil if none is.
func (o *observer) next() (*poll, time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var first *poll
	var when time.Time
	for _, p := range o.polls {
		if p.running {
			continue
		}
		p.planned = p.next()
		if !p.planned.IsZero() && (first == nil || p.planned.Before(when)) {
			first, when = p, p.planned
		}
	}
	return first, when
}

// next is when something is to be looked at: at once when it is due, and a little later where someone waits for a look that others may need as well.
func (p *poll) next() time.Time {
	var due, awaited time.Time
	waiting := 0
	for _, e := range p.entries {
		if e.gathers() {
			awaited = earlier(awaited, e.due)
			waiting++
		} else {
			due = earlier(due, e.due)
		}
	}
	if !awaited.IsZero() {
		calm := earlier(p.asked.Add(quiet), awaited.Add(p.longestWait(waiting)-quiet))
		if calm.After(awaited) {
			awaited = calm
		}
	}
	return earlier(due, awaited)
}

// longestWait is how long so many wait for others at most.
func (p *poll) longestWait(waiting int) time.Duration {
	pages := 0
	for _, n := range p.pages {
		pages = max(pages, n)
	}
	if waiting <= pages {
		return longestWait // A look at each costs less than the list.
	}
	return min(longestWait+time.Duration(pages)*perPage, worthWaiting)
}

// gathers reports whether a look is better made a little later, as others are about to ask for one: what is done to many packages is done to one after
// the other, and so are the first passes after a start.
func (e *entry) gathers() bool { return e.Awaited || e.seenAt.IsZero() }

// claim takes a poll out of the running until the end of the round that is about to begin.
func (o *observer) claim(p *poll) {
	o.mu.Lock()
	defer o.mu.Unlock()
	p.running = true
}

// earlier is the earlier of two times; one that is zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
