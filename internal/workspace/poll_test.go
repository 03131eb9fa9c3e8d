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

package workspace_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/poll"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
	"github.com/dataarts-operator/dataarts-operator/internal/workspace"
)

// interval is how often the specs look at what waits for review.
const interval = 40 * time.Second

var inReview = poll.RemoteState{Status: dataarts.StatusPendingReview}

// pollSite is a site to whose packages objects subscribe, and who was told of them.
type pollSite struct {
	*site
	conn *workspace.Connection

	mu   sync.Mutex
	told []string
}

// cost is how many calls something took.
type cost struct{ lists, shows int }

// aPollSite has a budget of calls that is no hindrance.
func aPollSite(ctx context.Context, with ...func(*simulator.Options)) *pollSite {
	GinkgoHelper()
	s := aSite(with...)
	s.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.RequestsPerSecond = 1_000_000 })
	l := &pollSite{site: s, conn: s.expectConnected(ctx)}
	Expect(l.conn.Probe(ctx)).To(Succeed(), "so that no call waits for what comes of a first one")
	l.Reset()
	l.Poller().OnChange(func(object types.NamespacedName) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.told = append(l.told, strings.TrimPrefix(object.Name, "of-"))
	})
	return l
}

// object is who has subscribed to a package.
func object(id string) types.NamespacedName {
	return types.NamespacedName{Namespace: namespace, Name: "of-" + id}
}

type aspect func(*poll.Subscription)

func required(w *poll.Subscription)    { w.Required, w.After = true, time.Second }
func forDeletion(w *poll.Subscription) { w.ForDeletion = true }

// assumed makes it a package that was just named by the service, so that the first look has time.
func (l *pollSite) assumed(w *poll.Subscription) {
	w.Observed = &poll.Observation{Began: l.clock.Now(), Assumed: true}
}

// subscribe subscribes to packages that wait for review as far as their objects know, unless an aspect says otherwise.
func (l *pollSite) subscribe(ids []string, aspects ...aspect) {
	GinkgoHelper()
	packages := map[string]simulator.Package{}
	for _, p := range l.console.Packages() {
		packages[p.ID] = p
	}
	for _, id := range ids {
		w := poll.Subscription{
			Object: object(id), Workspace: production, ID: id, Name: packages[id].Name, After: interval, LastKnown: inReview,
		}
		for _, a := range aspects {
			a(&w)
		}
		w.Paced = w.Paced || w.After == interval
		Expect(l.Poller().Subscribe(l.conn, w)).To(BeTrue())
	}
}

// rotate replaces what the Secret holds, and lets the time pass after which that is noticed.
func (l *pollSite) rotate(ctx context.Context, pairs ...string) {
	GinkgoHelper()
	l.storeSecret(ctx, pairs...)
	l.clock.Step(secretTTL)
}

// run makes the next run at its time, and returns what it took and who was told.
func (l *pollSite) run(ctx context.Context) (took cost, told []string) {
	GinkgoHelper()
	when := l.Poller().NextRun()
	Expect(when.IsZero()).To(BeFalse(), "a run is due")
	if when.After(l.clock.Now()) {
		l.clock.SetTime(when)
	}
	before := l.Counts()
	Expect(l.Poller().RunNext(ctx)).To(BeTrue())
	after := l.Counts()
	took = cost{lists: after[simulator.OpList] - before[simulator.OpList],
		shows: after[simulator.OpShow] - before[simulator.OpShow]}
	return took, l.news()
}

// news is who was told since it was asked for last.
func (l *pollSite) news() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	told := l.told
	l.told = nil
	slices.Sort(told)
	return told
}

// latest is what is known of a package.
func (l *pollSite) latest(id string) poll.Observation {
	GinkgoHelper()
	v, ok := l.Poller().Latest(object(id), id)
	Expect(ok).To(BeTrue(), "something is known of package %s", id)
	return v
}

func (l *pollSite) expectNothingKnown(id string) {
	GinkgoHelper()
	v, ok := l.Poller().Latest(object(id), id)
	Expect(ok).To(BeFalse(), "got %+v", v)
}

// expectQuietRun expects a run that costs so much and tells nobody.
func (l *pollSite) expectQuietRun(ctx context.Context, want cost) {
	GinkgoHelper()
	took, told := l.run(ctx)
	Expect(told).To(BeEmpty())
	Expect(took).To(Equal(want))
}
