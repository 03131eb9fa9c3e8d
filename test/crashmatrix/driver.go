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
	// maxTasks and maxTime bound one step of a scenario: who needs more is stuck. Where no fault strikes, fewTasks for
	// each object have to do.
	maxTasks = 240
	fewTasks = 25
	maxTime  = 12 * time.Hour
	// frozenFor is how long a frozen process is held before another takes over, and briefly is how long it takes to
	// elect another leader. In that case, it is held for another one.
	frozenFor = settleTime + time.Minute
	briefly   = 20 * time.Second
)

// driver does what a manager does and nothing more: a pass for each object at the start, one for each change that
// gets past the predicates, one when a pass has asked to come back, one with backoff after an error, and one when a
// look has shown a change; and a round of looks whenever one is due. It does one after the other. Instead of waiting
// it moves the clock.
type driver struct {
	world *world
	// leader is the manager at work, frozen the one that it took over from.
	leader, frozen *operator
	// thawAt is when the frozen one goes on at the latest.
	thawAt time.Time
	// quiet are the objects for which the latest pass or round changed nothing anywhere.
	quiet map[*object]bool
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

// reach makes passes and rounds until the goal of a step is reached.
func (d *driver) reach(ctx context.Context, s step) error {
	d.quiet = map[*object]bool{}
	w, began, tasks := d.world, d.world.clock.Now(), d.tasksFor(s)
	for range tasks {
		if err := d.prepare(ctx); err != nil {
			return err
		}
		missing := s.goal(w)
		due := d.leader.next().due
		idle := due.IsZero()
		switch {
		case d.frozen != nil && (missing == "" || idle || due.After(d.thawAt)):
			d.thaw()
			continue
		case (missing == "" || idle) && (w.interruptAnyway() || w.deliver(true)):
			continue
		case missing == "":
			return nil
		case idle:
			return fmt.Errorf("%w in step %q: neither a pass nor a look is due, and %s", errStuck, s.name, missing)
		case w.clock.Since(began) > maxTime:
			return fmt.Errorf("%w in step %q: after %s, %s", errStuck, s.name, maxTime, missing)
		}
		if err := d.work(ctx); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w in step %q: after %d passes and rounds, %s", errStuck, s.name, tasks, s.goal(w))
}

// tasksFor bounds how many passes and rounds a step may take.
func (d *driver) tasksFor(s step) int {
	if len(d.world.settings.strikes) == 0 && !s.slow {
		return fewTasks * len(d.world.objects)
	}
	return maxTasks
}

// prepare sees to it that there is a manager, that it knows of what users did, and that the world is seen as it is.
func (d *driver) prepare(ctx context.Context) error {
	if err := d.world.read(ctx); err != nil {
		return err
	}
	gone := d.world.takeGone()
	if d.leader != nil && !d.leader.dead.Load() { // Who was not there has not seen it.
		for _, rp := range gone {
			d.leader.vanished(rp)
		}
	}
	if d.leader == nil || d.leader.dead.Load() {
		d.forgetDelivered() // What the dead one was told may not be shown to the next one yet.
		var err error
		if d.leader, err = d.world.start(); err != nil {
			return err
		}
	}
	for _, o := range d.world.objects {
		if d.world.takeWake(o) {
			d.leader.wake(o)
		}
	}
	return nil
}

// work makes the pass or the round that is due next.
func (d *driver) work(ctx context.Context) error {
	w, o := d.world, d.leader
	t := o.next()
	if wait := t.due.Sub(w.clock.Now()); wait > 0 {
		w.clock.Step(wait)
	}
	w.deliver(false)
	before := w.journal.unrest()
	w.trace("   %s of manager %d", t, o.id)
	o.begun(t)
	o.begin(t)
	end, froze := o.await()
	if froze {
		return d.takeOver()
	}
	o.schedule(t, end)
	alive := !o.dead.Load() && end.err == nil
	w.trace("   ends: after=%s err=%v dead=%t; next is a %s at %s", end.result.RequeueAfter, end.err, o.dead.Load(),
		o.next(), o.next().due.Format("15:04:05.00"))
	if err := w.read(ctx); err != nil {
		return err
	}
	d.rest(t, alive && w.journal.unrest() == before)
	if alive && t.object != nil {
		defer w.speakOf(t.object)()
		w.judge.afterPass(!o.queue.passes[t.object].due.IsZero() || o.watches(t.object) || w.isWoken(t.object))
	}
	return nil
}

// rest takes down for whom a task was one that changed nothing: a pass for its object, and a round for those whom it
// told nothing.
func (d *driver) rest(t task, calm bool) {
	for _, o := range d.world.objects {
		if t.object == o || t.round() && !d.leader.soon(o) {
			d.quiet[o] = calm
		}
	}
}

// takeOver lets a fresh manager take the place of one that is frozen.
func (d *driver) takeOver() error {
	w := d.world
	hold, timeout := frozenFor, maxTime
	if slices.Contains(slices.Collect(maps.Values(w.settings.strikes)), overtakenBriefly) {
		hold, timeout = briefly, briefly
	}
	w.clock.Step(hold)
	d.frozen, d.thawAt = d.leader, w.clock.Now().Add(timeout)
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
	d.forgetDelivered() // Whether it can be recorded is another matter.
	d.frozen = nil
	clear(d.quiet)
}

func (d *driver) forgetDelivered() {
	for _, o := range d.world.objects {
		d.world.judge.takeDelivered(o)
	}
}

// release ends a manager that is still frozen when a run ends early: its request would hold the server for ever.
func (d *driver) release() {
	if d.frozen != nil {
		d.frozen.dead.Store(true)
		d.frozen.letGo()
	}
}

// settling is the last step of each scenario: the manager goes on until it finds nothing more to change. It is much
// the same everywhere, so faults strike in the first scenario's.
func (d *driver) settling() step {
	return step{name: "settle", setup: d.world.settings.scenario.name != packScenarios[0].name,
		goal: func(w *world) string {
			for _, passes := range d.leader.queue.gone {
				if !passes.due.IsZero() {
					return "the manager still clears up"
				}
			}
			for _, o := range w.objects {
				idle := !d.leader.soon(o) && d.leader.queue.round.IsZero()
				atWork := o.rp != nil && meta.IsStatusConditionTrue(o.rp.Status.Conditions, v1alpha1.ConditionReconciling)
				if !idle && (atWork || !d.quiet[o]) {
					return "the manager still changes things"
				}
				if o.rp != nil && !d.leader.queue.passes[o].due.IsZero() && w.untold(o) {
					return "the manager has yet to look for what came too late"
				}
			}
			return ""
		}}
}
