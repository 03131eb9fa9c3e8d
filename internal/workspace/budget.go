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
	"fmt"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

const (
	// servedSoon is how much work may wait for a budget before those who come with a new package are sent away.
	servedSoon = 2 * time.Second
	// leastWaiting is how many may wait in any case, so that a slow budget does not run idle between two of them.
	leastWaiting = 8
	// trialGrace is how much longer than its timeout a trial call may take to be begun and to be reported.
	trialGrace = 5 * time.Second
)

// BusyError sends a caller away for whom there is no room to wait.
type BusyError struct {
	// After is when there will be a turn for this caller: no two callers are told the same.
	After time.Duration
}

// Error implements error.
func (*BusyError) Error() string { return "too many calls wait for the budget already" }

// budget paces the calls that are made as one user of the service, whichever workspaces they are for, and holds them back while it is known
// that they would fail.
type budget struct {
	pace clock.WithDelayedExecution
	// tellThrottled is called when a pause begins or grows that is worth telling of.
	tellThrottled func()
	// workers is how many callers there are at most; 0 if that is not known.
	workers int

	mu      sync.Mutex
	tempo   tempo
	breaker breaker
	queue   queue
	// trial is the one call that is let through while it is not known how calls fare.
	trial *trial
	// slots is when the latest of those comes back who were sent away.
	slots time.Time
	timer clock.Timer
}

// trial is a call whose outcome the others wait for.
type trial struct {
	// begun tells that the call is under way, so that its turn cannot be handed back.
	begun bool
	// until is when it is no longer waited for.
	until time.Time
}

// call is what a budget remembers of a call that is under way.
type call struct {
	trial *trial
	// since are the holds that had been when the call began: it proves nothing about what came later.
	since [reasons]int
	// pressed tells that it was made at the full pace.
	pressed bool
}

func newBudget(passive clock.PassiveClock, pace clock.WithDelayedExecution, workers int) *budget {
	return &budget{pace: pace, workers: workers, tempo: newTempo(), breaker: breaker{clock: passive, pace: pace}}
}

// admit waits for the turn of a call with this timeout, or says at once why none is to be made now.
func (b *budget) admit(ctx context.Context, p priority, timeout time.Duration) error {
	return b.wait(ctx, &waiter{priority: p, timeout: timeout})
}

// ticket is admit for those who have others to work for meanwhile: where too many wait already, it returns a *BusyError. Whoever has been there for
// longer than one of these takes its place, so that nobody is sent away for ever.
func (b *budget) ticket(ctx context.Context, timeout time.Duration, there time.Time) error {
	return b.wait(ctx, &waiter{priority: first, timeout: timeout, impatient: true, there: there})
}

func (b *budget) wait(ctx context.Context, w *waiter) error {
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

func (b *budget) enter(w *waiter) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.breaker.refusal(); err != nil {
		return err
	}
	now := b.pace.Now()
	if w.impatient && b.queue.of(first) >= b.room() && !b.makeRoom(w, now) {
		return &BusyError{After: b.slot(now)}
	}
	w.arrived, w.done, w.index = now, make(chan struct{}), -1
	if w.errand != nil {
		w.errand.queued(w)
	}
	b.queue.add(w)
	b.proceed()
	return nil
}

// room is how many may wait before others are sent away. As long as it is known that there are other workers, half of them are kept free.
func (b *budget) room() int {
	room := max(leastWaiting, int(servedSoon/b.tempo.interval()))
	if b.workers > 0 {
		room = min(room, max(1, b.workers/2))
	}
	return room
}

// busy sends a caller away who has to wait for something else than a turn.
func (b *budget) busy() *BusyError {
	b.mu.Lock()
	defer b.mu.Unlock()
	return &BusyError{After: b.slot(b.pace.Now())}
}

// makeRoom sends someone else away, if there is one who has not been there for as long.
func (b *budget) makeRoom(w *waiter, now time.Time) bool {
	latest := b.queue.latest()
	if latest == nil || !w.there.Before(latest.there) {
		return false
	}
	b.queue.remove(latest)
	latest.err = &BusyError{After: b.slot(now)}
	close(latest.done)
	return true
}

// slot is how long someone has to stay away to be served at once, at the usual pace: a slow one is about to pass, and who comes back too early is sent
// away again.
func (b *budget) slot(now time.Time) time.Duration {
	interval := b.tempo.usual()
	b.slots = later(b.slots, now.Add(time.Duration(b.queue.of(first))*interval)).Add(interval)
	return b.slots.Sub(now)
}

