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
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

const (
	// calming lets what came of the last change fade away: late watch events, and looks that were under way.
	calming = 8 * time.Second
	// restTime is how long all is watched that is at rest: six looks at what is in review.
	restTime = 12 * time.Second

	// busyAtRest is the share of a core that a manager may take which does no more than to look now and then.
	busyAtRest = 0.3
)

// rest is what has been done about each object up to a moment.
type rest struct {
	passes   map[string]int
	seldom   map[string]bool   // what is looked at again every few minutes, and so may be just now
	versions map[string]string // of objects and of events about them
	cpu      time.Duration     // of the manager in office
}

// watchRest counts what goes on while nobody does anything: passes, writes and calls.
func (j *judge) watchRest(ctx context.Context) ([]violation, error) {
	fmt.Println("soak: all is at rest; watching what goes on all the same")
	if !pause(ctx, calming) {
		return nil, ctx.Err()
	}
	leader := j.trace.leader()
	before, err := j.restOf(ctx, leader)
	if err != nil {
		return nil, err
	}
	j.service.calm()
	if !pause(ctx, restTime) {
		return nil, ctx.Err()
	}
	requests := j.service.Requests()
	after, err := j.restOf(ctx, leader)
	if err != nil {
		return nil, err
	}
	found := disturbances(before, after)
	for _, t := range j.teams {
		found = append(found, t.needlessCalls(requests, before.passesUntil(after, t.namespace))...)
	}
	return found, nil
}

func (j *judge) restOf(ctx context.Context, leader int) (rest, error) {
	r := rest{passes: j.trace.passesMade(), seldom: map[string]bool{}, versions: map[string]string{}, cpu: cpuOf(leader)}
	packages, workspaces, events := &v1alpha1.ReleasePackageList{}, &v1alpha1.DataArtsWorkspaceList{},
		&eventsv1.EventList{}
	for _, list := range []client.ObjectList{packages, workspaces, events} {
		if err := persist(ctx, func() error { return j.api.List(ctx, list) }); err != nil {
			return rest{}, err
		}
	}
	for i := range packages.Items {
		o, name := &packages.Items[i], "ReleasePackage "+packages.Items[i].Namespace+"/"+packages.Items[i].Name
		r.versions[name], r.seldom[name] = o.ResourceVersion, lookedAtAgain(o)
	}
	for i := range workspaces.Items {
		o, name := &workspaces.Items[i], "DataArtsWorkspace "+workspaces.Items[i].Namespace+"/"+workspaces.Items[i].Name
		r.versions[name], r.seldom[name] = o.ResourceVersion, true
	}
	for i := range events.Items {
		o := &events.Items[i]
		r.versions[fmt.Sprintf("event %s of %s %s/%s", o.Reason, o.Regarding.Kind, o.Regarding.Namespace,
			o.Regarding.Name)] += " " + o.ResourceVersion
	}
	return r, nil
}

// lookedAtAgain reports whether an object stalls for what people may mend at the console, where nothing tells of it, or
// has an hourly search for packages that came late.
func lookedAtAgain(rp *v1alpha1.ReleasePackage) bool {
	if a := rp.Status.Attempt; a != nil && a.LostBefore > 0 && rp.Status.ReleasePackageID != "" {
		return true
	}
	c := meta.FindStatusCondition(rp.Status.Conditions, v1alpha1.ConditionStalled)
	return c != nil && slices.Contains([]string{v1alpha1.ReasonPreflightFailed, v1alpha1.ReasonAmbiguousPackage,
		v1alpha1.ReasonPackageNotFound}, c.Reason)
}

// passesUntil are the passes of a namespace's packages that were made until a later moment.
func (r rest) passesUntil(later rest, namespace string) int {
	n := 0
	for object, passes := range later.passes {
		if strings.HasPrefix(object, "ReleasePackage "+namespace+"/") {
			n += passes - r.passes[object]
		}
	}
	return n
}

// disturbances are the passes and writes between two moments, by the objects that they were about.
func disturbances(before, after rest) []violation {
	var found []violation
	for _, object := range slices.Sorted(maps.Keys(after.passes)) {
		allowed := 0
		if after.seldom[object] {
			allowed = 1
		}
		if n := after.passes[object] - before.passes[object]; n > allowed {
			found = append(found, violation{restless, object,
				fmt.Sprintf("%d passes in %s, while nothing changed", n, restTime)})
		}
	}
	for _, object := range slices.Sorted(maps.Keys(after.versions)) {
		if before.versions[object] != after.versions[object] {
			found = append(found, violation{restless, object, fmt.Sprintf("was written within %s, while nothing changed",
				restTime)})
		}
	}
	if share := float64(after.cpu-before.cpu) / float64(restTime); share > busyAtRest {
		found = append(found, violation{restless, "manager", fmt.Sprintf("took %.0f %% of a core, while nothing changed",
			100*share)})
	}
	return found
}

// needlessCalls are those beyond what it takes to look at every poll at the packages that are not deployed: a look at
// each of them, or the list of them, if that is cheaper. Each pass that was made all the same may search the packages
// of the workspace.
func (t *team) needlessCalls(requests []simulator.Request, passes int) []violation {
	open, owners, all := 0, map[string]string{}, t.service.packagesOf(t.workspace)
	for _, p := range all {
		if r := t.ledger.owner(&p); r != nil {
			owners[p.ID] = r.String()
		}
		if p.Live() && p.State != simulator.StateDeployed {
			open++
		}
	}
	looks := int(restTime/inTheEnd.poll) + 2 // One began before, and one ends after.
	made, each := map[simulator.Operation]int{}, map[string]int{}
	total := 0
	for _, r := range requests {
		if r.Workspace != t.workspace {
			continue
		}
		made[r.Operation]++
		total++
		for _, id := range r.Packages {
			each[id]++
		}
	}
	var found []violation
	for _, id := range slices.Sorted(maps.Keys(each)) {
		if n := each[id]; n > looks {
			found = append(found, violation{restless, "ReleasePackage " + owners[id],
				fmt.Sprintf("%d calls about package %s in %s, while nothing changed", n, id, restTime)})
		}
	}
	pages := open/100 + 1 // That a page of a hundred is the last is seen on the next one.
	if t.service.rules.Offset == simulator.OffsetRow && open > 100 {
		pages++ // The second page tells that offset counts rows. It shows one more.
	}
	allowed := looks*pages + passes*(len(all)/100+1) + spareCalls
	if total > allowed || made[simulator.OpPack]+made[simulator.OpUnpack] > 0 {
		found = append(found, violation{restless, "DataArtsWorkspace " + t.namespace + "/" + workspaceName, fmt.Sprintf(
			"%d calls in %s, while nothing changed and %d packages were not deployed: %v, %v", total, restTime, open, made,
			each)})
	}
	return found
}

// spareCalls are the rare ones: probes of the workspace.
const spareCalls = 2

// cpuOf is the time that a process has worked, where the system tells.
func cpuOf(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ") // After the name, which may hold anything.
	fields := strings.Fields(rest)
	ticks := 0
	for _, i := range []int{11, 12} { // In user and in system mode, in hundredths of a second.
		if i < len(fields) {
			n, _ := strconv.Atoi(fields[i])
			ticks += n
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
