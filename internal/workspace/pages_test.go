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
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// packages packs so many packages in the console and returns their ids.
func (s *site) packages(n int) []string {
	GinkgoHelper()
	ids := make([]string, 0, n)
	for i := range n {
		id, err := s.console.Pack(fmt.Sprintf("rel-%03d", i), developer, []string{deployer}, []string{"1"})
		Expect(err).NotTo(HaveOccurred())
		ids = append(ids, id)
	}
	return ids
}

// beforePage does something once, right before the service sees the call for a page of packages, counted from 1.
func (s *site) beforePage(n int32, do func()) {
	var seen atomic.Int32
	f := func(r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/release-packages") && seen.Add(1) == n {
			do()
		}
	}
	s.onRequest.Store(&f)
}

func idsOf(packages []dataarts.Package) []string {
	ids := make([]string, 0, len(packages))
	for i := range packages {
		ids = append(ids, packages[i].ID)
	}
	return ids
}

func itemIDsOf(items []dataarts.PendingItem) []string {
	ids := make([]string, 0, len(items))
	for i := range items {
		ids = append(ids, items[i].ID)
	}
	return ids
}

var _ = Describe("A list", func() {
	for _, offset := range []simulator.OffsetMeaning{simulator.OffsetPage, simulator.OffsetRow} {
		Context("whose offset counts a "+string(offset), func() {
			It("is read to its end, each package once", func(ctx SpecContext) {
				s := aSite(assuming(func(a *simulator.Assumptions) { a.Offset = offset }))
				ids := s.packages(250)
				got, err := s.expectConnected(ctx).Search(ctx, "rel-")
				Expect(err).NotTo(HaveOccurred())
				Expect(idsOf(got)).To(ConsistOf(ids))
			})

			It("of pending items is read to its end, each once", func(ctx SpecContext) {
				s := aSite(assuming(func(a *simulator.Assumptions) { a.Offset = offset }))
				for range 250 {
					_, err := s.console.Submit(simulator.NewItem{Name: "job", SubmitUserID: developer})
					Expect(err).NotTo(HaveOccurred())
				}
				var want []string
				for _, item := range s.console.Items() {
					want = append(want, item.ID)
				}
				items, err := s.expectConnected(ctx).PendingItems(ctx)
				Expect(err).NotTo(HaveOccurred())
				Expect(itemIDsOf(items)).To(ConsistOf(want))
			})
		})
	}

	It("is read in pages of the service's own size where it refuses larger ones, which are seldom tried again",
		func(ctx SpecContext) {
			s := aSite(assuming(func(a *simulator.Assumptions) { a.MaxLimit, a.OverLimit = 50, simulator.Refuse }))
			ids := s.packages(250)
			conn := s.expectConnected(ctx)
			costs := func(calls int) {
				GinkgoHelper()
				before := s.calls()
				got, err := conn.Search(ctx, "rel-")
				Expect(err).NotTo(HaveOccurred())
				Expect(idsOf(got)).To(ConsistOf(ids))
				Expect(s.calls() - before).To(Equal(calls))
			}
			costs(26)
			costs(26) // The refusal may have had another cause.
			costs(25)
			s.clock.Step(time.Minute)
			costs(26)
			s.clock.Step(time.Minute)
			costs(25)
			s.clock.Step(time.Minute)
			costs(26)
		})

	It("is read in large pages again after one refusal", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(250)
		conn := s.expectConnected(ctx)
		Expect(s.Inject(simulator.Fault{
			Operation: simulator.OpList, Kind: simulator.FaultError,
			Status: http.StatusBadRequest, Code: simulator.CodeInvalidParameter,
		})).To(Succeed())
		for _, calls := range []int{26, 3} {
			before := s.calls()
			got, err := conn.Search(ctx, "rel-")
			Expect(err).NotTo(HaveOccurred())
			Expect(idsOf(got)).To(ConsistOf(ids))
			Expect(s.calls() - before).To(Equal(calls))
		}
	})

	It("that changes while it is searched is an error", func(ctx SpecContext) {
		s := aSite()
		s.packages(150)
		s.beforePage(2, func() { s.packages(1) })
		got, err := s.expectConnected(ctx).Search(ctx, "rel-")
		Expect(err).To(MatchError(dataarts.ErrIncomplete))
		Expect(got).To(BeNil())
	})
})
