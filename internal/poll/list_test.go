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
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// paging says what an offset counts and how many rows a page has at most, though more are asked for.
func paging(offset simulator.OffsetMeaning, most int) func(*simulator.Options) {
	return assuming(func(a *simulator.Assumptions) { a.Offset, a.MaxLimit, a.OverLimit = offset, most, simulator.Accept })
}

// emptied answers a list as if there were nothing.
var emptied = simulator.Fault{
	Operation: simulator.OpList, Kind: simulator.FaultRaw, Status: http.StatusOK, ContentType: "application/json",
	Body: `{"data":[],"total":0}`,
}

var _ = Describe("A list of several pages", func() {
	DescribeTable("comes out right, whatever the service takes for a page",
		func(ctx SpecContext, offset simulator.OffsetMeaning, most, lists int) {
			s := aSite(paging(offset, most))
			ids := s.packages(250)
			s.subscribe(ids)
			s.expectQuietRun(ctx, cost{lists: lists})
			changed := []string{ids[0], ids[99], ids[100], ids[150], ids[249]}
			for _, id := range changed {
				Expect(s.console.StartDeploy(id)).To(Succeed())
			}
			took, told := s.run(ctx)
			Expect(told).To(ConsistOf(changed))
			Expect(took).To(Equal(cost{lists: lists}))
		},
		Entry("pages of a hundred", simulator.OffsetPage, 0, 3),
		Entry("a hundred rows", simulator.OffsetRow, 0, 4),
		Entry("pages of ten", simulator.OffsetPage, 10, 25),
		Entry("ten rows", simulator.OffsetRow, 10, 26),
		Entry("pages of sixty", simulator.OffsetPage, 60, 5),
		Entry("sixty rows", simulator.OffsetRow, 60, 6),
		Entry("pages of two", simulator.OffsetPage, 2, 125),
		Entry("two rows", simulator.OffsetRow, 2, 126),
	)

	DescribeTable("costs a look at each package that slips from one to the other meanwhile",
		func(ctx SpecContext, offset simulator.OffsetMeaning, page int, want cost, change fate, which int) {
			s := aSite(paging(offset, 0))
			ids := s.packages(250)
			s.subscribe(ids)
			s.before(simulator.OpList, int32(page), func() { Expect(change(s.console, ids[which])).To(Succeed()) })
			s.expectQuietRun(ctx, want) // It was listed before it changed.
			_, told := s.run(ctx)
			Expect(told).To(Equal([]string{ids[which]}))
		},
		Entry("when the newest is deployed", simulator.OffsetPage, 2, cost{3, 1}, deployed, 249),
		Entry("when the newest vanishes", simulator.OffsetPage, 3, cost{3, 1}, vanished, 249),
		Entry("when the newest is deployed, where rows are counted", simulator.OffsetRow, 3, cost{4, 1}, deployed, 249),
		Entry("when one in the middle vanishes", simulator.OffsetPage, 3, cost{3, 1}, vanished, 120),
	)

	DescribeTable("misses nothing that was there when others come meanwhile",
		func(ctx SpecContext, offset simulator.OffsetMeaning) {
			s := aSite(paging(offset, 0))
			ids := s.packages(250)
			s.subscribe(ids)
			s.before(simulator.OpList, 2, func() { s.packages(7) })
			took, told := s.run(ctx)
			Expect(told).To(BeEmpty())
			Expect(took.shows).To(BeZero())
		},
		Entry("before the second page", simulator.OffsetPage),
		Entry("before the second row", simulator.OffsetRow),
	)

	It("never proves that a package is gone, not even if it is empty for once", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(250)
		s.subscribe(ids)
		s.failing(1, emptied)
		s.expectQuietRun(ctx, cost{lists: 1, shows: 100})
		s.expectQuietRun(ctx, cost{lists: 3})
	})

	It("leads to looks at all packages if it is empty time and again, some in each run", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(250)
		s.subscribe(ids)
		s.failing(simulator.Forever, emptied)
		began := s.clock.Now()
		for _, shows := range []int{100, 100, 50} {
			s.expectQuietRun(ctx, cost{lists: 1, shows: shows})
		}
		Expect(s.clock.Since(began)).To(Equal(time.Second), "one after the other")
	})

	DescribeTable("shows all packages whatever the service's clock says", func(ctx SpecContext, offset time.Duration) {
		s := aSite(func(o *simulator.Options) { o.Assumptions.ClockOffset = int(offset.Seconds()) })
		ids := s.packages(3)
		s.subscribe(ids)
		s.expectQuietRun(ctx, cost{lists: 1})
	},
		Entry("hours ahead", 8*time.Hour),
		Entry("hours behind", -8*time.Hour),
	)

	It("that says less than it counts leads to looks too", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(3)
		s.subscribe(ids)
		short := emptied
		short.Body = `{"data":[],"total":3}`
		s.failing(1, short)
		s.expectQuietRun(ctx, cost{lists: 1, shows: 3})
	})
})

var _ = Describe("Packages of other people", func() {
	It("make for looks at one package after the other where these cost less, and for a list when they have gone",
		func(ctx SpecContext) {
			s := aSite()
			ids := s.packages(3)
			theirs := s.packages(450)
			s.subscribe(ids)
			s.expectQuietRun(ctx, cost{lists: 1, shows: 3})
			s.expectQuietRun(ctx, cost{shows: 3})
			s.expectQuietRun(ctx, cost{shows: 3})
			s.expectQuietRun(ctx, cost{shows: 3})
			s.expectQuietRun(ctx, cost{lists: 1, shows: 3}) // The list may have grown shorter.
			for _, id := range theirs {
				Expect(s.console.Deploy(id)).To(Succeed())
			}
			for range 3 {
				s.expectQuietRun(ctx, cost{shows: 3})
			}
			s.expectQuietRun(ctx, cost{lists: 1})
			s.expectQuietRun(ctx, cost{lists: 1})
		})
})
