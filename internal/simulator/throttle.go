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

package simulator

import (
	"math"
	"net/http"
	"time"
)

// window is what one user has used up of the rate limit.
type window struct {
	start time.Time
	calls int
	// used fills [WindowBucket], which drains all the time; at is when it was last looked at.
	used float64
	at   time.Time
}

// throttle admits as many calls of a user as the rate limit leaves.
func (s *Server) throttle(u *User) *refusal {
	if s.limits.RateLimit == 0 {
		return nil
	}
	w := s.windows[u.ID]
	if w == nil {
		w = &window{}
		s.windows[u.ID] = w
	}
	if w.admit(s.opts.Now(), s.opts.Assumptions.RateWindow, s.limits) {
		return nil
	}
	return &refusal{
		status:     http.StatusTooManyRequests,
		code:       CodeThrottled,
		message:    "The throttling threshold has been reached: policy user over ratelimit",
		retryAfter: s.limits.RetryAfter,
	}
}

func (w *window) admit(now time.Time, kind RateWindow, l Limits) bool {
	switch kind {
	case WindowBucket:
		return w.pour(now, l)
	case WindowMinute:
		return w.count(now, time.Minute, l)
	case WindowSecond:
	}
	return w.count(now, time.Second, l)
}

// count admits at most the limit in each stretch of the clock, counted from its beginning. The calls of others
// are spread over the stretch, and those that are refused count too.
func (w *window) count(now time.Time, length time.Duration, l Limits) bool {
	if start := now.Truncate(length); !w.start.Equal(start) {
		w.start, w.calls = start, 0
	}
	w.calls++
	others := callsUntil(now, l.OtherCalls) - callsUntil(w.start, l.OtherCalls)
	return float64(w.calls)+others <= float64(l.RateLimit)*length.Seconds()
}

// callsUntil is how many calls others have made since a moment long ago, so that a rate below one a second
// comes out right too.
func callsUntil(t time.Time, rate float64) float64 {
	const day = 24 * time.Hour
	return math.Floor(t.Sub(t.Truncate(day)).Seconds() * rate)
}

// pour takes one call out of what a second's worth of calls leaves, which comes back evenly as far as others do
// not use it.
func (w *window) pour(now time.Time, l Limits) bool {
	limit := float64(l.RateLimit)
	if passed := now.Sub(w.at).Seconds(); passed > 0 {
		w.used = min(max(w.used-passed*(limit-l.OtherCalls), 0), limit)
		w.at = now
	}
	if w.used+1 > limit {
		return false
	}
	w.used++
	return true
}
