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
	"maps"
	"slices"
	"time"
)

const (
	// margin is how far the pace stays below what is allowed. Without it, two calls whose way took a little longer and a little shorter would come
	// closer together than they left, and one call too many would fall into one of the service's seconds.
	margin = 1.02
	// slack is how late a turn may be given without those after it being late too. In a second that is half of the margin.
	slack = 10 * time.Millisecond
	// longSecond is a second of the service with half of the margin.
	longSecond = time.Second + 10*time.Millisecond
	// slowest is the least number of calls a second, whatever the service says.
	slowest = 1.0
)

// tempo says how fast calls may follow each other: evenly spaced, without bursts.
type tempo struct {
	// asked counts the connections that ask for each number of calls a second.
	asked map[int]int
	// full is the lowest of these numbers, fraction what is made use of.
	full, fraction float64
	// next is when the next turn is due.
	next time.Time
	// latest are the times of the latest calls, as many as a second allows; at is the place of the oldest.
	latest []time.Time
	at     int
}

func newTempo() tempo { return tempo{asked: map[int]int{}, full: slowest, fraction: 1} }

func (t *tempo) join(perSecond int) {
	t.asked[perSecond]++
	t.settle()
}

func (t *tempo) leave(perSecond int) {
	t.asked[perSecond]--
	if t.asked[perSecond] == 0 {
		delete(t.asked, perSecond)
	}
	t.settle()
}

// settle finds the lowest number. The calls of connections that are closed already go on at the pace they had.
func (t *tempo) settle() {
	if len(t.asked) > 0 {
		t.full = float64(slices.Min(slices.Collect(maps.Keys(t.asked))))
	}
}

// rate is the number of calls a second.
func (t *tempo) rate() float64 { return max(slowest, t.full*t.fraction) }

func (t *tempo) interval() time.Duration { return intervalAt(t.rate()) }

// usual is the interval while nothing slows calls down.
func (t *tempo) usual() time.Duration { return intervalAt(max(slowest, t.full)) }

func intervalAt(rate float64) time.Duration {
	return time.Duration(margin / rate * float64(time.Second))
}

// take uses the turn of a call that waited since it arrived.
func (t *tempo) take(arrived, now time.Time) {
	t.next = later(later(t.next, arrived), now.Add(-slack)).Add(t.interval())
}

// early is how long it is until one more call does not make too many within a second.
func (t *tempo) early(now time.Time) time.Duration {
	if len(t.latest) == 0 || t.latest[t.at].IsZero() {
		return 0
	}
	return t.latest[t.at].Add(longSecond).Sub(now)
}

// sent takes down a call.
func (t *tempo) sent(now time.Time) {
	if n := int(t.full); len(t.latest) != n {
		t.latest, t.at = make([]time.Time, n), 0
	}
	t.latest[t.at] = now
	t.at = (t.at + 1) % len(t.latest)
}

// slower halves the rate.
func (t *tempo) slower() { t.fraction = max(slowest, t.rate()/2) / t.full }

// faster brings the rate back by a tenth of the full one for as many calls as there are in a second.
func (t *tempo) faster() { t.fraction = min(1, t.rate()/t.full+0.1/t.rate()) }

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
