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
	"container/heap"
	"slices"
	"time"
)

// priority says how long a call may be overtaken by others. The order of turns is this:
//
//   - Who waits has a deadline: the time of asking, and the patience of the priority. The earliest deadline is served first, so that nobody is overtaken
//     by those who come after it.
//   - Where too many wait to pack, those are sent away who have been there for the shortest time, so that everyone is let in at last.
//   - An errand that has had its first turn goes on: the next calls of such errands have every other turn, in the order in which they asked. So a list of
//     so many pages is over after twice as many turns at most, and costs nobody more than half of the pace.
//   - The priority of an errand may be raised while it waits: who comes to need a look that is under way already lends it their own.
type priority int

const (
	// first are the calls that bring packages on: packing, unpacking, and the look that packing waits for.
	first priority = iota
	// second are looks at one package, and searches.
	second
	// last are the calls that nobody waits for: shared polls, and probes.
	last
	priorities
)

// patience is how much later a call may have come and still go first, if its priority is the highest. It is bounded, so that no call starves.
func (p priority) patience() time.Duration {
	switch p {
	case second:
		return 10 * time.Second
	case last:
		return 2 * time.Minute
	case first, priorities:
	}
	return 0
}

// String is the value of a label.
func (p priority) String() string { return [...]string{"first", "second", "last", ""}[p] }

// waiter is a caller who waits for a turn.
type waiter struct {
	priority priority
	timeout  time.Duration
	// impatient means to be sent away rather than to wait behind many others, and there is since when the one who asks has been about.
	impatient bool
	there     time.Time
	arrived   time.Time
	// errand is what the call is part of, nil if it stands alone; begun tells that the errand has had a turn before.
	errand *errand
	begun  bool

	// done is closed when the wait is over; err then says why without a turn.
	done chan struct{}
	err  error

	number int
	// index is the place in the queue, -1 outside of it.
	index int
}

func (w *waiter) deadline() time.Time { return w.arrived.Add(w.priority.patience()) }

// queue holds those who wait, the next one first. Its zero value is empty.
type queue struct {
	waiters []*waiter
	// goOn are the calls of errands that have begun, and wentOn tells that one of these had the latest turn.
	goOn    []*waiter
	wentOn  bool
	counts  [priorities]int
	numbers int
}

func (q *queue) of(p priority) int { return q.counts[p] }

func (q *queue) add(w *waiter) {
	q.numbers++
	w.number = q.numbers
	if w.begun {
		q.goOn = append(q.goOn, w)
	} else {
		heap.Push(q, w)
	}
	q.count(w.priority, 1)
}

func (q *queue) count(p priority, by int) {
	q.counts[p] += by
	waiting.WithLabelValues(p.String()).Add(float64(by))
}

func (q *queue) empty() bool { return len(q.waiters)+len(q.goOn) == 0 }

func (q *queue) take() *waiter {
	q.wentOn = len(q.goOn) > 0 && (len(q.waiters) == 0 || !q.wentOn)
	var w *waiter
	if q.wentOn {
		w = q.goOn[0]
	} else {
		w = q.waiters[0]
	}
	q.remove(w)
	return w
}

// remove reports whether the waiter was in the queue still.
func (q *queue) remove(w *waiter) bool {
	if w.begun {
		before := len(q.goOn)
		q.goOn = slices.DeleteFunc(q.goOn, func(other *waiter) bool { return other == w })
		if len(q.goOn) == before {
			return false
		}
	} else {
		if w.index < 0 {
			return false
		}
		heap.Remove(q, w.index)
	}
	q.count(w.priority, -1)
	return true
}

// raise gives a call that waits a higher priority.
func (q *queue) raise(w *waiter, p priority) {
	if w.begun || w.index < 0 || p >= w.priority {
		return
	}
	q.count(w.priority, -1)
	w.priority = p
	q.count(p, 1)
	heap.Fix(q, w.index)
}

// latest is the impatient one who has not been there for as long as the others, nil if there is none.
func (q *queue) latest() (latest *waiter) {
	for _, w := range q.waiters {
		if w.impatient && (latest == nil || w.there.After(latest.there)) {
			latest = w
		}
	}
	return latest
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
