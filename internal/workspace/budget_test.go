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
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/clock"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/workspace"
)

// pacedAt makes the calls wait by the site's clock, so that none is made before that is moved.
func (s *site) pacedAt(ctx context.Context, perSecond int32) *workspace.Connection {
	GinkgoHelper()
	s.Pace = s.clock
	s.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.RequestsPerSecond = perSecond })
	return s.expectConnected(ctx)
}

// proved is a connection whose credentials were accepted, and whose next turn is an interval away.
func (s *site) proved(ctx context.Context, perSecond int32) *workspace.Connection {
	GinkgoHelper()
	conn := s.pacedAt(ctx, perSecond)
	Expect(conn.Probe(ctx)).To(Succeed())
	conn.HasRead()
	return conn
}

// queue makes a call from another goroutine and returns once it waits for the budget.
func queue(ctx context.Context, conn *workspace.Connection, call func(context.Context) error) <-chan error {
	GinkgoHelper()
	before, answer := conn.Waiting(), make(chan error, 1)
	go func() { answer <- call(ctx) }()
	Eventually(ctx, conn.Waiting, "10s", "1ms").Should(Equal(before + 1))
	return answer
}

// expectAnswer waits for what came of a call.
func expectAnswer(ctx context.Context, answer <-chan error) error {
	GinkgoHelper()
	var err error
	Eventually(ctx, answer, "10s", "1ms").Should(Receive(&err))
	return err
}

func unpacking(conn *workspace.Connection) func(context.Context) error {
	return func(ctx context.Context) error { return conn.Unpack(ctx, "13") }
}

func look(conn *workspace.Connection) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := conn.Look(ctx, "13")
		return err
	}
}

// eager is a clock that is moved by those who wait for it. It is for one caller at a time.
type eager struct {
	clock.RealClock
	mu  sync.Mutex
	now time.Time
}

func (e *eager) Now() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now
}

func (e *eager) AfterFunc(d time.Duration, f func()) clock.Timer {
	e.mu.Lock()
	e.now = e.now.Add(d)
	e.mu.Unlock()
	f()
	return e.NewTimer(time.Hour)
}

// turns are the times at which so many calls are let through, one after the other.
func (e *eager) turns(ctx context.Context, conn *workspace.Connection, n int) []time.Time {
	GinkgoHelper()
	times := make([]time.Time, 0, n)
	for range n {
		Expect(conn.AcquirePackNow(ctx)).To(Succeed())
		times = append(times, e.Now())
		conn.ReleasePack()
	}
	return times
}

