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
	"container/heap"
	"slices"
	"time"
)

// Priority says how long a call may be overtaken by others. The order of turns is this:
//
//   - Who waits has a deadline: the time of asking, and how long calls of its priority may be overtaken. The earliest deadline is served first, so that
//     nobody is overtaken by those who come after it.
//   - Where too many wait to pack, the youngest are sent away, so that everyone is let in at last.
//   - A series that has had its first turn goes on: the next calls of such series have every other turn, in the order in which they asked. So a list
//     of so many pages is over after twice as many turns at most, and costs nobody more than half of the pace.
//   - The priority of a series may be raised while it waits: who comes to need a look that is under way already lends it their own.
//
// A rate.Limiter serves in the order of asking, so the queue is ours.
type Priority int

const (
	// Change is for the calls that bring packages on: packing, unpacking, and the look that packing waits for.
	Change Priority = iota
	// Lookup is for looks at one package, and searches.
	Lookup
	// Background is for the calls that nobody waits for: shared polls, and probes.
	Background
	priorities
)

// maxOvertake is how much later a call may have come and still go first, if its priority is the highest. It is bounded, so that no call starves.
func (p Priority) maxOvertake() time.Duration {
	return [...]time.Duration{Change: 0, Lookup: 10 * time.Second, Background: 2 * time.Minute}[p]
}

// String is the value of a label.
func (p Priority) String() string { return [...]string{"change", "lookup", "background"}[p] }

// waiter is a caller who waits for a turn.
type waiter struct {
	priority Priority
	timeout  time.Duration
	// impatient means to be sent away rather than to wait behind many others, and since is how long the one who asks has been about.
	impatient bool
	since     time.Time
	arrived   time.Time
	// series is what the call is part of, nil if it stands alone; begun tells that the series has had a turn before.
	series *Series
	begun  bool

	// done is closed when the wait is over; err then says why without a turn.
	done chan struct{}
	err  error

	number int
	// index is the place in the queue, -1 outside of it.
	index int
}

func (w *waiter) deadline() time.Time { return w.arrived.Add(w.priority.maxOvertake()) }

// queue holds those who wait, the next one first. Its zero value is empty.
type queue struct {
	waiters []*waiter
	// begun are the calls of series that have begun, and lastBegun tells that one of these had the latest turn.
	begun     []*waiter
	lastBegun bool
	counts    [priorities]int
	numbers   int
}

func (q *queue) add(w *waiter) {
	q.numbers++
	w.number = q.numbers
	if w.begun {
		q.begun = append(q.begun, w)
	} else {
		heap.Push(q, w)
	}
	q.counts[w.priority]++
}

func (q *queue) empty() bool { return len(q.waiters)+len(q.begun) == 0 }

func (q *queue) take() *waiter {
	q.lastBegun = len(q.begun) > 0 && (len(q.waiters) == 0 || !q.lastBegun)
	var w *waiter
	if q.lastBegun {
		w = q.begun[0]
	} else {
		w = q.waiters[0]
	}
	q.remove(w)
	return w
}

// remove reports whether the waiter was in the queue still.
func (q *queue) remove(w *waiter) bool {
	if w.begun {
		i := slices.Index(q.begun, w)
		if i < 0 {
			return false
		}
		q.begun = slices.Delete(q.begun, i, i+1)
	} else {
		if w.index < 0 {
			return false
		}
		heap.Remove(q, w.index)
	}
	q.counts[w.priority]--
	return true
}

// raise gives a call that waits a higher priority.
func (q *queue) raise(w *waiter, p Priority) {
	if w.begun || w.index < 0 || p >= w.priority {
		return
	}
	q.counts[w.priority]--
	w.priority = p
	q.counts[p]++
	heap.Fix(q, w.index)
}

// youngest is the impatient one who has not been about for as long as the others, nil if there is none.
func (q *queue) youngest() (youngest *waiter) {
	for _, w := range q.waiters {
		if w.impatient && (youngest == nil || w.since.After(youngest.since)) {
			youngest = w
		}
	}
	return youngest
}

// Len implements heap.Interface, as the methods below do.
func (q *queue) Len() int { return len(q.waiters) }

// Less lets those go first who came first among equals.
func (q *queue) Less(i, j int) bool {
	a, b := q.waiters[i], q.waiters[j]
	if c := a.deadline().Compare(b.deadline()); c != 0 {
		return c < 0
	}
	return a.number < b.number
}

func (q *queue) Swap(i, j int) {
	q.waiters[i], q.waiters[j] = q.waiters[j], q.waiters[i]
	q.waiters[i].index, q.waiters[j].index = i, j
}

// Push appends a *waiter.
func (q *queue) Push(x any) {
	w := x.(*waiter) // Only add calls it, by way of the heap.
	w.index = len(q.waiters)
	q.waiters = append(q.waiters, w)
}

// Pop removes the last one.
func (q *queue) Pop() any {
	n := len(q.waiters) - 1
	w := q.waiters[n]
	q.waiters[n] = nil
	q.waiters, w.index = q.waiters[:n], -1
	return w
}
