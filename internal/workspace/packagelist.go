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

import (
	"context"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/quota"
)

const (
	// pageSize is what is asked for. The service documents a maximum of 100 for pending items and none for packages.
	pageSize = 100
	// defaultPageSize is the service's own default.
	defaultPageSize = 10

	// shortestSmall and longestSmall bound how long pages stay small after several large ones were refused in a row.
	shortestSmall = time.Minute
	longestSmall  = 24 * time.Hour
)

// packageList reads the pages of one list of packages after the other. All pages of a list have one size.
type packageList struct {
	conn   *Connection
	series *quota.Series
	size   int
}

// pages reads the pages of a list of packages.
func (c *Connection) pages(ctx context.Context, s *quota.Series,
	options dataarts.ListOptions) func(int) (dataarts.Page[dataarts.Package], error) {
	l := &packageList{conn: c, series: s}
	return func(offset int) (dataarts.Page[dataarts.Package], error) {
		options.Offset = offset
		return l.page(ctx, options)
	}
}

// page reads a page. The first one of a list decides about the size of all. If a large one is refused, it may have been
// too large, and the list is read in small ones.
func (l *packageList) page(ctx context.Context, options dataarts.ListOptions) (dataarts.Page[dataarts.Package], error) {
	first, sizes := options.Offset == 0, &l.conn.pageSizes
	if first {
		l.size = sizes.next(l.conn.clock)
	}
	page, err := l.fetch(ctx, options)
	large := first && l.size == pageSize
	switch {
	case large && err == nil:
		sizes.accepted()
	case large && dataarts.KindOf(err) == dataarts.Refused:
		l.size = defaultPageSize
		if page, err = l.fetch(ctx, options); err == nil {
			sizes.refused(l.conn.clock)
		}
	}
	return page, err
}

func (l *packageList) fetch(ctx context.Context,
	options dataarts.ListOptions) (dataarts.Page[dataarts.Package], error) {
	options.Limit = l.size
	page, err := fetch(ctx, l.series, func() (dataarts.Page[dataarts.Package], error) {
		return l.conn.client.List(ctx, options)
	})
	return page, l.conn.note(err)
}

// pageSizes says how large the pages of the next list are. The largest size that the service takes is not documented,
// and one refusal may have had another cause: the next list tries again. After more of them in a row, pages are small
// for a while, which doubles each time: a small page costs ten times the calls, and a refusal only one.
type pageSizes struct {
	mu         sync.Mutex
	refusals   int
	small      time.Duration
	smallUntil time.Time
}

func (s *pageSizes) next(c clock.PassiveClock) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Now().Before(s.smallUntil) {
		return defaultPageSize
	}
	return pageSize
}

func (s *pageSizes) accepted() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusals, s.small = 0, 0
}

func (s *pageSizes) refused(c clock.PassiveClock) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusals++
	if s.refusals > 1 {
		s.small = min(max(2*s.small, shortestSmall), longestSmall)
		s.smallUntil = c.Now().Add(s.small)
	}
}
