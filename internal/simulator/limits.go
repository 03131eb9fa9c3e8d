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
	"errors"
	"time"
)

// Limits are what may change while the service runs: how much it takes, how fast it is, how far behind its
// answers are and how wrong its clock. They begin as [Options] and [Assumptions] say.
type Limits struct {
	// RateLimit is the number of calls each user may make per second; zero means no limit.
	RateLimit int
	// OtherCalls is the number of calls per second that somebody else makes as each user. They are in no log
	// and do nothing; they only use up the rate limit, whether they are refused or not.
	OtherCalls float64
	// RetryAfter is the Retry-After of a throttled call, in whole seconds; zero leaves the header out.
	RetryAfter time.Duration
	// Latency passes before every operation does its work.
	Latency time.Duration
	// ItemLag, ListLag and ShowLag are how long it takes until the pending list, the list of packages and the
	// details of one know what was done to packages, their packing included. All three lag behind nothing else:
	// what was submitted is listed at once, and the service decides by what is true.
	ItemLag, ListLag, ShowLag time.Duration
	// ClockOffset is by how much the clock of the service is ahead, or behind if it is negative: in all times
	// that it answers with or is asked for, and in the Date header. The gateway checks signatures against the
	// right time nevertheless.
	ClockOffset time.Duration
}

func (l Limits) valid() bool {
	return l.RateLimit >= 0 && l.OtherCalls >= 0 && min(l.RetryAfter, l.Latency, l.ItemLag, l.ListLag, l.ShowLag) >= 0
}

var errNegative = errors.New("limits and durations must not be negative")

func limitsFrom(o Options) Limits {
	seconds := func(n int) time.Duration { return time.Duration(n) * time.Second }
	a := o.Assumptions
	return Limits{
		RateLimit:   o.RateLimit,
		OtherCalls:  a.OtherCalls,
		RetryAfter:  seconds(a.RetryAfter),
		Latency:     o.Latency,
		ItemLag:     seconds(a.ItemLag),
		ListLag:     seconds(a.ListLag),
		ShowLag:     seconds(a.ShowLag),
		ClockOffset: seconds(a.ClockOffset),
	}
}

// clock is the time as the service has it. The lock is held.
func (s *Server) clock() time.Time {
	return s.opts.Now().Add(s.limits.ClockOffset)
}

// Limits returns what holds for the next call.
func (s *Server) Limits() Limits {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limits
}

// SetLimits changes all of them from the next call on. The calls of the present second count towards the new limit.
func (s *Server) SetLimits(l Limits) error {
	if !l.valid() {
		return errNegative
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits = l
	return nil
}
