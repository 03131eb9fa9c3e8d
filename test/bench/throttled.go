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
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/test/harness"
)

// warmUp is how long the operator may take to find out what the service takes, and throttledFor how long it is
// watched after that.
const (
	warmUp       = time.Minute
	throttledFor = time.Minute
)

// stricter are services that take less of the operator's calls than it is told: by their own limit, or as someone
// else makes calls as the same user. All limits from 1 to 10 are tried on a clock that runs faster, in the tests of
// internal/workspace.
var stricter = []limits{
	{rate: 1}, {rate: 3}, {rate: 6}, {rate: documentedRate, others: documentedRate / 2},
}

// left is what the operator may make use of.
func (l limits) left() float64 { return float64(l.rate) - l.others }

func (l limits) String() string {
	if l.others > 0 {
		return fmt.Sprintf("%d-shared", l.rate)
	}
	return fmt.Sprint(l.rate)
}

// throttled packs with the default pace where the service takes less. As that takes its time and no processor, all
// services are tried at once.
func (b *bench) throttled(ctx context.Context) error {
	shares := make([]float64, len(stricter))
	group, within := errgroup.WithContext(ctx)
	for i, l := range stricter {
		group.Go(func() (err error) {
			shares[i], err = b.packThrottled(within, l)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, l := range stricter {
		b.row(atLeast(fmt.Sprintf("throttled-%s-share", l), shares[i], 0.8))
	}
	return nil
}

// packThrottled is the share of what the service takes that packages were packed with, after the first minute.
func (b *bench) packThrottled(ctx context.Context, l limits) (share float64, err error) {
	l.latency = documented.latency
	name := "throttled-" + l.String()
	size := int(l.left() * 2 * (warmUp + throttledFor).Seconds())
	b.say("%s: packing %d packages, of which the service takes %.0f a second", name, size, l.left())
	w, err := b.newWorld(ctx, name, size, l, pace{documentedRate, time.Hour})
	if err != nil {
		return 0, err
	}
	defer w.close()
	if err := w.startManager(); err != nil {
		return 0, err
	}
	items, err := w.service.submit(ctx, size)
	if err != nil {
		return 0, err
	}
	if err := w.apply(ctx, items, func(*v1alpha1.ReleasePackage) {}); err != nil {
		return 0, err
	}
	if err := harness.Pause(ctx, warmUp); err != nil {
		return 0, err
	}
	before, _ := w.tracker.state(packed)
	began := time.Now()
	if err := harness.Pause(ctx, throttledFor); err != nil {
		return 0, err
	}
	after, _ := w.tracker.state(packed)
	return float64(after-before) / time.Since(began).Seconds() / l.left(), errors.Join(w.well(), ctx.Err())
}
