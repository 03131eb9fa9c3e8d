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

package pending_test

import (
	"context"
	"slices"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

var _ = Describe("The lists that those who look for a forgotten package share", func() {
	var s *site

	BeforeEach(func() {
		s = aSite(assuming(func(a *simulator.Assumptions) { a.SharedItem = simulator.Accept }))
	})

	listed := func(packages []dataarts.Package, err error) []string {
		GinkgoHelper()
		Expect(err).NotTo(HaveOccurred())
		return idsOf(packages)
	}
	lists := func() int { return s.Counts()[simulator.OpList] }

	It("show what is not at an end, or all", func(ctx SpecContext) {
		ids := s.packages(4)
		Expect(s.console.Deploy(ids[0])).To(Succeed())
		Expect(s.console.Withdraw(ids[1])).To(Succeed())
		Expect(listed(s.shared.InFlight(ctx))).To(ConsistOf(ids[2], ids[3]))
		Expect(listed(s.shared.Recent(ctx))).To(ContainElements(ids[0], ids[2], ids[3]))
	})

	It("are read once a minute, however many ask", func(ctx SpecContext) {
		id := s.packages(1)[0]
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				defer GinkgoRecover()
				Expect(listed(s.shared.InFlight(ctx))).To(ConsistOf(id))
			})
		}
		group.Wait()
		Expect(lists()).To(Equal(1))
		s.clock.Step(61 * time.Second)
		Expect(listed(s.shared.InFlight(ctx))).To(ConsistOf(id))
		Expect(lists()).To(Equal(2))
	})

	It("are not what a reading that failed has left", func(ctx SpecContext) {
		ids := s.packages(101)
		Expect(s.Inject(simulator.Fault{Operation: simulator.OpList, Kind: simulator.FaultError, Status: 500,
			Code: "DLF.1000", Skip: 1})).To(Succeed())
		_, err := s.shared.InFlight(ctx)
		Expect(err).To(HaveOccurred())
		s.clock.Step(10 * time.Second)
		Expect(listed(s.shared.InFlight(ctx))).To(ConsistOf(ids))
	})

	It("end where the latest ten pages do, if all are listed", func(ctx SpecContext) {
		ids := s.packages(1050)
		Expect(listed(s.shared.Recent(ctx))).To(And(HaveLen(1000), ContainElement(ids[1049]), Not(ContainElement(ids[0]))))
		Expect(lists()).To(Equal(10))
	})

	It("are read anew once the service does not show what they hold, but not all the time", func(ctx SpecContext) {
		ids := s.packages(2)
		for _, list := range []func(context.Context) ([]dataarts.Package, error){s.shared.InFlight, s.shared.Recent} {
			Expect(listed(list(ctx))).To(ConsistOf(ids))
		}
		Expect(s.console.Withdraw(ids[0])).To(Succeed())
		s.shared.Invalidate()
		Expect(listed(s.shared.InFlight(ctx))).To(ConsistOf(ids), "it has just been read")
		s.clock.Step(5 * time.Second)
		Expect(listed(s.shared.InFlight(ctx))).To(ConsistOf(ids), "nobody doubts it")
		Expect(lists()).To(Equal(2))

		for range 3 {
			s.shared.Invalidate()
			Expect(listed(s.shared.InFlight(ctx))).To(ConsistOf(ids[1]))
		}
		_, err := s.shared.Recent(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(lists()).To(Equal(4))
	})

	It("are read anew the less often the longer that takes", func(ctx SpecContext) {
		s.packages(101)
		s.beforePage(2, func() { s.clock.Step(3 * time.Second) })
		_, err := s.shared.InFlight(ctx)
		Expect(err).NotTo(HaveOccurred())
		for _, more := range []struct {
			after time.Duration
			calls int
		}{{20 * time.Second, 2}, {10 * time.Second, 4}} {
			s.clock.Step(more.after)
			s.shared.Invalidate()
			_, err = s.shared.InFlight(ctx)
			Expect(err).NotTo(HaveOccurred())
			Expect(lists()).To(Equal(more.calls))
		}
	})

	It("tell for how long to remember what packages hold", func(ctx SpecContext) {
		ids := s.packages(3)
		known := func(id string) []string {
			items, ok := s.shared.KnownItems(id)
			Expect(ok).To(Equal(items != nil))
			return slices.Clone(items)
		}
		Expect(listed(s.shared.InFlight(ctx))).To(ConsistOf(ids))
		for _, id := range ids[:2] {
			Expect(known(id)).To(BeNil())
			detail, err := s.client.Show(ctx, id)
			Expect(err).NotTo(HaveOccurred())
			s.shared.KeepItems(&detail)
			Expect(known(id)).To(Equal([]string{"1"}))
		}
		Expect(s.console.Withdraw(ids[0])).To(Succeed())
		s.clock.Step(61 * time.Second)
		Expect(listed(s.shared.InFlight(ctx))).To(ConsistOf(ids[1:]))
		Expect(known(ids[0])).To(BeNil())
		Expect(known(ids[1])).To(Equal([]string{"1"}))
	})
})
