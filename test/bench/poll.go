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

package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

const (
	// sampling is how often the counts are read, quiet how long no call arrives between two polls. Calls of one poll
	// come a tenth of a second apart.
	sampling = 200 * time.Millisecond
	quiet    = 3 * time.Second

	// rowsPerCall is how many packages one page shows.
	rowsPerCall = 100
)

// round watches calls come and go, and finds one poll among them: what comes between two times of quiet, and shows as
// many packages as there are. What shows fewer is a part of a poll, and goes on.
type round struct {
	size   int
	last   int
	lastAt time.Time
	base   map[string]int // the calls at a time of quiet, from which on a poll is seen from its beginning
}

// observe takes a sample, and returns the calls of a whole poll once there was one.
func (r *round) observe(counts map[string]int, now time.Time) (calls int, done bool) {
	if total := sum(counts); total != r.last {
		r.last, r.lastAt = total, now
		return 0, false
	}
	if now.Sub(r.lastAt) < quiet {
		return 0, false
	}
	calls = sum(counts) - sum(r.base)
	if r.base == nil || calls <= 1 && r.size > rowsPerCall {
		r.base = counts // One call alone tries the workspace out.
		return 0, false
	}
	looks, listed := since(counts, r.base)
	return calls, looks+listed*rowsPerCall >= r.size
}

// since is how many looks at one package and how many pages of the list were asked for.
func since(now, base map[string]int) (looks, listed int) {
	show, list := string(simulator.OpShow), string(simulator.OpList)
	return now[show] - base[show], now[list] - base[list]
}

// poll measures the calls of one poll of all packages. Where polls have no end, it is worked out from what was seen
// what one takes.
func (w *world) poll(ctx context.Context, name string, interval time.Duration) (float64, error) {
	s, err := w.begin(ctx, name)
	if err != nil {
		return 0, err
	}
	r := &round{size: w.size, last: -1}
	tick := time.NewTicker(sampling)
	defer tick.Stop()
	for deadline := s.began.Add(5 * interval / 2); ; {
		counts, err := w.calls(ctx)
		if err != nil {
			return 0, err
		}
		if calls, done := r.observe(counts, time.Now()); done {
			return w.polled(ctx, s, float64(calls), "")
		}
		if time.Now().After(deadline) {
			calls, note := w.workOut(counts, s.calls)
			return w.polled(ctx, s, calls, note)
		}
		if err := w.well(); err != nil {
			return 0, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// polled puts the poll into the table.
func (w *world) polled(ctx context.Context, s *span, calls float64, note string) (float64, error) {
	m, err := s.end(ctx, arrival{at: time.Now()})
	if err != nil {
		return 0, err
	}
	if err := s.addWrites(ctx, &m, managerAgent); err != nil {
		return 0, err
	}
	m.Note = fmt.Sprintf("one poll: %.0f calls", calls)
	if note != "" {
		m.Note += ", " + note
	}
	w.measured(m)
	return calls, nil
}

// workOut says how many calls it takes to see every package once, from the calls made so far: a look shows one
// package, and a page as many as it may hold, but for one that tried the workspace out. Without any call nothing can
// be said, which must not pass for good.
func (w *world) workOut(now, before map[string]int) (float64, string) {
	looks, listed := since(now, before)
	listed = max(listed-1, 0)
	shown := looks + listed*rowsPerCall
	if shown == 0 {
		return math.Inf(1), "as none was seen"
	}
	return float64(looks+listed) * float64(w.size) / float64(shown),
		fmt.Sprintf("worked out from %d looks and %d pages without a pause", looks, listed)
}
