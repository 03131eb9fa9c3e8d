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
	"slices"
	"time"

	"golang.org/x/time/rate"
)

const (
	// margin is how far the pace stays below what is allowed. Calls take different times to arrive, and so come closer
	// together than they left. Without the margin, one too many would fall into one of the service's seconds.
	margin = 1.02
	// slack is how late a turn may be given without making the later ones late too. In a second that is half the
	// margin.
	slack = 10 * time.Millisecond
	// minRate is the least number of calls a second. Pauses do the rest.
	minRate = 0.5
)

// The pacer finds the rate that the service takes, as CUBIC does (RFC 9438). The rate drops at each 429, comes back
// quickly to where that was, stays there for a while, and then tries more and more. x/time/rate has no such thing.
const (
	// smallDrop is how far the rate drops after it had regained its last peak, and bigDrop when it had not: then the
	// last drop was too small.
	smallDrop, bigDrop = 0.2, 0.5
	// regained is how far above its last drop the rate must be for that.
	regained = 1.1
	// minDrop lets the slowest pace rise again.
	minDrop = 0.2
	// minRecovery and maxRecovery bound how long the rate takes to be back at its peak, in calls that went well. It is
	// so many times the pause: where a 429 costs more, it is worth waiting for longer before the next one.
	minRecovery, maxRecovery = 30 * time.Second, 5 * time.Minute
	pausesInRecovery         = 10
)

// pacer says how fast calls may follow each other. They are evenly spaced, without bursts.
type pacer struct {
	// asked are the numbers of calls a second that connections ask for, and full is the lowest of them.
	asked []int
	full  float64
	// peak is the rate at the last 429, zero if it does not matter any more. Then the rate fell by drop. It is back at
	// the peak when good, the time for which calls went well, has reached recovery.
	peak, drop     float64
	good, recovery time.Duration
	// worked means that a call went well since the last 429. If none did, the pause was too short, and not the pace.
	worked bool
	// next is when the next turn is due. A rate.Limiter would have to know now who takes it.
	next time.Time
	// sends spaces the calls where they are sent.
	sends *rate.Limiter
	// pressed means that the last turn was waited for. Only then its call shows what the service takes.
	pressed bool
}

func newPacer() pacer { return pacer{sends: rate.NewLimiter(1, 1)} }

func (p *pacer) join(perSecond int) {
	p.asked = append(p.asked, perSecond)
	p.full = float64(slices.Min(p.asked))
}

// leave keeps the pace for calls that are under way, when the last connection leaves.
func (p *pacer) leave(perSecond int) {
	i := slices.Index(p.asked, perSecond)
	p.asked = slices.Delete(p.asked, i, i+1)
	if len(p.asked) > 0 {
		p.full = float64(slices.Min(p.asked))
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

func intervalAt(perSecond float64) time.Duration {
	return time.Duration(margin / perSecond * float64(time.Second))
}

// take uses the turn, for a call that waited since it arrived.
func (p *pacer) take(arrived, now time.Time) {
	p.pressed = arrived.Before(p.next)
	p.next = later(later(p.next, arrived), now.Add(-slack)).Add(p.interval())
}

// reserve is how long a call has to wait to keep its distance from the one before.
func (p *pacer) reserve(now time.Time) time.Duration {
	p.sends.SetLimitAt(now, rate.Every(p.interval()))
	return p.sends.ReserveN(now, 1).DelayFrom(now)
}

// slowDown is about a 429, and the pause after it.
func (p *pacer) slowDown(pause time.Duration) {
	if !p.worked {
		return
	}
	now, share := p.rate(), smallDrop
	if p.peak > 0 && now < regained*max(minRate, p.peak-p.drop) {
		share = bigDrop
	}
	p.worked, p.peak, p.drop, p.good = false, now, max(minDrop, now*share), 0
	p.recovery = min(maxRecovery, max(minRecovery, pausesInRecovery*pause))
}

// speedUp is about a call that went well, pressed or not.
func (p *pacer) speedUp(pressed bool) {
	p.worked = true
	if p.peak == 0 || !pressed {
		return
	}
	p.good += p.interval()
	if p.rate() >= p.full && p.good > 2*p.recovery {
		p.peak = 0
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
