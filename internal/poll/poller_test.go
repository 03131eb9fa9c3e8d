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
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/utils/clock"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/poll"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

var _ = Describe("What is subscribed to", func() {
	It("is looked at from the first subscription to the last, and nothing is before and after", func(ctx SpecContext) {
		s := aSite()
		Expect(s.NextRun().IsZero()).To(BeTrue())
		Expect(s.RunNext(ctx)).To(BeFalse())

		ids := s.packages(2)
		s.subscribe(ids)
		Expect(s.NextRun()).To(Equal(s.clock.Now().Add(time.Second)), "soon, as nothing was seen of them yet")
		s.expectQuietRun(ctx, cost{lists: 1})
		s.Unsubscribe(object(ids[0]))
		s.expectQuietRun(ctx, cost{shows: 1})

		s.Unsubscribe(object(ids[1]))
		s.Unsubscribe(object(ids[1]))
		Expect(s.NextRun().IsZero()).To(BeTrue())
		Expect(s.RunNext(ctx)).To(BeFalse())
		Expect(s.calls()).To(Equal(2))
		s.expectNothingKnown(ids[1])
	})

	It("costs a look at it where there is nothing else, once an interval", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(3)
		s.subscribe(ids[:1], s.assumed)
		for range 3 {
			began := s.clock.Now()
			s.expectQuietRun(ctx, cost{shows: 1})
			Expect(s.clock.Since(began)).To(BeNumerically("~", interval+interval/20, interval/20))
		}
		Expect(s.latest(ids[0])).To(Equal(poll.Observation{Began: s.clock.Now()}),
			"it is as it was, so that only the time counts")
	})

	It("costs one list for all, which wakes only those that have changed", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(40)
		s.subscribe(ids[:30])
		s.expectQuietRun(ctx, cost{lists: 1})
		s.expectQuietRun(ctx, cost{lists: 1})

		Expect(s.console.StartDeploy(ids[7])).To(Succeed())
		Expect(s.console.StartDeploy(ids[35])).To(Succeed())
		took, told := s.run(ctx)
		Expect(took).To(Equal(cost{lists: 1}))
		Expect(told).To(Equal([]string{ids[7]}))
		Expect(s.latest(ids[7]).Package).To(HaveValue(And(
			HaveField("Status", dataarts.StatusDeploying), HaveField("Name", "rel-007"), HaveField("Items", BeEmpty()))))
		Expect(s.latest(ids[8]).Package).To(BeNil())

		s.subscribe(ids[7:8], known(deploying), every(interval/2))
		s.expectQuietRun(ctx, cost{shows: 1})
		s.expectQuietRun(ctx, cost{lists: 1})
	})

	It("is not looked at again until its object has answered, or much later", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(1)
		s.subscribe(ids, s.assumed)
		Expect(s.console.StartDeploy(ids[0])).To(Succeed())
		_, told := s.run(ctx)
		Expect(told).To(Equal(ids))
		Expect(s.NextRun()).To(BeTemporally(">", s.clock.Now().Add(5*time.Minute)))
		_, told = s.run(ctx)
		Expect(told).To(Equal(ids), "should it have been lost on the way")
	})

	It("is told of again if it changes before the object has answered", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(3)
		s.subscribe(ids)
		Expect(s.console.StartDeploy(ids[0])).To(Succeed())
		_, told := s.run(ctx)
		Expect(told).To(Equal(ids[:1]))
		Expect(s.console.SetState(ids[0], simulator.StateReview)).To(Succeed())
		s.expectQuietRun(ctx, cost{lists: 1})
		Expect(s.latest(ids[0]).Package).To(BeNil(), "the latest look shows what was known before")
	})

	It("comes to be looked at together, though that was done at different times", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(5)
		for i := range ids {
			s.subscribe(ids[i:i+1], s.assumed)
			s.clock.Step(7 * time.Second)
		}
		first := s.NextRun()
		s.expectQuietRun(ctx, cost{lists: 1})
		Expect(s.clock.Now()).To(Equal(first))
		s.expectQuietRun(ctx, cost{lists: 1})
		Expect(s.clock.Since(first)).To(BeNumerically(">=", interval))
	})

	It("is looked at as often as its state asks for, others along with it", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(4)
		for _, id := range ids[:2] {
			Expect(s.console.StartDeploy(id)).To(Succeed())
		}
		s.subscribe(ids[:2], s.assumed, known(deploying), within(5*time.Second))
		s.subscribe(ids[2:], s.assumed)
		began := s.clock.Now()
		for range 7 {
			s.expectQuietRun(ctx, cost{lists: 1})
		}
		Expect(s.clock.Since(began)).To(BeNumerically("<", interval))
		for s.clock.Since(began) < 4*interval {
			s.expectQuietRun(ctx, cost{lists: 1})
		}
		Expect(s.latest(ids[3]).Began).To(BeTemporally(">", s.clock.Now().Add(-interval-interval/10)))
	})

	It("is another package where the object has another one", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(2)
		s.subscribe(ids[:1], s.assumed)
		s.expectQuietRun(ctx, cost{shows: 1})
		s.subscribe(ids[1:], func(to *poll.Subscription) { to.Object = object(ids[0]) })
		_, ok := s.Latest(object(ids[0]), ids[0])
		Expect(ok).To(BeFalse())
		_, ok = s.Latest(object(ids[0]), ids[1])
		Expect(ok).To(BeFalse(), "nothing was seen of it yet")
		Expect(s.console.Vanish(ids[0])).To(Succeed())
		s.expectQuietRun(ctx, cost{shows: 1})
	})

	It("is looked at by Start when its time has come, which ends with its context", func(ctx SpecContext) {
		s := aSiteWith(clock.RealClock{})
		ids := s.packages(2)
		run, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- s.Start(run) }()

		s.subscribe(ids, within(200*time.Millisecond))
		Eventually(ctx, func() int { return s.Counts()[simulator.OpList] }).WithTimeout(10 * time.Second).Should(
			BeNumerically(">=", 2))
		Expect(s.console.StartDeploy(ids[1])).To(Succeed())
		Eventually(ctx, s.news).WithTimeout(10 * time.Second).Should(Equal(ids[1:]))
		stop()
		Eventually(ctx, done).WithTimeout(10 * time.Second).Should(Receive(BeNil()))
		calls := s.calls()
		s.subscribe(ids, required, within(time.Millisecond))
		Consistently(ctx, s.calls).WithTimeout(50 * time.Millisecond).Should(Equal(calls))
	})
})
