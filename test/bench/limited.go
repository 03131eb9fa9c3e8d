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
	"time"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

const (
	// documentedRate is the calls a second that the service allows a user.
	documentedRate = 10

	limitedInterval = time.Minute
)

// documented is the service with its documented limit, and about as fast as one nearby.
var documented = limits{rate: documentedRate, latency: 5 * time.Millisecond}

// limited packs, polls and deletes under the documented limit.
func (b *bench) limited(ctx context.Context) (err error) {
	w, err := b.newWorld(ctx, "limited", b.packages, documented, pace{documentedRate, limitedInterval})
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
	if err := b.pack(ctx, w); err != nil {
		return err
	}
	if b.wants("poll") {
		b.say("waiting for a poll of %d packages", w.size)
		calls, err := w.poll(ctx, "poll", limitedInterval)
		if err != nil {
			return err
		}
		n, _ := w.tracker.state(packed)
		b.row(pollRow(w.size, calls).provided(n == w.size))
	}
	if b.wants("delete") {
		return b.remove(ctx, w)
	}
	return nil
}

// pack applies the packages and waits for all ids.
func (b *bench) pack(ctx context.Context, w *world) error {
	b.say("packing %d packages at %d calls a second", w.size, documentedRate)
	items, err := w.service.submit(ctx, w.size)
	if err != nil {
		return err
	}
	s, err := w.begin(ctx, "pack")
	if err != nil {
		return err
	}
	if err := w.apply(ctx, items, func(*v1alpha1.ReleasePackage) {}); err != nil {
		return err
	}
	target := packSeconds(w.size)
	all, err := w.tracker.await(ctx, w.size, 3*seconds(target), packed, w.well)
	if err != nil {
		return err
	}
	m, err := s.end(ctx, all)
	if err != nil {
		return err
	}
	inOrder, err := w.tracker.await(ctx, w.size, time.Minute, ready, w.well)
	if err != nil {
		return err
	}
	if err := s.addWrites(ctx, &m, managerAgent); err != nil {
		return err
	}
	b.measured(m)
	if b.wants("pack") {
		b.row(atMost("calls-per-package", perPackage(m.allCalls(), w.size), 1.02).provided(all.complete()))
		b.row(atMost("writes-per-package", perPackage(w.writesUntilReady(&m), w.size), 3).provided(inOrder.complete()))
		b.row(atMost(sized("pack", w.size, "seconds"), m.Seconds, target).provided(all.complete()))
	}
	return nil
}

// writesUntilReady counts the writes about each package until it was ready for the first time. What the operator adds
// later is shown in the table.
func (w *world) writesUntilReady(m *measurement) int {
	n := 0
	for _, write := range m.writes {
		if !write.ofPackage() {
			continue
		}
		s := w.tracker.get(write.Object.Name)
		if s.ready.IsZero() || !write.Received.After(s.ready) {
			n++
		}
	}
	return n
}

// remove deletes all packages and waits until they are gone.
func (b *bench) remove(ctx context.Context, w *world) error {
	b.say("deleting %d packages at %d calls a second", w.size, documentedRate)
	s, err := w.begin(ctx, "delete")
	if err != nil {
		return err
	}
	n, err := w.remove(ctx)
	if err != nil {
		return err
	}
	target := deleteSeconds(w.size)
	all, err := w.tracker.await(ctx, n, 10*seconds(target), gone, w.well)
	if err != nil {
		return err
	}
	m, err := s.end(ctx, all)
	if err := errors.Join(err, s.addWrites(ctx, &m, managerAgent)); err != nil {
		return err
	}
	b.measured(m)
	b.row(atMost(sized("delete", w.size, "calls"), float64(m.allCalls()), deleteCalls(w.size)).provided(all.complete()))
	b.row(atMost(sized("delete", w.size, "seconds"), m.Seconds, target).provided(all.complete()))
	return nil
}
