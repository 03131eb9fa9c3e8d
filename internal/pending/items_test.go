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
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/pending"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// itemsTTL is how long a look may say that items are unpacked.
const itemsTTL = 5 * time.Minute

// looks is how many calls for the pending list have reached the service.
func (s *site) looks() int { return s.Counts()[simulator.OpListItems] }

// submit submits so many more items and returns the ids of all.
func (s *site) submit(n int) []string {
	GinkgoHelper()
	for range n {
		_, err := s.console.Submit(simulator.NewItem{Name: "job", SubmitUserID: developer})
		Expect(err).NotTo(HaveOccurred())
	}
	items := s.console.Items()
	ids := make([]string, 0, len(items))
	for i := range items {
		ids = append(ids, items[i].ID)
	}
	return ids
}

// packed packs items in the console, behind the connection's back, and returns the package's id.
func (s *site) packed(items ...string) string {
	GinkgoHelper()
	id, err := s.console.Pack("by-hand", developer, []string{deployer}, items)
	Expect(err).NotTo(HaveOccurred())
	return id
}

// deploy lets an item leave the pending list.
func (s *site) deploy(item string) {
	GinkgoHelper()
	Expect(s.console.Deploy(s.packed(item))).To(Succeed())
}

// beforeListing does something right before the service sees a call for the pending list, given its number, counted
// from 1.
func (s *site) beforeListing(do func(call int32)) {
	var calls atomic.Int32
	f := func(r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/pending-items") {
			do(calls.Add(1))
		}
	}
	s.onRequest.Store(&f)
}

// haveFlags matches an answer that has these items with these package flags, and no others.
func haveFlags(flags map[string]int) OmegaMatcher {
	return WithTransform(func(items map[string]dataarts.PendingItem) map[string]int {
		got := map[string]int{}
		for id := range items {
			got[id] = items[id].PackageFlag
		}
		return got
	}, Equal(flags))
}

// expectFlags asks for items and checks the answer, and how many calls for the pending list that took.
func (s *site) expectFlags(ctx context.Context, calls int, ids []string, flags map[string]int) {
	GinkgoHelper()
	before := s.looks()
	got, err := s.items.Show(ctx, ids)
	Expect(err).NotTo(HaveOccurred())
	Expect(got).To(haveFlags(flags))
	Expect(s.looks()-before).To(Equal(calls), "calls for the pending list")
}

var _ = Describe("A look for pending items", func() {
	It("shows those that are listed, as they are", func(ctx SpecContext) {
		s := aSite()
		s.packed("2")
		s.expectFlags(ctx, 1, []string{"2", "1", "no-such"}, map[string]int{"1": 0, "2": 1})
	})

	It("serves others for a minute, as long as all their items are unpacked", func(ctx SpecContext) {
		s := aSite()
		ids := s.submit(8)
		s.expectFlags(ctx, 1, ids[:1], map[string]int{"1": 0})
		s.packed("9")
		s.clock.Step(itemsTTL)
		for _, id := range ids {
			s.expectFlags(ctx, 0, []string{id}, map[string]int{id: 0})
		}
		s.clock.Step(time.Nanosecond)
		s.expectFlags(ctx, 1, []string{"8", "9"}, map[string]int{"8": 0, "9": 1})
	})

	It("never says from memory that an item is packed or absent", func(ctx SpecContext) {
		s := aSite()
		id := s.packed("1")
		s.expectFlags(ctx, 1, []string{"1", "3"}, map[string]int{"1": 1})
		s.expectFlags(ctx, 1, []string{"2", "3"}, map[string]int{"2": 0})
		Expect(s.console.Withdraw(id)).To(Succeed())
		s.submit(1)
		s.expectFlags(ctx, 1, []string{"1", "3"}, map[string]int{"1": 0, "3": 0})
	})

	It("is out of date for what was packed through the connection, until the next one", func(ctx SpecContext) {
		s := aSite()
		s.submit(1)
		s.expectFlags(ctx, 1, []string{"1"}, map[string]int{"1": 0})
		id, err := s.pack(ctx)
		Expect(err).NotTo(HaveOccurred())
		s.expectFlags(ctx, 0, []string{"3"}, map[string]int{"3": 0})
		s.expectFlags(ctx, 1, []string{"1", "3"}, map[string]int{"1": 1, "3": 0})

		Expect(s.console.Withdraw(id)).To(Succeed())
		s.expectFlags(ctx, 1, []string{"1"}, map[string]int{"1": 0})
		s.expectFlags(ctx, 0, []string{"2"}, map[string]int{"2": 0})
	})

	DescribeTable("after a request to pack that failed", func(ctx SpecContext, fault simulator.Fault, calls, flag int) {
		s := aSite()
		s.expectFlags(ctx, 1, []string{"1"}, map[string]int{"1": 0})
		fault.Operation = simulator.OpPack
		Expect(s.Inject(fault)).To(Succeed())
		_, err := s.pack(ctx)
		Expect(err).To(HaveOccurred())
		s.expectFlags(ctx, calls, []string{"1"}, map[string]int{"1": flag})
	},
		Entry("looks again if its outcome is unknown", simulator.Fault{Kind: simulator.FaultDrop, AfterWork: true}, 1, 1),
		Entry("looks again if it was refused",
			simulator.Fault{Kind: simulator.FaultError, Status: 400, Code: simulator.CodeInvalidParameter}, 1, 0),
		Entry("still serves if nothing was done",
			simulator.Fault{Kind: simulator.FaultError, Status: 403, Code: simulator.CodeUserForbidden}, 0, 0),
	)

	It("does not forget what is packed while it is under way", func(ctx SpecContext) {
		s := aSite()
		s.submit(150)
		s.beforeListing(func(call int32) {
			if call == 2 {
				defer GinkgoRecover()
				Expect(s.pack(ctx)).NotTo(BeEmpty())
			}
		})
		s.expectFlags(ctx, 2, []string{"1"}, map[string]int{"1": 0})
		s.expectFlags(ctx, 0, []string{"3"}, map[string]int{"3": 0})
		s.expectFlags(ctx, 2, []string{"1"}, map[string]int{"1": 1})
	})
})

