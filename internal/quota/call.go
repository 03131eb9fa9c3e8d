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

package quota

import (
	"context"
	"time"
)

// Outcome is what came of a call.
type Outcome struct {
	Kind Kind
	// RetryAfter is how long the service asks to wait, with Throttled. It is zero if the service does not say.
	RetryAfter time.Duration
	// Err is what other callers get while calls are held back because of this outcome.
	Err error
}

// Kind is what an outcome says about the calls to come. The first three open the circuit breaker. If several have,
// callers get the first one's error.
type Kind int

const (
	// Rejected means that the credentials were not accepted.
	Rejected Kind = iota
	// Throttled means that the service asks for fewer calls.
	Throttled
	// Unreachable means that there was no answer.
	Unreachable
	// Answered is every other answer, whatever it says.
	Answered
	// Inconclusive is the end of a call that its caller gave up, or that was never sent.
	Inconclusive
)

// breaking is how many kinds open the circuit breaker.
const breaking = Unreachable + 1

// String is the value of a label.
func (k Kind) String() string {
	return [...]string{"rejected", "throttled", "unreachable", "answered", "inconclusive"}[k]
}

// Call is one that is under way.
type Call struct {
	budget *Budget
	probe  *probe
	// began are the generations of the breaker's trips when the call began.
	began generations
	// pressed means that it was made at the full pace.
	pressed bool
}

// Begin starts a call that had its turn. Its caller may have done other work since then, so that several calls would be
// made at once, and one too many in a second. So Begin spaces them again.
func (b *Budget) Begin(ctx context.Context) *Call {
	b.mu.Lock()
	defer b.mu.Unlock()
	if wait := b.pacer.reserve(b.pace.Now()); wait > 0 {
		b.mu.Unlock()
		over := make(chan struct{})
		timer := b.pace.AfterFunc(wait, func() { close(over) })
		select {
		case <-over:
		case <-ctx.Done(): // The call finds out for itself.
		}
		timer.Stop()
		b.mu.Lock()
	}
	c := &Call{budget: b, began: b.breaker.generations(), pressed: b.pacer.pressed}
	if b.probe != nil && !b.probe.begun {
		b.probe.begun, c.probe = true, b.probe
	}
	return c
}

// End reports what came of the call.
func (c *Call) End(o Outcome) {
	if pausedNow := c.budget.end(c, o); pausedNow {
		c.budget.onPause(c.budget)
	}
}

// end reports whether a pause has begun or grown that people should know of.
func (b *Budget) end(c *Call, o Outcome) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.breaker.throttledUntil()
	if c.probe == b.probe {
		b.probe = nil
	}
	switch tellsPace := b.breaker.note(c.began, o); {
	case tellsPace && o.Kind == Throttled:
		b.pacer.slowDown(b.breaker.trips[Throttled].pause)
	case tellsPace:
		b.pacer.speedUp(c.pressed)
	}
	b.dispatch()
	until := b.breaker.throttledUntil()
	return !until.IsZero() && !until.Equal(before)
}
