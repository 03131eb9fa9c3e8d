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
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/poll"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

var _ = Describe("A look that someone awaits", func() {
	It("is told whatever it shows, a list or a look at one package", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(3)
		l.follow(ids[:1], l.seen, awaited)
		assumed := l.view(ids[0])
		Expect(assumed.Assumed).To(BeTrue(), "nobody has looked since the service named it")
		Expect(assumed.Began).To(Equal(l.clock.Now()))
		took, told := l.round(ctx)
		Expect(took).To(Equal(cost{shows: 1}))
		Expect(told).To(Equal(ids[:1]))
		shown := l.view(ids[0])
		Expect(shown.Assumed).To(BeFalse())
		Expect(l.view(ids[0]).Package).To(HaveValue(And(HaveField("Status", dataarts.StatusPendingReview), HaveField("Items", HaveLen(1)))))

		l.follow(ids, awaited)
		took, told = l.round(ctx)
		Expect(took).To(Equal(cost{lists: 1}))
		Expect(told).To(Equal(ids))
		shown = l.view(ids[2])
		Expect(shown.Assumed).To(BeFalse(), "a list is a look, too")
	})

	It("is not told before its time because of others, unless it shows something else", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(4)
		l.follow(ids[:2], l.seen, awaited, within(5*time.Minute))
		l.follow(ids[2:], l.seen)
		for range 3 {
			l.quietRound(ctx, cost{lists: 1})
		}
		Expect(l.console.StartDeploy(ids[0])).To(Succeed())
		_, told := l.round(ctx)
		Expect(told).To(Equal(ids[:1]))
		l.Poller().Unsubscribe(object(ids[2]))
		l.Poller().Unsubscribe(object(ids[3]))
		l.Poller().Unsubscribe(object(ids[0]))
		began := l.clock.Now()
		_, told = l.round(ctx)
		Expect(told).To(Equal(ids[1:2]))
		Expect(l.clock.Since(began)).To(BeNumerically(">", 30*time.Second), "as it has asked for")
	})

	It("is made once for all who ask for one shortly after the other", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(20)
		for i := range ids {
			l.follow(ids[i:i+1], l.seen, awaited)
			Expect(l.Poller().NextRun()).To(Equal(l.clock.Now().Add(time.Second)), "as long as someone asks, it is put off")
			l.clock.Step(200 * time.Millisecond)
		}
		took, told := l.round(ctx)
		Expect(took).To(Equal(cost{lists: 1}))
		Expect(told).To(ConsistOf(ids))
	})

	It("is not put off for longer than a few seconds", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(30)
		began := l.clock.Now()
		for i := range ids[:15] {
			l.follow(ids[i:i+1], l.seen, awaited)
			l.clock.Step(600 * time.Millisecond)
		}
		Expect(l.Poller().NextRun()).To(Equal(began.Add(5 * time.Second)))
	})

	It("does not wait for those who only watch, and serves them too", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(10)
		l.follow(ids[:8], l.seen)
		l.follow(ids[8:], l.seen, awaited)
		asked := l.clock.Now()
		Expect(l.console.StartDeploy(ids[0])).To(Succeed())
		took, told := l.round(ctx)
		Expect(l.clock.Since(asked)).To(Equal(time.Second))
		Expect(took).To(Equal(cost{lists: 1}))
		Expect(told).To(ConsistOf(ids[0], ids[8], ids[9]))
	})

	It("says nothing if it began before the package was asked to change", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(1)
		l.follow(ids, l.seen, awaited)
		_, told := l.round(ctx)
		Expect(told).To(Equal(ids))
		l.view(ids[0])

		Expect(l.conn.Unpack(ctx, ids[0])).To(Succeed())
		l.expectNoView(ids[0])
		l.follow(ids, awaited)
		l.expectNoView(ids[0])
		_, told = l.round(ctx)
		Expect(told).To(Equal(ids))
		Expect(l.view(ids[0]).Package.Deleted).To(BeTrue())
	})

	It("says nothing either if it was its caller's own", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(1)
		own := l.conn.Find(ctx, ids[0], "")
		Expect(own.Package).NotTo(BeNil())
		Expect(l.conn.Unpack(ctx, ids[0])).To(Succeed())
		l.follow(ids, awaited, func(w *poll.Subscription) { w.Observed = &own })
		l.expectNoView(ids[0])
	})

	It("says nothing either if a round of others ended since the request", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(2)
		own := l.conn.Find(ctx, ids[0], "")
		Expect(own.Package).NotTo(BeNil())
		Expect(l.conn.Unpack(ctx, ids[0])).To(Succeed())
		l.follow(ids[1:], l.seen)
		l.quietRound(ctx, cost{shows: 1})
		l.follow(ids[:1], awaited, func(w *poll.Subscription) { w.Observed = &own })
		l.expectNoView(ids[0])
	})

	It("says nothing if it was at the package that the object had before", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(2)
		Expect(l.console.Withdraw(ids[0])).To(Succeed())
		own := l.conn.Find(ctx, ids[0], "")
		l.follow(ids[1:], awaited, func(w *poll.Subscription) { w.Observed = &own })
		l.expectNoView(ids[1])
	})

	DescribeTable("says nothing if the request came while it was made", func(ctx SpecContext, during func(l *lookout, id string)) {
		l := aLookout(ctx)
		ids := l.packages(2)
		l.follow(ids, l.seen, awaited)
		stale := simulator.Fault{Operation: simulator.OpList, Kind: simulator.FaultStale, Behind: 1}
		l.failing(1, stale)
		l.before(simulator.OpList, 1, func() {
			Expect(l.conn.Unpack(ctx, ids[0])).To(Succeed())
			during(l, ids[0])
		})
		_, told := l.round(ctx)
		Expect(told).To(Equal(ids[1:]), "as the list showed both as they were before")
		l.expectNoView(ids[0])
		took, told := l.round(ctx)
		Expect(took).To(Equal(cost{shows: 1}))
		Expect(told).To(Equal(ids[:1]))
		Expect(l.view(ids[0]).Package.Deleted).To(BeTrue())
	},
		Entry("and that was all", func(*lookout, string) {}),
		Entry("and its object waits for the outcome", func(l *lookout, id string) { l.follow([]string{id}, awaited) }),
		Entry("and its object stopped watching for a moment", func(l *lookout, id string) {
			l.Poller().Unsubscribe(object(id))
			l.follow([]string{id}, awaited)
		}),
	)

	It("does not undo what a later look has shown", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(2)
		failed := known(poll.RemoteState{Status: dataarts.StatusDeployFailed})
		Expect(l.console.StartDeploy(ids[0])).To(Succeed())
		l.follow(ids, l.seen)
		l.failing(1, simulator.Fault{Operation: simulator.OpList, Kind: simulator.FaultStale, Behind: 1})
		l.before(simulator.OpList, 1, func() {
			Expect(l.console.FailDeploy(ids[0])).To(Succeed())
			own := l.conn.Find(ctx, ids[0], "")
			l.follow(ids[:1], failed, awaited, func(w *poll.Subscription) { w.Observed = &own })
		})
		l.quietRound(ctx, cost{lists: 1, shows: 1}) // The look is the object's own.
		Expect(l.view(ids[0]).Package.Status).To(Equal(dataarts.StatusDeployFailed))
	})

	It("is not undone by its object, which has not seen it yet", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(2)
		l.follow(ids, l.seen)
		own := l.conn.Find(ctx, ids[0], "")
		Expect(l.console.StartDeploy(ids[0])).To(Succeed())
		_, told := l.round(ctx)
		Expect(told).To(Equal(ids[:1]))
		l.follow(ids[:1], func(w *poll.Subscription) { w.Observed = &own })
		Expect(l.view(ids[0]).Package).To(HaveValue(HaveField("Status", dataarts.StatusDeploying)), "there is a pass to come that takes it")
		l.follow(ids[:1], known(deploying))
		Expect(l.view(ids[0]).Package).To(BeNil(), "it is on record now")
	})

	It("is not taken for one at the package that its object had before", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(2)
		l.follow(ids[:1], l.seen)
		Expect(l.console.Vanish(ids[0])).To(Succeed())
		l.before(simulator.OpShow, 1, func() {
			l.follow(ids[1:], l.seen, func(w *poll.Subscription) { w.Object = object(ids[0]) })
		})
		l.quietRound(ctx, cost{shows: 1})
		v, ok := l.Poller().Latest(object(ids[0]), ids[1])
		Expect(ok).To(BeTrue())
		Expect(v.Gone).To(BeFalse())
	})

	It("may be made of one's own as long as few do", func(ctx SpecContext) {
		l := aLookout(ctx)
		spare := func() (n int) {
			for l.conn.SpareLook() {
				n++
			}
			return n
		}
		Expect(spare()).To(Equal(2))
		l.clock.Step(9 * time.Second)
		Expect(spare()).To(BeZero())
		l.clock.Step(time.Second)
		Expect(spare()).To(Equal(1))
		l.clock.Step(time.Hour)
		Expect(spare()).To(Equal(2))
	})
})
