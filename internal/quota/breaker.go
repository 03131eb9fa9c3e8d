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
	"time"

	"k8s.io/utils/clock"
)

const (
	// rejectedPause is how long rejected credentials are not tried again. The service locks an access key for 5 minutes after more
	// than 5 consecutive failures (API Request Signing Guide, "Common Errors Related to IAM Authentication Information").
	rejectedPause = 5 * time.Minute

	// minThrottle and maxThrottle bound the pause after a 429 that does not say; whether the service ever says is not documented. It is twice as long as
	// the latest one if no call went well since: then the pause was too short, and the pace is not at fault.
	minThrottle = time.Second
	maxThrottle = time.Minute
	// maxRetryAfter bounds the pause that the service asks for. Gateways count by the second or the minute. What asks for much more is a mistake or a
	// quota of a day; deletions are not to be stuck for that, nor a limit that was raised to go unnoticed, and a try each so often costs nothing.
	maxRetryAfter = 3 * time.Minute
	// forceInterval is how soon after another one a pause may be ended before its time.
	forceInterval = 10 * time.Second
	// maxWait is the longest pause that callers wait out instead of being told of it.
	maxWait = 5 * time.Second
	// worthTelling is the longest pause that is no news.
	worthTelling = 2 * time.Second

	// maxFailures is how many calls in a row may end without an answer before the breaker opens.
	maxFailures = 3
	// minOutage and maxOutage bound how long it is open then: twice as long with each probe in vain, of which maxDoublings count.
	minOutage    = 5 * time.Second
	maxOutage    = time.Minute
	maxDoublings = 4
)

// trip is a time for which the breaker is open.
type trip struct {
	// count is how many there have been of this kind.
	count int
	cause error
	// until is its end by the clock, wake by that of the pace: a wait ends with whichever comes first, as the clock may stand still meanwhile.
	until, wake time.Time
	pause       time.Duration
	// told means that callers get the cause. Otherwise they wait.
	told bool
}

// tripCounts are the counts of trips at a moment.
type tripCounts [breaking]int

// advice is what an outcome means for the pace.
type advice int

const (
	same advice = iota
	slower
	faster
)

// breaker is a circuit breaker that tells from the outcomes of calls when the next ones would fail too. It is ours because half of its trips are waited
// out, and because one probe serves all who share the credentials, which are locked after a few failures. Its budget guards it.
type breaker struct {
	clock, pace clock.PassiveClock
	trips       [breaking]trip
	// backoff is the latest pause after a 429 that did not say how long, zero once a call went well; worked tells that one did since the latest 429.
	backoff time.Duration
	worked  bool
	// forced tells that a pause was ended before its time, and not yet what comes of that.
	forced   bool
	forcedAt time.Time
	// accepted tells that the credentials were accepted, and not rejected since.
	accepted bool
	// failures counts the calls since the latest answer that ended without one.
	failures int
}

// halfOpen tells that it is not known how calls fare, so that one at a time is enough.
func (b *breaker) halfOpen() bool { return !b.accepted || b.forced || b.failures >= maxFailures }

func (b *breaker) open(k Kind) bool {
	t := &b.trips[k]
	return b.clock.Now().Before(t.until) && (t.told || b.pace.Now().Before(t.wake))
}

// err is why callers are turned away, nil if they are not.
func (b *breaker) err() error {
	for k := range breaking {
		if b.trips[k].told && b.open(k) {
			return b.trips[k].cause
		}
	}
	return nil
}

// resume is when a pause ends that callers wait out, by the clock of the pace; the zero time if there is none.
func (b *breaker) resume() time.Time {
	if b.open(Throttled) {
		return b.trips[Throttled].wake
	}
	return time.Time{}
}

// retryAfter is how long there is no call to be made.
func (b *breaker) retryAfter() time.Duration {
	var longest time.Duration
	for k := range breaking {
		if b.open(k) {
			longest = max(longest, b.trips[k].until.Sub(b.clock.Now()))
		}
	}
	return longest
}

// throttledUntil is the end of a pause that the service asked for, the zero time if it is short or over.
func (b *breaker) throttledUntil() time.Time {
	if t := &b.trips[Throttled]; b.open(Throttled) && t.pause > worthTelling {
		return t.until
	}
	return time.Time{}
}

// counts are the trips that a call which is made now has heard of: not of a pause that is on, for which it was let through too late.
func (b *breaker) counts() (now tripCounts) {
	for k := range breaking {
		now[k] = b.trips[k].count
	}
	if b.open(Throttled) {
		now[Throttled]--
	}
	return now
}

// news reports whether a call that began at these counts did so after the latest trip of a kind. Others tell what that trip has told already.
func (b *breaker) news(began tripCounts, k Kind) bool { return began[k] == b.trips[k].count }

func (b *breaker) trip(k Kind, cause error, pause time.Duration) {
	t := &b.trips[k]
	t.count++
	t.cause, t.until, t.wake = cause, b.clock.Now().Add(pause), b.pace.Now().Add(pause)
	t.pause, t.told = pause, k != Throttled || pause > maxWait
}

// note takes down what came of a call that began at these counts.
func (b *breaker) note(began tripCounts, o Outcome) advice {
	switch o.Kind {
	case Unreachable:
		if b.news(began, Unreachable) {
			b.unanswered(o.Err)
		}
		return same
	case Inconclusive:
		return same
	case Rejected, Throttled, Answered:
	}
	b.failures, b.trips[Unreachable].until = 0, time.Time{}
	b.forced = false
	if b.news(began, Rejected) {
		b.accepted = o.Kind != Rejected
		if !b.accepted {
			b.trip(Rejected, o.Err, rejectedPause)
		}
	}
	switch {
	case o.Kind == Throttled:
		return b.throttle(began, o)
	case b.news(began, Throttled):
		b.backoff, b.worked = 0, true
		return faster
	}
	return same
}

func (b *breaker) unanswered(err error) {
	b.failures++
	if more := b.failures - maxFailures; more >= 0 {
		b.trip(Unreachable, err, min(maxOutage, minOutage<<min(more, maxDoublings)))
	}
}

// throttle begins a pause. A call that was made already when the latest one ended prolongs that only if the service says so.
func (b *breaker) throttle(began tripCounts, o Outcome) advice {
	asked := min(o.RetryAfter, maxRetryAfter)
	if !b.news(began, Throttled) {
		if t := &b.trips[Throttled]; asked > t.until.Sub(b.clock.Now()) {
			b.trip(Throttled, o.Err, asked)
		}
		return same
	}
	pause := asked
	if pause == 0 {
		pause = min(max(minThrottle, 2*b.backoff), maxThrottle)
		b.backoff = pause
	}
	b.trip(Throttled, o.Err, pause)
	if !b.worked {
		return same
	}
	b.worked = false
	return slower
}

// endPause ends a pause before its time, so that one call may try how it fares.
func (b *breaker) endPause() {
	now := b.clock.Now()
	if !b.open(Throttled) || now.Sub(b.forcedAt) < forceInterval {
		return
	}
	t := &b.trips[Throttled]
	t.until, t.wake = now, b.pace.Now()
	b.forced, b.forcedAt = true, now
}
