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

import "time"

const (
	// pollShare is the part of the quota that polls may take, and busyPollShare while changes wait for their turn.
	pollShare, busyPollShare = 0.05, 0.025
	// MinPollInterval bounds how often polls are made, however little they cost.
	MinPollInterval = 5 * time.Second
	// MaxPollInterval bounds how seldom they are made, whatever they cost.
	MaxPollInterval = 10 * time.Minute
)

// polls is the account of the calls that look for what others have done. All connections of an identity share it, so
// that each waits for what all have spent.
type polls struct {
	// debt is how many calls were made that are not paid for yet, by the time at.
	debt float64
	at   time.Time
}

// pay lets the time since the last call of pay reduce the debt.
func (p *polls) pay(now time.Time, perSecond float64) {
	if since := now.Sub(p.at); since > 0 {
		p.debt = max(0, p.debt-perSecond*since.Seconds())
		p.at = now
	}
}

// Polled takes down that a poll has made so many calls. It returns how long they take within the polls' share.
func (b *Budget) Polled(calls int) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	perSecond := b.pollRate()
	b.polls.debt += float64(calls)
	return time.Duration(float64(calls) / perSecond * float64(time.Second))
}

// PollInterval is how long it is until the calls of all polls so far are within their share of the quota, between
// MinPollInterval and MaxPollInterval. It is longer while the service asks for fewer calls, and while changes wait.
func (b *Budget) PollInterval() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	perSecond := b.pollRate()
	interval := time.Duration(b.polls.debt / perSecond * float64(time.Second))
	return min(max(interval, MinPollInterval), MaxPollInterval)
}

// pollRate is how many calls a second polls may make, after the debt was brought up to date.
func (b *Budget) pollRate() float64 {
	share := pollShare
	if b.queue.counts[Change] > 0 {
		share = busyPollShare
	}
	perSecond := share * b.pacer.rate()
	b.polls.pay(b.breaker.clock.Now(), perSecond)
	return perSecond
}
