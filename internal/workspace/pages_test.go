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
			DescribeTable("is read to its end, each package once", func(ctx SpecContext, n, perPage, calls int) {
				s := aSite(assuming(func(a *simulator.Assumptions) {
					a.Offset, a.MaxLimit, a.OverLimit = offset, perPage, simulator.Accept
				}))
				ids := s.packages(n)
				got, err := s.expectConnected(ctx).Search(ctx, "rel-")
				Expect(err).NotTo(HaveOccurred())
				Expect(idsOf(got)).To(ConsistOf(ids))
				Expect(s.calls()).To(BeNumerically("<=", calls))
			},
				Entry("when it is empty", 0, 0, 1),
				Entry("when it has one row", 1, 0, 1),
				Entry("when it fills a page", 100, 0, 1),
				Entry("when it is a row longer than a page", 101, 0, 2),
				Entry("when it is a row shorter than two pages", 199, 0, 3),
				Entry("when it fills two pages", 200, 0, 3),
				Entry("when it is a row longer than two pages", 201, 0, 4),
				Entry("when it is much longer", 350, 0, 5),
				Entry("when the service gives ten rows a page", 57, 10, 7),
				Entry("when the service gives three rows a page", 20, 3, 8),
				Entry("when the service gives two rows a page", 9, 2, 6),
				Entry("when the service gives one row a page", 5, 1, 6),
			)

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

			DescribeTable("that changes meanwhile is an error, or was whole when it was begun",
				func(ctx SpecContext, page int, change func(s *site, ids []string) error) {
					s := aSite(assuming(func(a *simulator.Assumptions) { a.Offset = offset }))
					ids := s.packages(250)
					conn := s.expectConnected(ctx)
					changed := false
					s.beforePage(int32(page), func() {
						defer GinkgoRecover()
						changed = true
						Expect(change(s, ids)).To(Succeed())
					})
					got, err := conn.Search(ctx, "rel-")
					Expect(changed).To(BeTrue())
					if err != nil {
						Expect(err).To(MatchError(dataarts.ErrIncomplete))
						got, err = conn.Search(ctx, "rel-")
						Expect(err).NotTo(HaveOccurred(), "the next look comes out right")
					}
					for _, p := range s.console.Packages() {
						if p.Live() && p.Name != "rel-new" {
							Expect(idsOf(got)).To(ContainElement(p.ID), "a package that was there all the time is not missed")
						}
					}
				},
				Entry("by a package that comes", 2, comes),
				Entry("by a package that comes late", 3, comes),
				Entry("by the newest that goes", 2, goes(249)),
				Entry("by one in the middle that goes", 2, goes(100)),
				Entry("by the oldest that goes", 3, goes(0)),
				Entry("by one that goes and one that comes", 2, func(s *site, ids []string) error {
					if err := comes(s, ids); err != nil {
						return err
					}
					return s.console.Vanish(ids[200])
				}),
				Entry("by an old one that goes and one that comes", 2, func(s *site, ids []string) error {
					if err := comes(s, ids); err != nil {
						return err
					}
					return s.console.Vanish(ids[20])
				}),
			)
		})
	}

	It("that ends before its time is an error", func(ctx SpecContext) {
		s := aSite()
		s.packages(150)
		Expect(s.Inject(simulator.Fault{Operation: simulator.OpList, Kind: simulator.FaultRaw, Status: http.StatusOK, Skip: 1,
			ContentType: "application/json", Body: `{"total":150,"data":[]}`})).To(Succeed())
		_, err := s.expectConnected(ctx).Search(ctx, "rel-")
		Expect(err).To(MatchError(dataarts.ErrIncomplete))
	})

	It("whose page cannot be had is no list", func(ctx SpecContext) {
		s := aSite()
		s.packages(150)
		Expect(s.Inject(simulator.Fault{Operation: simulator.OpList, Kind: simulator.FaultError, Status: http.StatusBadGateway, Skip: 1})).To(Succeed())
		got, err := s.expectConnected(ctx).Search(ctx, "rel-")
		Expect(err).To(HaveOccurred())
		Expect(got).To(BeNil())
	})

	DescribeTable("with a row twice", func(ctx SpecContext, total int, want ...any) {
		const row = `{"package_id":"13","package_name":"rel-a","deploy_status":1,"delete_flag":0}`
		s := aSite()
		Expect(s.Inject(simulator.Fault{Operation: simulator.OpList, Kind: simulator.FaultRaw, Status: http.StatusOK, Times: simulator.Forever,
			ContentType: "application/json", Body: fmt.Sprintf(`{"total":%d,"data":[%s,%s]}`, total, row, row)})).To(Succeed())
		got, err := s.expectConnected(ctx).Search(ctx, "rel-")
		if len(want) == 0 {
			Expect(err).To(MatchError(dataarts.ErrIncomplete))
			Expect(s.calls()).To(Equal(1), "as many rows were read as the list counts")
			return
		}
		Expect(err).NotTo(HaveOccurred())
		Expect(idsOf(got)).To(HaveExactElements(want...))
	},
		Entry("holds it once", 1, "13"),
		Entry("and another one missing is an error, not an endless loop", 2),
	)
})

// comes packs another package.
func comes(s *site, _ []string) error {
	_, err := s.console.Pack("rel-new", developer, []string{deployer}, []string{"1"})
	return err
}

// goes lets a package vanish; the service lists the newest first, so the highest index is on its first page.
func goes(i int) func(*site, []string) error {
	return func(s *site, ids []string) error { return s.console.Vanish(ids[i]) }
}
