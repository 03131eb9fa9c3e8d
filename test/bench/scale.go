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
	"time"

	"github.com/dataarts-operator/dataarts-operator/test/harness"
)

const (
	// growth is how much larger the larger of the two sizes is.
	growth = 10
	// approvals are given right before a restart, spread over all packages.
	approvals = 5
)

// scaled is what was measured at one size.
type scaled struct {
	pollCalls                    float64
	empty, resident              float64
	packs                        int
	calls                        int
	restartSeconds, restartUsage float64
	// filled tells that all packages were packed, restarted that the approvals were shown.
	filled, restarted bool
}

// scale measures at two sizes what must not grow faster than the number of packages.
func (b *bench) scale(ctx context.Context) error {
	small, err := b.scaleTo(ctx, b.packages)
	if err != nil {
		return err
	}
	size := growth * b.packages
	large, err := b.scaleTo(ctx, size)
	if err != nil {
		return err
	}
	restarted, filled := large.filled && large.restarted, large.filled && small.filled
	b.row(pollRow(size, large.pollCalls).provided(large.filled))
	b.row(atMost(sized("restart", size, "packs"), float64(large.packs), 0).provided(restarted))
	b.row(atMost(sized("restart", size, "calls"), float64(large.calls), restartCalls(size)).provided(restarted))
	b.row(atMost(sized("restart", size, "seconds"), large.restartSeconds, restartSeconds(size)).provided(restarted))
	b.row(atMost(sized("memory", size, "mib"), large.resident, memoryMiB(size)).provided(large.filled))
	b.row(grows("poll-calls", small.pollCalls, large.pollCalls).provided(filled))
	b.row(grows("memory", small.resident-small.empty, large.resident-large.empty).provided(filled))
	b.row(grows("restart-cpu", small.restartUsage, large.restartUsage).provided(restarted && filled && small.restarted))
	return nil
}

// scaleTo packs without limit, and then polls and restarts under the documented one.
func (b *bench) scaleTo(ctx context.Context, size int) (scaled, error) {
	var found scaled
	w, err := b.newWorld(ctx, fmt.Sprintf("scale-%d", size), size, limits{}, pace{requestsMost, time.Hour})
	if err != nil {
		return found, err
	}
	defer w.close()
	if err := w.fill(ctx, &found); err != nil {
		return found, err
	}
	// One poll takes about half of the time between two, so that it can be told from the next.
	interval := max(20*time.Second, time.Duration(size/rowsPerCall)*2*time.Second/documentedRate)
	if err := w.restrain(ctx, interval); err != nil {
		return found, err
	}
	b.say("%s: waiting for a poll", w.name)
	if err := w.pollIdle(ctx, interval, &found); err != nil {
		return found, err
	}
	b.say("%s: restarting the manager", w.name)
	err = w.restart(ctx, &found)
	return found, err
}

// fill packs as many packages as the world has, and measures the memory before and after.
func (w *world) fill(ctx context.Context, found *scaled) error {
	if err := w.startManager(); err != nil {
		return err
	}
	if err := w.awaitWorkspace(ctx); err != nil {
		return err
	}
	idle, err := usageOf(w.manager)
	if err != nil {
		return err
	}
	found.empty = idle.residentMiB
	w.say("%s: packing %d packages without limit", w.name, w.size)
	m, err := w.packAll(ctx, w.name+"-pack")
	if err != nil {
		return err
	}
	w.measured(m)
	found.filled = m.Note == ""
	return w.weigh(ctx, found)
}

// weigh waits for what is still under way, and keeps the most memory that was seen.
func (w *world) weigh(ctx context.Context, found *scaled) error {
	if err := harness.Pause(ctx, 2*settling); err != nil {
		return err
	}
	used, err := usageOf(w.manager)
	if err != nil {
		return err
	}
	found.resident = max(found.resident, used.residentMiB)
	return nil
}

// restrain brings in the documented limit. The manager is started anew, as nobody promises when another pollInterval
// takes effect.
func (w *world) restrain(ctx context.Context, interval time.Duration) error {
	w.stopManager()
	if err := w.service.limit(ctx, documented); err != nil {
		return err
	}
	if err := w.change(ctx, pace{documentedRate, interval}); err != nil {
		return err
	}
	return w.startManager()
}

func (w *world) pollIdle(ctx context.Context, interval time.Duration, found *scaled) error {
	var err error
	if found.pollCalls, err = w.poll(ctx, w.name+"-poll", interval); err != nil {
		return err
	}
	return w.weigh(ctx, found)
}

// restart stops the manager, lets approvers deploy some packages, and measures until a new manager has shown that.
func (w *world) restart(ctx context.Context, found *scaled) error {
	w.stopManager()
	for i := range approvals {
		p := w.tracker.get(packageName(i * (w.size - 1) / (approvals - 1)))
		if p.id == "" {
			continue // It was not packed in time, which the table says.
		}
		if err := w.service.deploy(ctx, p.id); err != nil {
			return err
		}
	}
	s, err := w.begin(ctx, w.name+"-restart")
	if err != nil {
		return err
	}
	if err := w.startManager(); err != nil {
		return err
	}
	all, err := w.tracker.await(ctx, approvals, 3*seconds(restartSeconds(w.size)), deployed, w.well)
	if err != nil {
		return err
	}
	m, err := s.end(ctx, all)
	if err != nil {
		return err
	}
	found.restarted = all.complete()
	found.restartSeconds, found.restartUsage, found.calls = m.Seconds, m.CPUSeconds, m.allCalls()
	if err := s.addWrites(ctx, &m, managerAgent); err != nil {
		return err
	}
	w.measured(m)
	// A package too many might come a little later.
	later, err := s.end(ctx, all)
	found.packs = later.Calls["pack"]
	return err
}
