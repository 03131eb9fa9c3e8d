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

package simulator

import (
	"encoding/json"
	"math"
	"strings"
	"time"
)

const (
	defaultLimit = 10
	// maxOffset keeps offset*limit from overflowing; no list is that long.
	maxOffset = math.MaxInt32
)

// page is the part of a list that a client asks for.
type page struct {
	limit, offset int64
}

func firstPage() page {
	return page{limit: defaultLimit}
}

func (p page) valid() bool {
	return p.limit >= 1 && p.limit <= maxOffset && p.offset >= 0 && p.offset <= maxOffset
}

// firstRow is the number of the first row of a page.
func (s *Server) firstRow(p page) int64 {
	if s.opts.Assumptions.Offset == OffsetRow {
		return p.offset
	}
	return p.offset * p.limit
}

// cut returns at most limit rows from the first one on.
func cut[T any](rows []T, first, limit int64) []T {
	n := int64(len(rows))
	first = min(first, n)
	return rows[first:min(first+limit, n)]
}

// wireID is an id in an answer: a string, or a [json.Number] with [IDNumber].
type wireID any

func (s *Server) writeID(id string) wireID {
	if s.opts.Assumptions.IDForm == IDNumber {
		return json.Number(id)
	}
	return id
}

// span is a time range in milliseconds, both ends included; zero leaves an end open.
type span struct {
	From, To int64
}

func (r span) contains(t time.Time) bool {
	if r == (span{}) {
		return true
	}
	// The zero time, which stands for never, lies before every range.
	ms := t.UnixMilli()
	return ms >= r.From && (r.To == 0 || ms <= r.To)
}

// matches compares a name with a search word.
func (s *Server) matches(name, word string) bool {
	if word == "" || name == word {
		return true
	}
	return s.opts.Assumptions.Keyword == MatchContains && strings.Contains(name, word)
}
