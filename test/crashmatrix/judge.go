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
	"regexp"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// kind is what a run has failed by.
type kind string

const (
	duplicate   kind = "duplicate"
	leak        kind = "leak"
	stuck       kind = "stuck"
	wrongStatus kind = "wrong-status"
	restless    kind = "restless"
	// invalid is a fault of this program, such as a run that is not the same as its recording.
	invalid kind = "invalid"
)

// verdict is one way in which a run has failed.
type verdict struct {
	kind kind
	what string
}

// judge watches a run and says at its end what was wrong. Of each kind it keeps the first.
type judge struct {
	world *world

	mu       sync.Mutex
	verdicts []verdict
	// crowds are the sets of packages of one object that were live together.
	crowds []crowd
	// delivered are the ids of packages that a manager has got an answer about, by the object that they were packed for.
	delivered map[*object]string
	// asked are the withdrawals after which nobody has looked.
	asked map[withdrawal]bool
}

// crowd are packages of an object that were live together.
type crowd struct {
	of  *object
	ids []string
}

func (j *judge) find(k kind, format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !slices.ContainsFunc(j.verdicts, func(v verdict) bool { return v.kind == k }) {
		j.verdicts = append(j.verdicts, verdict{k, fmt.Sprintf(format, args...)})
	}
}

// stuck is the verdict on a run that did not come to its end.
func (j *judge) stuck(why error) {
	j.world.journal.close()
	j.lookForDuplicates()
	j.world.each(func() {
		if j.world.rp == nil {
			j.lookForLeaks()
		}
	})
	if len(j.verdicts) == 0 { // Otherwise, that is why.
		j.find(stuck, "%v", why)
	}
}

func (j *judge) broken(format string, args ...any) { j.find(invalid, format, args...) }

// watch looks, after each request, for objects with more than one live package.
func (j *judge) watch() {
	for _, o := range j.world.objects {
		var ids []string
		for _, p := range j.world.oursOf(o) {
			if j.world.counts(p) {
				ids = append(ids, p.ID)
			}
		}
		if len(ids) > 1 {
			j.mu.Lock()
			j.crowds = append(j.crowds, crowd{o, ids})
			j.mu.Unlock()
		}
	}
}

// puzzling reports whether the operator has reason to ask a person what became of a request: it was shown a list that
// was out of date, items that are gone from the list, or a package that came too late.
func (w *world) puzzling() bool {
	a := w.settings.variant.assumptions
	reasons := append([]fault{stale}, overtakenFaults...)
	for _, f := range w.settings.strikes {
		// A package that holds the items of a lost request tells of it only where it is shown.
		if f.in(reasons) || f == refusedLook && len(w.foreign) > 0 {
			return true
		}
	}
	return a.WithdrawnItem == simulator.ItemGone || a.PackedItem == simulator.Refuse
}

// shown reports whether the service shows a package that is in review or further, and has shown it all the time.
func (w *world) shown(id string) bool {
	for _, f := range w.settings.strikes {
		if f == stale || f == refusedLook {
			return false
		}
	}
	return slices.ContainsFunc(w.packages(), func(p simulator.Package) bool { return p.ID == id && p.Live() })
}

// counts reports whether a package is one that an object has to answer for. What is deployed is history, and so is a
// failed one that the service does not withdraw.
func (w *world) counts(p simulator.Package) bool {
	leftBehind := p.State == simulator.StateFailed && w.settings.variant.assumptions.UnpackFailed == simulator.Refuse
	return p.Live() && p.State != simulator.StateDeployed && !leftBehind
}

// afterPass checks what holds after every pass that a living manager has made, given whether another one or a look at
// the object's package is due.
func (j *judge) afterPass(due bool) {
	rp, delivered := j.world.rp, j.takeDelivered(j.world.object)
	if rp == nil || len(rp.Status.Conditions) == 0 {
		return
	}
	if stalled(v1alpha1.ReasonAmbiguousPackage)(j.world) == "" && !j.world.puzzling() {
		j.find(wrongStatus, "a person is asked what the operator could have found out")
	}
	if stalled(v1alpha1.ReasonPackageNotFound)(j.world) == "" && j.world.shown(rp.Status.ReleasePackageID) {
		j.find(wrongStatus, "package %s is said to be gone, and the service shows it", rp.Status.ReleasePackageID)
	}
	if delivered != "" && rp.Status.ReleasePackageID != delivered {
		j.find(wrongStatus, "the id of package %s was known and is not recorded", delivered)
	}
	j.checkConditions(rp, due)
}

