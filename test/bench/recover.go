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
	"net/http"
	"time"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

const (
	// lostAtOnce are the packages whose answers are lost, and besides the items that wait for nobody.
	lostAtOnce = 30
	besides    = 1000
	// recovery is much longer than it takes to find them all.
	recovery = 2 * time.Minute
)

// recover loses the answers to all requests to pack, and counts what it takes to find the packages.
func (b *bench) recover(ctx context.Context) error {
	b.say("losing the answers about %d packages", lostAtOnce)
	w, err := b.newWorld(ctx, "recover", lostAtOnce, documented, pace{documentedRate, time.Hour})
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
	items, err := w.service.submit(ctx, besides+lostAtOnce)
	if err != nil {
		return err
	}
	lost := simulator.Fault{Operation: simulator.OpPack, Kind: simulator.FaultError, Status: http.StatusBadGateway,
		AfterWork: true, Times: lostAtOnce}
	if err := w.service.inject(ctx, &lost); err != nil {
		return err
	}
	s, err := w.begin(ctx, "recover")
	if err != nil {
		return err
	}
	if err := w.apply(ctx, items[besides:], func(*v1alpha1.ReleasePackage) {}); err != nil {
		return err
	}
	all, err := w.tracker.await(ctx, lostAtOnce, recovery, packed, w.well)
	if err != nil {
		return err
	}
	m, err := s.end(ctx, all)
	if err != nil {
		return err
	}
	if err := s.addWrites(ctx, &m, managerAgent); err != nil {
		return err
	}
	b.measured(m)
	looks := m.allCalls() - m.Calls[string(simulator.OpPack)]
	b.row(atMost("recovery-calls-per-package", perPackage(looks, lostAtOnce), 3).provided(all.complete()))
	b.row(atMost("recovery-packs-per-package", perPackage(m.Calls[string(simulator.OpPack)], lostAtOnce),
		1).provided(all.complete()))
	return nil
}
