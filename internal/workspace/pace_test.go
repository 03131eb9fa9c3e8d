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

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// strict is a service that takes so many calls a second, and counts them in one of the ways that gateways do.
type strict struct {
	*site
	pace *eager
}

func aStrictSite(ctx context.Context, limits simulator.Limits, window simulator.RateWindow) *strict {
	GinkgoHelper()
	s := &strict{pace: &eager{now: time.Date(2025, 5, 13, 9, 48, 0, 300e6, time.UTC)}}
	s.site = aSite(assuming(func(a *simulator.Assumptions) { a.RateWindow = window }),
		func(o *simulator.Options) { o.Now = s.pace.Now })
	s.Clock, s.Pace = s.pace, s.pace
	s.storeSecret(ctx, keyToken, token) // A signature would bear the real time.
	s.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.RequestsPerSecond = 10 })
	Expect(s.SetLimits(limits)).To(Succeed())
	return s
}

// work makes one call after the other for a while, and returns how many a second were accepted. Who is told to wait
// does so.
func (s *strict) work(ctx context.Context, d time.Duration) float64 {
	GinkgoHelper()
	conn := s.expectConnected(ctx)
	accepted, end := 0, s.pace.Now().Add(d)
	for s.pace.Now().Before(end) {
		switch {
		case conn.Probe(ctx) == nil:
			accepted++
		case conn.RetryAfter() > 5*time.Second:
			s.pace.AfterFunc(conn.RetryAfter(), func() {})
		}
	}
	return float64(accepted) / d.Seconds()
}

var _ = Describe("Where the service takes less than the workspace says", func() {
	DescribeTable("most of that is made use of after a minute",
		func(ctx SpecContext, window simulator.RateWindow, others float64, retryAfter time.Duration) {
			for limit := 1; limit <= 10; limit++ {
				l := simulator.Limits{RateLimit: limit, OtherCalls: others * float64(limit), RetryAfter: retryAfter}
				if others > 0 && limit == 1 {
					continue // Half a call.
				}
				s := aStrictSite(ctx, l, window)
				s.work(ctx, time.Minute)
				got := s.work(ctx, 4*time.Minute) / (float64(limit) * (1 - others))
				Expect(got).To(BeNumerically(">=", 0.8), "of a limit of %d", limit)
			}
		},
		Entry("by the second", simulator.WindowSecond, 0.0, time.Duration(0)),
		Entry("by the second, and says how long to wait", simulator.WindowSecond, 0.0, time.Second),
		Entry("by the second, with someone else who takes half", simulator.WindowSecond, 0.5, time.Duration(0)),
		Entry("by the minute", simulator.WindowMinute, 0.0, time.Duration(0)),
		Entry("by the minute, with someone else who takes half", simulator.WindowMinute, 0.5, time.Duration(0)),
		Entry("from a bucket", simulator.WindowBucket, 0.0, time.Duration(0)),
		Entry("from a bucket, with someone else who takes half", simulator.WindowBucket, 0.5, time.Duration(0)),
	)

	It("a limit that is raised is found out within minutes", func(ctx SpecContext) {
		s := aStrictSite(ctx, simulator.Limits{RateLimit: 2}, simulator.WindowSecond)
		s.work(ctx, time.Minute)
		Expect(s.SetLimits(simulator.Limits{})).To(Succeed())
		s.work(ctx, 3*time.Minute)
		Expect(s.work(ctx, time.Minute)).To(BeNumerically("~", 9.8, .1))
	})

	It("one 429 by chance costs next to nothing", func(ctx SpecContext) {
		s := aStrictSite(ctx, simulator.Limits{}, simulator.WindowSecond)
		s.work(ctx, 10*time.Second)
		Expect(s.Inject(throttling(0))).To(Succeed())
		Expect(s.work(ctx, 30*time.Second)).To(BeNumerically(">", 8.8))
		Expect(s.work(ctx, time.Minute)).To(BeNumerically("~", 9.8, .1))
	})

	It("a service that takes nothing for a while is asked less and less, and at the pace from before when it is back",
		func(ctx SpecContext) {
			s := aStrictSite(ctx, simulator.Limits{}, simulator.WindowSecond)
			s.work(ctx, 10*time.Second)
			fault := throttling(0)
			fault.Times = simulator.Forever
			Expect(s.Inject(fault)).To(Succeed())
			before := s.calls()
			Expect(s.work(ctx, 2*time.Minute)).To(BeZero())
			Expect(s.calls() - before).To(BeNumerically("<=", 8))
			s.Reset()
			s.work(ctx, time.Minute)
			Expect(s.work(ctx, time.Minute)).To(BeNumerically(">", 9.5))
		})
})
