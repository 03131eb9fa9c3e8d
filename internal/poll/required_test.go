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
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/poll"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

var _ = Describe("A required look", func() {
	It("is told whatever it shows, a list or a look at one package", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(3)
		s.subscribe(ids[:1], s.assumed, required)
		assumed := s.latest(ids[0])
		Expect(assumed.Assumed).To(BeTrue(), "nobody has looked since the service named it")
		Expect(assumed.Began).To(Equal(s.clock.Now()))
		took, told := s.run(ctx)
		Expect(took).To(Equal(cost{shows: 1}))
		Expect(told).To(Equal(ids[:1]))
		shown := s.latest(ids[0])
		Expect(shown.Assumed).To(BeFalse())
		Expect(s.latest(ids[0]).Package).To(
			HaveValue(And(HaveField("Status", dataarts.StatusPendingReview), HaveField("Items", HaveLen(1)))))

		s.subscribe(ids, required)
		took, told = s.run(ctx)
		Expect(took).To(Equal(cost{lists: 1}))
		Expect(told).To(Equal(ids))
		shown = s.latest(ids[2])
		Expect(shown.Assumed).To(BeFalse(), "a list is a look, too")
	})

	It("is not told before its time because of others, unless it shows something else", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(4)
		s.subscribe(ids[:2], s.assumed, required, within(5*time.Minute))
		s.subscribe(ids[2:], s.assumed)
		for range 3 {
			s.expectQuietRun(ctx, cost{lists: 1})
		}
		Expect(s.console.StartDeploy(ids[0])).To(Succeed())
		_, told := s.run(ctx)
		Expect(told).To(Equal(ids[:1]))
		s.Unsubscribe(object(ids[2]))
		s.Unsubscribe(object(ids[3]))
		s.Unsubscribe(object(ids[0]))
		began := s.clock.Now()
		_, told = s.run(ctx)
		Expect(told).To(Equal(ids[1:2]))
		Expect(s.clock.Since(began)).To(BeNumerically(">", 30*time.Second), "as it has asked for")
	})

	It("is made once for all who ask for one shortly after the other", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(20)
		for i := range ids {
			s.subscribe(ids[i:i+1], s.assumed, required)
			Expect(s.NextRun()).To(Equal(s.clock.Now().Add(time.Second)), "as long as someone asks, it is put off")
			s.clock.Step(200 * time.Millisecond)
		}
		took, told := s.run(ctx)
		Expect(took).To(Equal(cost{lists: 1}))
		Expect(told).To(ConsistOf(ids))
	})

	It("is not put off for longer than a few seconds", func() {
		s := aSite()
		ids := s.packages(30)
		began := s.clock.Now()
		for i := range ids[:15] {
			s.subscribe(ids[i:i+1], s.assumed, required)
			s.clock.Step(600 * time.Millisecond)
		}
		Expect(s.NextRun()).To(Equal(began.Add(5 * time.Second)))
	})

	It("does not wait for those who do not, and serves them too", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(10)
		s.subscribe(ids[:8], s.assumed)
		s.subscribe(ids[8:], s.assumed, required)
		asked := s.clock.Now()
		Expect(s.console.StartDeploy(ids[0])).To(Succeed())
		took, told := s.run(ctx)
		Expect(s.clock.Since(asked)).To(Equal(time.Second))
		Expect(took).To(Equal(cost{lists: 1}))
		Expect(told).To(ConsistOf(ids[0], ids[8], ids[9]))
	})

	It("says nothing if it began before the package was asked to change", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(1)
		s.subscribe(ids, s.assumed, required)
		_, told := s.run(ctx)
		Expect(told).To(Equal(ids))
		s.latest(ids[0])

		Expect(s.unpack(ctx, ids[0])).To(Succeed())
		s.expectNothingKnown(ids[0])
		s.subscribe(ids, required)
		s.expectNothingKnown(ids[0])
		_, told = s.run(ctx)
		Expect(told).To(Equal(ids))
		Expect(s.latest(ids[0]).Package.Deleted).To(BeTrue())
	})

	It("says nothing either if it was its caller's own", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(1)
		own := s.find(ctx, ids[0])
		Expect(own.Package).NotTo(BeNil())
		Expect(s.unpack(ctx, ids[0])).To(Succeed())
		s.subscribe(ids, required, observed(own))
		s.expectNothingKnown(ids[0])
	})

	It("says nothing either if a run of others ended since the request", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(2)
		own := s.find(ctx, ids[0])
		Expect(own.Package).NotTo(BeNil())
		Expect(s.unpack(ctx, ids[0])).To(Succeed())
		s.subscribe(ids[1:], s.assumed)
		s.expectQuietRun(ctx, cost{shows: 1})
		s.subscribe(ids[:1], required, observed(own))
		s.expectNothingKnown(ids[0])
	})

	It("says nothing if it was at the package that the object had before", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(2)
		Expect(s.console.Withdraw(ids[0])).To(Succeed())
		own := s.find(ctx, ids[0])
		s.subscribe(ids[1:], required, observed(own))
		s.expectNothingKnown(ids[1])
	})

	DescribeTable("says nothing if the request came while it was made",
		func(ctx SpecContext, during func(s *site, id string)) {
			s := aSite()
			ids := s.packages(2)
			s.subscribe(ids, s.assumed, required)
			stale := simulator.Fault{Operation: simulator.OpList, Kind: simulator.FaultStale, Behind: 1}
			s.failing(1, stale)
			s.before(simulator.OpList, 1, func() {
				Expect(s.unpack(ctx, ids[0])).To(Succeed())
				during(s, ids[0])
			})
			_, told := s.run(ctx)
			Expect(told).To(Equal(ids[1:]), "as the list showed both as they were before")
			s.expectNothingKnown(ids[0])
			took, told := s.run(ctx)
			Expect(took).To(Equal(cost{shows: 1}))
			Expect(told).To(Equal(ids[:1]))
			Expect(s.latest(ids[0]).Package.Deleted).To(BeTrue())
		},
		Entry("and that was all", func(*site, string) {}),
		Entry("and its object waits for the outcome", func(s *site, id string) { s.subscribe([]string{id}, required) }),
		Entry("and its object unsubscribed for a moment", func(s *site, id string) {
			s.Unsubscribe(object(id))
			s.subscribe([]string{id}, required)
		}),
	)

	It("does not undo what a later look has shown", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(2)
		failed := known(poll.RemoteState{Status: dataarts.StatusDeployFailed})
		Expect(s.console.StartDeploy(ids[0])).To(Succeed())
		s.subscribe(ids, s.assumed)
		s.failing(1, simulator.Fault{Operation: simulator.OpList, Kind: simulator.FaultStale, Behind: 1})
		s.before(simulator.OpList, 1, func() {
			Expect(s.console.FailDeploy(ids[0])).To(Succeed())
			own := s.find(ctx, ids[0])
			s.subscribe(ids[:1], failed, required, observed(own))
		})
		s.expectQuietRun(ctx, cost{lists: 1, shows: 1}) // The look is the object's own.
		Expect(s.latest(ids[0]).Package.Status).To(Equal(dataarts.StatusDeployFailed))
	})

	It("is not undone by its object, which has not seen it yet", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(2)
		s.subscribe(ids, s.assumed)
		own := s.find(ctx, ids[0])
		Expect(s.console.StartDeploy(ids[0])).To(Succeed())
		_, told := s.run(ctx)
		Expect(told).To(Equal(ids[:1]))
		s.subscribe(ids[:1], observed(own))
		Expect(s.latest(ids[0]).Package).To(HaveValue(HaveField("Status", dataarts.StatusDeploying)),
			"there is a pass to come that takes it")
		s.subscribe(ids[:1], known(deploying))
		Expect(s.latest(ids[0]).Package).To(BeNil(), "it is on record now")
	})

	It("is not taken for one at the package that its object had before", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(2)
		s.subscribe(ids[:1], s.assumed)
		Expect(s.console.Vanish(ids[0])).To(Succeed())
		s.before(simulator.OpShow, 1, func() {
			s.subscribe(ids[1:], s.assumed, func(to *poll.Subscription) { to.Object = object(ids[0]) })
		})
		s.expectQuietRun(ctx, cost{shows: 1})
		v, ok := s.Latest(object(ids[0]), ids[1])
		Expect(ok).To(BeTrue())
		Expect(v.Gone).To(BeFalse())
	})
})
