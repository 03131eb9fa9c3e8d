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

// Package quota shares out the calls that the service allows one user: it paces them, orders them by priority, and stops them while they would fail.
// It knows no service: whoever makes the calls reports an Outcome of each.
package quota

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

const (
	// servedSoon is how much work may wait for a budget before those who come with a new package are sent away.
	servedSoon = 2 * time.Second
	// minRoom is how many may wait in any case, so that a slow budget does not run idle between two of them.
	minRoom = 8
	// probeGrace is how much longer than its timeout a probe may take to be begun and to be reported.
	probeGrace = 5 * time.Second
)

// BusyError sends a caller away for whom there is no room to wait.
type BusyError struct {
	// After is when there will be a turn for this caller: no two callers are told the same.
	After time.Duration
}

// Error implements error.
func (*BusyError) Error() string { return "too many calls wait for the budget already" }

// Budget is the quota of one user of the service, whichever workspaces the calls are for. A call waits for its turn with Acquire, begins with Begin,
// and ends with Call.End; a turn that is not used is handed back with Release.
type Budget struct {
	pace clock.WithDelayedExecution
	// onPause is called when a pause begins or grows that is worth telling of.
	onPause func(*Budget)
	// workers is how many callers there are at most; 0 if that is not known.
	workers int

	mu      sync.Mutex
	pacer   pacer
	breaker breaker
	queue   queue
	// probe is the one call that is let through while the breaker is half-open.
	probe *probe
	// lastSlot is when the latest of those comes back who were sent away.
	lastSlot time.Time
	timer    clock.Timer
}

// probe is a call whose outcome the others wait for.
type probe struct {
	// begun tells that the call is under way, so that its turn cannot be handed back.
	begun bool
	// until is when it is no longer waited for.
	until time.Time
}

// Call is one that is under way.
type Call struct {
	budget *Budget
	probe  *probe
	// trips are those that had been when the call began: it proves nothing about what came later.
	trips tripCounts
	// pressed tells that it was made at the full pace.
	pressed bool
}

// Acquire waits for the turn of a call with this timeout, or says at once why none is to be made now.
func (b *Budget) Acquire(ctx context.Context, p Priority, timeout time.Duration) error {
	return b.wait(ctx, &waiter{priority: p, timeout: timeout})
}

// AcquireUnlessBusy is Acquire for a Change by someone who has others to work for meanwhile: where too many wait already, it returns a *BusyError.
// Whoever is older, by the time since, than one of these takes its place, so that nobody is sent away for ever.
func (b *Budget) AcquireUnlessBusy(ctx context.Context, timeout time.Duration, since time.Time) error {
	return b.wait(ctx, &waiter{priority: Change, timeout: timeout, impatient: true, since: since})
}

func (b *Budget) wait(ctx context.Context, w *waiter) error {
	err := ctx.Err()
	if err == nil {
		if err := b.enter(w); err != nil {
			return err
		}
		select {
		case <-w.done:
			return w.err
		case <-ctx.Done():
			err = ctx.Err()
		}
		b.leave(w)
	}
	return fmt.Errorf("waiting for the budget of calls: %w", err)
}

func (b *Budget) enter(w *waiter) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.breaker.err(); err != nil {
		return err
	}
	now := b.pace.Now()
	if w.impatient && b.queue.counts[Change] >= b.room() && !b.makeRoom(w, now) {
		return &BusyError{After: b.slot(now)}
	}
	w.arrived, w.done, w.index = now, make(chan struct{}), -1
	if w.series != nil {
		w.series.queued(w)
	}
	b.queue.add(w)
	b.dispatch()
	return nil
}

// room is how many may wait before others are sent away. As long as it is known that there are other workers, half of them are kept free.
func (b *Budget) room() int {
	room := max(minRoom, int(servedSoon/b.pacer.interval()))
	if b.workers > 0 {
		room = min(room, max(1, b.workers/2))
	}
	return room
}

// Busy sends a caller away who has to wait for something else than a turn.
func (b *Budget) Busy() *BusyError {
	b.mu.Lock()
	defer b.mu.Unlock()
	return &BusyError{After: b.slot(b.pace.Now())}
}

// makeRoom sends someone younger away, if there is one.
func (b *Budget) makeRoom(w *waiter, now time.Time) bool {
	youngest := b.queue.youngest()
	if youngest == nil || !w.since.Before(youngest.since) {
		return false
	}
	b.queue.remove(youngest)
	youngest.err = &BusyError{After: b.slot(now)}
	close(youngest.done)
	return true
}

