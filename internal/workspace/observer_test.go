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

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/poll"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

var _ = Describe("What is watched", func() {
	It("is looked at from the first watch to the last, and nothing is before and after", func(ctx SpecContext) {
		l := aLookout(ctx)
		Expect(l.Poller().NextRun().IsZero()).To(BeTrue())
		Expect(l.Poller().RunNext(ctx)).To(BeFalse())

		ids := l.packages(2)
		l.follow(ids)
		Expect(l.Poller().NextRun()).To(Equal(l.clock.Now().Add(time.Second)), "soon, as nothing was seen of them yet")
		l.quietRound(ctx, cost{lists: 1})
		l.Poller().Unsubscribe(object(ids[0]))
		l.quietRound(ctx, cost{shows: 1})

		l.Poller().Unsubscribe(object(ids[1]))
		l.Poller().Unsubscribe(object(ids[1]))
		Expect(l.Poller().NextRun().IsZero()).To(BeTrue())
		Expect(l.Poller().RunNext(ctx)).To(BeFalse())
		Expect(l.calls()).To(Equal(2))
		l.expectNoView(ids[1])
	})

	It("costs a look at it where there is nothing else, once an interval", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(3)
		l.follow(ids[:1], l.seen)
		for range 3 {
			began := l.clock.Now()
			l.quietRound(ctx, cost{shows: 1})
			Expect(l.clock.Since(began)).To(BeNumerically("~", interval+interval/20, interval/20))
		}
		Expect(l.view(ids[0])).To(Equal(poll.Observation{Began: l.clock.Now()}), "it is as it was, so that only the time counts")
	})

	It("costs one list for all, which wakes only those that have changed", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(40)
		l.follow(ids[:30])
		l.quietRound(ctx, cost{lists: 1})
		l.quietRound(ctx, cost{lists: 1})

		Expect(l.console.StartDeploy(ids[7])).To(Succeed())
		Expect(l.console.StartDeploy(ids[35])).To(Succeed())
		took, told := l.round(ctx)
		Expect(took).To(Equal(cost{lists: 1}))
		Expect(told).To(Equal([]string{ids[7]}))
		Expect(l.view(ids[7]).Package).To(HaveValue(And(
			HaveField("Status", dataarts.StatusDeploying), HaveField("Name", "rel-007"), HaveField("Items", BeEmpty()))))
		Expect(l.view(ids[8]).Package).To(BeNil())

		l.follow(ids[7:8], known(deploying))
		l.quietRound(ctx, cost{shows: 1})
		l.quietRound(ctx, cost{lists: 1})
	})

	It("is not looked at again until its object has answered, or much later", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(1)
		l.follow(ids, l.seen)
		Expect(l.console.StartDeploy(ids[0])).To(Succeed())
		_, told := l.round(ctx)
		Expect(told).To(Equal(ids))
		Expect(l.Poller().NextRun()).To(BeTemporally(">", l.clock.Now().Add(5*time.Minute)))
		_, told = l.round(ctx)
		Expect(told).To(Equal(ids), "should it have been lost on the way")
	})

	It("is told of again if it changes before the object has answered", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(3)
		l.follow(ids)
		Expect(l.console.StartDeploy(ids[0])).To(Succeed())
		_, told := l.round(ctx)
		Expect(told).To(Equal(ids[:1]))
		Expect(l.console.SetState(ids[0], simulator.StateReview)).To(Succeed())
		l.quietRound(ctx, cost{lists: 1})
		Expect(l.view(ids[0]).Package).To(BeNil(), "the latest look shows what was known before")
	})

	It("comes to be looked at together, though it was watched at different times", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(5)
		for i := range ids {
			l.follow(ids[i:i+1], l.seen)
			l.clock.Step(7 * time.Second)
		}
		first := l.Poller().NextRun()
		l.quietRound(ctx, cost{lists: 1})
		Expect(l.clock.Now()).To(Equal(first))
		l.quietRound(ctx, cost{lists: 1})
		Expect(l.clock.Since(first)).To(BeNumerically(">=", interval))
	})

	It("is looked at as often as its state asks for, others along with it", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(4)
		for _, id := range ids[:2] {
			Expect(l.console.StartDeploy(id)).To(Succeed())
		}
		l.follow(ids[:2], l.seen, known(deploying), within(5*time.Second))
		l.follow(ids[2:], l.seen)
		began := l.clock.Now()
		for range 7 {
			l.quietRound(ctx, cost{lists: 1})
		}
		Expect(l.clock.Since(began)).To(BeNumerically("<", interval))
		for l.clock.Since(began) < 4*interval {
			l.quietRound(ctx, cost{lists: 1})
		}
		Expect(l.view(ids[3]).Began).To(BeTemporally(">", l.clock.Now().Add(-interval-interval/10)))
	})

	It("is another package where the object has another one", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(2)
		l.follow(ids[:1], l.seen)
		l.quietRound(ctx, cost{shows: 1})
		l.follow(ids[1:], func(w *poll.Subscription) { w.Object = object(ids[0]) })
		_, ok := l.Poller().Latest(object(ids[0]), ids[0])
		Expect(ok).To(BeFalse())
		_, ok = l.Poller().Latest(object(ids[0]), ids[1])
		Expect(ok).To(BeFalse(), "nothing was seen of it yet")
		Expect(l.console.Vanish(ids[0])).To(Succeed())
		l.quietRound(ctx, cost{shows: 1})
	})

	It("is looked at by Start when its time has come, which ends with its context", func(ctx SpecContext) {
		s := aSite()
		s.Clock = nil // The real one.
		l := watchFrom(ctx, s)
		ids := l.packages(2)
		run, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- l.Poller().Start(run) }()

		l.follow(ids, within(200*time.Millisecond))
		Eventually(ctx, func() int { return l.Counts()[simulator.OpList] }).WithTimeout(10 * time.Second).Should(BeNumerically(">=", 2))
		Expect(l.console.StartDeploy(ids[1])).To(Succeed())
		Eventually(ctx, l.news).WithTimeout(10 * time.Second).Should(Equal(ids[1:]))
		stop()
		Eventually(ctx, done).WithTimeout(10 * time.Second).Should(Receive(BeNil()))
		calls := l.calls()
		l.follow(ids, awaited, within(time.Millisecond))
		Consistently(ctx, l.calls).WithTimeout(50 * time.Millisecond).Should(Equal(calls))
	})
})
