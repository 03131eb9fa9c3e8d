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

import "time"

const (
	// firstLook is how soon packages are looked at that this process has never seen: those that were there when it
	// started.
	firstLook = time.Second
	// gatherFor is how long nobody may have asked for a look before a run for those who require one begins, so that what
	// is done to many packages one after the other is seen with one look. No one waits longer for it than
	// longestGathering, and perPage for each page of a list if that is what the look takes: a list that costs more is
	// worth a longer wait, up to worthGathering.
	gatherFor        = time.Second
	longestGathering = 5 * time.Second
	perPage          = 500 * time.Millisecond
	worthGathering   = 30 * time.Second
)

// schedule says when a subscriber's package is looked at next.
func (p *Poller) schedule(g *group, s *subscriber) {
	now, after := p.clock.Now(), s.After
	if s.Paced {
		after = g.source.PollInterval()
	}
	latest := now.Add(after)
	switch {
	case s.Required:
		s.due, g.asked = latest, now
		if g.calls != nil { // The run under way is what the look waits for.
			g.calls.Hurry()
		}
	case s.seenAt.IsZero():
		s.due, g.asked = now.Add(min(firstLook, after)), now
	case s.due.After(now) && s.due.Before(latest): // It stays as it was.
	default:
		s.due = g.alongside(s, now, latest)
	}
	if g.planned.IsZero() || s.due.Before(g.planned) {
		g.planned = s.due
		p.wake()
	}
}

// alongside is the time at which others are looked at that are in the same state, so that one look serves all; latest
// if there are none.
func (g *group) alongside(s *subscriber, now, latest time.Time) time.Time {
	for _, other := range g.subscribers {
		if other == s || other.Required || other.LastKnown != s.LastKnown || other.seenAt.IsZero() {
			continue
		}
		if other.due.After(now) && other.due.Before(latest) {
			return other.due
		}
		break // One speaks for all: they are looked at together.
	}
	return latest
}

func (p *Poller) wake() {
	select {
	case p.nudge <- struct{}{}:
	default:
	}
}

// next is when the next run is due, and of which group; nil if none is.
func (p *Poller) next() (*group, time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var first *group
	var when time.Time
	for _, g := range p.groups {
		if g.running {
			continue
		}
		g.planned = g.next()
		if !g.planned.IsZero() && (first == nil || g.planned.Before(when)) {
			first, when = g, g.planned
		}
	}
	return first, when
}

// next is when something is to be looked at: at once when it is due, and a little later where somebody waits for a
// look that others may need too.
func (g *group) next() time.Time {
	var due, required time.Time
	waiting := 0
	for _, s := range g.subscribers {
		if s.gathers() {
			required = earlier(required, s.due)
			waiting++
		} else {
			due = earlier(due, s.due)
		}
	}
	if !required.IsZero() {
		calm := earlier(g.asked.Add(gatherFor), required.Add(g.longestGathering(waiting)-gatherFor))
		if calm.After(required) {
			required = calm
		}
	}
	return earlier(due, required)
}

// longestGathering is how long so many wait for others at most.
func (g *group) longestGathering(waiting int) time.Duration {
	pages := 0
	for _, n := range g.pages {
		pages = max(pages, n)
	}
	if waiting <= pages {
		return longestGathering // A look at each costs less than the list.
	}
	return min(longestGathering+time.Duration(pages)*perPage, worthGathering)
}

// gathers reports whether a look is better made a little later, as others are about to ask for one: what is done to
// many packages is done to one after the other, and so are the first passes after a start.
func (s *subscriber) gathers() bool { return s.Required || s.seenAt.IsZero() }

// earlier is the earlier of two times; one that is zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
