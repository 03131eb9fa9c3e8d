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
	"errors"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/poll"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

var _ = Describe("Looks that fail", func() {
	It("are told to those who do not wait for them when that lasts, once, and then that it is over",
		func(ctx SpecContext) {
			s := aSite()
			ids := s.packages(2)
			s.subscribe(ids)
			s.failing(simulator.Forever, badGateway)
			s.expectQuietRun(ctx, cost{lists: 1})
			s.expectNothingKnown(ids[0])
			s.expectQuietRun(ctx, cost{lists: 1})
			_, told := s.run(ctx)
			Expect(told).To(Equal(ids), "the third in a row")
			v := s.latest(ids[0])
			Expect(v.Err).To(MatchError(ContainSubstring("no backend")))
			Expect(v).To(And(HaveField("Required", BeFalse()), HaveField("Gone", BeFalse()), HaveField("Package", BeNil())))

			s.subscribe(ids, telling(v.Err))
			for range 5 {
				s.expectQuietRun(ctx, cost{lists: 1})
				Expect(s.latest(ids[1]).Err).To(MatchError(v.Err))
			}
			s.Reset()
			_, told = s.run(ctx)
			Expect(told).To(Equal(ids), "it is over")
			Expect(s.latest(ids[0])).To(showing(dataarts.StatusPendingReview, 0))
			s.subscribe(ids)
			s.expectQuietRun(ctx, cost{lists: 1})
			Expect(s.latest(ids[0])).To(Equal(poll.Observation{Began: s.clock.Now()}))
		})

	It("are told again if they fail in another way", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(2)
		s.subscribe(ids, telling(errors.New("another one")))
		s.failing(simulator.Forever, forbidden)
		_, told := s.run(ctx)
		Expect(told).To(Equal(ids))
	})

	It("are made less and less often, but every few minutes", func(ctx SpecContext) {
		s := aSite()
		s.subscribe(s.packages(1))
		s.failing(simulator.Forever, badGateway)
		for _, seconds := range []int{1, 5, 10, 20, 40, 80, 160, 300, 300, 300} {
			pause, before := time.Duration(seconds)*time.Second, s.clock.Now()
			_, _ = s.run(ctx)
			Expect(s.clock.Since(before)).To(And(BeNumerically(">=", pause), BeNumerically("<=", pause+pause/10+1)))
		}
	})

	DescribeTable("are told at once where they will not pass by themselves",
		func(ctx SpecContext, fault simulator.Fault, kind dataarts.Kind) {
			s := aSite()
			ids := s.packages(2)
			s.subscribe(ids)
			s.failing(simulator.Forever, fault)
			_, told := s.run(ctx)
			Expect(told).To(Equal(ids))
			Expect(dataarts.KindOf(s.latest(ids[0]).Err)).To(Equal(kind))
		},
		Entry("as the credentials are not accepted", unauthored, dataarts.Unauthorized),
		Entry("as they may not list packages", forbidden, dataarts.Forbidden),
		Entry("as the service refuses lists", only(simulator.OpList, refused), dataarts.Refused),
	)

	It("for want of a source are told at once where that stands until someone acts, and cost nothing",
		func(ctx SpecContext) {
			s := aSite()
			ids := s.packages(2)
			s.subscribe(ids)
			s.expectQuietRun(ctx, cost{lists: 1})
			s.unresolved = lastingError{errors.New("no workspace object")}
			took, told := s.run(ctx)
			Expect(told).To(Equal(ids))
			Expect(took).To(Equal(cost{}))
			Expect(s.latest(ids[0]).Err).To(MatchError(s.unresolved))
		})

	It("for want of a source are told when that lasts where it may pass", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(2)
		s.subscribe(ids)
		s.unresolved = errors.New("the API server is away")
		s.expectQuietRun(ctx, cost{})
		s.expectQuietRun(ctx, cost{})
		_, told := s.run(ctx)
		Expect(told).To(Equal(ids))
	})

	It("are told at once to those who wait", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(3)
		s.subscribe(ids[:2], s.assumed, required)
		s.subscribe(ids[2:], within(time.Second))
		s.failing(1, badGateway)
		_, told := s.run(ctx)
		Expect(told).To(Equal(ids[:2]))
		Expect(s.latest(ids[0])).To(And(HaveField("Err", HaveOccurred()), HaveField("Required", BeTrue())))
		_, told = s.run(ctx)
		Expect(told).To(Equal(ids[:2]), "the next one works")
		Expect(s.latest(ids[0])).To(showing(dataarts.StatusPendingReview, 0))
	})

	It("conclude nothing about what the page showed that was not had", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(250)
		s.subscribe(ids)
		for _, id := range []string{ids[240], ids[10]} {
			Expect(s.console.StartDeploy(id)).To(Succeed())
		}
		f := only(simulator.OpList, badGateway)
		f.Skip = 1
		s.failing(1, f)
		took, told := s.run(ctx)
		Expect(took).To(Equal(cost{lists: 2}))
		Expect(told).To(Equal(ids[240:241]), "the first page has the newest")
		s.expectNothingKnown(ids[10])
		_, told = s.run(ctx)
		Expect(told).To(ContainElement(ids[10]))
	})

	It("conclude nothing if they were cut off", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(2)
		Expect(s.console.StartDeploy(ids[0])).To(Succeed())
		s.subscribe(ids, required)
		run, stop := context.WithCancel(ctx)
		s.before(simulator.OpList, 1, stop)
		s.clock.SetTime(s.NextRun())
		Expect(s.RunNext(run)).To(BeTrue())
		Expect(s.news()).To(BeEmpty())
		s.expectNothingKnown(ids[0])
		Expect(s.NextRun()).NotTo(BeTemporally(">", s.clock.Now()), "they are as due as before")
		_, told := s.run(ctx)
		Expect(told).To(Equal(ids))
	})

	It("of some packages do not hinder those at others", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(12)
		s.subscribe(ids, known(poll.RemoteState{})) // So that no list can show them.
		s.failing(2, only(simulator.OpShow, badGateway))
		took, told := s.run(ctx)
		Expect(took).To(Equal(cost{shows: 12}))
		Expect(told).To(HaveLen(10))
	})

	DescribeTable("end the run where the others would fare no better",
		func(ctx SpecContext, fault simulator.Fault, shows int) {
			s := aSite()
			ids := s.packages(12)
			s.subscribe(ids, known(poll.RemoteState{}), required)
			s.failing(simulator.Forever, fault)
			took, told := s.run(ctx)
			Expect(took).To(Equal(cost{shows: shows}))
			Expect(told).To(ConsistOf(ids))
		},
		Entry("as several in a row failed", badGateway, 3),
		Entry("as calls are held back", simulator.Fault{Kind: simulator.FaultError, Status: http.StatusTooManyRequests,
			Code: simulator.CodeThrottled}, 1),
		Entry("as the credentials are not accepted", unauthored, 1),
	)
})
