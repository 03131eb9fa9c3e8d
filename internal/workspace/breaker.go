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
	"errors"
	"time"

	"k8s.io/utils/clock"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

const (
	// rejectedPause is how long rejected credentials are not tried again. The service locks an access key for 5 minutes after more
	// than 5 consecutive failures (API Request Signing Guide, "Common Errors Related to IAM Authentication Information").
	rejectedPause = 5 * time.Minute

	// shortestThrottle and longestThrottle bound the pause after a 429 that does not say; whether the service ever says is not documented. It is twice
	// as long as the latest one if no call went well since: then the pause was too short, and the pace is not at fault.
	shortestThrottle = time.Second
	longestThrottle  = time.Minute
	// longestAsked bounds the pause that the service asks for. Gateways count by the second or the minute. What asks for much more is a mistake or a
	// quota of a day; deletions are not to be stuck for that, nor a limit that was raised to go unnoticed, and a try each so often costs nothing.
	longestAsked = 3 * time.Minute
	// liftAgain is how soon after another one a pause may be ended before its time.
	liftAgain = 10 * time.Second
	// waitedOut is the longest pause that callers wait out instead of being told of it.
	waitedOut = 5 * time.Second
	// worthTelling is the longest pause that is no news.
	worthTelling = 2 * time.Second

	// silences is how many calls in a row may end without an answer before they are held back.
	silences = 3
	// shortestSilence and longestSilence bound how long they are: twice as long with each trial in vain, of which maxDoublings count.
	shortestSilence = 5 * time.Second
	longestSilence  = time.Minute
	maxDoublings    = 4
)

// reason is why calls are held back. Where there are several, the first one is told.
type reason int

const (
	rejected reason = iota
	throttled
	unreachable
	reasons
)

// String is the value of a label.
func (r reason) String() string { return [...]string{"rejected", "throttled", "unreachable", ""}[r] }

// hold is a time without calls.
type hold struct {
	// number counts the holds for this reason.
	number int
	cause  error
	// until is its end by the clock, wake by that of the pace: a wait ends with whichever comes first, as the clock may stand still meanwhile.
	until, wake time.Time
	pause       time.Duration
	// told means that callers get the cause. Otherwise they wait.
	told bool
}

// advice is what an answer means for the pace.
type advice int

const (
	goesOn advice = iota
	goesSlower
	goesFaster
)

// breaker tells from the answers to calls when the next ones would fail too. Its budget guards it.
type breaker struct {
	clock, pace clock.PassiveClock
	holds       [reasons]hold
	// backoff is the latest pause after a 429 that did not say how long, zero once a call went well; worked tells that one did since the latest 429.
	backoff time.Duration
	worked  bool
	// lifted tells that a pause was ended before its time, and not yet what comes of that.
	lifted   bool
	liftedAt time.Time
	// proved tells that the credentials were accepted, and not rejected since.
	proved bool
	// silence counts the calls since the latest answer that ended without one.
	silence int
}

// probing tells that it is not known how calls fare, so that one at a time is enough.
func (b *breaker) probing() bool { return !b.proved || b.lifted || b.silence >= silences }

func (b *breaker) on(r reason) bool {
	h := &b.holds[r]
	return b.clock.Now().Before(h.until) && (h.told || b.pace.Now().Before(h.wake))
}

// refusal is why callers are turned away, nil if they are not.
func (b *breaker) refusal() error {
	for r := range reasons {
		if b.holds[r].told && b.on(r) {
			return b.holds[r].cause
		}
	}
	return nil
}

// resume is when a pause ends that callers wait out, by the clock of the pace; the zero time if there is none.
func (b *breaker) resume() time.Time {
	if b.on(throttled) {
		return b.holds[throttled].wake
	}
	return time.Time{}
}

// heldBackFor is how long there is no call to be made.
func (b *breaker) heldBackFor() time.Duration {
	var longest time.Duration
	for r := range reasons {
		if b.on(r) {
			longest = max(longest, b.holds[r].until.Sub(b.clock.Now()))
		}
	}
	return longest
}

// throttledUntil is the end of a pause that the service asked for, the zero time if it is short or over.
func (b *breaker) throttledUntil() time.Time {
	if h := &b.holds[throttled]; b.on(throttled) && h.pause > worthTelling {
		return h.until
	}
	return time.Time{}
}

// numbers are the holds that a call which is made now has heard of: not of a pause that is on, for which it was let through too late.
func (b *breaker) numbers() (now [reasons]int) {
	for r := range reasons {
		now[r] = b.holds[r].number
	}
	if b.on(throttled) {
		now[throttled]--
	}
	return now
}

// begunSince reports whether a call began after the latest hold for the reason did. Others tell what that hold has told already.
func (b *breaker) begunSince(c call, r reason) bool { return c.since[r] == b.holds[r].number }

func (b *breaker) hold(r reason, cause error, pause time.Duration) {
	h := &b.holds[r]
	h.number++
	h.cause, h.until, h.wake = cause, b.clock.Now().Add(pause), b.pace.Now().Add(pause)
	h.pause, h.told = pause, r != throttled || pause > waitedOut
}

// note takes down what came of a call.
func (b *breaker) note(c call, err error, abandoned bool) advice {
	e, failed := errors.AsType[*dataarts.Error](err)
	if failed && e.Status == 0 {
		lost := e.Kind == dataarts.Unreachable || e.Kind == dataarts.Unknown
		if lost && !abandoned && b.begunSince(c, unreachable) {
			b.unanswered(err)
		}
		return goesOn
	}
	if !failed && err != nil {
		return goesOn
	}
	b.silence, b.holds[unreachable].until = 0, time.Time{}
	b.lifted = false
	if b.begunSince(c, rejected) {
		b.proved = !failed || e.Kind != dataarts.Unauthorized
		if !b.proved {
			b.hold(rejected, err, rejectedPause)
		}
	}
	switch {
	case failed && e.Kind == dataarts.Throttled:
		return b.toldToSlowDown(c, e)
	case b.begunSince(c, throttled):
		b.backoff, b.worked = 0, true
		return goesFaster
	}
	return goesOn
}

func (b *breaker) unanswered(err error) {
	b.silence++
	if more := b.silence - silences; more >= 0 {
		b.hold(unreachable, err, min(longestSilence, shortestSilence<<min(more, maxDoublings)))
	}
}

// toldToSlowDown begins a pause. A call that was made already when the latest one ended prolongs that only if the service says so.
func (b *breaker) toldToSlowDown(c call, e *dataarts.Error) advice {
	asked := min(e.RetryAfter, longestAsked)
	if !b.begunSince(c, throttled) {
		if h := &b.holds[throttled]; asked > h.until.Sub(b.clock.Now()) {
			b.hold(throttled, e, asked)
		}
		return goesOn
	}
	pause := asked
	if pause == 0 {
		pause = min(max(shortestThrottle, 2*b.backoff), longestThrottle)
		b.backoff = pause
	}
	b.hold(throttled, e, pause)
	if !b.worked {
		return goesOn
	}
	b.worked = false
	return goesSlower
}

// lift ends a pause before its time, so that one call may try how it fares.
func (b *breaker) lift() {
	now := b.clock.Now()
	if !b.on(throttled) || now.Sub(b.liftedAt) < liftAgain {
		return
	}
	h := &b.holds[throttled]
	h.until, h.wake = now, b.pace.Now()
	b.lifted, b.liftedAt = true, now
}
