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
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// objectCheck is one object before the judge.
type objectCheck struct {
	ledger     *ledger
	trace      *trace
	record     *record
	rp         *v1alpha1.ReleasePackage
	packages   []simulator.Package
	violations []violation

	suspendedIsFine bool
}

func (o *objectCheck) accuse(c violationKind, format string, args ...any) {
	story := fmt.Sprintf(format, args...) + "\n    status: " + o.status() + "\n    at the service: " + describe(o.packages)
	o.violations = append(o.violations, violation{kind: c, object: o.record.String(), story: story})
}

func (o *objectCheck) judge() {
	switch {
	case o.record.deleted && o.rp != nil && !o.heldByOthers():
		o.accuse(stuck, "was deleted, and is still there")
	case o.record.deleted && o.record.retains:
	case o.record.deleted:
		o.judgeLeaks("")
	case o.rp == nil:
		o.accuse(lost, "was accepted by the API server, and is not there")
	case !o.asWanted():
		o.accuse(lost, "has another spec than the API server has accepted last: items %v and approvers %v",
			o.record.want.items, o.record.want.approvers)
	case o.rp.Spec.Suspend && o.suspendedIsFine:
		o.judgeSuspended()
	default:
		o.judgeLeaks(o.rp.Status.ReleasePackageID)
		o.judgeStatus()
	}
}

// heldByOthers reports whether the operator has let go of a deleted object, and someone else has not.
func (o *objectCheck) heldByOthers() bool {
	return slices.Contains(o.rp.Finalizers, foreignFinalizer) &&
		!slices.Contains(o.rp.Finalizers, v1alpha1.UnpackFinalizer)
}

// judgeLeaks looks for packages that wait in vain. What was deployed is history.
func (o *objectCheck) judgeLeaks(known string) {
	for i := range o.packages {
		if p := &o.packages[i]; p.Live() && p.State != simulator.StateDeployed && p.ID != known && !o.excused(p) {
			o.accuse(leak, "package %s is there, and no status tells of it", p.ID)
		}
	}
}

// steady is how long a manager is in office at least that has to withdraw what an object leaves behind that vanishes
// before its eyes.
const steady = time.Minute

// excused reports whether a package was left behind by people in a way that the operator could do nothing about.
// Where it knew of the package, it has to tell of it: by an event where the object is gone, which may have been made
// again since, else in the object's condition.
func (o *objectCheck) excused(p *simulator.Package) bool {
	switch {
	case o.rp != nil && o.record.restored && names(o.stalledMessage(), p.ID):
		return true
	case (o.rp == nil && o.record.deadline || len(o.record.vanished) > 0) && o.told(p):
		return true
	}
	// Nobody saw it vanish, and no status tells of it any more. Who is made again, though, and not deleted before the
	// service can be read, finds what has the items that it wants.
	return slices.ContainsFunc(o.record.vanished, func(at time.Time) bool {
		return p.Packed.Before(at) && !o.trace.inOffice(at, steady)
	}) && (o.rp == nil || o.record.deleted || !overlap(p.Items, o.record.want.items))
}

