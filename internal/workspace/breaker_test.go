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
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
	"github.com/dataarts-operator/dataarts-operator/internal/workspace"
)

func throttling(retryAfter time.Duration) simulator.Fault {
	return simulator.Fault{
		Kind: simulator.FaultError, Status: http.StatusTooManyRequests, Code: simulator.CodeThrottled, Message: "slow down",
		RetryAfter: retryAfter,
	}
}

// holdCalls lets the calls whose path has this end arrive at the service one by one, and holds each until it is let go.
func (s *site) holdCalls(end string) (arrived <-chan struct{}, letGo chan<- struct{}) {
	arrivals, departures := make(chan struct{}, 100), make(chan struct{})
	over := make(chan struct{})
	f := func(r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, end) {
			return
		}
		arrivals <- struct{}{}
		select {
		case <-departures:
		case <-over:
		}
	}
	s.onRequest.Store(&f)
	DeferCleanup(func() { close(over) })
	return arrivals, departures
}

// concurrently makes so many probes at once and returns what came of them.
func concurrently(ctx context.Context, conn *workspace.Connection, n int) map[string]int {
	var mu sync.Mutex
	results := map[string]int{}
	var group sync.WaitGroup
	for range n {
		group.Go(func() {
			err := conn.Probe(ctx)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				results["ok"]++
			} else {
				results[dataarts.KindOf(err).String()]++
			}
		})
	}
	group.Wait()
	return results
}

var _ = Describe("While it is not known whether credentials are accepted", func() {
	It("one call is made, and the others hear of its failure", func(ctx SpecContext) {
		s := aSite()
		s.storeSecret(ctx, keyToken, wrongSecret)
		Expect(concurrently(ctx, s.expectConnected(ctx), 20)).To(Equal(map[string]int{dataarts.Unauthorized.String(): 20}))
		Expect(s.calls()).To(Equal(1))
	})

	It("one call is made at a time, until one is not rejected", func(ctx SpecContext) {
		s := aSite()
		Expect(s.Inject(simulator.Fault{Kind: simulator.FaultDrop})).To(Succeed())
		conn := s.expectConnected(ctx)
		arrived, letGo := s.holdCalls("")
		var answers []<-chan error
		call := func() {
			answer := make(chan error, 1)
			go func() { answer <- conn.Probe(ctx) }()
			answers = append(answers, answer)
		}
		call()
		Eventually(ctx, arrived).Should(Receive())
		for range 3 {
			answers = append(answers, queue(ctx, conn, conn.Probe))
		}
		letGo <- struct{}{}
		Expect(expectAnswer(ctx, answers[0])).NotTo(Succeed(), "which proves nothing")
		Eventually(ctx, arrived).Should(Receive())
		Consistently(ctx, arrived, "30ms").ShouldNot(Receive())
		letGo <- struct{}{}
		for range 2 {
			Eventually(ctx, arrived).Should(Receive())
		}
		letGo <- struct{}{}
		letGo <- struct{}{}
		for _, answer := range answers[1:] {
			Expect(expectAnswer(ctx, answer)).To(Succeed())
		}
	})

	It("so it is after five minutes of rejection", func(ctx SpecContext) {
		s := aSite()
		conn := s.expectConnected(ctx)
		rejection := simulator.Fault{Kind: simulator.FaultError, Status: http.StatusUnauthorized, Code: "APIGW.0301",
			Times: 2}
		Expect(s.Inject(rejection)).To(Succeed())
		Expect(conn.Probe(ctx)).NotTo(Succeed())
		s.clock.Step(rejectedPause)
		Expect(concurrently(ctx, conn, 10)).To(Equal(map[string]int{dataarts.Unauthorized.String(): 10}))
		Expect(s.calls()).To(Equal(2))
		s.clock.Step(rejectedPause)
		Expect(concurrently(ctx, conn, 10)).To(Equal(map[string]int{"ok": 10}))
	})

	It("a turn that is handed back is the next one's", func(ctx SpecContext) {
		s := aSite()
		conn := s.pacedAt(ctx, 1000)
		Expect(conn.AcquirePackNow(ctx)).To(Succeed())
		next := queue(ctx, conn, conn.Probe)
		s.clock.Step(time.Second)
		Consistently(ctx, next, "20ms").ShouldNot(Receive())
		conn.ReleasePack()
		Expect(expectAnswer(ctx, next)).To(Succeed())
	})

	It("so is that of withdrawals which nobody waits for any more", func(ctx SpecContext) {
		s := aSite()
		conn := s.pacedAt(ctx, 1)
		Expect(conn.UnpackForNobody(ctx)).To(Succeed())
		next := queue(ctx, conn, conn.Probe)
		s.clock.Step(1020 * time.Millisecond)
		Expect(expectAnswer(ctx, next)).To(Succeed())
	})

	It("a turn that nobody uses is not waited for much longer than a call takes", func(ctx SpecContext) {
		s := aSite()
		conn := s.pacedAt(ctx, 1000)
		Expect(conn.AcquirePackNow(ctx)).To(Succeed())
		next := queue(ctx, conn, conn.Probe)
		s.clock.Step(conn.Timeout())
		Consistently(ctx, next, "20ms").ShouldNot(Receive())
		s.clock.Step(5 * time.Second)
		Expect(expectAnswer(ctx, next)).To(Succeed())
	})
})

