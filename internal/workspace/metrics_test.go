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
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// metric is a counter's or gauge's value, or how often a histogram was fed. Labels are given as name=value.
func metric(name string, labels ...string) float64 {
	GinkgoHelper()
	families, err := metrics.Registry.Gather()
	Expect(err).NotTo(HaveOccurred())
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			var got []string
			for _, l := range m.GetLabel() {
				got = append(got, l.GetName()+"="+l.GetValue())
			}
			if strings.Join(got, ",") == strings.Join(labels, ",") {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return 0
}

// exposeMetrics registers the gauges of the site's budgets until the spec ends.
func (s *site) exposeMetrics() {
	GinkgoHelper()
	Expect(metrics.Registry.Register(s.Metrics())).To(Succeed())
	DeferCleanup(metrics.Registry.Unregister, s.Metrics())
}

var _ = Describe("The metrics", func() {
	const calls, took, waited, waiting, held = "dataarts_operator_service_calls_total",
		"dataarts_operator_service_call_duration_seconds",
		"dataarts_operator_budget_wait_seconds", "dataarts_operator_budget_waiting", "dataarts_operator_budget_held_back"

	It("count the calls, and what came of them", func(ctx SpecContext) {
		s := aSite()
		conn := s.expectConnected(ctx)
		ok, missing := metric(calls, "operation=list_packages", "result=ok"),
			metric(calls, "operation=unpack", "result=not_found")
		listed, first := metric(took, "operation=list_packages"), metric(waited, "priority=change")
		Expect(conn.Probe(ctx)).To(Succeed())
		Expect(conn.Probe(ctx)).To(Succeed())
		Expect(conn.Unpack(ctx, "13")).NotTo(Succeed())
		Expect(metric(calls, "operation=list_packages", "result=ok") - ok).To(BeEquivalentTo(2))
		Expect(metric(calls, "operation=unpack", "result=not_found") - missing).To(BeEquivalentTo(1))
		Expect(metric(took, "operation=list_packages") - listed).To(BeEquivalentTo(2))
		Expect(metric(waited, "priority=change") - first).To(BeEquivalentTo(1))
	})

	It("show how many wait", func(ctx SpecContext) {
		s := aSite()
		conn := s.proved(ctx, 1)
		s.exposeMetrics()
		before := metric(waiting, "priority=lookup")
		answer := queue(ctx, conn, look(conn))
		Expect(metric(waiting, "priority=lookup") - before).To(BeEquivalentTo(1))
		s.clock.Step(2 * time.Second)
		_ = expectAnswer(ctx, answer)
		Expect(metric(waiting, "priority=lookup") - before).To(BeZero())
	})

	DescribeTable("show that calls are held back", func(ctx SpecContext, reason string, fault simulator.Fault, calls int,
		pause time.Duration) {
		s := aSite()
		conn := s.expectConnected(ctx)
		s.exposeMetrics()
		before := metric(held, "reason="+reason)
		fault.Times = calls
		Expect(s.Inject(fault)).To(Succeed())
		for range calls {
			Expect(conn.Probe(ctx)).NotTo(Succeed())
		}
		Expect(metric(held, "reason="+reason) - before).To(BeEquivalentTo(1))
		s.clock.Step(pause)
		Expect(metric(held, "reason="+reason) - before).To(BeZero())
	},
		Entry("after a 429", "throttled", throttling(30*time.Second), 1, 30*time.Second),
		Entry("after a 401", "rejected", simulator.Fault{Kind: simulator.FaultError, Status: http.StatusUnauthorized,
			Code: "APIGW.0301"}, 1, rejectedPause),
		Entry("without an answer", "unreachable", simulator.Fault{Kind: simulator.FaultDrop}, 3, 5*time.Second),
	)
})