var _ = Describe("A long list of pending items", func() {
	for _, offset := range []simulator.OffsetMeaning{simulator.OffsetPage, simulator.OffsetRow} {
		It("is looked through up to two thousand items, if its offset counts a "+string(offset), func(ctx SpecContext) {
			s := aSite(assuming(func(a *simulator.Assumptions) { a.Offset = offset }))
			ids := s.submit(1998)
			got, err := s.items.Show(ctx, ids)
			Expect(err).NotTo(HaveOccurred())
			Expect(got).To(HaveLen(2000))
			Expect(s.looks()).To(BeNumerically("<=", 21))
		})
	}

	It("costs one call in five minutes if it is longer, and is still read whole by those who need that",
		func(ctx SpecContext) {
			s := aSite()
			s.submit(1999)
			for _, id := range []string{"1", "2", "no-such"} {
				_, err := s.items.Show(ctx, []string{id})
				Expect(err).To(MatchError(pending.ErrTooLong))
			}
			s.clock.Step(itemsTTL)
			_, err := s.items.Show(ctx, []string{"1"})
			Expect(err).To(MatchError(pending.ErrTooLong))
			Expect(s.looks()).To(Equal(1))
			Expect(s.items.ShowSince(ctx, []string{"1", "2", "2001"}, s.clock.Now())).To(HaveLen(3))

			s.deploy("7")
			s.clock.Step(itemsTTL)
			s.clock.Step(time.Nanosecond)
			s.expectFlags(ctx, 20, []string{"1"}, map[string]int{"1": 0})
		})

	It("that is cut off is no answer", func(ctx SpecContext) {
		s := aSite()
		Expect(s.Inject(simulator.Fault{Operation: simulator.OpListItems, Kind: simulator.FaultRaw, Status: http.StatusOK,
			Skip:        1,
			ContentType: "application/json", Body: `{"total":152,"data":[]}`})).To(Succeed())
		s.submit(150)
		_, err := s.items.Show(ctx, []string{"152"})
		Expect(err).To(MatchError(dataarts.ErrIncomplete))
		s.expectFlags(ctx, 0, []string{"1"}, map[string]int{"1": 0}) // What it showed is so all the same.
		s.expectFlags(ctx, 2, []string{"152"}, map[string]int{"152": 0})
	})

	It("is read twice before an item is taken for absent", func(ctx SpecContext) {
		s := aSite()
		s.submit(248)
		s.beforeListing(func(call int32) {
			if call == 4 {
				defer GinkgoRecover()
				s.submit(1) // What only comes lets nothing slip away.
			}
		})
		s.expectFlags(ctx, 6, []string{"1", "no-such"}, map[string]int{"1": 0})
	})

	It("finds an item that slipped to another page", func(ctx SpecContext) {
		s := aSite()
		s.submit(248)
		s.beforeListing(func(call int32) {
			if call == 2 {
				defer GinkgoRecover()
				s.deploy("5")
				s.submit(1)
			}
		})
		s.expectFlags(ctx, 6, []string{"1", "101"}, map[string]int{"1": 0, "101": 0})
	})

	It("is no answer if items go on slipping", func(ctx SpecContext) {
		s := aSite()
		s.submit(248)
		s.beforeListing(func(call int32) {
			if call == 2 || call == 5 {
				defer GinkgoRecover()
				s.deploy(strconv.Itoa(int(call)))
				s.submit(1)
			}
		})
		_, err := s.items.Show(ctx, []string{"101", "102"})
		Expect(err).To(MatchError(dataarts.ErrIncomplete))
		s.expectFlags(ctx, 3, []string{"101", "102"}, map[string]int{"101": 0, "102": 0})
	})

	It("serves all who conclude from it what only looks after a moment can tell", func(ctx SpecContext) {
		s := aSite()
		ids := s.submit(2100)
		settled := s.clock.Now()
		s.clock.Step(time.Second)
		got, err := s.items.ShowSince(ctx, ids[:1], settled)
		Expect(err).NotTo(HaveOccurred(), "no list is too long for them")
		Expect(got).To(haveFlags(map[string]int{ids[0]: 0}))
		before := s.looks()
		for _, id := range ids[1:40] {
			Expect(s.items.ShowSince(ctx, []string{id}, settled)).To(HaveLen(1))
		}
		Expect(s.looks()).To(Equal(before))
		Expect(s.items.ShowSince(ctx, ids[:1], s.clock.Now())).To(HaveLen(1))
		Expect(s.looks()).To(BeNumerically(">", before), "for one who has not settled yet, that look was too early")
		before = s.looks()
		Expect(s.items.ShowSince(ctx, ids[:1], s.clock.Now())).To(HaveLen(1))
		Expect(s.looks()).To(BeNumerically(">", before))
	})
})
