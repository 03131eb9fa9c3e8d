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
	"hash/fnv"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
)

// testCase is one run: a scenario under one reading of the documentation, with a fault at one boundary or, as a
// recording, with none.
type testCase struct {
	id       string
	scenario *scenario
	variant  variant
	at       int
	fault    fault
	// recording is the outcome of the same run without a fault; nil for a recording.
	recording *outcome
}

// outcome is what came of a run.
type outcome struct {
	testCase   testCase
	verdicts   []verdict
	account    string
	boundaries []boundary
}

// what says in words what the fault strikes.
func (c testCase) what() string {
	if c.recording == nil {
		return "no fault"
	}
	return fmt.Sprintf("%s #%d / %s", c.recording.boundaries[c.at-1].label, c.at, c.fault)
}

// strikes are the faults of the run. What is left to chance depends on the seed and the run alone.
func (c testCase) strikes(seed uint64) map[int]fault {
	if c.fault == none {
		return nil
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(c.id))                     // A hash takes everything.
	chance := rand.New(rand.NewPCG(seed, h.Sum64())) //nolint:gosec // It has to be the same each time.
	return strikesFor(c.at, c.fault, chance.IntN)
}

// run plays a case and judges it.
func (c testCase) run(ctx context.Context, p *plane, seed uint64, trace io.Writer) outcome {
	out := outcome{testCase: c}
	w, err := newWorld(ctx, p, settings{scenario: c.scenario, variant: c.variant, strikes: c.strikes(seed), trace: trace})
	if err != nil {
		out.verdicts = []verdict{{invalid, err.Error()}}
		return out
	}
	defer w.close()
	d := &driver{world: w}
	defer d.release()
	if err = d.play(ctx); err == nil {
		err = d.rests(ctx)
	}
	switch {
	case errors.Is(err, errStuck):
		w.judge.stuck(err)
	case err != nil:
		w.judge.broken("%v", err)
	default:
		w.judge.finish(ctx)
	}
	out.boundaries = w.journal.boundaries()
	c.compare(w, out.boundaries)
	out.verdicts, out.account = w.judge.verdicts, w.account()
	return out
}

// compare checks that the run was the same as its recording up to the fault.
func (c testCase) compare(w *world, reached []boundary) {
	if c.recording == nil {
		return
	}
	for i := range c.at {
		recorded := c.recording.boundaries[i].label
		if i >= len(reached) {
			w.judge.broken("nondeterministic: boundary #%d was not reached", i+1)
			return
		}
		if reached[i].label != recorded {
			w.judge.broken("nondeterministic: boundary #%d was %q in the recording, and is %q", i+1, recorded, reached[i].label)
			return
		}
	}
}

// failure is the line that tells of one way in which a run has failed.
func (o outcome) failure(v verdict, seed uint64) string {
	c := o.testCase
	return fmt.Sprintf("FAIL %s/%s / %s: %s: %s; %s; repeat: make crash-matrix ARGS='--only=%s --seed=%d --trace'",
		c.scenario.name, c.variant.name, c.what(), v.kind, v.what, o.account, c.id, seed)
}

// allScenarios are the stories in the order in which they are told.
func allScenarios() []scenario {
	return slices.Concat(packScenarios, editScenarios, deleteScenarios, neighbourScenarios, restoreScenarios,
		adoptionScenarios, heldScenarios, conflictScenarios)
}

// recordings are the runs without a fault that a selection needs.
func recordings(only selection) []testCase {
	var cases []testCase
	scenarios := allScenarios()
	for i := range scenarios {
		s := &scenarios[i]
		for _, v := range s.readings() {
			if c := (testCase{id: s.name + "/" + v.name, scenario: s, variant: v}); only.touches(c.id) {
				cases = append(cases, c)
			}
		}
	}
	return cases
}

// faulty are the runs with a fault that follow from a recording.
func faulty(recording *outcome, only selection, full bool) []testCase {
	r := recording.testCase
	if len(recording.verdicts) > 0 {
		return nil // A story that goes wrong by itself has nothing to compare with.
	}
	var cases []testCase
	for i, b := range recording.boundaries {
		if !full && !only.names(r.id, i+1) && (b.setup || repeated(recording.boundaries, i)) {
			continue
		}
		for _, f := range faultsOf(b) {
			c := testCase{id: fmt.Sprintf("%s/%d/%s", r.id, i+1, f), scenario: r.scenario, variant: r.variant, at: i + 1,
				fault: f, recording: recording}
			wanted := full || r.variant.name == documentedName || r.variant.meets(b, f)
			if only.includes(c.id) && (wanted || only.names(r.id, i+1)) {
				cases = append(cases, c)
			}
		}
	}
	return cases
}

// repeated reports whether a boundary is neither the first nor the last of its kind while nothing changes: passes
// that wait for the same thing. The last is different from the first, as more time has passed.
func repeated(boundaries []boundary, at int) bool {
	same := func(b boundary) bool { return b == boundaries[at] }
	return slices.ContainsFunc(boundaries[:at], same) && slices.ContainsFunc(boundaries[at+1:], same)
}

// selection is what --only names: runs by their ids, or by the first parts of these. Empty means all.
type selection []string

func selectionFrom(flag string) selection {
	if flag == "" {
		return nil
	}
	return strings.Split(flag, ",")
}

// includes reports whether a run is selected.
func (s selection) includes(id string) bool {
	return len(s) == 0 || slices.ContainsFunc(s, func(name string) bool { return within(id, name) })
}

// touches reports whether a run that is selected needs the recording with this id.
func (s selection) touches(id string) bool {
	return len(s) == 0 || slices.ContainsFunc(s, func(name string) bool { return within(id, name) || within(name, id) })
}

// names reports whether a boundary is selected explicitly.
func (s selection) names(recording string, at int) bool {
	boundary := fmt.Sprintf("%s/%d", recording, at)
	return slices.ContainsFunc(s, func(name string) bool { return within(name, boundary) })
}

func within(id, prefix string) bool { return id == prefix || strings.HasPrefix(id, prefix+"/") }
