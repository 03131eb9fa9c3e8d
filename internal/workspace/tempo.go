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
	// slowest is the least number of calls a second, whatever the service says: the pauses do the rest.
	slowest = 0.5
)

// The pace finds the rate that the service takes, whatever its own window is, as TCP does (RFC 9438): it falls by a share at each 429, comes back quickly
// to where that was, stays there for a while, and tries more and more above it.
const (
	// byLittle is how far the rate falls when it was on its way up, so that what works is near; byHalf when what it had fallen to was still too much.
	byLittle, byHalf = 0.2, 0.5
	// risen is how far above its last fall a rate must be for that to have worked.
	risen = 1.1
	// leastSwing keeps the slowest pace from staying there.
	leastSwing = 0.2
	// recovery is how long, in calls that went well, it takes to be back where the service asked for less. It is so many times the pause, as a try that
	// costs more is worth a longer wait, but no more than longestRecovery.
	recovery, longestRecovery = 30 * time.Second, 5 * time.Minute
	pausesInRecovery          = 10
)

// tempo says how fast calls may follow each other: evenly spaced, without bursts.
type tempo struct {
	// asked counts the connections that ask for each number of calls a second, and full is the lowest of these numbers.
	asked map[int]int
	full  float64
	// brink is the rate at which the service asked for less, zero if it never did. The rate fell by swing then, and is back when good, the time that calls
	// went well since, is the span.
	brink, swing float64
	good, span   time.Duration
	// next is when the next turn is due, and clear when the next call may be sent, but for the slack.
	next, clear time.Time
	// pressed tells that the latest turn was waited for: only then its call shows what the service takes.
	pressed bool
}

func newTempo() tempo { return tempo{asked: map[int]int{}, full: 1} }

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
func (t *tempo) rate() float64 {
	if t.brink == 0 {
		return t.full
	}
	x := t.good.Seconds()/t.span.Seconds() - 1
	return min(t.full, max(slowest, t.brink+t.swing*x*x*x))
}

func (t *tempo) interval() time.Duration { return intervalAt(t.rate()) }

// usual is the interval while nothing slows calls down.
func (t *tempo) usual() time.Duration { return intervalAt(t.full) }

func intervalAt(rate float64) time.Duration {
	return time.Duration(margin / rate * float64(time.Second))
}

// take uses the turn of a call that waited since it arrived.
func (t *tempo) take(arrived, now time.Time) {
	t.pressed = arrived.Before(t.next)
	t.next = later(later(t.next, arrived), now.Add(-slack)).Add(t.interval())
}

// early is how long it is until one more call does not follow the one before too closely.
func (t *tempo) early(now time.Time) time.Duration { return t.clear.Add(-slack).Sub(now) }

// sent takes down a call.
func (t *tempo) sent(now time.Time) { t.clear = later(t.clear, now).Add(t.interval()) }

// slower takes down that the service asks for less, and for a pause.
func (t *tempo) slower(pause time.Duration) {
	rate, share := t.rate(), byLittle
	if t.brink > 0 && rate < risen*max(slowest, t.brink-t.swing) {
		share = byHalf
	}
	t.brink, t.swing, t.good = rate, max(leastSwing, rate*share), 0
	t.span = min(longestRecovery, max(recovery, pausesInRecovery*pause))
}

// faster takes down a call that went well although others were made at the full rate.
func (t *tempo) faster() {
	if t.brink == 0 {
		return
	}
	t.good += t.interval()
	if t.rate() >= t.full && t.good > 2*t.span {
		t.brink = 0 // Whatever it was has passed.
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
