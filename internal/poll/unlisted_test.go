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
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/poll"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// fate is what becomes of a package.
type fate func(c *simulator.Console, id string) error

func and(fates ...fate) fate {
	return func(c *simulator.Console, id string) error {
		for _, f := range fates {
			if err := f(c, id); err != nil {
				return err
			}
		}
		return nil
	}
}

var (
	deployed  fate = (*simulator.Console).Deploy
	failed         = and((*simulator.Console).StartDeploy, (*simulator.Console).FailDeploy)
	withdrawn fate = (*simulator.Console).Withdraw
	vanished  fate = (*simulator.Console).Vanish
	mystified fate = func(c *simulator.Console, id string) error { return c.SetState(id, 4) }
)

// withdrawing says what becomes of withdrawn packages, refusing that the service refuses to show what it does not have.
func withdrawing(w simulator.WithdrawnPackage) func(*simulator.Options) {
	return assuming(func(a *simulator.Assumptions) { a.WithdrawnPackage = w })
}

func refusing(o *simulator.Options) { o.Assumptions.UnknownShown = simulator.CodeInvalidParameter }

func asBefore(*simulator.Options) {}

func showing(status dataarts.DeployStatus, items int) types.GomegaMatcher {
	return And(HaveField("Gone", BeFalse()), HaveField("Hidden", BeNil()),
		HaveField("Package", HaveValue(And(HaveField("Status", status), HaveField("Deleted", BeFalse()),
			HaveField("Items", HaveLen(items))))))
}

var (
	showingDeleted = And(HaveField("Gone", BeFalse()), HaveField("Package", HaveValue(HaveField("Deleted", BeTrue()))))
	showingNone    = And(HaveField("Gone", BeTrue()), HaveField("Hidden", BeNil()), HaveField("Package", BeNil()))
	showingNothing = And(HaveField("Gone", BeFalse()), HaveField("Hidden", HaveOccurred()), HaveField("Package", BeNil()),
		HaveField("Err", BeNil()))
)

var _ = Describe("A package that left the list", func() {
	DescribeTable("is looked at by itself and told",
		func(ctx SpecContext, service func(*simulator.Options), becomes fate, want types.GomegaMatcher, costs cost) {
			s := aSite(service)
			ids := s.packages(3)
			s.subscribe(ids)
			s.expectQuietRun(ctx, cost{lists: 1})
			Expect(becomes(s.console, ids[1])).To(Succeed())
			took, told := s.run(ctx)
			Expect(told).To(Equal(ids[1:2]))
			Expect(s.latest(ids[1])).To(want)
			Expect(took).To(Equal(costs))

			s.Unsubscribe(object(ids[1]))
			s.expectQuietRun(ctx, cost{lists: 1})
		},
		Entry("deployed", asBefore, deployed, showing(dataarts.StatusDeployed, 1), cost{1, 1}),
		Entry("failed", asBefore, failed, showing(dataarts.StatusDeployFailed, 1), cost{1, 1}),
		Entry("in a state that nobody documented", asBefore, mystified, showing(4, 1), cost{1, 1}),
		Entry("withdrawn while in review, which the list tells", asBefore, withdrawn, showingDeleted, cost{1, 0}),
		Entry("withdrawn after it failed", asBefore, and(failed, withdrawn), showingDeleted, cost{1, 1}),
		Entry("withdrawn where such are not listed", withdrawing(simulator.PackageUnlisted), withdrawn, showingDeleted,
			cost{1, 1}),
		Entry("withdrawn where such are gone", withdrawing(simulator.PackageGone), withdrawn, showingNone, cost{1, 1}),
		Entry("vanished", asBefore, vanished, showingNone, cost{1, 1}),
		Entry("vanished where the service refuses to show such, and does not list it", refusing, vanished, showingNothing,
			cost{2, 1}),
	)

	It("is looked for in the list by its name where the service refuses to show it", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(3)
		s.subscribe(ids)
		Expect(deployed(s.console, ids[1])).To(Succeed())
		s.failing(1, only(simulator.OpShow, refused))
		took, told := s.run(ctx)
		Expect(told).To(Equal(ids[1:2]))
		Expect(took).To(Equal(cost{lists: 2, shows: 1}))
		Expect(s.latest(ids[1])).To(showing(dataarts.StatusDeployed, 0))
	})

	It("is not looked for without a name", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(3)
		s.subscribe(ids, nameless)
		Expect(deployed(s.console, ids[1])).To(Succeed())
		s.failing(1, only(simulator.OpShow, refused))
		took, told := s.run(ctx)
		Expect(told).To(Equal(ids[1:2]))
		Expect(took).To(Equal(cost{lists: 1, shows: 1}))
		Expect(s.latest(ids[1])).To(showingNothing)
	})

	It("proves nothing where that look fails", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(3)
		s.subscribe(ids)
		Expect(deployed(s.console, ids[1])).To(Succeed())
		s.failing(1, only(simulator.OpShow, refused))
		s.before(simulator.OpShow, 1, func() {
			s.failing(1, only(simulator.OpList, badGateway))
		})
		_, told := s.run(ctx)
		Expect(told).To(BeEmpty())
		_, told = s.run(ctx)
		Expect(told).To(Equal(ids[1:2]))
	})

	DescribeTable("is not told of if that is known",
		func(ctx SpecContext, service func(*simulator.Options), becomes fate, state poll.RemoteState, costs cost) {
			s := aSite(service)
			ids := s.packages(3)
			s.subscribe(ids)
			s.subscribe(ids[1:2], known(state))
			Expect(becomes(s.console, ids[1])).To(Succeed())
			s.expectQuietRun(ctx, costs)
		},
		Entry("failed", asBefore, failed, poll.RemoteState{Status: dataarts.StatusDeployFailed}, cost{lists: 1}),
		Entry("withdrawn while in review", asBefore, withdrawn, poll.RemoteState{Deleted: true}, cost{lists: 1}),
		Entry("withdrawn after it failed", asBefore, and(failed, withdrawn), poll.RemoteState{Deleted: true}, cost{1, 1}),
		Entry("gone", asBefore, vanished, poll.RemoteState{Gone: true}, cost{1, 1}),
		Entry("hidden", refusing, vanished, poll.RemoteState{Hidden: true}, cost{2, 1}),
	)

	It("as a list has it that is out of date, is looked at before it is believed", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(3)
		Expect(s.console.StartDeploy(ids[1])).To(Succeed())
		s.subscribe(ids)
		s.subscribe(ids[1:2], known(deploying))
		s.failing(1, simulator.Fault{Operation: simulator.OpList, Kind: simulator.FaultStale, Behind: 1})
		s.expectQuietRun(ctx, cost{1, 1})
		Expect(s.console.SetState(ids[1], simulator.StateReview)).To(Succeed())
		took, told := s.run(ctx)
		Expect(took).To(Equal(cost{1, 1}))
		Expect(told).To(Equal(ids[1:2]), "it has indeed gone back")
	})
})