// told reports whether an event told that a package was left: by its name where no answer has ever given its id.
func (o *objectCheck) told(p *simulator.Package) bool {
	object := o.record.String()
	return o.trace.tells(object, p.ID) || o.trace.tells(object, p.Name)
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

func (o *objectCheck) stalledMessage() string {
	if c := meta.FindStatusCondition(o.rp.Status.Conditions, v1alpha1.ConditionStalled); c != nil {
		return c.Message
	}
	return ""
}

// judgeSuspended asks for no more than that the object says so: what else there is to do waits.
func (o *objectCheck) judgeSuspended() {
	if ready := meta.FindStatusCondition(o.rp.Status.Conditions, v1alpha1.ConditionReady); ready == nil ||
		ready.Reason != v1alpha1.ReasonSuspended {
		o.accuse(stuck, "is suspended, and does not say so")
	}
}

// judgeStatus asks whether the object has come to an end that is right, and whether it is so.
func (o *objectCheck) judgeStatus() {
	ready := meta.FindStatusCondition(o.rp.Status.Conditions, v1alpha1.ConditionReady)
	stalled := meta.FindStatusCondition(o.rp.Status.Conditions, v1alpha1.ConditionStalled)
	switch {
	case o.rp.Status.ObservedGeneration != o.rp.Generation:
		o.accuse(stuck, "generation %d is not dealt with", o.rp.Generation)
	case meta.FindStatusCondition(o.rp.Status.Conditions, v1alpha1.ConditionReconciling) != nil:
		o.accuse(stuck, "is still being reconciled")
	case ready != nil && ready.Status == "True":
		if difference := o.difference(); difference != "" {
			o.accuse(lost, "is Ready, but %s", difference)
		}
	case stalled == nil:
		o.accuse(stuck, "is neither Ready nor Stalled")
	case !o.rightlyStalled(stalled.Reason):
		o.accuse(stuck, "is Stalled for %s, which nothing that people did accounts for", stalled.Reason)
	}
}

// rightlyStalled reports whether people have brought about what the object waits for people to mend.
func (o *objectCheck) rightlyStalled(reason string) bool {
	p := o.recorded()
	switch reason {
	// The latter where the service shows no withdrawn packages.
	case v1alpha1.ReasonWithdrawn, v1alpha1.ReasonPackageNotFound:
		return p != nil && !p.Live() && o.ledger.peopleWithdrew(p.ID)
	case v1alpha1.ReasonDeployFailed:
		return p != nil && p.State == simulator.StateFailed && o.ledger.peopleFailed(p.ID)
	case v1alpha1.ReasonSpecFrozen:
		return p != nil && (p.State == simulator.StateDeployed || p.State == simulator.StateDeploying) && o.record.edited
	case v1alpha1.ReasonPreflightFailed, v1alpha1.ReasonAmbiguousPackage, v1alpha1.ReasonRefused:
		return p == nil && o.record.restored && o.differsFromOld()
	}
	return false
}

// differsFromOld reports whether some of the items are in a package that was packed for another spec, and whose
// status was not restored. What was packed for this one has to be found.
func (o *objectCheck) differsFromOld() bool {
	want := o.record.want
	return slices.ContainsFunc(o.packages, func(p simulator.Package) bool {
		return p.Live() && overlap(p.Items, want.items) && !want.same(wish{p.Items, p.Approvers})
	})
}

// difference says what the service has else than the status and the spec, if anything.
func (o *objectCheck) difference() string {
	p := o.recorded()
	switch {
	case p == nil || !p.Live():
		return fmt.Sprintf("package %q does not exist", o.rp.Status.ReleasePackageID)
	case stateNames[p.State] != o.rp.Status.State:
		return fmt.Sprintf("package %s is %s", p.ID, stateNames[p.State])
	case !sameSet(p.Items, o.record.want.items) || !sameSet(p.Approvers, o.record.want.approvers):
		return fmt.Sprintf("package %s has items %v and approvers %v", p.ID, p.Items, p.Approvers)
	}
	return ""
}

func (o *objectCheck) asWanted() bool {
	return sameSet(o.rp.Spec.PendingItemIDs, o.record.want.items) &&
		sameSet(o.rp.Spec.ApproverIDs, o.record.want.approvers)
}

// recorded is the package that the status names.
func (o *objectCheck) recorded() *simulator.Package {
	for i := range o.packages {
		if o.packages[i].ID == o.rp.Status.ReleasePackageID {
			return &o.packages[i]
		}
	}
	return nil
}

func (o *objectCheck) status() string {
	if o.rp == nil {
		return "none, as the object does not exist"
	}
	text, err := json.Marshal(o.rp.Status)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

var stateNames = map[simulator.State]v1alpha1.PackageState{
	simulator.StateReview:    v1alpha1.StatePendingReview,
	simulator.StateDeploying: v1alpha1.StateDeploying,
	simulator.StateDeployed:  v1alpha1.StateDeployed,
	simulator.StateFailed:    v1alpha1.StateDeployFailed,
}

// describe tells of packages as the service has them.
func describe(packages []simulator.Package) string {
	if len(packages) == 0 {
		return "no packages"
	}
	var all []string
	for i := range packages {
		p := &packages[i]
		state := string(stateNames[p.State])
		if !p.Live() {
			state = "Withdrawn"
		}
		all = append(all, fmt.Sprintf("%s %s %s items %v approvers %v packed %s", p.ID, p.Name, state, p.Items, p.Approvers,
			p.Packed.Format("15:04:05.000")))
	}
	return strings.Join(all, "; ")
}

func sameSet[T ~string](a []T, b []string) bool {
	x := make([]string, len(a))
	for i, s := range a {
		x[i] = string(s)
	}
	y := slices.Clone(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}
