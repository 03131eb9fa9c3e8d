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
	"syscall"
	"time"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// attempts are how often each of both runs; the best time of each counts, as whatever disturbs only adds to it.
const attempts = 2

// swift is a service without limit.
var swift = limits{latency: 20 * time.Millisecond}

// unthrottled lets the operator and the floor pack, in turn, and compares.
func (b *bench) unthrottled(ctx context.Context) error {
	var best [2]float64
	for i := range 2 * attempts {
		who := i % 2
		run := []func(context.Context, string) (float64, error){b.packBare, b.packFreely}[who]
		took, err := run(ctx, []string{"floor", "operator"}[who]+fmt.Sprintf("-%d", i/2+1))
		if err != nil {
			return err
		}
		if best[who] == 0 || took < best[who] {
			best[who] = took
		}
	}
	b.row(atLeast("unthrottled-vs-floor", best[0]/best[1], 0.8))
	return nil
}

// packFreely measures the operator.
func (b *bench) packFreely(ctx context.Context, name string) (float64, error) {
	b.say("%s: packing %d packages without limit", name, b.packages)
	w, err := b.newWorld(ctx, name, b.packages, swift, pace{requestsMost, time.Hour})
	if err != nil {
		return 0, err
	}
	defer w.close()
	if err := w.startManager(); err != nil {
		return 0, err
	}
	if err := w.awaitWorkspace(ctx); err != nil {
		return 0, err
	}
	m, err := w.packAll(ctx, name)
	if err != nil {
		return 0, err
	}
	b.measured(m)
	return m.Seconds, nil
}

// packAll applies as many packages as the world has and waits for their ids.
func (w *world) packAll(ctx context.Context, name string) (measurement, error) {
	items, err := w.service.submit(ctx, w.size)
	if err != nil {
		return measurement{}, err
	}
	s, err := w.begin(ctx, name)
	if err != nil {
		return measurement{}, err
	}
	if err := w.apply(ctx, items, func(*v1alpha1.ReleasePackage) {}); err != nil {
		return measurement{}, err
	}
	all, err := w.tracker.await(ctx, w.size, time.Minute+seconds(float64(w.size)/25), packed, w.well)
	if err != nil {
		return measurement{}, err
	}
	m, err := s.end(ctx, all)
	if err != nil {
		return m, err
	}
	err = s.addWrites(ctx, &m, managerAgent)
	return m, err
}

// packBare measures the floor. Its CPU time is that of this program, which also applies and watches.
func (b *bench) packBare(ctx context.Context, name string) (float64, error) {
	b.say("%s: packing %d packages without limit", name, b.packages)
	w, err := b.newWorld(ctx, name, b.packages, swift, pace{requestsMost, time.Hour})
	if err != nil {
		return 0, err
	}
	defer w.close()
	f, err := newFloor(w)
	if err != nil {
		return 0, err
	}
	items, err := w.service.submit(ctx, w.size)
	if err != nil {
		return 0, err
	}
	s, err := w.begin(ctx, name)
	if err != nil {
		return 0, err
	}
	cpu := ownCPU()
	if err := f.run(ctx, items); err != nil {
		return 0, err
	}
	all, err := w.tracker.await(ctx, w.size, time.Minute, packed, w.well)
	if err != nil {
		return 0, err
	}
	if !all.complete() {
		return 0, errors.New("the floor has packed all packages, and the watch does not tell: " + all.note())
	}
	m, err := s.end(ctx, all)
	if err != nil {
		return 0, err
	}
	m.CPUSeconds = ownCPU() - cpu
	if err := s.addWrites(ctx, &m, floorAgent); err != nil {
		return 0, err
	}
	b.measured(m)
	return m.Seconds, nil
}

// ownCPU is the processor time of this program so far.
func ownCPU() float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()).Seconds()
}
