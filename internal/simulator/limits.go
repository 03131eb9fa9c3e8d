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

// Limits are what may change while the service runs: how much it takes, and how fast it is. They begin as [Options] say, and
// as [Assumptions] do about the second caller and Retry-After.
type Limits struct {
	// RateLimit is the number of calls each user may make per second; zero means no limit.
	RateLimit int
	// OtherCalls is the number of calls per second that somebody else makes as each user. They are in no log and do nothing; they
	// only use up the rate limit, whether they are refused or not.
	OtherCalls float64
	// RetryAfter is the Retry-After of a throttled call, in whole seconds; zero leaves the header out.
	RetryAfter time.Duration
	// Latency passes before every operation does its work.
	Latency time.Duration
}

var errNegative = errors.New("limits and durations must not be negative")

func limitsFrom(o Options) Limits {
	return Limits{
		RateLimit:  o.RateLimit,
		OtherCalls: o.Assumptions.OtherCalls,
		RetryAfter: time.Duration(o.Assumptions.RetryAfter) * time.Second,
		Latency:    o.Latency,
	}
}

// Limits returns what holds for the next call.
func (s *Server) Limits() Limits {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limits
}

// SetLimits changes all of them from the next call on. The calls of the present second count towards the new limit.
func (s *Server) SetLimits(l Limits) error {
	if l.RateLimit < 0 || l.OtherCalls < 0 || l.RetryAfter < 0 || l.Latency < 0 {
		return errNegative
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits = l
	return nil
}