var _ = Describe("When the service asks for fewer calls", func() {
	// expectPause expects that the next call is throttled, and for how long.
	expectPause := func(ctx context.Context, s *site, conn *workspace.Connection, pause time.Duration) {
		GinkgoHelper()
		Expect(s.Inject(throttling(0))).To(Succeed())
		Expect(dataarts.KindOf(conn.Probe(ctx))).To(Equal(dataarts.Throttled))
		Expect(conn.RetryAfter()).To(Equal(pause))
	}

	It("pauses grow as long as that goes on, and begin anew when a call went well", func(ctx SpecContext) {
		s := aSite()
		s.Pace = &eager{}
		conn := s.expectConnected(ctx)
		for _, pause := range []int{1, 2, 4, 8, 16, 32, 60, 60} {
			expectPause(ctx, s, conn, time.Duration(pause)*time.Second)
			s.clock.Step(time.Duration(pause)*time.Second + 10*time.Second)
		}
		Expect(conn.Probe(ctx)).To(Succeed())
		expectPause(ctx, s, conn, time.Second)
	})

	It("a pause that is asked for is no longer than three minutes, and one call tries it before its time when a person "+
		"wants that", func(ctx SpecContext) {
		s := aSite()
		s.Pace = s.clock
		conn := s.proved(ctx, 10)
		s.clock.Step(time.Second)
		fault := throttling(24 * time.Hour)
		fault.Times = 3
		Expect(s.Inject(fault)).To(Succeed())
		Expect(conn.Probe(ctx)).NotTo(Succeed())
		Expect(conn.RetryAfter()).To(Equal(3 * time.Minute))
		Expect(conn.ThrottledUntil()).To(Equal(s.clock.Now().Add(3 * time.Minute)))
		s.clock.Step(20 * time.Second)

		before := s.calls()
		conn.TryNow()
		Expect(concurrently(ctx, conn, 5)).To(Equal(map[string]int{dataarts.Throttled.String(): 5}))
		Expect(s.calls()-before).To(Equal(1), "the others hear of it")
		Expect(conn.RetryAfter()).To(Equal(3 * time.Minute))
		conn.TryNow()
		s.expectHeldBack(ctx, conn, dataarts.Throttled)

		s.clock.Step(10 * time.Second)
		s.Reset()
		conn.TryNow()
		Expect(conn.Probe(ctx)).To(Succeed())
		Expect(conn.RetryAfter()).To(BeZero())
	})

	It("a short pause is waited out, a long one is told at once to those who wait too", func(ctx SpecContext) {
		s := aSite()
		conn := s.proved(ctx, 1000)
		s.clock.Step(time.Second)
		Expect(s.Inject(throttling(5 * time.Second))).To(Succeed())
		Expect(conn.Probe(ctx)).NotTo(Succeed())
		waits := queue(ctx, conn, conn.Probe)
		s.clock.Step(5*time.Second - time.Nanosecond)
		Consistently(ctx, waits, "20ms").ShouldNot(Receive())
		s.clock.Step(time.Nanosecond)
		Expect(expectAnswer(ctx, waits)).To(Succeed())

		s.clock.Step(time.Second)
		arrived, letGo := s.holdCalls("/release-packages")
		Expect(s.Inject(throttling(6 * time.Second))).To(Succeed())
		throttled := make(chan error, 1)
		go func() { throttled <- conn.Probe(ctx) }()
		Eventually(ctx, arrived).Should(Receive())
		waits = queue(ctx, conn, conn.Probe)
		letGo <- struct{}{}
		for _, answer := range []<-chan error{throttled, waits} {
			Expect(dataarts.KindOf(expectAnswer(ctx, answer))).To(Equal(dataarts.Throttled))
		}
		s.expectHeldBack(ctx, conn, dataarts.Throttled)
	})

	It("a pause ends by the clock of the pace even if the other one stands still", func(ctx SpecContext) {
		s := aSite()
		conn := s.expectConnected(ctx)
		expectPause(ctx, s, conn, time.Second)
		Expect(conn.Probe(ctx)).To(Succeed())
		Expect(conn.RetryAfter()).To(BeZero())
	})

	It("the pace falls once for each time that calls went well, first by little, then by half", func(ctx SpecContext) {
		s, pace := aSite(), &eager{}
		s.Pace = pace
		s.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.RequestsPerSecond = 10 })
		conn := s.expectConnected(ctx)
		perSecond := func() float64 {
			turns := pace.turns(ctx, conn, 2)
			return 1.02 / turns[1].Sub(turns[0]).Seconds()
		}
		for _, want := range []float64{8, 4, 2, 1, .5, .5} {
			Expect(conn.Probe(ctx)).To(Succeed())
			for range 2 {
				Expect(s.Inject(throttling(0))).To(Succeed())
				Expect(conn.Probe(ctx)).NotTo(Succeed())
				s.clock.Step(time.Minute)
			}
			Expect(perSecond()).To(BeNumerically("~", want, .1))
		}
	})

	It("the calls that were under way already prolong no pause", func(ctx SpecContext) {
		s := aSite()
		conn := s.expectConnected(ctx)
		Expect(conn.Probe(ctx)).To(Succeed())
		fault := throttling(20 * time.Second)
		fault.Times = 1
		Expect(s.Inject(fault)).To(Succeed())
		fault = throttling(0)
		fault.Times = 4
		Expect(s.Inject(fault)).To(Succeed())
		arrived, letGo := s.holdCalls("/release-packages")
		answers := make(chan error, 5)
		for range 5 {
			go func() { answers <- conn.Probe(ctx) }()
		}
		for range 5 {
			Eventually(ctx, arrived).Should(Receive())
		}
		for range 5 {
			letGo <- struct{}{}
			Expect(dataarts.KindOf(expectAnswer(ctx, answers))).To(Equal(dataarts.Throttled))
			s.clock.Step(time.Second)
		}
		Expect(conn.RetryAfter()).To(Equal(15 * time.Second))
	})

	It("each workspace object is told, but of a short pause", func(ctx SpecContext) {
		s := aSite()
		told := make(chan types.NamespacedName, 10)
		s.OnThrottled(func(name types.NamespacedName) { told <- name })
		conn := s.expectConnected(ctx)
		s.another(ctx, "staging", func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.WorkspaceID = "ef56" })
		s.another(ctx, "same", func(*v1alpha1.DataArtsWorkspace) {})
		Expect(s.Inject(throttling(2 * time.Second))).To(Succeed())
		Expect(conn.Probe(ctx)).NotTo(Succeed())
		Expect(conn.ThrottledUntil()).To(BeZero())
		s.clock.Step(2 * time.Second)
		Expect(told).To(BeEmpty())

		Expect(s.Inject(throttling(3 * time.Second))).To(Succeed())
		Expect(conn.Probe(ctx)).NotTo(Succeed())
		until := s.clock.Now().Add(3 * time.Second)
		Expect(conn.ThrottledUntil()).To(Equal(until))
		names := []types.NamespacedName{<-told, <-told, <-told}
		Expect(names).To(ConsistOf(production, key("staging"), key("same")))
		s.clock.Step(3*time.Second - time.Nanosecond)
		Expect(conn.ThrottledUntil()).To(Equal(until))
		s.clock.Step(time.Nanosecond)
		Expect(conn.ThrottledUntil()).To(BeZero())
		Expect(told).To(BeEmpty())
	})
})

