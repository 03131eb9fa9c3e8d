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
	"net/http"
	"time"

	"github.com/dataarts-operator/dataarts-operator/test/harness"
)

// measurement is what one part of a scenario took.
type measurement struct {
	Name     string  `json:"name"`
	Packages int     `json:"packages"`
	Seconds  float64 `json:"seconds"`
	// Calls are those that arrived at the service, by operation.
	Calls map[string]int `json:"calls,omitempty"`
	// Writes are the requests to the API server that change something, by verb and resource; Conflicts are those among
	// them that it refused.
	Writes    map[string]int `json:"apiServerWrites,omitempty"`
	Conflicts int            `json:"apiServerWritesRefused,omitempty"`
	// CPUSeconds, ResidentMiB and PeakMiB are the manager's.
	CPUSeconds  float64 `json:"cpuSeconds"`
	ResidentMiB float64 `json:"residentMiB,omitempty"`
	PeakMiB     float64 `json:"peakResidentMiB,omitempty"`
	Note        string  `json:"note,omitempty"`

	writes []write
}

func (m *measurement) allCalls() int { return sum(m.Calls) }

// packageWrites is how many writes were about ReleasePackages, their status included.
func (m *measurement) packageWrites() int {
	n := 0
	for _, w := range m.writes {
		if w.ofPackage() {
			n++
		}
	}
	return n
}

func sum(counts map[string]int) int {
	n := 0
	for _, count := range counts {
		n += count
	}
	return n
}

// span is a measurement under way.
type span struct {
	world   *world
	name    string
	began   time.Time
	calls   map[string]int
	used    usage
	manager *harness.Process
}

// begin starts to measure.
func (w *world) begin(ctx context.Context, name string) (*span, error) {
	s := &span{world: w, name: name, manager: w.manager}
	var err error
	if s.calls, err = w.calls(ctx); err != nil {
		return nil, err
	}
	if w.manager != nil {
		if s.used, err = usageOf(w.manager); err != nil {
			return nil, err
		}
	}
	if _, err := w.plane.audit.read(managerAgent); err != nil { // What was written until now does not count.
		return nil, err
	}
	s.began = time.Now()
	return s, nil
}

// end takes the measurement of what happened until now. The time until at is what it took: waiting for it is not exact.
func (s *span) end(ctx context.Context, at arrival) (measurement, error) {
	m := measurement{Name: s.name, Packages: s.world.size, Seconds: at.at.Sub(s.began).Seconds(), Note: at.note(),
		Calls: map[string]int{}}
	now, err := s.world.calls(ctx)
	if err != nil {
		return m, err
	}
	for operation, n := range now {
		if n -= s.calls[operation]; n > 0 {
			m.Calls[operation] = n
		}
	}
	if s.world.manager != nil {
		used, err := usageOf(s.world.manager)
		if err != nil {
			return m, err
		}
		m.CPUSeconds, m.ResidentMiB, m.PeakMiB = used.cpuSeconds, used.residentMiB, used.peakMiB
		if s.manager == s.world.manager { // Else all that this one has used counts.
			m.CPUSeconds -= s.used.cpuSeconds
		}
	}
	return m, nil
}

// addWrites waits until what was written has been told, and adds it.
func (s *span) addWrites(ctx context.Context, m *measurement, agent string) error {
	if err := harness.Pause(ctx, settling); err != nil {
		return err
	}
	var err error
	m.writes, err = s.world.plane.audit.read(agent)
	m.Writes = map[string]int{}
	for _, w := range m.writes {
		m.Writes[w.kind()]++
		if w.Response.Code >= http.StatusBadRequest {
			m.Conflicts++
		}
	}
	return err
}

// calls are the calls that the service has seen, by the name of the operation.
func (w *world) calls(ctx context.Context) (map[string]int, error) {
	counts, err := w.service.counts(ctx)
	calls := make(map[string]int, len(counts))
	for operation, n := range counts {
		if operation == "" {
			err = errors.Join(err, errUnpublished)
		}
		calls[string(operation)] = n
	}
	return calls, err
}

var errUnpublished = errors.New("somebody called an operation that the service does not have")
