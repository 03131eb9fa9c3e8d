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
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// task is what a manager has to do: a pass for an object, one for an object that is gone, which only its id is left
// of, or a round of looks at packages where there is neither.
type task struct {
	object *object
	gone   types.UID
	due    time.Time
}

// round reports whether a task is a round of looks.
func (t task) round() bool { return t.object == nil && t.gone == "" }

func (t task) String() string {
	switch {
	case t.gone != "":
		return "clearing up"
	case t.round():
		return "round"
	case t.object.name == neighbourObject:
		return "pass for the neighbour"
	}
	return "pass"
}

// queue is when a manager has to do what. A time that is zero means never.
type queue struct {
	passes map[*object]*passes
	gone   map[types.UID]*passes
	// asked is when the next round was last said to begin, and round when it is made.
	asked, round time.Time
}

// passes are those of one object.
type passes struct {
	due      time.Time
	failures int
}

func newQueue(objects []*object) queue {
	q := queue{passes: map[*object]*passes{}, gone: map[types.UID]*passes{}}
	for _, o := range objects {
		q.passes[o] = &passes{}
	}
	return q
}

// next is what is due first. Passes come before a round that is due at the same time.
func (o *operator) next() task {
	var first task
	consider := func(t task) {
		if !t.due.IsZero() && (first.due.IsZero() || t.due.Before(first.due)) {
			first = t
		}
	}
	for _, object := range o.world.objects {
		consider(task{object: object, due: o.queue.passes[object].due})
	}
	for id, passes := range o.queue.gone {
		consider(task{gone: id, due: passes.due})
	}
	consider(task{due: o.queue.round})
	return first
}

// wake makes a pass due at once.
func (o *operator) wake(object *object) { o.queue.passes[object].due = o.world.clock.Now() }

// soon is how far off a pass is at most that belongs to what an object is at.
const soon = 10 * time.Minute

// soon reports whether a pass of an object is due before long.
func (o *operator) soon(object *object) bool {
	due := o.queue.passes[object].due
	return !due.IsZero() && due.Sub(o.world.clock.Now()) < soon
}

// begun takes a task out of the queue.
func (o *operator) begun(t task) {
	if t.round() {
		o.queue.asked, o.queue.round = time.Time{}, time.Time{}
		return
	}
	o.queue.of(t).due = time.Time{}
}

// of are the passes that a task is one of.
func (q *queue) of(t task) *passes {
	if t.gone != "" {
		return q.gone[t.gone]
	}
	return q.passes[t.object]
}

// vanished makes the manager clear up after an object that is gone, if it has left something.
func (o *operator) vanished(rp *v1alpha1.ReleasePackage) {
	if o.reconciler.Vanished(rp, false) {
		o.queue.gone[rp.UID] = &passes{due: o.world.clock.Now()}
	}
}

// schedule is what a manager does with the end of a task: those whose packages have changed have a pass at once, a
// pass that has asked for it comes back, and the next round is made when it is due.
func (o *operator) schedule(t task, end taskEnd) {
	now := o.world.clock.Now()
	if !t.round() {
		o.queue.of(t).schedule(now, end)
	}
	o.mu.Lock()
	told := o.told
	o.told = nil
	o.mu.Unlock()
	for _, name := range told {
		if object := o.world.objectNamed(name); object != nil {
			o.wake(object)
		}
	}
	if asked := o.connections.Poller().NextRun(); !asked.Equal(o.queue.asked) {
		o.queue.asked, o.queue.round = asked, time.Time{}
		if !asked.IsZero() {
			o.queue.round = now.Add(withoutJitter(asked.Sub(now)))
		}
	}
}

func (p *passes) schedule(now time.Time, end taskEnd) {
	switch {
	case end.err != nil:
		p.due = now.Add(min(time.Second<<min(p.failures, 12), 5*time.Minute))
		p.failures++
	case end.result.RequeueAfter > 0:
		p.due, p.failures = now.Add(withoutJitter(end.result.RequeueAfter)), 0
	default:
		p.failures = 0
	}
}

// tell takes down that the package of an object has changed. It is called in the middle of a round.
func (o *operator) tell(object types.NamespacedName) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.told = append(o.told, object.Name)
}

// rungs are the times after which a pass or a round is made. The operator spreads both by chance over a tenth of the
// time, and rounds that follow one another over another tenth; rounding up to the next of these makes a run the same
// each time. No rung lies within that above a time that the operator asks for.
var rungs = []time.Duration{
	250 * time.Millisecond, 1250 * time.Millisecond, 2500 * time.Millisecond, 7 * time.Second, 18 * time.Second,
	36 * time.Second,
	73 * time.Second, 150 * time.Second, 290 * time.Second, 331 * time.Second,
}

// withoutJitter is the rung for a time. What is overdue is made at once.
func withoutJitter(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	for _, rung := range rungs {
		if d <= rung {
			return rung
		}
	}
	return d
}
