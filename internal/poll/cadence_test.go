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

	"github.com/dataarts-operator/dataarts-operator/internal/poll"
)

// every says how long it is until a package is looked at, whatever the source says.
func every(d time.Duration) aspect { return func(s *poll.Subscription) { s.After, s.Paced = d, false } }

var _ = Describe("What a run costs", func() {
	It("is told to the source unless somebody waited for it", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(250)
		s.subscribe(ids)
		s.expectQuietRun(ctx, cost{lists: 3})
		Expect(s.source.polled.Load()).To(BeEquivalentTo(3))
		s.subscribe(ids[:1], required)
		s.run(ctx)
		Expect(s.source.polled.Load()).To(BeEquivalentTo(3))
	})

	It("does not count the look at a change", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(250)
		s.subscribe(ids)
		for _, id := range ids[:7] {
			Expect(s.console.Deploy(id)).To(Succeed())
		}
		took, told := s.run(ctx)
		Expect(told).To(Equal(ids[:7]))
		Expect(took).To(Equal(cost{lists: 3, shows: 7}))
		Expect(s.source.polled.Load()).To(BeEquivalentTo(3))
	})

	It("puts off what follows the source's interval, from one run to the next", func(ctx SpecContext) {
		s := aSite()
		s.subscribe(s.packages(2))
		s.expectQuietRun(ctx, cost{lists: 1})
		s.source.interval = 5 * interval
		s.expectQuietRun(ctx, cost{lists: 1})
		began := s.clock.Now()
		s.expectQuietRun(ctx, cost{lists: 1})
		Expect(s.clock.Since(began)).To(Equal(5 * interval))
	})

	DescribeTable("bounds how often a package is looked at that is looked at more often",
		func(ctx SpecContext, least, want time.Duration) {
			s := aSite()
			s.source.least = least
			s.subscribe(s.packages(2), every(5*time.Second))
			s.expectQuietRun(ctx, cost{lists: 1})
			began := s.clock.Now()
			s.expectQuietRun(ctx, cost{lists: 1})
			Expect(s.clock.Since(began)).To(BeNumerically("~", want*21/20, want/20))
		},
		Entry("not where it costs little", time.Second, 5*time.Second),
		Entry("to its share", 20*time.Second, 20*time.Second),
	)
})
