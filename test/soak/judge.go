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
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// crime is what the operator must not do.
type crime string

const (
	duplicate crime = "duplicate" // one object had more than one live package at a time
	leak      crime = "leak"      // a package waits that no object tells of
	stuck     crime = "stuck"     // an object came to no end that people or the service account for
	lost      crime = "lost"      // a status tells of what is not so, or an accepted object is not there
)

// offence is one crime, told so that it can be looked into.
type offence struct {
	crime         crime
	object, story string
}

func (o offence) String() string { return fmt.Sprintf("%s %s: %s", o.crime, o.object, o.story) }

func byObject(a, b offence) int { return cmp.Compare(a.object, b.object) }

// judge compares what people did, what the API server has and what the service has.
type judge struct {
	api      client.Client
	ledger   *ledger
	teams    []*team
	patience time.Duration
	nudged   map[types.UID]time.Time // when the judge has forced an object
}

// hold judges twice: when everything has settled, and when the approvers have deployed all that is in review, which each status has to tell.
func (j *judge) hold(ctx context.Context) ([]offence, error) {
	found, err := j.wait(ctx)
	if err != nil || len(found) > 0 {
		return found, err
	}
	for _, t := range j.teams {
		if err := t.approveAll(); err != nil {
			return nil, err
		}
	}
	return j.wait(ctx)
}

// wait returns when there is nothing to object to, or with what there is when the patience has ended. Meanwhile it does what people would do.
func (j *judge) wait(ctx context.Context) ([]offence, error) {
	start, told := time.Now(), time.Now()
	for {
		found, err := j.offences(ctx)
		if err != nil {
			return nil, err
		}
		unsettled := slices.DeleteFunc(slices.Clone(found), func(o offence) bool { return o.crime == duplicate })
		if len(unsettled) == 0 || time.Since(start) > j.patience {
			return found, nil
		}
		if time.Since(told) > 15*time.Second {
			told = time.Now()
			fmt.Printf("soak: %d not settled after %s\n", len(unsettled), time.Since(start).Round(time.Second))
		}
		if err := j.help(ctx); err != nil {
			return nil, err
		}
		if !pause(ctx, time.Second) {
			return nil, ctx.Err()
		}
	}
}

// help resumes what is suspended, and forces what was refused by bad luck, as its message says.
func (j *judge) help(ctx context.Context) error {
	objects, err := j.objects(ctx)
	if err != nil {
		return err
	}
	for uid, rp := range objects {
		var change object
		c := meta.FindStatusCondition(rp.Status.Conditions, v1alpha1.ConditionStalled)
		switch {
		case rp.Spec.Suspend:
			change = object{"spec": object{"suspend": false}}
		case c != nil && (c.Reason == v1alpha1.ReasonRefused || c.Reason == v1alpha1.ReasonUnpackRefused) && time.Since(j.nudged[uid]) > 10*time.Second:
			change = forced(time.Now().Format(time.RFC3339Nano))
			j.nudged[uid] = time.Now()
		default:
			continue
		}
		t := &team{namespace: rp.Namespace, api: j.api}
		if err := client.IgnoreNotFound(t.patch(ctx, &record{name: rp.Name}, change)); err != nil {
			return err
		}
	}
	return nil
}

func (j *judge) objects(ctx context.Context) (map[types.UID]*v1alpha1.ReleasePackage, error) {
	list := &v1alpha1.ReleasePackageList{}
	if err := persist(ctx, func() error { return j.api.List(ctx, list) }); err != nil {
		return nil, err
	}
	objects := map[types.UID]*v1alpha1.ReleasePackage{}
	for i := range list.Items {
		objects[list.Items[i].UID] = &list.Items[i]
	}
	return objects, nil
}

// offences are all there are at this moment. While work goes on, some are none yet.
func (j *judge) offences(ctx context.Context) ([]offence, error) {
	objects, err := j.objects(ctx)
	if err != nil {
		return nil, err
	}
	records := j.ledger.all()
	packages := map[types.UID][]simulator.Package{}
	for _, t := range j.teams {
		all := t.console.Packages()
		j.ledger.watch(all)
		for i := range all {
			if r := j.ledger.owner(&all[i]); r != nil {
				packages[r.uid] = append(packages[r.uid], all[i])
			}
		}
	}
	found := j.ledger.duplicates()
	for i := range records {
		r := &records[i]
		c := &matter{ledger: j.ledger, record: r, rp: objects[r.uid], packages: packages[r.uid]}
		c.judge()
		found = append(found, c.offences...)
	}
	return found, nil
}

// matter is one object before the judge.
type matter struct {
	ledger   *ledger
	record   *record
	rp       *v1alpha1.ReleasePackage
	packages []simulator.Package
	offences []offence
}

func (m *matter) accuse(c crime, format string, args ...any) {
	story := fmt.Sprintf(format, args...) + "\n    status: " + m.status() + "\n    at the service: " + describe(m.packages)
	m.offences = append(m.offences, offence{crime: c, object: m.record.String(), story: story})
}

func (m *matter) judge() {
	switch {
	case m.record.deleted && m.rp != nil:
		m.accuse(stuck, "was deleted, and is still there")
	case m.record.deleted && m.record.retains:
	case m.record.deleted:
		m.judgeLeaks("")
	case m.rp == nil:
		m.accuse(lost, "was accepted by the API server, and is not there")
	case !m.asWanted():
		m.accuse(lost, "has another spec than the API server has accepted last: items %v and approvers %v", m.record.want.items, m.record.want.approvers)
	default:
		m.judgeLeaks(m.rp.Status.ReleasePackageID)
		m.judgeStatus()
	}
}

// judgeLeaks looks for packages that wait in vain. What was deployed is history.
func (m *matter) judgeLeaks(known string) {
	for i := range m.packages {
		if p := &m.packages[i]; p.Live() && p.State != simulator.StateDeployed && p.ID != known {
			m.accuse(leak, "package %s is there, and no status tells of it", p.ID)
		}
	}
}

// judgeStatus asks whether the object has come to an end that is right, and whether it is so.
func (m *matter) judgeStatus() {
	ready := meta.FindStatusCondition(m.rp.Status.Conditions, v1alpha1.ConditionReady)
	stalled := meta.FindStatusCondition(m.rp.Status.Conditions, v1alpha1.ConditionStalled)
	switch {
	case m.rp.Status.ObservedGeneration != m.rp.Generation:
		m.accuse(stuck, "generation %d is not dealt with", m.rp.Generation)
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
	case v1alpha1.ReasonWithdrawn, v1alpha1.ReasonPackageNotFound: // The latter where the service shows no withdrawn packages.
		return p != nil && !p.Live() && m.ledger.peopleWithdrew(p.ID)
	case v1alpha1.ReasonDeployFailed:
		return p != nil && p.State == simulator.StateFailed && m.ledger.peopleFailed(p.ID)
	case v1alpha1.ReasonSpecFrozen:
		return p != nil && (p.State == simulator.StateDeployed || p.State == simulator.StateDeploying) && m.record.edited
	}
	return false
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
	return sameSet(m.rp.Spec.PendingItemIDs, m.record.want.items) && sameSet(m.rp.Spec.ApproverIDs, m.record.want.approvers)
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
		all = append(all, fmt.Sprintf("%s %s %s items %v approvers %v packed %s", p.ID, p.Name, state, p.Items, p.Approvers, p.Packed.Format("15:04:05.000")))
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
