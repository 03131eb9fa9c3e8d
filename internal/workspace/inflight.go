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
)

const (
	// inFlightTTL is how old a list of the packages in flight may be that tells who may hold an item. It proves nothing by what it lacks.
	inFlightTTL = time.Minute
	// maxContents bounds what is remembered of what packages hold.
	maxContents = 2000
)

// inFlight is what is known of the packages that are neither deployed nor withdrawn, for those who look for the one that holds an item. They share a
// list, and what they find out of a package's contents, which do not change.
type inFlight struct {
	clock clock.PassiveClock
	list  func(context.Context) ([]dataarts.Package, error)
	// turn is held by the one who lists, so that the others wait for what that brings.
	turn chan struct{}

	mu       sync.Mutex
	read     time.Time
	packages []dataarts.Package
	contents map[string]remembered
}

type remembered struct {
	detail dataarts.PackageDetail
	seen   time.Time
}

func newInFlight(c clock.PassiveClock, list func(context.Context) ([]dataarts.Package, error)) *inFlight {
	return &inFlight{clock: c, list: list, turn: make(chan struct{}, 1), contents: map[string]remembered{}}
}

// InFlight lists the packages that are neither deployed nor withdrawn, as they were at most a minute ago. A package that is missing may be there all
// the same. The list is for reading only.
func (c *Connection) InFlight(ctx context.Context) ([]dataarts.Package, error) {
	f := c.inFlight
	if packages, ok := f.known(); ok {
		return packages, nil
	}
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if packages, ok := f.known(); ok {
		return packages, nil
	}
	began := f.clock.Now()
	packages, err := f.list(ctx)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.read, f.packages = began, packages
	return packages, nil
}

func (f *inFlight) known() ([]dataarts.Package, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.packages, !f.read.IsZero() && f.clock.Since(f.read) <= inFlightTTL
}

// Contents shows a package with what it holds, as it was at most so long ago. Without a bound, what was ever seen of it will do.
func (c *Connection) Contents(ctx context.Context, id string, atMost time.Duration) (dataarts.PackageDetail, error) {
	f := c.inFlight
	f.mu.Lock()
	known, ok := f.contents[id]
	f.mu.Unlock()
	if ok && (atMost == 0 || f.clock.Since(known.seen) <= atMost) {
		return known.detail, nil
	}
	seen := f.clock.Now()
	detail, err := c.Look(ctx, id)
	if err != nil {
		return detail, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.contents) >= maxContents {
		clear(f.contents)
	}
	f.contents[id] = remembered{detail, seen}
	return detail, nil
}

// KnowsContents reports whether Contents makes no call, if what was ever seen will do.
func (c *Connection) KnowsContents(id string) bool {
	f := c.inFlight
	f.mu.Lock()
	defer f.mu.Unlock()
	_, ok := f.contents[id]
	return ok
}

// listInFlight reads the list, as far as it goes.
func (c *Connection) listInFlight(ctx context.Context) ([]dataarts.Package, error) {
	states := []dataarts.DeployStatus{dataarts.StatusPendingReview, dataarts.StatusDeployFailed, dataarts.StatusDeploying}
	e := c.errand(second)
	page := func(offset int) ([]dataarts.Package, int, error) {
		page, err := c.list(ctx, e, dataarts.ListOptions{States: states, Offset: offset})
		return page.Packages, page.Total, err
	}
	var all []dataarts.Package
	known := map[string]bool{}
	keep := func(page []dataarts.Package) {
		for i := range page {
			if !page[i].Deleted && !known[page[i].ID] {
				known[page[i].ID] = true
				all = append(all, page[i])
			}
		}
	}
	_, err := sweep(page, keep, func(p dataarts.Package) string { return p.ID }, maxPages)
	return all, err
}