// checkConditions checks that what is told goes together, and that someone sees to what is not settled.
func (j *judge) checkConditions(rp *v1alpha1.ReleasePackage, due bool) {
	c := rp.Status.Conditions
	ready := meta.IsStatusConditionTrue(c, v1alpha1.ConditionReady)
	reconciling := meta.FindStatusCondition(c, v1alpha1.ConditionReconciling) != nil
	stalled := meta.FindStatusCondition(c, v1alpha1.ConditionStalled) != nil
	switch {
	case !ready && !reconciling && !stalled && (rp.DeletionTimestamp.IsZero() || protects(rp)):
		j.find(wrongStatus, "none of the conditions Ready, Reconciling and Stalled is True")
	case reconciling && stalled:
		j.find(wrongStatus, "the conditions Reconciling and Stalled are both there")
	case !due && !lifecycle.Settled(rp):
		j.find(wrongStatus, "neither a pass nor a look is due, and the object is not settled")
	}
}

// finish judges the end of a run whose goals were all reached.
func (j *judge) finish(ctx context.Context) {
	w := j.world
	w.journal.close()
	if err := w.read(ctx); err != nil {
		j.broken("reading the objects at the end: %v", err)
		return
	}
	j.lookForDuplicates()
	w.each(func() {
		j.lookForLeaks()
		if what := w.disagreement(); what != "" {
			j.find(wrongStatus, "%s", what)
		}
	})
	if len(j.verdicts) > 0 {
		return // Who finds something wrong may well write.
	}
	if what, err := w.unrest(ctx); err != nil {
		j.broken("a fresh manager at the end: %v", err)
	} else if what != "" {
		j.find(wrongStatus, "%s", what)
	}
}

func (j *judge) lookForDuplicates() {
	for _, c := range j.crowds {
		back := j.world.speakOf(c.of)
		if left := slices.DeleteFunc(slices.Clone(c.ids), j.world.excused); len(left) > 1 {
			j.find(duplicate, "packages %s were live together", strings.Join(c.ids, " and "))
		}
		back()
	}
}

func (j *judge) lookForLeaks() {
	w := j.world
	for _, p := range w.ours() {
		named := w.rp != nil && w.rp.Status.ReleasePackageID == p.ID
		if w.counts(p) && !named && !w.retained && !w.excused(p.ID) {
			j.find(leak, "package %s is left, and no object names it", p.ID)
		}
	}
}

// excused reports whether a package was made by a request that was frozen on the wire past the settle time, and is
// told of by an event or a condition. If its object was gone by then, nobody is left who could tell.
func (w *world) excused(id string) bool {
	if w.vanished && w.restarted() {
		return true // The manager that saw its object go without the finalizer is gone too.
	}
	reached := w.journal.boundaries()
	for at, f := range w.settings.strikes {
		if f.in(overtakenFaults) && at <= len(reached) && reached[at-1].op == simulator.OpPack {
			return w.rp == nil || w.told(id)
		}
	}
	return false
}

// untold reports whether a package is left that its object has not recorded, and tells nothing of.
func (w *world) untold(o *object) bool {
	defer w.speakOf(o)()
	return slices.ContainsFunc(w.ours(), func(p simulator.Package) bool {
		return w.counts(p) && p.ID != w.rp.Status.ReleasePackageID && !w.told(p.ID)
	})
}

func (w *world) told(id string) bool {
	texts := w.events.all()
	if w.rp != nil {
		for i := range w.rp.Status.Conditions {
			texts = append(texts, w.rp.Status.Conditions[i].Message)
		}
	}
	named := regexp.MustCompile(`(?i)\bpackages? (\w+, )*` + regexp.QuoteMeta(id) + `\b`)
	return slices.ContainsFunc(texts, named.MatchString)
}