// leave ends the wait of a caller whose context has ended. If the turn came at the same moment, it is handed back.
func (b *budget) leave(w *waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.queue.remove(w) && w.err == nil {
		b.handBack()
	}
	b.proceed()
}

// unadmit hands a turn back that is not used.
func (b *budget) unadmit() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.handBack()
	b.proceed()
}

// handBack lets another call be the trial. The time of the turn is lost, which is a fraction of a second.
func (b *budget) handBack() {
	if b.trial != nil && !b.trial.begun {
		b.trial = nil
	}
}

// proceed gives turns to those whose time has come, or turns all away, and sets the timer for the next one.
func (b *budget) proceed() {
	now := b.pace.Now()
	refusal := b.breaker.refusal()
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

func (b *budget) setTimer(now time.Time) {
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
	if !b.queue.empty() {
		// A clock may call from within a lock of its own, which the next look at it needs.
		b.timer = b.pace.AfterFunc(b.due().Sub(now), func() { go b.tick() })
	}
}

func (b *budget) tick() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.proceed()
}

// due is when the next call may be made.
func (b *budget) due() time.Time {
	at := later(b.tempo.next, b.breaker.resume())
	if b.breaker.probing() && b.trial != nil {
		at = later(at, b.trial.until)
	}
	return at
}

func (b *budget) grant(w *waiter, now time.Time) {
	if w.errand != nil {
		w.errand.begun = true
	}
	b.tempo.take(w.arrived, now)
	b.trial = nil
	if b.breaker.probing() {
		b.trial = &trial{until: now.Add(w.timeout + trialGrace)}
	}
	waited.WithLabelValues(w.priority.String()).Observe(now.Sub(w.arrived).Seconds())
}

// begin waits until an admitted call may be made, and takes down that it is made now. Between its turn and the call, its caller may have had something to
// do that took its time, so that several would be made at once and one too many in a second.
func (b *budget) begin(ctx context.Context) call {
	b.mu.Lock()
	defer b.mu.Unlock()
	for wait := b.tempo.early(b.pace.Now()); wait > 0; wait = b.tempo.early(b.pace.Now()) {
		b.mu.Unlock()
		over := make(chan struct{})
		timer := b.pace.AfterFunc(wait, func() { close(over) })
		select {
		case <-over:
		case <-ctx.Done(): // The call finds out for itself.
		}
		timer.Stop()
		b.mu.Lock()
		if ctx.Err() != nil {
			break
		}
	}
	b.tempo.sent(b.pace.Now())
	c := call{since: b.breaker.numbers(), pressed: b.tempo.pressed}
	if b.trial != nil && !b.trial.begun {
		b.trial.begun, c.trial = true, b.trial
	}
	return c
}

// end takes down what came of a call; abandoned tells that its caller gave it up.
func (b *budget) end(c call, err error, abandoned bool) {
	b.mu.Lock()
	before := b.breaker.throttledUntil()
	if c.trial != nil && c.trial == b.trial {
		b.trial = nil
	}
	switch b.breaker.note(c, err, abandoned) {
	case goesSlower:
		b.tempo.slower(b.breaker.holds[throttled].pause)
	case goesFaster:
		if c.pressed {
			b.tempo.faster()
		}
	case goesOn:
	}
	b.proceed()
	until := b.breaker.throttledUntil()
	b.mu.Unlock()
	if !until.IsZero() && !until.Equal(before) {
		b.tellThrottled()
	}
}

// refusal is why no call is made now; nil if calls are made, or wait.
func (b *budget) refusal() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.breaker.refusal()
}

// heldBackFor is how long no call will be made, as far as that is known.
func (b *budget) heldBackFor() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.breaker.heldBackFor()
}

// throttledUntil is the end of a pause that is worth telling of, the zero time if there is none.
func (b *budget) throttledUntil() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.breaker.throttledUntil()
}

// lift lets one call try how it fares although the service asked for a pause.
func (b *budget) lift() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.breaker.lift()
	b.proceed()
}

// holdsBack reports whether calls are held back for this reason.
func (b *budget) holdsBack(r reason) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.breaker.on(r)
}

// join says that a connection asks for so many calls a second, and resign that it does not any more.
func (b *budget) join(perSecond int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tempo.join(perSecond)
}

func (b *budget) resign(perSecond int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tempo.leave(perSecond)
}

func (b *budget) inUse() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.tempo.asked) > 0
}
