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
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

const (
	// breath is how long what has begun may take to come to rest, and deepBreath the same where an object is looked at
	// again now and then: the first of these looks may show more than was recorded. longRest and shortRest are how long
	// nothing may happen then but what is documented: in a recording, and in the many runs that follow from it.
	breath     = 2 * time.Minute
	deepBreath = 6 * time.Minute
	longRest   = 30 * time.Minute
	shortRest  = 6 * time.Minute
	// maxRestless bounds the passes and rounds in each.
	maxRestless = 400
	// stalledInterval is how often an object is looked at again that only people can help, deployingInterval how often
	// one whose deployment runs.
	stalledInterval   = 5 * time.Minute
	deployingInterval = 5 * time.Second
	// lateInterval is how often one has a pass that looks for what a lost request may have made too late.
	lateInterval = time.Hour
	// callsPerPass bounds what one pass of such an object may ask the service.
	callsPerPass = 6
)

// rests lets time pass at the end of a run while nobody does anything. The manager gets only the passes and rounds
// that it has asked for, and each object has to keep to the documented cadence: no pass, no write, and a look that
// all share every pollInterval.
func (d *driver) rests(ctx context.Context) error {
	w := d.world
	w.journal.close()
	w.trace("nothing happens any more")
	pause := breath
	if slices.ContainsFunc(w.objects, func(o *object) bool { return o.rp != nil && o.waitsForPeople() }) {
		pause = deepBreath
	}
	if _, err := d.idle(ctx, pause); err != nil {
		return err
	}
	length := shortRest
	if len(w.settings.strikes) == 0 {
		length = longRest
	}
	before := w.journal.talliesSoFar()
	passes, err := d.idle(ctx, length)
	if err != nil {
		return err
	}
	after := w.journal.talliesSoFar()
	w.each(func() { w.judge.restless(length, passes[w.object], after.writes[w.name]-before.writes[w.name]) })
	allowed := 0
	for _, o := range w.objects {
		allowed += o.callsAtRest(length)
	}
	if calls := after.calls - before.calls; calls > allowed {
		w.judge.find(restless, "in %s without any change, the service was called %d times for %s, instead of at most %d "+
			"times", length, calls, w.cadences(), allowed)
	}
	return nil
}

// idle makes the passes and rounds that come due in a time, and returns how many passes each object had.
func (d *driver) idle(ctx context.Context, length time.Duration) (map[*object]int, error) {
	w := d.world
	passes, end := map[*object]int{}, w.clock.Now().Add(length)
	for range maxRestless {
		if err := d.prepare(ctx); err != nil {
			return nil, err
		}
		t := d.leader.next()
		if t.due.IsZero() || t.due.After(end) {
			w.clock.Step(max(end.Sub(w.clock.Now()), 0))
			return passes, nil
		}
		if t.object != nil {
			passes[t.object]++
		}
		if err := d.work(ctx); err != nil {
			return nil, err
		}
	}
	busiest := slices.MaxFunc(w.objects, func(a, b *object) int { return passes[a] - passes[b] })
	w.judge.find(restless, "%d passes and rounds within %s though nothing changes, %d of them passes for %s",
		maxRestless, length, passes[busiest], busiest.name)
	return passes, nil
}

// restless judges what one object has had in a time without any change.
func (j *judge) restless(length time.Duration, passes, writes int) {
	o := j.world.object
	if allowed := o.passesAtRest(length); passes > allowed {
		j.find(restless, "%s had %d passes in %s without any change, instead of at most %d: %s", o.name, passes, length,
			allowed, o.cadence())
	}
	if writes > 0 {
		j.find(restless, "%s was written to %d times in %s without any change: %s", o.name, writes, length, o.cadence())
	}
}

// passesAtRest is how many passes an object has in a time in which nothing changes.
func (o *object) passesAtRest(length time.Duration) int {
	passes := 0
	if o.rp != nil && o.waitsForPeople() {
		passes += int(length/stalledInterval) + 1
	}
	if o.rp != nil && o.rp.Status.Attempt != nil && o.rp.Status.Attempt.LostBefore > 0 {
		passes += int(length/lateInterval) + 1
	}
	return passes
}

// callsAtRest is how often the service is called for an object in such a time, if its looks are not shared.
func (o *object) callsAtRest(length time.Duration) int {
	calls := o.passesAtRest(length) * callsPerPass
	if o.rp == nil {
		return calls
	}
	switch o.rp.Status.State {
	case v1alpha1.StateDeploying:
		calls += int(length/deployingInterval) + 1
	case v1alpha1.StatePendingReview, v1alpha1.StateUnknown:
		calls += int(length/pollInterval) + 1
	case v1alpha1.StateDeployed, v1alpha1.StateDeployFailed, v1alpha1.StateWithdrawn:
	}
	return calls
}

// waitsForPeople reports whether an object is looked at again now and then, as people may have acted where nothing
// tells of it.
func (o *object) waitsForPeople() bool {
	return meta.IsStatusConditionTrue(o.rp.Status.Conditions, v1alpha1.ConditionStalled)
}

// cadence says in short what an object is like, which is what its cadence depends on.
func (o *object) cadence() string {
	if o.rp == nil {
		return o.name + " is gone"
	}
	return fmt.Sprintf("%s is %q with %s", o.name, o.rp.Status.State, readyReason(o.rp))
}

func readyReason(rp *v1alpha1.ReleasePackage) string {
	if c := meta.FindStatusCondition(rp.Status.Conditions, v1alpha1.ConditionReady); c != nil {
		return c.Reason
	}
	return ""
}

func (w *world) cadences() []string {
	var all []string
	for _, o := range w.objects {
		all = append(all, o.cadence())
	}
	return all
}

// tallies count what the operator has asked for, by the object that it was about where a request names one.
type tallies struct {
	writes map[string]int
	calls  int
}

// count takes down one request.
func (t *tallies) count(b boundary) {
	switch {
	case b.op != "":
		t.calls++
	case b.write && b.object != "":
		if t.writes == nil {
			t.writes = map[string]int{}
		}
		t.writes[b.object]++
	}
}

// talliesSoFar returns a copy.
func (j *journal) talliesSoFar() tallies {
	j.mu.Lock()
	defer j.mu.Unlock()
	return tallies{maps.Clone(j.tallies.writes), j.tallies.calls}
}
