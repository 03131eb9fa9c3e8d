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

const (
	// maxBacklog is how much work may wait before callers are sent away: so much as is served in this time.
	maxBacklog = 2 * time.Second
	// minRoom is how many may wait in any case. A slow budget is not to run idle between two of them.
	minRoom = 8
)

// BusyError sends a caller away for whom there is no room to wait.
type BusyError struct {
	// After is when there will be a turn for this caller. No two callers get the same one.
	After time.Duration
}

// Error implements error.
func (*BusyError) Error() string { return "too many calls wait for the budget already" }

// AcquireUnlessBusy is Acquire with priority Change, for a worker who has other work. It returns a *BusyError where
// too many wait already. A caller whose work is older, by the time since, takes the place of a younger one. So nobody
// is sent away for ever.
func (b *Budget) AcquireUnlessBusy(ctx context.Context, timeout time.Duration, since time.Time) error {
	return b.acquire(ctx, &waiter{priority: Change, timeout: timeout, impatient: true, since: since})
}

// Busy sends a caller away who has to wait for something else than a turn.
func (b *Budget) Busy() *BusyError {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.busy(b.pace.Now())
}

// busy tells a caller when to come back to be served at once. It goes by the usual pace: a slow one is about to pass,
// and who comes back too early is sent away again.
func (b *Budget) busy(now time.Time) *BusyError {
	interval := intervalAt(b.pacer.full)
	backlog := time.Duration(b.queue.counts[Change]) * interval
	b.lastSlot = later(b.lastSlot, now.Add(backlog)).Add(interval)
	return &BusyError{After: b.lastSlot.Sub(now)}
}

// admit sends away the new waiter, or a younger one, if there is no room for both.
func (b *Budget) admit(w *waiter) error {
	if !w.impatient || b.queue.counts[Change] < b.room() {
		return nil
	}
	youngest := b.queue.youngest()
	if youngest == nil || !w.since.Before(youngest.since) {
		return b.busy(w.arrived)
	}
	b.queue.remove(youngest)
	youngest.done <- b.busy(w.arrived)
	return nil
}

// room is how many may wait before others are sent away. Half of the workers are kept free for other budgets.
func (b *Budget) room() int {
	room := max(minRoom, int(maxBacklog/b.pacer.interval()))
	if b.workers > 0 {
		room = min(room, max(1, b.workers/2))
	}
	return room
}
