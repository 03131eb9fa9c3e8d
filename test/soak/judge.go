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
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// violationKind is what the operator must not do.
type violationKind string

const (
	duplicate violationKind = "duplicate" // one object had more than one live package at a time
	leak      violationKind = "leak"      // a package waits that no object tells of
	stuck     violationKind = "stuck"     // an object came to no end that people or the service account for
	lost      violationKind = "lost"      // a status tells of what is not so, or an accepted object is not there
	restless  violationKind = "restless"  // something goes on about an object though nothing changes
)

// violation is one broken promise, told so that it can be looked into.
type violation struct {
	kind          violationKind
	object, story string
}

func (v violation) String() string { return fmt.Sprintf("%s %s: %s", v.kind, v.object, v.story) }

func byObject(a, b violation) int { return cmp.Compare(a.object, b.object) }

// judge compares what people did, what the API server has and what the service has.
type judge struct {
	api           client.Client
	ledger        *ledger
	service       *service
	trace         *trace
	teams         []*team
	settleTimeout time.Duration
	resumes       bool                    // what is suspended
	nudged        map[types.UID]time.Time // when the judge has forced an object
}

// hold judges again and again, each time when everything has settled: first as the faults have left it, with what
// people have suspended or hold back; then when they have resumed and let go; then when they have done the roughest
// things once more, under the eyes of one manager; and at last when the approvers have deployed all that is in
// review. While nothing changes, nothing may go on.
func (j *judge) hold(ctx context.Context) ([]violation, error) {
	steps := []struct {
		name string
		do   func(context.Context, *team) error
		rest bool
	}{
		{"what the faults have left", nil, true},
		{"what was suspended or held back", func(ctx context.Context, t *team) error { return t.letGo(ctx) }, false},
		{"the last disruptions", func(ctx context.Context, t *team) error { return t.lastDisruptions(ctx) }, false},
		{"the last deployments", func(_ context.Context, t *team) error { return t.approveAll() }, true},
	}
	for _, s := range steps {
		fmt.Printf("soak: settling: %s\n", s.name)
		for _, t := range j.teams {
			if s.do == nil {
				break
			}
			if err := s.do(ctx, t); err != nil {
				return nil, err
			}
		}
		found, err := j.wait(ctx)
		if err == nil && len(found) == 0 && s.rest {
			found, err = j.watchRest(ctx)
		}
		if err != nil || len(found) > 0 {
			return append(j.ledger.duplicates(), found...), err
		}
		j.resumes = true
	}
	return j.ledger.duplicates(), nil
}

// wait returns when there is nothing to object to, or with what there is when the timeout has passed. Meanwhile it
// does what conditions ask people to do, and nothing else.
func (j *judge) wait(ctx context.Context) ([]violation, error) {
	start, told := time.Now(), time.Now()
	for {
		found, err := j.violations(ctx)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 || time.Since(start) > j.settleTimeout {
			return found, nil
		}
		if time.Since(told) > 15*time.Second {
			told = time.Now()
			fmt.Printf("soak: %d not settled after %s\n", len(found), time.Since(start).Round(time.Second))
		}
		if err := j.help(ctx, found); err != nil {
			return nil, err
		}
		if !pause(ctx, time.Second) {
			return nil, ctx.Err()
		}
	}
}

// help resumes what is suspended, and forces what was refused or lost by bad luck, as its message asks. What is as it
// should be is left alone.
func (j *judge) help(ctx context.Context, found []violation) error {
	objects, err := j.objects(ctx)
	if err != nil {
		return err
	}
	for uid, rp := range objects {
		var change object
		switch {
		case rp.Spec.Suspend && j.resumes:
			change = object{"spec": object{"suspend": false}}
		case asksToBeForced(rp) && accused(found, rp) && time.Since(j.nudged[uid]) > 10*time.Second:
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

func accused(found []violation, rp *v1alpha1.ReleasePackage) bool {
	return slices.ContainsFunc(found, func(v violation) bool { return v.object == rp.Namespace+"/"+rp.Name })
}

// asksToBeForced reports whether nothing goes on until a person forces it, for a reason that faults bring about.
func asksToBeForced(rp *v1alpha1.ReleasePackage) bool {
	c := meta.FindStatusCondition(rp.Status.Conditions, v1alpha1.ConditionStalled)
	return c != nil && slices.Contains([]string{v1alpha1.ReasonRefused, v1alpha1.ReasonUnpackRefused,
		v1alpha1.ReasonOutcomeUnknown}, c.Reason)
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

// violations are all there are at this moment besides duplicates. While work goes on, some are none yet.
func (j *judge) violations(ctx context.Context) ([]violation, error) {
	objects, err := j.objects(ctx)
	if err != nil {
		return nil, err
	}
	records := j.ledger.all()
	packages := map[types.UID][]simulator.Package{}
	for _, t := range j.teams {
		all := t.service.packagesOf(t.workspace)
		j.ledger.watch(all)
		for i := range all {
			if r := j.ledger.owner(&all[i]); r != nil {
				packages[r.uid] = append(packages[r.uid], all[i])
			}
		}
	}
	var found []violation
	for i := range records {
		r := &records[i]
		c := &objectCheck{ledger: j.ledger, trace: j.trace, record: r, rp: objects[r.uid], packages: packages[r.uid],
			suspendedIsFine: !j.resumes}
		c.judge()
		found = append(found, c.violations...)
	}
	workspaces, err := j.workspaces(ctx)
	return append(found, workspaces...), err
}

// workspaces are those that the service answers for, and whose object does not say so.
func (j *judge) workspaces(ctx context.Context) ([]violation, error) {
	list := &v1alpha1.DataArtsWorkspaceList{}
	if err := persist(ctx, func() error { return j.api.List(ctx, list) }); err != nil {
		return nil, err
	}
	var found []violation
	for i := range list.Items {
		w := &list.Items[i]
		c := meta.FindStatusCondition(w.Status.Conditions, v1alpha1.ConditionReady)
		if c == nil || c.Status != "True" || w.Status.ObservedGeneration != w.Generation {
			found = append(found, violation{stuck, "DataArtsWorkspace " + w.Namespace + "/" + w.Name,
				fmt.Sprintf("is not Ready: %+v", c)})
		}
	}
	return found, nil
}
