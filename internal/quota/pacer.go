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
	"maps"
	"slices"
	"time"

	"golang.org/x/time/rate"
)

const (
	// margin is how far the pace stays below what is allowed. Without it, two calls whose way took a little longer and a little shorter would come
	// closer together than they left, and one call too many would fall into one of the service's seconds.
	margin = 1.02
	// slack is how late a turn may be given without those after it being late too. In a second that is half of the margin.
	slack = 10 * time.Millisecond
	// minRate is the least number of calls a second, whatever the service says: the pauses do the rest.
	minRate = 0.5
)

// The pacer finds the rate that the service takes, whatever its own window is, as CUBIC does (RFC 9438), which x/time/rate has no part of: the rate falls
// by a share at each 429, comes back quickly to where that was, stays there for a while, and tries more and more above it.
const (
	// smallDrop is how far the rate falls when it was on its way up, so that what works is near; bigDrop when what it had fallen to was still too much.
	smallDrop, bigDrop = 0.2, 0.5
	// regained is how far above its last fall a rate must be for that to have worked.
	regained = 1.1
	// minDrop keeps the slowest pace from staying there.
	minDrop = 0.2
	// minRecovery is how long, in calls that went well, it takes to be back where the service asked for less. It is so many times the pause, as a try
	// that costs more is worth a longer wait, but no more than maxRecovery.
	minRecovery, maxRecovery = 30 * time.Second, 5 * time.Minute
	pausesInRecovery         = 10
)

// pacer says how fast calls may follow each other: evenly spaced, without bursts.
type pacer struct {
	// asked counts the connections that ask for each number of calls a second, and full is the lowest of these numbers.
	asked map[int]int
	full  float64
	// peak is the rate at which the service asked for less, zero if it never did. The rate fell by drop then, and is back when good, the time that calls
	// went well since, is the recovery.
	peak, drop     float64
	good, recovery time.Duration
	// next is when the next turn is due. It is kept here, as a limiter has to know who takes a turn before it says when that is.
	next time.Time
	// sends spaces the calls where they are sent.
	sends *rate.Limiter
	// pressed tells that the latest turn was waited for: only then its call shows what the service takes.
	pressed bool
}

func newPacer() pacer { return pacer{asked: map[int]int{}, full: 1, sends: rate.NewLimiter(1, 1)} }

func (p *pacer) join(perSecond int) {
	p.asked[perSecond]++
	p.limit()
}

func (p *pacer) leave(perSecond int) {
	p.asked[perSecond]--
	if p.asked[perSecond] == 0 {
		delete(p.asked, perSecond)
	}
	p.limit()
}

// limit finds the lowest number. The calls of connections that are closed already go on at the pace they had.
func (p *pacer) limit() {
	if len(p.asked) > 0 {
		p.full = float64(slices.Min(slices.Collect(maps.Keys(p.asked))))
	}
}

// rate is the number of calls a second.
func (p *pacer) rate() float64 {
	if p.peak == 0 {
		return p.full
	}
	x := p.good.Seconds()/p.recovery.Seconds() - 1
	return min(p.full, max(minRate, p.peak+p.drop*x*x*x))
}

func (p *pacer) interval() time.Duration { return intervalAt(p.rate()) }

// usual is the interval while nothing slows calls down.
func (p *pacer) usual() time.Duration { return intervalAt(p.full) }

func intervalAt(perSecond float64) time.Duration {
	return time.Duration(margin / perSecond * float64(time.Second))
}

// take uses the turn of a call that waited since it arrived.
func (p *pacer) take(arrived, now time.Time) {
	p.pressed = arrived.Before(p.next)
	p.next = later(later(p.next, arrived), now.Add(-slack)).Add(p.interval())
}

// reserve is how long a call has to wait so that it does not follow the one before too closely.
func (p *pacer) reserve(now time.Time) time.Duration {
	p.sends.SetLimitAt(now, rate.Every(p.interval()))
	return p.sends.ReserveN(now, 1).DelayFrom(now)
}

// slower takes down that the service asks for less, and for a pause.
func (p *pacer) slower(pause time.Duration) {
	rate, share := p.rate(), smallDrop
	if p.peak > 0 && rate < regained*max(minRate, p.peak-p.drop) {
		share = bigDrop
	}
	p.peak, p.drop, p.good = rate, max(minDrop, rate*share), 0
	p.recovery = min(maxRecovery, max(minRecovery, pausesInRecovery*pause))
}

// faster takes down a call that went well although others were made at the full rate.
func (p *pacer) faster() {
	if p.peak == 0 {
		return
	}
	p.good += p.interval()
	if p.rate() >= p.full && p.good > 2*p.recovery {
		p.peak = 0 // Whatever it was has passed.
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
