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

package workspace

// sweep reads a list page by page, gives each to keep, and counts the pages that the list has. It goes no further than the first where there are
// more than atMost. The service documents offset as the number of a page, but sibling operations count rows; the second page tells: if most of the
// first one comes again, it is rows. The list may change meanwhile, and rows slip from one page to another: a row that is not seen proves nothing.
func sweep[T any](fetch func(offset int) ([]T, int, error), keep func([]T), id func(T) string, atMost int) (pages int, err error) {
	first, total, err := fetch(0)
	if err != nil {
		return 0, err
	}
	keep(first)
	size := len(first)
	if size == 0 || pagesFor(total, size) > atMost {
		return max(1, pagesFor(total, size)), nil
	}
	known := make(map[string]bool, size)
	for i := range first {
		known[id(first[i])] = true
	}
	step, offset := 1, 1
	for read := size; read < total && offset/step < maxPages; {
		page, totalNow, err := fetch(offset)
		if err != nil {
			return 0, err
		}
		if len(page) == 0 {
			break
		}
		keep(page)
		if offset == 1 && repeats(page, known, id) >= (size+1)/2 {
			step = size
			read = 1 // The second page began a row after the first one.
		}
		read, offset, total = read+len(page), offset+step, totalNow
	}
	return pagesFor(total, size), nil
}

// pagesFor is how many pages of a size a list takes.
func pagesFor(total, size int) int {
	if size == 0 {
		return 0
	}
	return (total + size - 1) / size
}

func repeats[T any](page []T, known map[string]bool, id func(T) string) int {
	n := 0
	for i := range page {
		if known[id(page[i])] {
			n++
		}
	}
	return n
}
