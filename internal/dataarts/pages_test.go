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

package dataarts_test

import (
	"errors"
	"fmt"
	"math"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

// aList is a list of packages that gives so many rows a page, the newest first.
type aList struct {
	rows       []dataarts.Package
	perPage    int
	countsRows bool
	// before is called before a page is given, counted from 1.
	before func(call int)
	calls  int
}

func listOf(n, perPage int, countsRows bool) *aList {
	l := &aList{perPage: perPage, countsRows: countsRows, before: func(int) {}}
	for i := range n {
		l.rows = append(l.rows, dataarts.Package{ID: fmt.Sprint(i)})
	}
	return l
}

func (l *aList) page(offset int) (dataarts.Page[dataarts.Package], error) {
	l.calls++
	l.before(l.calls)
	begin := offset * l.perPage
	if l.countsRows {
		begin = offset
	}
	begin = min(begin, len(l.rows))
	end := min(begin+l.perPage, len(l.rows))
	return dataarts.Page[dataarts.Package]{Rows: slices.Clone(l.rows[begin:end]), Total: len(l.rows)}, nil
}

func idsOf(rows []dataarts.Package) []string {
	ids := make([]string, 0, len(rows))
	for i := range rows {
		ids = append(ids, rows[i].ID)
	}
	return ids
}

// comes adds a package as the newest, and goes takes away the one at an index.
func (l *aList) comes()     { l.rows = slices.Insert(l.rows, 0, dataarts.Package{ID: "new"}) }
func (l *aList) goes(i int) { l.rows = slices.Delete(l.rows, i, i+1) }

// everyRow reads all pages with the iterator.
func (l *aList) everyRow() []dataarts.Package {
	var rows []dataarts.Package
	for page, err := range dataarts.EachPage(l.page) {
		Expect(err).NotTo(HaveOccurred())
		rows = append(rows, page.Rows...)
	}
	return rows
}

var _ = Describe("A list of several pages", func() {
	for what, countsRows := range map[string]bool{"pages": false, "rows": true} {
		Context("whose offset counts "+what, func() {
			DescribeTable("is read to its end, each row once, with few calls", func(n, perPage, calls int) {
				l := listOf(n, perPage, countsRows)
				rows, err := dataarts.AllRows(l.page, math.MaxInt)
				Expect(err).NotTo(HaveOccurred())
				Expect(rows).To(ConsistOf(l.rows))
				Expect(l.calls).To(BeNumerically("<=", calls))
				Expect(l.everyRow()).To(ContainElements(l.rows))
			},
				Entry("when it has one row", 1, 100, 1),
				Entry("when it fills a page", 100, 100, 1),
				Entry("when it is a row longer than a page", 101, 100, 2),
				Entry("when it is a row shorter than two pages", 199, 100, 3),
				Entry("when it fills two pages", 200, 100, 3),
				Entry("when it is a row longer than two pages", 201, 100, 4),
				Entry("when it is much longer", 350, 100, 5),
				Entry("when the service gives ten rows a page", 57, 10, 7),
				Entry("when the service gives three rows a page", 20, 3, 8),
				Entry("when the service gives two rows a page", 9, 2, 6),
				Entry("when the service gives one row a page", 5, 1, 6),
			)

			DescribeTable("that changes meanwhile is incomplete, or was whole when it was begun",
				func(call int, change func(*aList)) {
					l := listOf(250, 100, countsRows)
					there, changed := l.rows, false
					l.before = func(n int) {
						if n == call {
							changed = true
							l.rows = slices.Clone(l.rows)
							change(l)
						}
					}
					rows, err := dataarts.AllRows(l.page, math.MaxInt)
					Expect(changed).To(BeTrue())
					if err != nil {
						Expect(err).To(MatchError(dataarts.ErrIncomplete))
						return
					}
					for _, id := range idsOf(there) {
						if slices.Contains(idsOf(l.rows), id) {
							Expect(idsOf(rows)).To(ContainElement(id), "a package that was there all the time is not missed")
						}
					}
				},
				Entry("by a package that comes", 2, (*aList).comes),
				Entry("by a package that comes late", 3, (*aList).comes),
				Entry("by the newest that goes", 2, func(l *aList) { l.goes(0) }),
				Entry("by one in the middle that goes", 2, func(l *aList) { l.goes(149) }),
				Entry("by the oldest that goes", 3, func(l *aList) { l.goes(249) }),
				Entry("by one that goes and one that comes", 2, func(l *aList) { l.goes(49); l.comes() }),
				Entry("by an old one that goes and one that comes", 2, func(l *aList) { l.goes(229); l.comes() }),
			)
		})
	}

	It("may be empty", func() {
		l := listOf(0, 100, false)
		Expect(dataarts.AllRows(l.page, math.MaxInt)).To(BeEmpty())
		Expect(l.calls).To(Equal(1))
	})

	It("is read no further than is enough", func() {
		l := listOf(350, 100, false)
		Expect(dataarts.AllRows(l.page, 150)).To(HaveLen(200))
		Expect(l.calls).To(Equal(2))
	})

	It("that ends before its time is incomplete, and shows what it has", func() {
		l := listOf(150, 100, false)
		rows, err := dataarts.AllRows(func(offset int) (dataarts.Page[dataarts.Package], error) {
			page, err := l.page(offset)
			page.Total = 200
			return page, err
		}, math.MaxInt)
		Expect(err).To(MatchError(dataarts.ErrIncomplete))
		Expect(rows).To(Equal(l.rows))
	})

	It("whose page cannot be had is no list", func() {
		l, away := listOf(150, 100, false), errors.New("away")
		rows, err := dataarts.AllRows(func(offset int) (dataarts.Page[dataarts.Package], error) {
			if offset > 0 {
				return dataarts.Page[dataarts.Package]{}, away
			}
			return l.page(offset)
		}, math.MaxInt)
		Expect(err).To(MatchError(away))
		Expect(rows).To(BeNil())
	})

	It("holds a row once that is shown twice", func() {
		twice := func(int) (dataarts.Page[dataarts.Package], error) {
			return dataarts.Page[dataarts.Package]{Rows: []dataarts.Package{{ID: "13"}, {ID: "13"}}, Total: 1}, nil
		}
		Expect(dataarts.AllRows(twice, math.MaxInt)).To(HaveExactElements(HaveField("ID", "13")))
	})

	It("that never ends is read for a while", func() {
		calls := 0
		endless := func(int) (dataarts.Page[dataarts.Package], error) {
			calls++
			return dataarts.Page[dataarts.Package]{Rows: []dataarts.Package{{ID: "13"}}, Total: math.MaxInt32}, nil
		}
		_, err := dataarts.AllRows(endless, math.MaxInt)
		Expect(err).To(MatchError(dataarts.ErrIncomplete))
		Expect(calls).To(BeNumerically("<=", 1001))
	})

	DescribeTable("counts its pages by the first", func(rows, total, want int) {
		Expect(dataarts.Page[dataarts.Package]{Rows: make([]dataarts.Package, rows), Total: total}.Pages()).To(Equal(want))
	},
		Entry("one that is full", 100, 100, 1),
		Entry("two", 100, 101, 2),
		Entry("none, which is a page too", 0, 0, 1),
		Entry("one that shows nothing of what it counts", 0, 300, 1),
	)
})
