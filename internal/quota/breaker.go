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
	// rejectedPause is how long rejected credentials are not tried again. The service locks an access key for 5 minutes
	// after more than 5 consecutive failures (API Request Signing Guide, "Common Errors Related to IAM Authentication
	// Information").
	rejectedPause = 5 * time.Minute

	// minThrottle and maxThrottle bound the pause after a 429 that names none. It is not documented whether the service
	// ever names one. If no call went well since the last pause, that was too short, and this one is twice as long.
	minThrottle = time.Second
	maxThrottle = time.Minute
	// maxRetryAfter bounds the pause that the service asks for. Gateways count by the second or the minute. What asks
	// for much more is a mistake, or a quota of a day. A try every few minutes costs nothing, and shows when that has
	// passed.
	maxRetryAfter = 3 * time.Minute
	// halfOpenInterval is how soon after another one a pause may be ended before its time.
	halfOpenInterval = 10 * time.Second
	// maxWait is the longest pause that callers wait for. They get an error because of a longer one.
	maxWait = 5 * time.Second
	// maxQuiet is the longest pause that people need not know of.
	maxQuiet = 2 * time.Second

	// maxFailures is how many calls in a row may end without an answer before the breaker opens.
	maxFailures = 3
	// minOutage and maxOutage bound how long it is open then. The time doubles with each probe that gets no answer.
	minOutage    = 5 * time.Second
	maxOutage    = time.Minute
	maxDoublings = 4
)

// trip is a time for which the breaker is open.
type trip struct {
	// generation counts the trips of this kind.
	generation int
	cause      error
	pause      time.Duration
	// until is its end by the clock, and wake by the clock that calls wait by. A wait ends with the first of them, as
	// the clock may stand still.
	until, wake time.Time
	// failFast means that callers get the cause. Otherwise they wait.
	failFast bool
}

// generations are those of the trips at a moment.
type generations [breaking]int

// breaker is a circuit breaker. It tells from the outcomes of calls when the next ones would fail too. It is ours,
// because short pauses are waited for, and because all who share credentials must wait for one probe: a few rejections
// lock them.
type breaker struct {
	clock, pace clock.PassiveClock
	trips       [breaking]trip
	// backoff is the last pause after a 429 that named none, zero once a call went well.
	backoff time.Duration
	// forced means that a pause was ended before its time, at forcedAt, and that no answer came since.
	forced   bool
	forcedAt time.Time
	// accepted means that the credentials were accepted, and not rejected since.
	accepted bool
	// failures counts the calls without an answer since the last answer.
	failures int
}

// halfOpen means that it is not known how calls fare, so that one at a time is let through.
func (b *breaker) halfOpen() bool { return !b.accepted || b.forced || b.failures >= maxFailures }

func (b *breaker) open(k Kind) bool {
	t := &b.trips[k]
	return b.clock.Now().Before(t.until) && (t.failFast || b.pace.Now().Before(t.wake))
}

// err is why calls fail fast, nil if they do not.
func (b *breaker) err() error {
	for k := range breaking {
		if b.trips[k].failFast && b.open(k) {
			return b.trips[k].cause
		}
	}
	return nil
}

// resume is the end of a pause that callers wait for. It is zero if there is none.
func (b *breaker) resume() time.Time {
	if b.open(Throttled) {
		return b.trips[Throttled].wake
	}
	return time.Time{}
}

// retryAfter is how long no call will be made.
func (b *breaker) retryAfter() time.Duration {
	var longest time.Duration
	for k := range breaking {
		if b.open(k) {
			longest = max(longest, b.trips[k].until.Sub(b.clock.Now()))
		}
	}
	return longest
}

// throttledUntil is the end of a pause that the service asked for. It is zero if the pause is short or over.
func (b *breaker) throttledUntil() time.Time {
	if t := &b.trips[Throttled]; b.open(Throttled) && t.pause > maxQuiet {
		return t.until
	}
	return time.Time{}
}

// generations are what the outcome of a call that begins now is compared with. During a pause it counts as begun before
// that: its turn came before the pause did.
func (b *breaker) generations() (now generations) {
	for k := range breaking {
		now[k] = b.trips[k].generation
	}
	if b.open(Throttled) {
		now[Throttled]--
	}
	return now
}

// fresh reports whether a call began after the last trip of a kind. Other calls tell what that trip has told already.
func (b *breaker) fresh(began generations, k Kind) bool { return began[k] == b.trips[k].generation }

func (b *breaker) trip(k Kind, cause error, pause time.Duration) {
	b.trips[k] = trip{
		generation: b.trips[k].generation + 1, cause: cause, pause: pause,
		until: b.clock.Now().Add(pause), wake: b.pace.Now().Add(pause),
		failFast: k != Throttled || pause > maxWait,
	}
}

// note takes down the outcome of a call. It reports whether that says something about the pace.
func (b *breaker) note(began generations, o Outcome) bool {
	switch o.Kind {
	case Inconclusive:
		return false
	case Unreachable:
		if b.fresh(began, Unreachable) {
			b.unanswered(o.Err)
		}
		return false
	case Rejected, Throttled, Answered:
	}
	b.failures, b.trips[Unreachable].until = 0, time.Time{}
	b.forced = false
	if b.fresh(began, Rejected) {
		b.accepted = o.Kind != Rejected
		if !b.accepted {
			b.trip(Rejected, o.Err, rejectedPause)
		}
	}
	tellsPace := b.fresh(began, Throttled)
	switch {
	case o.Kind == Throttled:
		b.throttled(tellsPace, o)
	case tellsPace:
		b.backoff = 0
	}
	return tellsPace
}

func (b *breaker) unanswered(err error) {
	b.failures++
	if more := b.failures - maxFailures; more >= 0 {
		b.trip(Unreachable, err, min(maxOutage, minOutage<<min(more, maxDoublings)))
	}
}

// throttled begins a pause. A call that is not fresh only prolongs the last one, and only if the service asks for that.
func (b *breaker) throttled(fresh bool, o Outcome) {
	pause := min(o.RetryAfter, maxRetryAfter)
	switch {
	case !fresh:
		if pause <= b.trips[Throttled].until.Sub(b.clock.Now()) {
			return
		}
	case pause == 0:
		pause = min(max(minThrottle, 2*b.backoff), maxThrottle)
		b.backoff = pause
	}
	b.trip(Throttled, o.Err, pause)
}

// endPause ends a pause before its time, so that one call tries how it fares.
func (b *breaker) endPause() {
	now := b.clock.Now()
	if !b.open(Throttled) || now.Sub(b.forcedAt) < halfOpenInterval {
		return
	}
	b.trips[Throttled].until = now
	b.forced, b.forcedAt = true, now
}