var _ = Describe("The budget", func() {
	It("lets a thousand calls through in 103 seconds, and never more in a second than are allowed", func(ctx SpecContext) {
		s, pace := aSite(), &eager{}
		s.Pace = pace
		s.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.RequestsPerSecond = 10 })
		conn := s.expectConnected(ctx)
		Expect(conn.Probe(ctx)).To(Succeed())
		turns := pace.turns(ctx, conn, 999)
		Expect(turns[998].Sub(time.Time{})).To(BeNumerically("<=", 103*time.Second))
		for i := range turns[10:] {
			Expect(turns[i+10].Sub(turns[i])).To(BeNumerically(">", 1010*time.Millisecond))
		}
		for i := range turns[1:] {
			Expect(turns[i+1].Sub(turns[i])).To(Equal(102*time.Millisecond), "no two come at once")
		}
	})

	It("saves nothing up for a burst", func(ctx SpecContext) {
		s := aSite()
		conn := s.proved(ctx, 1)
		s.clock.Step(time.Hour)
		Expect(conn.Probe(ctx)).To(Succeed())
		answer := queue(ctx, conn, conn.Probe)
		s.clock.Step(1020*time.Millisecond - time.Nanosecond)
		Consistently(ctx, answer, "20ms").ShouldNot(Receive())
		s.clock.Step(time.Nanosecond)
		Expect(expectAnswer(ctx, answer)).To(Succeed())
	})

	It("lets those go first who bring packages on", func(ctx SpecContext) {
		s := aSite()
		conn := s.proved(ctx, 1)
		arrivals := s.arrivals()
		var answers []<-chan error
		for _, call := range []func(context.Context) error{conn.Probe, look(conn), conn.AcquirePackNow, unpacking(conn)} {
			answers = append(answers, queue(ctx, conn, call))
		}
		for _, want := range []int{2, 3, 1, 0} {
			s.clock.Step(1020 * time.Millisecond)
			_ = expectAnswer(ctx, answers[want])
		}
		Expect(arrivals()).To(HaveExactElements(HaveSuffix("/unpack"), HaveSuffix("/13"), HaveSuffix("/release-packages")))
	})

	DescribeTable("lets nobody starve",
		func(ctx SpecContext, timeout time.Duration, call func(*workspace.Connection) func(context.Context) error) {
			s := aSite()
			conn := s.proved(ctx, 1)
			begin, patient := s.clock.Now(), queue(ctx, conn, call(conn))
			served := false
			for !served && s.clock.Since(begin) < 2*timeout {
				competitor := queue(ctx, conn, conn.AcquirePackNow)
				s.clock.Step(1020 * time.Millisecond)
				select {
				case err := <-patient:
					Expect(errors.Is(err, context.Canceled)).To(BeFalse())
					served = true
					s.clock.Step(1020 * time.Millisecond)
					Expect(expectAnswer(ctx, competitor)).To(Succeed())
				case err := <-competitor:
					Expect(err).NotTo(HaveOccurred())
				}
			}
			Expect(served).To(BeTrue())
			Expect(s.clock.Since(begin)).To(BeNumerically("~", timeout, 4*time.Second))
		},
		Entry("with a look", 10*time.Second, look),
		Entry("with a probe", 2*time.Minute,
			func(conn *workspace.Connection) func(context.Context) error { return conn.Probe }),
	)

	It("forgets those who go", func(ctx SpecContext) {
		s := aSite()
		conn := s.proved(ctx, 1)
		leaving, leave := context.WithCancel(ctx)
		gone, stays := queue(leaving, conn, conn.AcquirePackNow), queue(ctx, conn, conn.Probe)
		leave()
		Expect(expectAnswer(ctx, gone)).To(MatchError(context.Canceled))
		Expect(conn.Waiting()).To(Equal(1))
		s.clock.Step(1020 * time.Millisecond)
		Expect(expectAnswer(ctx, stays)).To(Succeed(), "the turn was not lost")
	})
})

var _ = Describe("A caller with a new package", func() {
	// expectBusy expects to be sent away, and returns for how long.
	expectBusy := func(ctx context.Context, conn *workspace.Connection) time.Duration {
		GinkgoHelper()
		var busy *workspace.BusyError
		Expect(errors.As(conn.AcquirePackNow(ctx), &busy)).To(BeTrue())
		return busy.After
	}

	DescribeTable("is sent away when many wait", func(ctx SpecContext, perSecond int32, workers, room int) {
		s := aSite()
		s.Workers = workers
		conn := s.proved(ctx, perSecond)
		interval := time.Duration(1.02 / float64(perSecond) * float64(time.Second))
		waiting := make([]<-chan error, 0, room)
		for range room {
			waiting = append(waiting, queue(ctx, conn, conn.AcquirePackNow))
		}
		Expect(expectBusy(ctx, conn)).To(BeNumerically("~", time.Duration(room+1)*interval, time.Microsecond))
		second := expectBusy(ctx, conn)
		Expect(second).To(BeNumerically("~", time.Duration(room+2)*interval, time.Microsecond), "no two come back at once")
		looking := queue(ctx, conn, look(conn))

		for _, answer := range waiting {
			s.clock.Step(interval)
			Expect(expectAnswer(ctx, answer)).To(Succeed())
		}
		s.clock.Step(interval)
		_ = expectAnswer(ctx, looking)
		s.clock.Step(second - time.Duration(room+1)*interval)
		Expect(conn.AcquirePackNow(ctx)).To(Succeed(), "who comes back meets a free turn")
	},
		Entry("as many as eight at least", int32(1), 0, 8),
		Entry("as many as are served in two seconds", int32(20), 0, 39),
		Entry("half of the workers", int32(20), 4, 2),
		Entry("a single worker", int32(1), 1, 1),
	)

	It("takes the place of one who came later, so that nobody is sent away for ever", func(ctx SpecContext) {
		s := aSite()
		conn := s.proved(ctx, 1)
		old := s.clock.Now().Add(-time.Hour)
		waiting := make([]<-chan error, 0, 8)
		for range 8 {
			s.clock.Step(time.Millisecond)
			waiting = append(waiting, queue(ctx, conn, conn.AcquirePackNow))
		}
		served := make(chan error, 1)
		go func() { served <- conn.AcquirePack(ctx, old) }()
		var busy *workspace.BusyError
		Expect(errors.As(expectAnswer(ctx, waiting[7]), &busy)).To(BeTrue(), "the one who came last")
		Expect(busy.After).To(BeNumerically(">", 8*time.Second))
		Expect(conn.Waiting()).To(Equal(8))
		for _, answer := range append(waiting[:7], served) {
			s.clock.Step(1020 * time.Millisecond)
			Expect(expectAnswer(ctx, answer)).To(Succeed())
		}
	})
})

