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

package poll_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	"pgregory.net/rapid"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/poll"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// population is a workspace whose packages change, also while a list of them is read, and those who have subscribed
// to some of them.
type population struct {
	*site
	t *rapid.T
	// recorded is what each object has on record of its package.
	recorded map[string]poll.RemoteState
	// late are the objects that were told and have not answered yet.
	late map[string]bool
}

var _ = Describe("Whatever happens between the pages of lists", func() {
	It("everyone is told of what has become of their package, and of nothing else", func(ctx SpecContext) {
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			p := &population{t: t, site: aSite(anyService(t)), recorded: map[string]poll.RemoteState{}, late: map[string]bool{}}
			defer p.close()
			for _, id := range p.packages(rapid.IntRange(1, 8).Draw(t, "packages")) {
				if rapid.IntRange(0, 3).Draw(t, "subscribed unless 0") > 0 {
					p.record(id, inReview, anyAspects(t)...)
				}
			}
			for range rapid.IntRange(1, 6).Draw(t, "runs") {
				p.arrange(ctx)
				p.look(ctx, rapid.Bool().Draw(t, "answered at once"))
			}
			p.onRequest.Store(nil)
			p.Reset()         // No list is out of date any more.
			p.look(ctx, true) // Where nobody has answered for long, the next run is minutes away.
			for end := p.clock.Now().Add(3 * interval); p.clock.Now().Before(end) && !p.NextRun().IsZero(); {
				p.look(ctx, true)
			}
			p.compare()
		})
	})
})

func anyService(t *rapid.T) func(*simulator.Options) {
	return assuming(func(a *simulator.Assumptions) {
		a.Offset = rapid.SampledFrom([]simulator.OffsetMeaning{simulator.OffsetPage, simulator.OffsetRow}).Draw(t, "offset")
		a.MaxLimit, a.OverLimit = rapid.SampledFrom([]int{0, 1, 2, 3, 5}).Draw(t, "rows on a page"), simulator.Accept
		a.WithdrawnPackage = rapid.SampledFrom([]simulator.WithdrawnPackage{
			simulator.PackageFlagged, simulator.PackageUnlisted, simulator.PackageGone,
		}).Draw(t, "withdrawn packages")
		a.UnknownShown = rapid.SampledFrom([]simulator.Code{"", simulator.CodeInvalidParameter}).Draw(t,
			"answer about unknown packages")
	})
}

func anyAspects(t *rapid.T) []aspect {
	var chosen []aspect
	for _, a := range []struct {
		what string
		aspect
	}{{"required", required}, {"looked at often", within(15 * time.Second)}} {
		if rapid.IntRange(0, 2).Draw(t, a.what+" if 0") == 0 {
			chosen = append(chosen, a.aspect)
		}
	}
	return chosen
}

// record takes down what an object knows now. One whose package has come to an end unsubscribes.
func (p *population) record(id string, state poll.RemoteState, aspects ...aspect) {
	p.recorded[id] = state
	delete(p.late, id)
	if state.Gone || state.Hidden || state.Deleted || state.Status == dataarts.StatusDeployed {
		p.Unsubscribe(object(id))
		return
	}
	p.subscribe([]string{id}, append(aspects, known(state))...)
}

// arrange lets things happen right before the service sees certain calls, or right away.
func (p *population) arrange(ctx context.Context) {
	changes := map[int32][]func(){}
	for range rapid.IntRange(0, 3).Draw(p.t, "changes") {
		call := int32(rapid.IntRange(0, 6).Draw(p.t, "before call"))
		changes[call] = append(changes[call], p.change(ctx))
	}
	for _, change := range changes[0] {
		change()
	}
	var calls atomic.Int32
	f := func(r *http.Request) {
		if op := operationOf(r); op != simulator.OpList && op != simulator.OpShow {
			return
		}
		for _, change := range changes[calls.Add(1)] {
			change()
		}
	}
	p.onRequest.Store(&f)
}

// change is something that people or the operator do. What is not possible in the state of the package is not done.
func (p *population) change(ctx context.Context) func() {
	packages := p.console.Packages()
	id := packages[rapid.IntRange(0, len(packages)-1).Draw(p.t, "package")].ID
	if rapid.IntRange(0, 9).Draw(p.t, "stale list if 0") == 0 {
		return func() {
			_ = p.Inject(simulator.Fault{Operation: simulator.OpList, Kind: simulator.FaultStale, Behind: 1})
		}
	}
	switch rapid.SampledFrom([]string{"start", "start", "deploy", "finish", "fail", "withdraw", "vanish", "pack",
		"unpack"}).Draw(p.t, "change") {
	case "start":
		return func() { _ = p.console.StartDeploy(id) }
	case "deploy":
		return func() { _ = p.console.Deploy(id) }
	case "finish":
		return func() { _ = p.console.FinishDeploy(id) }
	case "fail":
		return func() { _ = p.console.FailDeploy(id) }
	case "withdraw":
		return func() { _ = p.console.Withdraw(id) }
	case "vanish":
		return func() { _ = p.console.Vanish(id) }
	case "pack":
		return func() { _, _ = p.console.Pack("rel-new", developer, []string{deployer}, []string{"2"}) }
	}
	return func() { _ = p.unpack(ctx, id) }
}

// look makes a run, if one is due at all, and lets those answer who were told.
func (p *population) look(ctx context.Context, answers bool) {
	if when := p.NextRun(); when.After(p.clock.Now()) {
		p.clock.SetTime(when)
	}
	p.RunNext(ctx)
	for _, id := range p.news() {
		p.late[id] = true
	}
	for id := range p.late {
		if v, ok := p.Latest(object(id), id); answers && ok {
			p.answer(id, v)
		} else if answers {
			p.subscribe([]string{id}, known(p.recorded[id]), required) // What it was told of is void by now.
			delete(p.late, id)
		}
	}
}

// answer takes a view like a pass does. It must not say that a package is gone which is not.
func (p *population) answer(id string, v poll.Observation) {
	state := p.recorded[id]
	switch {
	case v.Err != nil:
		p.t.Fatalf("a look at package %s failed: %v", id, v.Err)
	case v.Package != nil && v.Package.ID != id:
		p.t.Fatalf("a view of package %s shows package %s", id, v.Package.ID)
	case v.Package != nil && v.Package.Deleted:
		state = poll.RemoteState{Deleted: true}
	case v.Package != nil:
		state = poll.RemoteState{Status: v.Package.Status}
	case v.Gone, v.Hidden != nil:
		state = poll.RemoteState{Gone: true}
	}
	for _, now := range p.console.Packages() {
		if now.ID == id && now.Live() && (state.Gone || state.Deleted) {
			p.t.Fatalf("package %s is said to be gone, and has been there all the time: %+v", id, v)
		}
	}
	p.record(id, state)
}

// compare compares what is on record with what the service has.
func (p *population) compare() {
	for _, now := range p.console.Packages() {
		got, subscribed := p.recorded[now.ID]
		want := poll.RemoteState{Status: dataarts.DeployStatus(now.State)}
		switch {
		case now.Gone:
			want = poll.RemoteState{Gone: true}
		case now.Withdrawn:
			want = poll.RemoteState{Deleted: true}
		}
		// Nobody looks any more when it was gone, which was checked then, or deployed, which it stays.
		ended := got.Gone || got.Deleted || got.Status == dataarts.StatusDeployed && now.State == simulator.StateDeployed
		if subscribed && got != want && !ended {
			p.t.Fatalf("package %s is %+v, and its object knows %+v", now.ID, want, got)
		}
	}
}
