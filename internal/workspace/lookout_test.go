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
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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

var (
	inReview  = poll.RemoteState{Status: dataarts.StatusPendingReview}
	deploying = poll.RemoteState{Status: dataarts.StatusDeploying}
)

// lookout is a site whose packages are watched, and who was told of them.
type lookout struct {
	*site
	conn *workspace.Connection

	mu   sync.Mutex
	told []string
}

// cost is how many calls something took.
type cost struct{ lists, shows int }

// aLookout has a budget of calls that is no hindrance.
func aLookout(ctx context.Context, with ...func(*simulator.Options)) *lookout {
	GinkgoHelper()
	return watchFrom(ctx, aSite(with...))
}

func watchFrom(ctx context.Context, s *site) *lookout {
	GinkgoHelper()
	s.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.RequestsPerSecond = 1_000_000 })
	l := &lookout{site: s, conn: s.expectConnected(ctx)}
	Expect(l.conn.Probe(ctx)).To(Succeed(), "so that no call waits for what comes of a first one")
	l.Reset()
	l.Poller().OnChange(func(object types.NamespacedName) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.told = append(l.told, strings.TrimPrefix(object.Name, "of-"))
	})
	return l
}

// object is who watches a package.
func object(id string) types.NamespacedName {
	return types.NamespacedName{Namespace: namespace, Name: "of-" + id}
}

type aspect func(*poll.Subscription)

func awaited(w *poll.Subscription)  { w.Required, w.After = true, time.Second }
func toUnpack(w *poll.Subscription) { w.ForDeletion = true }
func nameless(w *poll.Subscription) { w.Name = "" }

// seen makes it a package that was just named by the service, so that the first look has time.
func (l *lookout) seen(w *poll.Subscription) {
	w.Observed = &poll.Observation{Began: l.clock.Now(), Assumed: true}
}

func known(o poll.RemoteState) aspect { return func(w *poll.Subscription) { w.LastKnown = o } }
func telling(err error) aspect        { return func(w *poll.Subscription) { w.LastError = err.Error() } }
func within(d time.Duration) aspect   { return func(w *poll.Subscription) { w.After = d } }

// follow watches packages that wait for review as far as their objects know, unless an aspect says otherwise.
func (l *lookout) follow(ids []string, aspects ...aspect) {
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
		Expect(l.Poller().Subscribe(l.conn, w)).To(BeTrue())
	}
}

// rotate replaces what the Secret holds, and lets the time pass after which that is noticed.
func (l *lookout) rotate(ctx context.Context, pairs ...string) {
	GinkgoHelper()
	l.storeSecret(ctx, pairs...)
	l.clock.Step(secretTTL)
}

// round makes the next round at its time, and returns what it took and who was told.
func (l *lookout) round(ctx context.Context) (took cost, told []string) {
	GinkgoHelper()
	when := l.Poller().NextRun()
	Expect(when.IsZero()).To(BeFalse(), "a round is due")
	if when.After(l.clock.Now()) {
		l.clock.SetTime(when)
	}
	before := l.Counts()
	Expect(l.Poller().RunNext(ctx)).To(BeTrue())
	after := l.Counts()
	took = cost{lists: after[simulator.OpList] - before[simulator.OpList], shows: after[simulator.OpShow] - before[simulator.OpShow]}
	return took, l.news()
}

// news is who was told since it was asked for last.
func (l *lookout) news() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	told := l.told
	l.told = nil
	slices.Sort(told)
	return told
}

// view is what is known of a package.
func (l *lookout) view(id string) poll.Observation {
	GinkgoHelper()
	v, ok := l.Poller().Latest(object(id), id)
	Expect(ok).To(BeTrue(), "there is a view of package %s", id)
	return v
}

func (l *lookout) expectNoView(id string) {
	GinkgoHelper()
	v, ok := l.Poller().Latest(object(id), id)
	Expect(ok).To(BeFalse(), "got %+v", v)
}

// quietRound expects a round that costs so much and tells nobody.
func (l *lookout) quietRound(ctx context.Context, want cost) {
	GinkgoHelper()
	took, told := l.round(ctx)
	Expect(told).To(BeEmpty())
	Expect(took).To(Equal(want))
}

// before does something once, right before the service sees the n-th call of an operation from now on, counted from 1.
func (l *lookout) before(op simulator.Operation, n int32, do func()) {
	var calls atomic.Int32
	f := func(r *http.Request) {
		if operationOf(r) == op && calls.Add(1) == n {
			defer GinkgoRecover()
			do()
		}
	}
	l.onRequest.Store(&f)
}

func operationOf(r *http.Request) simulator.Operation {
	switch {
	case strings.HasSuffix(r.URL.Path, "/release-packages/unpack"):
		return simulator.OpUnpack
	case strings.HasSuffix(r.URL.Path, "/release-packages"):
		return simulator.OpList
	case strings.Contains(r.URL.Path, "/release-packages/"):
		return simulator.OpShow
	}
	return ""
}

// failing injects a fault, so often.
func (l *lookout) failing(times int, f simulator.Fault) {
	GinkgoHelper()
	f.Times = times
	Expect(l.Inject(f)).To(Succeed())
}

// Faults of one kind.
var (
	badGateway = simulator.Fault{Kind: simulator.FaultError, Status: http.StatusBadGateway, Code: "APIGW.0610", Message: "no backend"}
	forbidden  = simulator.Fault{Kind: simulator.FaultError, Status: http.StatusForbidden, Code: simulator.CodeUserForbidden, Message: "no"}
	unauthored = simulator.Fault{Kind: simulator.FaultError, Status: http.StatusUnauthorized, Code: simulator.CodeUnauthorized, Message: "no"}
	refused    = simulator.Fault{Kind: simulator.FaultError, Status: http.StatusBadRequest, Code: simulator.CodeInvalidParameter, Message: "no"}
)

// only lets a fault strike one operation.
func only(op simulator.Operation, f simulator.Fault) simulator.Fault {
	f.Operation = op
	return f
}
