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

// pollShare is the part of the quota that polls may take where no pollInterval is set.
const pollShare = 0.05

// cadence measures, at two sizes, how soon decisions are shown where no pollInterval is set, and what polls take.
func (b *bench) cadence(ctx context.Context) error {
	for _, size := range []int{max(fewest, 2*b.packages/5), growth * b.packages} {
		if err := b.cadenceOf(ctx, size); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) cadenceOf(ctx context.Context, size int) error {
	w, err := b.newWorld(ctx, fmt.Sprintf("cadence-%d", size), size, limits{}, pace{requestsMost, time.Hour})
	if err != nil {
		return err
	}
	defer w.close()
	if err := w.startManager(); err != nil {
		return err
	}
	if err := w.awaitWorkspace(ctx); err != nil {
		return err
	}
	w.say("%s: packing %d packages without limit", w.name, size)
	if _, err := w.packAll(ctx, w.name+"-pack"); err != nil {
		return err
	}
	if err := w.restrain(ctx, 0); err != nil {
		return err
	}
	return w.decide(ctx)
}

// decide lets approvers decide now and then, over the longest time that one poll may come after another, and measures
// the longest time until a decision was shown, and the calls from the first decision on.
func (w *world) decide(ctx context.Context) error {
	longest := seconds(decisionSeconds(w.size))
	if err := harness.Pause(ctx, longest); err != nil { // The first looks of a manager are more.
		return err
	}
	s, err := w.begin(ctx, w.name)
	if err != nil {
		return err
	}
	w.say("%s: deciding about %d of %d packages", w.name, approvals, w.size)
	decided := map[string]time.Time{}
	for i := range approvals {
		name := packageName(i * (w.size - 1) / (approvals - 1))
		if err := w.service.deploy(ctx, w.tracker.get(name).id); err != nil {
			return err
		}
		decided[name] = time.Now()
		if err := harness.Pause(ctx, longest/approvals); err != nil {
			return err
		}
	}
	all, err := w.tracker.await(ctx, approvals, 2*longest, deployed, w.well)
	if err != nil {
		return err
	}
	if err := harness.Pause(ctx, longest); err != nil { // Over several polls, their calls are spread evenly.
		return err
	}
	latest := time.Duration(0)
	for name, at := range decided {
		latest = max(latest, w.tracker.get(name).deployed.Sub(at))
	}
	m, err := s.end(ctx, arrival{all.reached, all.wanted, time.Now()})
	if err != nil {
		return err
	}
	m.Note = fmt.Sprintf("decisions of %d approvers", approvals)
	w.measured(m)
	polls := m.allCalls() - approvals // One is the look at each package that was decided about.
	share := float64(polls) / (m.Seconds * documentedRate)
	w.row(atMost(sized("decision", w.size, "seconds"), latest.Seconds(), decisionSeconds(w.size)).provided(all.complete()))
	w.row(atMost(fmt.Sprintf("poll-share-%d", w.size), share, pollShare).provided(all.complete()))
	return nil
}