// arrivals notes the paths of the calls that reach the service from now on.
func (s *site) arrivals() func() []string {
	var mu sync.Mutex
	var paths []string
	f := func(r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		paths = append(paths, strings.TrimSuffix(r.URL.Path, "/"))
	}
	s.onRequest.Store(&f)
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), paths...)
	}
}

var _ = Describe("Workspaces of one user", func() {
	It("share a budget, whose pace is the lowest that one of them asks for", func(ctx SpecContext) {
		s := aSite()
		fast := s.proved(ctx, 100)
		slow := s.another(ctx, "staging",
			func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.WorkspaceID, ws.Spec.RequestsPerSecond = "ef56", 1 })
		Expect(s.Budgets()).To(Equal(1))
		s.clock.Step(time.Second)
		Expect(fast.Probe(ctx)).To(Succeed())
		answer := queue(ctx, slow, slow.AcquirePackNow)
		s.clock.Step(time.Second)
		Consistently(ctx, answer, "20ms").ShouldNot(Receive())
		s.clock.Step(20 * time.Millisecond)
		Expect(expectAnswer(ctx, answer)).To(Succeed())

		s.Forget(key("staging"))
		s.clock.Step(1020 * time.Millisecond)
		Expect(fast.Probe(ctx)).To(Succeed())
		answer = queue(ctx, fast, fast.Probe)
		s.clock.Step(11 * time.Millisecond)
		Expect(expectAnswer(ctx, answer)).To(Succeed())
	})

	It("share what the service says of their credentials", func(ctx SpecContext) {
		s := aSite()
		s.storeSecret(ctx, keyToken, wrongSecret)
		one := s.expectConnected(ctx)
		other := s.another(ctx, "staging", func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.ProjectID = "other-project" })
		Expect(dataarts.KindOf(one.Probe(ctx))).To(Equal(dataarts.Unauthorized))
		s.expectHeldBack(ctx, other, dataarts.Unauthorized)
	})

	It("share nothing with those of another user or another service", func(ctx SpecContext) {
		s := aSite()
		s.storeSecret(ctx, keyToken, wrongSecret)
		rejected := s.expectConnected(ctx)
		Expect(rejected.Probe(ctx)).NotTo(Succeed())
		Expect(s.objects.Create(ctx, aSecret("deployer", keyAccess, temporaryKey, keySecret, secretKey, keySecurity,
			securityToken))).To(Succeed())
		other := s.another(ctx, "staging",
			func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.Credentials.SecretRef.Name = "deployer" })
		Expect(other.Probe(ctx)).To(Succeed())
		elsewhere := s.another(ctx, "elsewhere", func(ws *v1alpha1.DataArtsWorkspace) {
			ws.Spec.Endpoint = strings.Replace(ws.Spec.Endpoint, "127.0.0.1", "localhost", 1)
		})
		Expect(elsewhere.RetryAfter()).To(BeZero())
		Expect(s.Budgets()).To(Equal(3))
	})

	It("have no budget left when they are gone, unless it holds calls back", func(ctx SpecContext) {
		s := aSite()
		s.storeSecret(ctx, keyToken, wrongSecret)
		conn := s.expectConnected(ctx)
		Expect(conn.Probe(ctx)).NotTo(Succeed())
		s.Forget(production)
		again := s.expectConnected(ctx)
		Expect(again).NotTo(BeIdenticalTo(conn))
		s.expectHeldBack(ctx, again, dataarts.Unauthorized)

		s.Forget(production)
		s.clock.Step(rejectedPause)
		s.storeSecret(ctx, keyToken, token)
		Expect(s.expectConnected(ctx).Probe(ctx)).To(Succeed())
	})
})
