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

// Package quota shares out the calls that the service allows one user. It paces them, orders them by priority, and
// stops them while they would fail. It knows no service: whoever makes a call reports its Outcome.
package quota

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// probeGrace is added to the timeout of a probe: the time until it begins, and until its outcome is reported.
const probeGrace = 5 * time.Second

// Budget is the quota of one user of the service, whichever workspaces the calls are for. A call waits for its turn
// with Acquire, starts with Begin, and ends with Call.End. A turn that is not used is handed back with Release.
type Budget struct {
	pace clock.WithDelayedExecution
	// onPause is called when a pause begins or grows that people should know of.
	onPause func(*Budget)
	// workers is how many callers there are at most, 0 if that is not known.
	workers int

	mu      sync.Mutex
	pacer   pacer
	breaker breaker
	queue   queue
	polls   polls
	// probe is the one call that is let through while the breaker is half-open.
	probe *probe
	// lastSlot is when the last of the callers comes back who were sent away.
	lastSlot time.Time
	timer    clock.Timer
}

// probe is a call whose outcome the others wait for.
type probe struct {
	// begun means that the call is under way. Its turn cannot be handed back any more.
	begun bool
	// deadline ends the wait for its outcome.
	deadline time.Time
}

// Acquire waits for the turn of a call with this timeout. It returns an error at once while the breaker is open.
func (b *Budget) Acquire(ctx context.Context, p Priority, timeout time.Duration) error {
	return b.acquire(ctx, &waiter{priority: p, timeout: timeout})
}

func (b *Budget) acquire(ctx context.Context, w *waiter) error {
	if ctx.Err() == nil {
		if err := b.enqueue(w); err != nil {
			return err
		}
		select {
		case err := <-w.done:
			return err
		case <-ctx.Done():
			b.leave(w)
		}
	}
	return fmt.Errorf("waiting for the budget of calls: %w", ctx.Err())
}

func (b *Budget) enqueue(w *waiter) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.breaker.err(); err != nil {
		return err
	}
	w.arrived, w.done = b.pace.Now(), make(chan error, 1)
	if err := b.admit(w); err != nil {
		return err
	}
	if s := w.series; s != nil {
		w.priority, w.begun, s.latest = s.priority, s.begun, w
	}
	b.queue.add(w)
	b.dispatch()
	return nil
}

// leave ends the wait of a caller whose context has ended. If the turn came at the same moment, it is handed back.
func (b *Budget) leave(w *waiter) {
	b.update(func() {
		if !b.queue.remove(w) && <-w.done == nil {
			b.release()
		}
	})
}

// Release hands back a turn that is not used.
func (b *Budget) Release() { b.update(b.release) }

// release lets another call be the probe. The time of the turn is lost, which is a fraction of a second.
func (b *Budget) release() {
	if b.probe != nil && !b.probe.begun {
		b.probe = nil
	}
}

// update changes something that turns depend on.
func (b *Budget) update(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
	b.dispatch()
}

// dispatch gives turns to the waiters whose time has come, and sets the timer for the next one. While the breaker is
// open, it turns all away.
func (b *Budget) dispatch() {
	now, refusal := b.pace.Now(), b.breaker.err()
	var served []*waiter
	for !b.queue.empty() && (refusal != nil || !b.due().After(now)) {
		w := b.queue.take()
		if refusal == nil {
			b.grant(w, now)
		}
		served = append(served, w)
	}
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
	if !b.queue.empty() {
		// The clock may call from within a lock of its own, which dispatch needs too.
		b.timer = b.pace.AfterFunc(b.due().Sub(now), func() { go b.update(func() {}) })
	}
	for _, w := range served { // Only now: what they do next must find the timer.
		w.done <- refusal
	}
}

// due is when the next call may be made.
func (b *Budget) due() time.Time {
	at := later(b.pacer.next, b.breaker.resume())
	if b.breaker.halfOpen() && b.probe != nil {
		at = later(at, b.probe.deadline)
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
		b.probe = &probe{deadline: now.Add(w.timeout + probeGrace)}
	}
	waited.WithLabelValues(w.priority.String()).Observe(now.Sub(w.arrived).Seconds())
}

// HalfOpen ends a pause that the service asked for: one call tries how it fares.
func (b *Budget) HalfOpen() { b.update(b.breaker.endPause) }

// Err is why no call is made now. It is nil if calls are made, or wait.
func (b *Budget) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.breaker.err()
}

// IsOpen reports whether calls are held back because of this kind of outcome.
func (b *Budget) IsOpen(k Kind) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.breaker.open(k)
}

// RetryAfter is how long no call will be made, as far as that is known.
func (b *Budget) RetryAfter() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.breaker.retryAfter()
}

// ThrottledUntil is the end of a pause that people should know of. It is zero if there is none.
func (b *Budget) ThrottledUntil() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.breaker.throttledUntil()
}

// Waiting is how many calls of a priority wait for their turn.
func (b *Budget) Waiting(p Priority) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.queue.counts[p]
}
