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
	"cmp"
	"slices"
	"time"
)

// Priority says how long a call may be overtaken by others. It is ours, as rate.Limiter serves in the order of asking.
//
//   - A call has a deadline: the time of asking, and the longest time that its priority may be overtaken. The earliest
//     deadline is served first. So nobody is overtaken by those who come after the deadline.
//   - A series that has begun goes on. The next calls of such series have every other turn, in the order of asking. So
//     a list is over after twice as many turns as it has pages, and takes no more than half of the turns.
//   - A series inherits the priority of those who come to need it: see Series.Raise.
//   - Where too many wait to make a change, the youngest are sent away: see Budget.AcquireUnlessBusy.
type Priority int

const (
	// Change is for the calls that bring packages on: packing, unpacking, and the lists that these wait for.
	Change Priority = iota
	// Lookup is for looking at one package, and for searches.
	Lookup
	// Background is for the calls that nobody waits for: shared polls, and probes.
	Background
	priorities
)

// maxOvertake is how much later a call with the highest priority may come and still be served first. It is bounded, so
// that no call starves.
func (p Priority) maxOvertake() time.Duration {
	return [...]time.Duration{Change: 0, Lookup: 10 * time.Second, Background: 2 * time.Minute}[p]
}

// String is the value of a label.
func (p Priority) String() string { return [...]string{"change", "lookup", "background"}[p] }

// waiter is a call that waits for its turn.
type waiter struct {
	priority Priority
	timeout  time.Duration
	// impatient means that the caller is sent away where many others wait. Since then, it has had something to do.
	impatient bool
	since     time.Time
	arrived   time.Time
	// series is what the call is part of, nil if it stands alone. Begun means that the series has had a turn before.
	series *Series
	begun  bool
	// number counts the waiters.
	number int
	// done gets nil with the turn, or why there is none.
	done chan error
}

func (w *waiter) deadline() time.Time { return w.arrived.Add(w.priority.maxOvertake()) }

func (w *waiter) compare(other *waiter) int {
	return cmp.Or(w.deadline().Compare(other.deadline()), cmp.Compare(w.number, other.number))
}

// queue holds the calls that wait. Its zero value is empty.
type queue struct {
	// single are ordered by their deadlines: calls that stand alone, and the first ones of series.
	single []*waiter
	// begun are the other calls of series, and lastBegun means that one of them had the latest turn.
	begun     []*waiter
	lastBegun bool
	counts    [priorities]int
	numbers   int
}

func (q *queue) empty() bool { return len(q.single)+len(q.begun) == 0 }

func (q *queue) add(w *waiter) {
	q.counts[w.priority]++
	if w.number == 0 {
		q.numbers++
		w.number = q.numbers
	}
	if w.begun {
		q.begun = append(q.begun, w)
		return
	}
	i, _ := slices.BinarySearchFunc(q.single, w, (*waiter).compare)
	q.single = slices.Insert(q.single, i, w)
}

// remove reports whether the waiter was in the queue still.
func (q *queue) remove(w *waiter) bool {
	for _, waiters := range []*[]*waiter{&q.single, &q.begun} {
		if i := slices.Index(*waiters, w); i >= 0 {
			*waiters = slices.Delete(*waiters, i, i+1)
			q.counts[w.priority]--
			return true
		}
	}
	return false
}

// take removes the next one.
func (q *queue) take() *waiter {
	q.lastBegun = len(q.begun) > 0 && (len(q.single) == 0 || !q.lastBegun)
	next := q.single
	if q.lastBegun {
		next = q.begun
	}
	w := next[0]
	q.remove(w)
	return w
}

// raise gives a call a higher priority, if that waits still and the order of turns depends on it.
func (q *queue) raise(w *waiter, p Priority) {
	if !w.begun && q.remove(w) {
		w.priority = p
		q.add(w)
	}
}

// youngest is the impatient one whose work is younger than that of the others, nil if there is none.
func (q *queue) youngest() (youngest *waiter) {
	for _, w := range q.single {
		if w.impatient && (youngest == nil || w.since.After(youngest.since)) {
			youngest = w
		}
	}
	return youngest
}
