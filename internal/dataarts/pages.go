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

package dataarts

import (
	"errors"
	"iter"
)

// ErrIncomplete means that the pages of a list did not add up, because the list changed meanwhile or was cut.
var ErrIncomplete = errors.New("the service's list changed while it was read")

// maxPages bounds a list that never ends.
const maxPages = 1000

// Page is one page of a list.
type Page[T any] struct {
	// Rows are those of this page, and Total counts those of the whole list.
	Rows  []T
	Total int
}

// Pages is how many pages like this one the list has, at least one.
func (p Page[T]) Pages() int {
	if len(p.Rows) == 0 {
		return 1
	}
	return (p.Total + len(p.Rows) - 1) / len(p.Rows)
}

// row is what lists consist of.
type row interface{ rowID() string }

func (p Package) rowID() string     { return p.ID }
func (i PendingItem) rowID() string { return i.ID }

// EachPage reads a list page by page. The service documents offset as the number of a page, but sibling operations
// count rows. The second page tells: if most of the first one comes again, offset counts rows. The list may change
// meanwhile, and rows slip from one page to another: a row that is not seen proves nothing. A page that cannot be had
// is the last.
func EachPage[T row](fetch func(offset int) (Page[T], error)) iter.Seq2[Page[T], error] {
	return func(yield func(Page[T], error) bool) {
		first, err := fetch(0)
		if !yield(first, err) || err != nil {
			return
		}
		size, total := len(first.Rows), first.Total
		step, offset := 1, 1
		for read := size; size > 0 && read < total && offset/step < maxPages; {
			page, err := fetch(offset)
			if err == nil && len(page.Rows) == 0 || !yield(page, err) || err != nil {
				return
			}
			if offset == 1 && repeats(first.Rows, page.Rows) >= (size+1)/2 {
				step, read = size, 1 // The second page began a row after the first one.
			}
			read, offset, total = read+len(page.Rows), offset+step, page.Total
		}
	}
}

func repeats[T row](first, second []T) int {
	known := make(map[string]bool, len(first))
	for i := range first {
		known[first[i].rowID()] = true
	}
	n := 0
	for i := range second {
		if known[second[i].rowID()] {
			n++
		}
	}
	return n
}

// AllRows reads a list, each row once, until it has as many as are enough. ErrIncomplete comes with the rows of a list
// that changed meanwhile, or came out short.
func AllRows[T row](fetch func(offset int) (Page[T], error), enough int) ([]T, error) {
	var rows []T
	at, total, changed := map[string]int{}, -1, false
	for page, err := range EachPage(fetch) {
		if err != nil {
			return nil, err
		}
		changed = changed || total >= 0 && page.Total != total
		total = page.Total
		for _, r := range page.Rows {
			if n, known := at[r.rowID()]; known {
				rows[n] = r
				continue
			}
			at[r.rowID()] = len(rows)
			rows = append(rows, r)
		}
		if len(rows) >= enough {
			return rows, nil
		}
	}
	if changed || len(rows) < total {
		return rows, ErrIncomplete
	}
	return rows, nil
}