var _ = Describe("When calls end without an answer", func() {
	lost := simulator.Fault{Kind: simulator.FaultDrop, Times: simulator.Forever}

	It("they are held back after the third, for longer and longer, and one at a time is tried", func(ctx SpecContext) {
		s := aSite()
		s.Pace = &eager{}
		conn := s.expectConnected(ctx)
		Expect(conn.Probe(ctx)).To(Succeed())
		Expect(s.Inject(lost)).To(Succeed())
		for range 2 {
			expectNoSecret(conn.Probe(ctx))
			Expect(conn.RetryAfter()).To(BeZero())
		}
		for _, pause := range []int{5, 10, 20, 40, 60, 60} {
			Expect(conn.Probe(ctx)).NotTo(Succeed())
			Expect(conn.RetryAfter()).To(Equal(time.Duration(pause) * time.Second))
			s.clock.Step(time.Duration(pause)*time.Second - time.Nanosecond)
			s.expectHeldBack(ctx, conn, dataarts.Unknown)
			s.clock.Step(time.Nanosecond)
		}
		s.Reset()
		Expect(conn.Probe(ctx)).To(Succeed())
		Expect(s.Inject(lost)).To(Succeed())
		for range 2 {
			Expect(conn.Probe(ctx)).NotTo(Succeed())
		}
		Expect(conn.RetryAfter()).To(BeZero(), "an answer ends the case")
	})

	It("the others hear of a trial in vain", func(ctx SpecContext) {
		s := aSite()
		conn := s.expectConnected(ctx)
		Expect(s.Inject(lost)).To(Succeed())
		for range 3 {
			Expect(conn.Probe(ctx)).NotTo(Succeed())
		}
		s.clock.Step(5 * time.Second)
		Expect(concurrently(ctx, conn, 10)).To(Equal(map[string]int{dataarts.Unknown.String(): 10}))
		Expect(s.calls()).To(Equal(4))
		s.Reset()
		s.clock.Step(10 * time.Second)
		Expect(concurrently(ctx, conn, 10)).To(Equal(map[string]int{"ok": 10}))
	})

	It("three do no harm that do not follow each other", func(ctx SpecContext) {
		s := aSite()
		conn := s.expectConnected(ctx)
		for range 5 {
			fault := lost
			fault.Times = 2
			Expect(s.Inject(fault)).To(Succeed())
			Expect(conn.Probe(ctx)).NotTo(Succeed())
			Expect(conn.Probe(ctx)).NotTo(Succeed())
			Expect(s.Inject(simulator.Fault{Kind: simulator.FaultError, Status: http.StatusBadGateway})).To(Succeed())
			Expect(conn.Probe(ctx)).NotTo(Succeed(), "which is an answer, though no good one")
		}
		Expect(conn.RetryAfter()).To(BeZero())
	})

	It("those that were given up by their callers prove nothing", func(ctx SpecContext) {
		s := aSite()
		conn := s.expectConnected(ctx)
		arrived, letGo := s.holdCalls("/release-packages")
		for range 5 {
			stopping, stop := context.WithCancel(ctx)
			answer := make(chan error, 1)
			go func() { answer <- conn.Probe(stopping) }()
			Eventually(ctx, arrived).Should(Receive())
			stop()
			Expect(expectAnswer(ctx, answer)).To(MatchError(context.Canceled))
			letGo <- struct{}{}
		}
		Expect(conn.RetryAfter()).To(BeZero())
	})

	It("nobody need be there at all", func(ctx SpecContext) {
		s := aSite()
		s.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.Endpoint = "http://127.0.0.1:1" })
		conn := s.expectConnected(ctx)
		for range 3 {
			Expect(dataarts.KindOf(conn.Probe(ctx))).To(Equal(dataarts.Unreachable))
		}
		s.expectHeldBack(ctx, conn, dataarts.Unreachable)
	})
})
