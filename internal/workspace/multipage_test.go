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
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

var _ = Describe("A list of several pages", func() {
	const turn = 1020 * time.Millisecond
	list := HaveSuffix("/release-packages")

	// paced is a pollSite whose calls wait by its clock, a second each.
	paced := func(ctx SpecContext, packages int) (*pollSite, []string) {
		s := aSite()
		s.Pace = s.clock
		l := &pollSite{site: s}
		ids := l.packages(packages)
		l.conn = l.proved(ctx, 1)
		return l, ids
	}
	// serve lets so many calls through, one after the other.
	serve := func(ctx SpecContext, l *pollSite, turns int) {
		GinkgoHelper()
		for range turns {
			before := len(l.Requests())
			Eventually(ctx, l.clock.HasWaiters, "10s", "1ms").Should(BeTrue())
			l.clock.Step(turn)
			Eventually(ctx, func() int { return len(l.Requests()) }, "10s", "1ms").Should(BeNumerically(">", before))
		}
	}

	It("lets busy ones pass, until someone comes to wait for it", func(ctx SpecContext) {
		l, ids := paced(ctx, 150)
		l.subscribe(ids, l.assumed)
		l.clock.SetTime(l.Poller().NextRun())
		Expect(l.conn.Probe(ctx)).To(Succeed())
		arrivals := l.arrivals()
		run := queue(ctx, l.conn, func(ctx context.Context) error {
			l.Poller().RunNext(ctx)
			return nil
		})
		for range 100 {
			queue(ctx, l.conn, look(l.conn))
		}
		serve(ctx, l, 5)
		Expect(arrivals()).NotTo(ContainElement(list))
		l.subscribe(ids[:1], required)
		serve(ctx, l, 1)
		Expect(arrivals()[5:]).To(HaveExactElements(list), "whoever waits for it has lent it their priority")
		Eventually(ctx, l.conn.Waiting, "10s", "1ms").Should(Equal(96))
		serve(ctx, l, 1)
		Expect(arrivals()[6:]).To(HaveExactElements(list), "what has begun goes on")
		Expect(expectAnswer(ctx, run)).To(Succeed())
	})

	It("has every other turn once it has begun, however many come", func(ctx SpecContext) {
		l, ids := paced(ctx, 350)
		found := make(chan []dataarts.Package, 1)
		search := queue(ctx, l.conn, func(ctx context.Context) error {
			packages, err := l.conn.Search(ctx, "rel-")
			found <- packages
			return err
		})
		arrivals := l.arrivals()
		l.clock.Step(turn)
		Eventually(ctx, arrivals, "10s", "1ms").Should(HaveLen(1))
		Eventually(ctx, l.conn.Waiting, "10s", "1ms").Should(Equal(1))
		for range 10 {
			queue(ctx, l.conn, look(l.conn))
		}
		for i, waiting := range []int{11, 10, 10, 9, 8} {
			l.clock.Step(turn)
			Eventually(ctx, arrivals, "10s", "1ms").Should(HaveLen(i + 2))
			Eventually(ctx, l.conn.Waiting, "10s", "1ms").Should(Equal(waiting))
		}
		Expect(arrivals()).To(HaveExactElements(list, list, HaveSuffix("/13"), list, HaveSuffix("/13"), list))
		Expect(expectAnswer(ctx, search)).To(Succeed())
		Expect(idsOf(<-found)).To(ConsistOf(ids))
	})

	It("and the looks at what it lacks keep nobody for long who comes to wait, however busy the budget is",
		func(ctx SpecContext) {
			l, ids := paced(ctx, 61)
			for _, id := range ids[:60] {
				Expect(l.console.Vanish(id)).To(Succeed()) // No list shows it any more.
			}
			l.subscribe(ids, l.assumed)
			l.clock.SetTime(l.Poller().NextRun())
			Expect(l.conn.Probe(ctx)).To(Succeed())
			told := make(chan struct{}, 200)
			l.Poller().OnChange(func(o types.NamespacedName) {
				if o == object(ids[60]) {
					told <- struct{}{}
				}
			})
			running, stop := context.WithCancel(ctx)
			defer stop()
			go func() {
				for running.Err() == nil {
					l.Poller().RunNext(running)
				}
			}()
			serve(ctx, l, 2) // The list, and the first look.
			for range 5 {
				go func() {
					for running.Err() == nil {
						_, _ = l.conn.Look(running, ids[60])
					}
				}()
			}
			serve(ctx, l, 6)
			l.subscribe(ids[60:], required)
			turns := 0
			for ; len(told) == 0 && turns < 400; turns++ {
				serve(ctx, l, 1)
			}
			Expect(turns).To(BeNumerically("<=", 40))
		})

	It("goes on where it was when the service asks for fewer calls", func(ctx SpecContext) {
		s := aSite()
		s.Pace = &eager{}
		ids := s.packages(250)
		conn := s.expectConnected(ctx)
		fault := throttling(0)
		fault.Operation, fault.Skip = simulator.OpList, 1
		Expect(s.Inject(fault)).To(Succeed())
		got, err := conn.Search(ctx, "rel-")
		Expect(err).NotTo(HaveOccurred())
		Expect(idsOf(got)).To(ConsistOf(ids))
		Expect(s.Counts()[simulator.OpList]).To(Equal(4), "one page was asked for twice")
	})

	It("is given up where the service asks for that again and again", func(ctx SpecContext) {
		s := aSite()
		s.Pace = &eager{}
		conn := s.expectConnected(ctx)
		fault := throttling(time.Second)
		fault.Operation, fault.Times = simulator.OpList, simulator.Forever
		Expect(s.Inject(fault)).To(Succeed())
		_, err := conn.Search(ctx, "rel-")
		Expect(dataarts.KindOf(err)).To(Equal(dataarts.Throttled), "those who wait for it have to tell of that")
		Expect(s.Counts()[simulator.OpList]).To(Equal(4))
	})
})
