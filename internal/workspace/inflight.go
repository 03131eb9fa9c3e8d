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
	"errors"
	"slices"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

const (
	// inFlightTTL is how old such a list may be. It proves nothing by what it lacks.
	inFlightTTL = time.Minute
	// maxRecent is how many of the latest packages are listed: ten calls a minute at most.
	maxRecent = 10 * pageSize
	// maxContents bounds what is remembered of what packages hold.
	maxContents = 2000
)

// sharedList is a list of packages that those who look for a package of which nothing is on record share.
type sharedList struct {
	clock clock.PassiveClock
	list  func(context.Context) ([]dataarts.Package, error)
	// turn is held by the one who lists, so that the others wait for what that brings.
	turn chan struct{}

	mu       sync.Mutex
	read     time.Time
	packages []dataarts.Package
}

// contents is what was seen of packages, by id. What they hold does not change.
type contents struct {
	mu   sync.Mutex
	seen map[string]remembered
}

type remembered struct {
	detail dataarts.PackageDetail
	at     time.Time
}

func newSharedList(c clock.PassiveClock, list func(context.Context) ([]dataarts.Package, error)) *sharedList {
	return &sharedList{clock: c, list: list, turn: make(chan struct{}, 1)}
}

// InFlight lists the packages that are neither deployed nor withdrawn, as they were at most a minute ago. A package that is missing may be there all
// the same. The list is for reading only.
func (c *Connection) InFlight(ctx context.Context) ([]dataarts.Package, error) {
	return c.inFlight.get(ctx)
}

// Recent lists the latest packages, in whatever state, in the same way.
func (c *Connection) Recent(ctx context.Context) ([]dataarts.Package, error) {
	return c.recent.get(ctx)
}

func (l *sharedList) get(ctx context.Context) ([]dataarts.Package, error) {
	if packages, ok := l.known(); ok {
		return packages, nil
	}
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if packages, ok := l.known(); ok {
		return packages, nil
	}
	began := l.clock.Now()
	packages, err := l.list(ctx)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.read, l.packages = began, packages
	return packages, nil
}

func (l *sharedList) known() ([]dataarts.Package, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.packages, !l.read.IsZero() && l.clock.Since(l.read) <= inFlightTTL
}

// Contents shows a package with what it holds, as it was at most so long ago. Without a bound, what was ever seen of it will do.
func (c *Connection) Contents(ctx context.Context, id string, atMost time.Duration) (dataarts.PackageDetail, error) {
	known, ok := c.contents.of(id)
	if ok && (atMost == 0 || c.clock.Since(known.at) <= atMost) {
		return known.detail, nil
	}
	at := c.clock.Now()
	detail, err := c.Look(ctx, id)
	if err == nil {
		c.contents.keep(id, remembered{detail, at})
	}
	return detail, err
}

// KnowsContents reports whether Contents makes no call, if what was ever seen will do.
func (c *Connection) KnowsContents(id string) bool {
	_, ok := c.contents.of(id)
	return ok
}

func (c *contents) of(id string) (remembered, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok := c.seen[id]
	return known, ok
}

func (c *contents) keep(id string, r remembered) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil || len(c.seen) >= maxContents {
		c.seen = map[string]remembered{}
	}
	c.seen[id] = r
}

func (c *Connection) listInFlight(ctx context.Context) ([]dataarts.Package, error) {
	states := []dataarts.DeployStatus{dataarts.StatusPendingReview, dataarts.StatusDeployFailed, dataarts.StatusDeploying}
	all, err := c.listAll(ctx, dataarts.ListOptions{States: states}, maxPages*pageSize)
	return slices.DeleteFunc(all, func(p dataarts.Package) bool { return p.Deleted }), err
}

func (c *Connection) listRecent(ctx context.Context) ([]dataarts.Package, error) {
	return c.listAll(ctx, dataarts.ListOptions{}, maxRecent)
}

// errEnough ends a list that goes on for longer than it is read.
var errEnough = errors.New("enough of the list is read")

// listAll reads a list from its newest package on, as far as it goes or as many as that.
func (c *Connection) listAll(ctx context.Context, options dataarts.ListOptions, atMost int) ([]dataarts.Package, error) {
	var all []dataarts.Package
	known := map[string]bool{}
	e := c.errand(second)
	page := func(offset int) ([]dataarts.Package, int, error) {
		if len(all) >= atMost {
			return nil, 0, errEnough
		}
		options.Offset = offset
		page, err := c.list(ctx, e, options)
		return page.Packages, page.Total, err
	}
	keep := func(page []dataarts.Package) {
		for i := range page {
			if !known[page[i].ID] {
				known[page[i].ID] = true
				all = append(all, page[i])
			}
		}
	}
	_, err := sweep(page, keep, func(p dataarts.Package) string { return p.ID }, maxPages)
	if errors.Is(err, errEnough) {
		err = nil
	}
	return all, err
}
