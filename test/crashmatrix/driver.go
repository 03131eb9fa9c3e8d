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
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

const (
	// maxPasses and maxTime bound one step of a scenario: who needs more is stuck.
	maxPasses = 160
	maxTime   = 12 * time.Hour
	// frozenFor is how long a frozen process is held before another takes over, and briefly is how long it takes to elect another leader. In that case, it
	// is held for another one.
	frozenFor = settleTime + time.Minute
	briefly   = 20 * time.Second
)

// driver does what a manager does and nothing more: a pass for each object at the start, one for each change that gets past the predicates,
// one when a pass has asked to come back, and one with backoff after an error. Instead of waiting it moves the clock.
type driver struct {
	world *world
	// leader is the manager at work, frozen the one that it took over from.
	leader, frozen *operator
	// thawAt is when the frozen one goes on at the latest.
	thawAt time.Time
	// quiet is set when the latest pass changed nothing anywhere.
	quiet bool
}

// errStuck means that a goal was not reached.
var errStuck = errors.New("stuck")

// play runs the whole story of a scenario.
func (d *driver) play(ctx context.Context) error {
	steps := d.world.settings.scenario.steps(d.world.settings.variant)
	for _, s := range append(steps, d.settling()) {
		d.world.trace("step %q", s.name)
		d.world.journal.begin(s.setup)
		d.world.arm(s.during)
		if s.do != nil {
			if err := s.do(d.world); err != nil {
				return fmt.Errorf("the user's part of step %q: %w", s.name, err)
			}
		}
		if err := d.reach(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// reach makes passes until the goal of a step is reached.
func (d *driver) reach(ctx context.Context, s step) error {
	d.quiet = false
	w, began := d.world, d.world.clock.Now()
	for range maxPasses {
		if err := d.prepare(ctx); err != nil {
			return err
		}
		missing := s.goal(w)
		idle := d.leader.due.IsZero()
		switch {
		case d.frozen != nil && (missing == "" || idle || d.leader.due.After(d.thawAt)):
			d.thaw()
			continue
		case (missing == "" || idle) && (w.interruptAnyway() || w.deliver(true)):
			continue
		case missing == "":
			return nil
		case idle:
			return fmt.Errorf("%w in step %q: no pass is due, and %s", errStuck, s.name, missing)
		case w.clock.Since(began) > maxTime:
			return fmt.Errorf("%w in step %q: after %s, %s", errStuck, s.name, maxTime, missing)
		}
		if err := d.pass(ctx); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w in step %q: after %d passes, %s", errStuck, s.name, maxPasses, s.goal(w))
}

// prepare sees to it that there is a manager, that it knows of what users did, and that the world is seen as it is.
func (d *driver) prepare(ctx context.Context) error {
	if err := d.world.read(ctx); err != nil {
		return err
	}
	if d.leader == nil || d.leader.dead.Load() {
		var err error
		if d.leader, err = d.world.start(); err != nil {
			return err
		}
	}
	if d.world.takeWake() {
		d.leader.due = d.world.clock.Now()
	}
	return nil
}

// pass makes the pass that is due next.
func (d *driver) pass(ctx context.Context) error {
	w, o := d.world, d.leader
	if wait := o.due.Sub(w.clock.Now()); wait > 0 {
		w.clock.Step(wait)
	}
	w.deliver(false)
	o.due = time.Time{}
	writes := w.journal.writesSoFar()
	w.trace("   pass of manager %d", o.id)
	o.begin()
	end, froze := o.await()
	if froze {
		return d.takeOver()
	}
	w.trace("   ends: after=%s err=%v dead=%t", end.result.RequeueAfter, end.err, o.dead.Load())
	o.schedule(end)
	if err := w.read(ctx); err != nil {
		return err
	}
	d.quiet = !o.dead.Load() && end.err == nil && w.journal.writesSoFar() == writes
	if !o.dead.Load() && end.err == nil {
		w.judge.afterPass(!o.due.IsZero())
	}
	return nil
}

// schedule is what the queue of a manager does with the end of a pass.
func (o *operator) schedule(end passEnd) {
	now := o.world.clock.Now()
	switch {
	case end.err != nil:
		o.due = now.Add(min(time.Second<<min(o.failures, 12), 5*time.Minute))
		o.failures++
	case end.result.RequeueAfter > 0:
		o.due, o.failures = now.Add(withoutJitter(end.result.RequeueAfter)), 0
	default:
		o.failures = 0
	}
}

// rungs are the times after which a pass is made. The operator spreads its passes by chance over a tenth of the time; rounding up to the next of these
// makes a run the same each time. No rung lies within a tenth above a time that the operator asks for.
var rungs = []time.Duration{
	250 * time.Millisecond, 1250 * time.Millisecond, 2500 * time.Millisecond, 7 * time.Second, 18 * time.Second, 36 * time.Second,
	72 * time.Second, 150 * time.Second, 290 * time.Second, 331 * time.Second,
}

func withoutJitter(d time.Duration) time.Duration {
	for _, rung := range rungs {
		if d <= rung {
			return rung
		}
	}
	return d
}

// takeOver lets a fresh manager take the place of one that is frozen.
func (d *driver) takeOver() error {
	w := d.world
	hold, patience := frozenFor, maxTime
	if slices.Contains(slices.Collect(maps.Values(w.settings.strikes)), overtakenBriefly) {
		hold, patience = briefly, briefly
	}
	w.clock.Step(hold)
	d.frozen, d.thawAt = d.leader, w.clock.Now().Add(patience)
	var err error
	d.leader, err = w.start()
	return err
}

// thaw lets the frozen manager go on with what it was about to do.
func (d *driver) thaw() {
	d.world.trace("   manager %d goes on", d.frozen.id)
	if wait := d.thawAt.Sub(d.world.clock.Now()); wait > 0 && wait < maxTime/2 {
		d.world.clock.Step(wait)
	}
	d.frozen.letGo()
	d.world.judge.takeDelivered() // Whether it can be recorded is another matter.
	d.frozen = nil
	d.quiet = false
}

// settling is the last step of each scenario: the manager goes on until it finds nothing more to change. It is much the same everywhere, so faults
// strike in the first scenario's.
func (d *driver) settling() step {
	return step{name: "settle", setup: d.world.settings.scenario.name != packScenarios[0].name, goal: func(w *world) string {
		atWork := w.rp != nil && meta.IsStatusConditionTrue(w.rp.Status.Conditions, v1alpha1.ConditionReconciling)
		if d.quiet && !atWork || d.leader.due.IsZero() {
			return ""
		}
		return "the manager still changes things"
	}}
}