// slot is how long someone has to stay away to be served at once, at the usual pace: a slow one is about to pass, and who comes back too early is sent
// away again.
func (b *Budget) slot(now time.Time) time.Duration {
	interval := b.pacer.usual()
	b.lastSlot = later(b.lastSlot, now.Add(time.Duration(b.queue.counts[Change])*interval)).Add(interval)
	return b.lastSlot.Sub(now)
}

// leave ends the wait of a caller whose context has ended. If the turn came at the same moment, it is handed back.
func (b *Budget) leave(w *waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.queue.remove(w) && w.err == nil {
		b.release()
	}
	b.dispatch()
}

// Release hands a turn back that is not used.
func (b *Budget) Release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.release()
	b.dispatch()
}

// release lets another call be the probe. The time of the turn is lost, which is a fraction of a second.
func (b *Budget) release() {
	if b.probe != nil && !b.probe.begun {
		b.probe = nil
	}
}

// dispatch gives turns to those whose time has come, or turns all away, and sets the timer for the next one.
func (b *Budget) dispatch() {
	now := b.pace.Now()
	refusal := b.breaker.err()
	var served []*waiter
	for !b.queue.empty() && (refusal != nil || !b.due().After(now)) {
		w := b.queue.take()
		w.err = refusal
		if refusal == nil {
			b.grant(w, now)
		}
		served = append(served, w)
	}
	b.setTimer(now)
	for _, w := range served { // Once the timer is set, so that what they do next finds it.
		close(w.done)
	}
}

func (b *Budget) setTimer(now time.Time) {
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
	if !b.queue.empty() {
		// A clock may call from within a lock of its own, which the next look at it needs.
		b.timer = b.pace.AfterFunc(b.due().Sub(now), func() { go b.tick() })
	}
}

func (b *Budget) tick() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dispatch()
}

// due is when the next call may be made.
func (b *Budget) due() time.Time {
	at := later(b.pacer.next, b.breaker.resume())
	if b.breaker.halfOpen() && b.probe != nil {
		at = later(at, b.probe.until)
	}
	return at
}

func (b *Budget) grant(w *waiter, now time.Time) {
	if w.series != nil {
		w.series.begun = true
	}
	b.pacer.take(w.arrived, now)
	b.probe = nil
	if b.breaker.halfOpen() {
		b.probe = &probe{until: now.Add(w.timeout + probeGrace)}
	}
	waited.WithLabelValues(w.priority.String()).Observe(now.Sub(w.arrived).Seconds())
}

// Begin waits until a call that had its turn may be made, and takes down that it is made now. Between its turn and the call, its caller may have had
// something to do that took its time, so that several would be made at once and one too many in a second.
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
	c := &Call{budget: b, trips: b.breaker.counts(), pressed: b.pacer.pressed}
	if b.probe != nil && !b.probe.begun {
		b.probe.begun, c.probe = true, b.probe
	}
	return c
}

// End takes down what came of the call.
func (c *Call) End(o Outcome) {
	b := c.budget
	b.mu.Lock()
	before := b.breaker.throttledUntil()
	if c.probe != nil && c.probe == b.probe {
		b.probe = nil
	}
	switch b.breaker.note(c.trips, o) {
	case slower:
		b.pacer.slower(b.breaker.trips[Throttled].pause)
	case faster:
		if c.pressed {
			b.pacer.faster()
		}
	case same:
	}
	b.dispatch()
	until := b.breaker.throttledUntil()
	b.mu.Unlock()
	if !until.IsZero() && !until.Equal(before) {
		b.onPause(b)
	}
}

// Err is why no call is made now; nil if calls are made, or wait.
func (b *Budget) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.breaker.err()
}

// RetryAfter is how long no call will be made, as far as that is known.
func (b *Budget) RetryAfter() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.breaker.retryAfter()
}

// ThrottledUntil is the end of a pause that is worth telling of, the zero time if there is none.
func (b *Budget) ThrottledUntil() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.breaker.throttledUntil()
}

// HalfOpen lets one call try how it fares although the service asked for a pause.
func (b *Budget) HalfOpen() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.breaker.endPause()
	b.dispatch()
}

// IsOpen reports whether calls are held back because of this kind of outcome.
func (b *Budget) IsOpen(k Kind) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.breaker.open(k)
}

// Waiting is how many calls of a priority wait for their turn.
func (b *Budget) Waiting(p Priority) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.queue.counts[p]
}
