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
	"math"
	"slices"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/quota"
)

const (
	// inFlightTTL is how old such a list may be. It proves nothing by what it lacks.
	inFlightTTL = time.Minute
	// doubtAfter is how old a list has to be before it is read anew because of what it holds, and doubtFactor how many times as long as it took
	// to read: a long list costs many calls.
	doubtAfter  = 5 * time.Second
	doubtFactor = 10
	// maxRecent is how many of the latest packages are listed: ten calls a minute at most.
	maxRecent = 10 * pageSize
)

// sharedList is a list of packages that those who look for a package of which nothing is on record share.
type sharedList struct {
	clock clock.PassiveClock
	list  func(context.Context) ([]dataarts.Package, error)
	// turn is held by the one who lists, so that the others wait for what that brings.
	turn chan struct{}

	mu       sync.Mutex
	read     time.Time
	took     time.Duration
	void     bool
	packages []dataarts.Package
}

// contents are the ids of the items that packages in flight hold, as far as they were seen. What a package holds does not change.
type contents struct {
	mu   sync.Mutex
	seen map[string][]string
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
	l.read, l.took, l.void, l.packages = began, l.clock.Since(began), false, packages
	return packages, nil
}

func (l *sharedList) known() ([]dataarts.Package, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.packages, !l.read.IsZero() && !l.void && l.clock.Since(l.read) <= inFlightTTL
}

// doubt has the list read anew, unless that was done a short while ago.
func (l *sharedList) doubt() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.void = l.void || l.clock.Since(l.read) >= max(doubtAfter, doubtFactor*l.took)
}

// DoubtLists says that the service did not show a package which the shared lists hold, so that the next who ask for them get new ones.
func (c *Connection) DoubtLists() {
	c.inFlight.doubt()
	c.recent.doubt()
}

// Contents shows a package, and remembers which items it holds for as long as it is in flight.
func (c *Connection) Contents(ctx context.Context, id string) (dataarts.PackageDetail, error) {
	detail, err := c.Look(ctx, id)
	if err == nil {
		c.contents.keep(&detail)
	}
	return detail, err
}

// KnownItems are the ids of the items that a package in flight holds, if that was seen before. They are for reading only.
func (c *Connection) KnownItems(id string) ([]string, bool) {
	c.contents.mu.Lock()
	defer c.contents.mu.Unlock()
	ids, ok := c.contents.seen[id]
	return ids, ok
}

func (c *contents) keep(detail *dataarts.PackageDetail) {
	ids := make([]string, 0, len(detail.Items))
	for i := range detail.Items {
		ids = append(ids, detail.Items[i].PendingItemID)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = map[string][]string{}
	}
	c.seen[detail.ID] = ids
}

// prune forgets the packages that are not listed any more.
func (c *contents) prune(listed []dataarts.Package) {
	c.mu.Lock()
	defer c.mu.Unlock()
	left := make(map[string][]string, len(c.seen))
	for i := range listed {
		if ids, ok := c.seen[listed[i].ID]; ok {
			left[listed[i].ID] = ids
		}
	}
	c.seen = left
}

func (c *Connection) listInFlight(ctx context.Context) ([]dataarts.Package, error) {
	states := []dataarts.DeployStatus{dataarts.StatusPendingReview, dataarts.StatusDeployFailed, dataarts.StatusDeploying}
	all, err := c.listAll(ctx, dataarts.ListOptions{States: states}, math.MaxInt)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(p dataarts.Package) bool { return p.Deleted })
	c.contents.prune(all)
	return all, nil
}

func (c *Connection) listRecent(ctx context.Context) ([]dataarts.Package, error) {
	return c.listAll(ctx, dataarts.ListOptions{}, maxRecent)
}

// listAll reads a list from its newest package on, as far as it goes or as many as that.
func (c *Connection) listAll(ctx context.Context, options dataarts.ListOptions, atMost int) ([]dataarts.Package, error) {
	all, err := dataarts.AllRows(c.pages(ctx, c.series(quota.Lookup), options), atMost)
	if errors.Is(err, dataarts.ErrIncomplete) {
		err = nil
	}
	return all, err
}
