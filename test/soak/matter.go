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

// matter is one object before the judge.
type matter struct {
	ledger   *ledger
	trace    *trace
	record   *record
	rp       *v1alpha1.ReleasePackage
	packages []simulator.Package
	offences []offence

	suspendedIsFine bool
}

func (m *matter) accuse(c crime, format string, args ...any) {
	story := fmt.Sprintf(format, args...) + "\n    status: " + m.status() + "\n    at the service: " + describe(m.packages)
	m.offences = append(m.offences, offence{crime: c, object: m.record.String(), story: story})
}

func (m *matter) judge() {
	switch {
	case m.record.deleted && m.rp != nil && !m.heldByOthers():
		m.accuse(stuck, "was deleted, and is still there")
	case m.record.deleted && m.record.retains:
	case m.record.deleted:
		m.judgeLeaks("")
	case m.rp == nil:
		m.accuse(lost, "was accepted by the API server, and is not there")
	case !m.asWanted():
		m.accuse(lost, "has another spec than the API server has accepted last: items %v and approvers %v",
			m.record.want.items, m.record.want.approvers)
	case m.rp.Spec.Suspend && m.suspendedIsFine:
		m.judgeSuspended()
	default:
		m.judgeLeaks(m.rp.Status.ReleasePackageID)
		m.judgeStatus()
	}
}

// heldByOthers reports whether the operator has let go of a deleted object, and someone else has not.
func (m *matter) heldByOthers() bool {
	return slices.Contains(m.rp.Finalizers, foreignFinalizer) &&
		!slices.Contains(m.rp.Finalizers, v1alpha1.UnpackFinalizer)
}

// judgeLeaks looks for packages that wait in vain. What was deployed is history.
func (m *matter) judgeLeaks(known string) {
	for i := range m.packages {
		if p := &m.packages[i]; p.Live() && p.State != simulator.StateDeployed && p.ID != known && !m.excused(p) {
			m.accuse(leak, "package %s is there, and no status tells of it", p.ID)
		}
	}
}

// steady is how long a manager is in office at least that has to withdraw what an object leaves behind that vanishes
// before its eyes.
const steady = time.Minute

// excused reports whether a package was left behind by people in a way that the operator could do nothing about.
// Where it knew of the package, it has to tell of it: in its log where the object is gone, else in the object's
// condition.
func (m *matter) excused(p *simulator.Package) bool {
	switch {
	case m.rp != nil && m.record.restored && names(m.stalledMessage(), p.ID):
		return true
	case m.rp == nil && (m.record.deadline || len(m.record.vanished) > 0) && m.trace.tells(m.record.String(), p.ID):
		return true
	}
	// Nobody saw it vanish, and no status tells of it any more. Who is made again, though, and not deleted before the
	// service can be read, finds what has the items that it wants.
	return slices.ContainsFunc(m.record.vanished, func(at time.Time) bool {
		return p.Packed.Before(at) && !m.trace.inOffice(at, steady)
	}) && (m.rp == nil || m.record.deleted || !overlap(p.Items, m.record.want.items))
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

func (m *matter) stalledMessage() string {
	if c := meta.FindStatusCondition(m.rp.Status.Conditions, v1alpha1.ConditionStalled); c != nil {
		return c.Message
	}
	return ""
}

// judgeSuspended asks for no more than that the object says so: what else there is to do waits.
func (m *matter) judgeSuspended() {
	if ready := meta.FindStatusCondition(m.rp.Status.Conditions, v1alpha1.ConditionReady); ready == nil ||
		ready.Reason != v1alpha1.ReasonSuspended {
		m.accuse(stuck, "is suspended, and does not say so")
	}
}

// judgeStatus asks whether the object has come to an end that is right, and whether it is so.
func (m *matter) judgeStatus() {
	ready := meta.FindStatusCondition(m.rp.Status.Conditions, v1alpha1.ConditionReady)
	stalled := meta.FindStatusCondition(m.rp.Status.Conditions, v1alpha1.ConditionStalled)
	switch {
	case m.rp.Status.ObservedGeneration != m.rp.Generation:
		m.accuse(stuck, "generation %d is not dealt with", m.rp.Generation)
	case meta.FindStatusCondition(m.rp.Status.Conditions, v1alpha1.ConditionReconciling) != nil:
		m.accuse(stuck, "is still being reconciled")
	case ready != nil && ready.Status == "True":
		if difference := m.difference(); difference != "" {
			m.accuse(lost, "is Ready, but %s", difference)
		}
	case stalled == nil:
		m.accuse(stuck, "is neither Ready nor Stalled")
	case !m.rightlyStalled(stalled.Reason):
		m.accuse(stuck, "is Stalled for %s, which nothing that people did accounts for", stalled.Reason)
	}
}

// rightlyStalled reports whether people have brought about what the object waits for people to mend.
func (m *matter) rightlyStalled(reason string) bool {
	p := m.recorded()
	switch reason {
	// The latter where the service shows no withdrawn packages.
	case v1alpha1.ReasonWithdrawn, v1alpha1.ReasonPackageNotFound:
		return p != nil && !p.Live() && m.ledger.peopleWithdrew(p.ID)
	case v1alpha1.ReasonDeployFailed:
		return p != nil && p.State == simulator.StateFailed && m.ledger.peopleFailed(p.ID)
	case v1alpha1.ReasonSpecFrozen:
		return p != nil && (p.State == simulator.StateDeployed || p.State == simulator.StateDeploying) && m.record.edited
	case v1alpha1.ReasonPreflightFailed, v1alpha1.ReasonAmbiguousPackage, v1alpha1.ReasonRefused:
		return p == nil && m.record.restored && m.differsFromOld()
	}
	return false
}

// differsFromOld reports whether some of the items are in a package that was packed for another spec, and whose
// status was not restored. What was packed for this one has to be found.
func (m *matter) differsFromOld() bool {
	want := m.record.want
	return slices.ContainsFunc(m.packages, func(p simulator.Package) bool {
		return p.Live() && overlap(p.Items, want.items) && !want.same(wish{p.Items, p.Approvers})
	})
}

// difference says what the service has else than the status and the spec, if anything.
func (m *matter) difference() string {
	p := m.recorded()
	switch {
	case p == nil || !p.Live():
		return fmt.Sprintf("package %q does not exist", m.rp.Status.ReleasePackageID)
	case stateNames[p.State] != m.rp.Status.State:
		return fmt.Sprintf("package %s is %s", p.ID, stateNames[p.State])
	case !sameSet(p.Items, m.record.want.items) || !sameSet(p.Approvers, m.record.want.approvers):
		return fmt.Sprintf("package %s has items %v and approvers %v", p.ID, p.Items, p.Approvers)
	}
	return ""
}

func (m *matter) asWanted() bool {
	return sameSet(m.rp.Spec.PendingItemIDs, m.record.want.items) &&
		sameSet(m.rp.Spec.ApproverIDs, m.record.want.approvers)
}

// recorded is the package that the status names.
func (m *matter) recorded() *simulator.Package {
	for i := range m.packages {
		if m.packages[i].ID == m.rp.Status.ReleasePackageID {
			return &m.packages[i]
		}
	}
	return nil
}

func (m *matter) status() string {
	if m.rp == nil {
		return "none, as the object does not exist"
	}
	text, err := json.Marshal(m.rp.Status)
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
