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
	"errors"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
	"github.com/dataarts-operator/dataarts-operator/internal/workspace"
)

// unreadable lets the answers to an operation have a shape that nobody knows.
func unreadable(op simulator.Operation) simulator.Fault {
	return simulator.Fault{Operation: op, Kind: simulator.FaultRaw, Status: 200, ContentType: "application/json",
		Body: `{"data":[{"package_id":["13"],"pending_item_id":["26"]}],"total":1}`, Times: simulator.Forever}
}

var _ = Describe("Answers that cannot be read", func() {
	DescribeTable("are a reason to change nothing until one can",
		func(ctx SpecContext, op simulator.Operation, call func(context.Context, *workspace.Connection) error) {
			s := aSite()
			conn := s.expectConnected(ctx)
			Expect(conn.CheckAnswers(ctx)).To(Succeed())
			Expect(s.Inject(unreadable(op))).To(Succeed())
			Expect(call(ctx, conn)).NotTo(Succeed())

			before := s.calls()
			for range 10 {
				Expect(dataarts.KindOf(conn.CheckAnswers(ctx))).To(Equal(dataarts.Unknown))
			}
			Expect(s.calls()-before).To(Equal(1), "one call serves all who ask")

			s.Reset()
			before = s.calls()
			s.clock.Step(6 * time.Second)
			Expect(conn.CheckAnswers(ctx)).To(Succeed())
			Expect(conn.CheckAnswers(ctx)).To(Succeed())
			Expect(s.calls() - before).To(Equal(1))
		},
		Entry("of the list", simulator.OpList,
			func(ctx context.Context, conn *workspace.Connection) error { return conn.Probe(ctx) }),
		Entry("of the pending list", simulator.OpListItems, func(ctx context.Context, conn *workspace.Connection) error {
			_, err := conn.PendingItems(ctx)
			return err
		}),
	)

	It("are no such reason once another call has shown that they can be read", func(ctx SpecContext) {
		s := aSite()
		conn := s.expectConnected(ctx)
		fault := unreadable(simulator.OpPack)
		fault.Times = 1
		Expect(s.Inject(fault)).To(Succeed())
		Expect(conn.AcquirePackNow(ctx)).To(Succeed())
		_, err := conn.Pack(ctx, aRequest)
		Expect(err).To(HaveOccurred())
		Expect(conn.Probe(ctx)).To(Succeed())
		before := s.calls()
		Expect(conn.CheckAnswers(ctx)).To(Succeed())
		Expect(s.calls()).To(Equal(before))
	})

	DescribeTable("are told from failures that the service reports", func(ctx SpecContext, fault simulator.Fault) {
		s := aSite()
		conn := s.expectConnected(ctx)
		fault.Operation = simulator.OpList
		Expect(s.Inject(fault)).To(Succeed())
		Expect(conn.Probe(ctx)).NotTo(Succeed())
		before := s.calls()
		Expect(conn.CheckAnswers(ctx)).To(Succeed())
		Expect(s.calls()).To(Equal(before))
	},
		Entry("a refusal", simulator.Fault{Kind: simulator.FaultError, Status: 400, Code: "DLF.3051"}),
		Entry("trouble", simulator.Fault{Kind: simulator.FaultError, Status: 500, Code: "DLF.3051"}),
		Entry("no answer", simulator.Fault{Kind: simulator.FaultDrop}),
	)

	It("are met by one request to pack at most, where no package was seen yet", func(ctx SpecContext) {
		s := aSite()
		conn := s.expectConnected(ctx)
		Expect(conn.Probe(ctx)).To(Succeed())
		Expect(conn.AcquirePackNow(ctx)).To(Succeed())
		var busy *workspace.BusyError
		Expect(errors.As(conn.AcquirePackNow(ctx), &busy)).To(BeTrue())
		first := busy.After
		Expect(errors.As(conn.AcquirePackNow(ctx), &busy)).To(BeTrue())
		Expect(busy.After).To(BeNumerically(">", first), "those who are sent away come back one after the other")
		Expect(conn.UnpackForNobody(ctx)).To(Succeed())
		Expect(errors.As(conn.AcquirePackNow(ctx), &busy)).To(BeTrue(), "what a batch hands back is no request to pack")
		conn.ReleasePack()
		Expect(conn.AcquirePackNow(ctx)).To(Succeed())
		Expect(conn.Pack(ctx, aRequest)).NotTo(BeEmpty())
		for range 3 {
			Expect(conn.AcquirePackNow(ctx)).To(Succeed())
		}
	})
})
