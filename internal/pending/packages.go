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

package pending

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"k8s.io/utils/clock"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

const (
	// packagesTTL is how old a list of packages may be. It proves nothing by what it lacks.
	packagesTTL = time.Minute
	// staleAfter is how old a list has to be before it is read anew because of what it holds, and staleFactor how many
	// times as long as it took to read: a long list costs many calls.
	staleAfter  = 5 * time.Second
	staleFactor = 10
	// maxRecent is how many of the latest packages are listed: ten calls a minute at most.
	maxRecent = 1000
)

// Packages shares lists of packages among those who look for a package of which nothing is on record.
type Packages struct {
	inFlight, recent *packageList

	mu sync.Mutex
	// items are the ids of the items that packages in flight hold, as far as they were seen. What a package holds does
	// not change.
	items map[string][]string
}

// packageList is one of these lists.
type packageList struct {
	clock clock.PassiveClock
	list  func(context.Context) ([]dataarts.Package, error)
	// reading is held by the one who reads the list, so that the others wait for what that brings.
	reading *semaphore.Weighted

	mu       sync.Mutex
	read     time.Time
	took     time.Duration
	stale    bool
	packages []dataarts.Package
}

// NewPackages makes Packages. To read a list once, list is called once with the states that it is about, none for
// all, and what it returns then for one page after the other.
func NewPackages(
	c clock.PassiveClock, list func(context.Context, ...dataarts.DeployStatus) func(offset int) (
		dataarts.Page[dataarts.Package], error),
) *Packages {
	p := &Packages{items: map[string][]string{}}
	p.inFlight = newPackageList(c, func(ctx context.Context) ([]dataarts.Package, error) {
		all, err := shown(list(ctx, dataarts.StatusPendingReview, dataarts.StatusDeployFailed, dataarts.StatusDeploying),
			math.MaxInt)
		if err == nil {
			all = slices.DeleteFunc(all, func(p dataarts.Package) bool { return p.Deleted })
			p.prune(all)
		}
		return all, err
	})
	p.recent = newPackageList(c,
		func(ctx context.Context) ([]dataarts.Package, error) { return shown(list(ctx), maxRecent) })
	return p
}

// shown are the packages of a list, the newest first, whether or not it is whole.
func shown(fetch func(offset int) (dataarts.Page[dataarts.Package], error), enough int) ([]dataarts.Package, error) {
	all, err := dataarts.AllRows(fetch, enough)
	if errors.Is(err, dataarts.ErrIncomplete) {
		err = nil
	}
	return all, err
}

// InFlight lists the packages that are neither deployed nor withdrawn, as they were at most a minute ago. A package
// that is missing may be there all the same. The list is for reading only.
func (p *Packages) InFlight(ctx context.Context) ([]dataarts.Package, error) {
	return p.inFlight.get(ctx)
}

// Recent lists the latest packages, in whatever state, in the same way.
func (p *Packages) Recent(ctx context.Context) ([]dataarts.Package, error) {
	return p.recent.get(ctx)
}

// Invalidate says that the service did not show a package which the lists hold, so that the next who ask for them get
// new ones.
func (p *Packages) Invalidate() {
	p.inFlight.invalidate()
	p.recent.invalidate()
}

// KeepItems remembers which items a package holds for as long as it is in flight.
func (p *Packages) KeepItems(detail *dataarts.PackageDetail) {
	ids := make([]string, 0, len(detail.Items))
	for i := range detail.Items {
		ids = append(ids, detail.Items[i].PendingItemID)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.items[detail.ID] = ids
}

// KnownItems are the ids of the items that a package in flight holds, if that was seen before. They are for reading
// only.
func (p *Packages) KnownItems(id string) ([]string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ids, ok := p.items[id]
	return ids, ok
}

// prune forgets the packages that are not listed any more.
func (p *Packages) prune(listed []dataarts.Package) {
	p.mu.Lock()
	defer p.mu.Unlock()
	left := make(map[string][]string, len(p.items))
	for i := range listed {
		if ids, ok := p.items[listed[i].ID]; ok {
			left[listed[i].ID] = ids
		}
	}
	p.items = left
}

func newPackageList(c clock.PassiveClock, list func(context.Context) ([]dataarts.Package, error)) *packageList {
	return &packageList{clock: c, list: list, reading: semaphore.NewWeighted(1)}
}

func (l *packageList) get(ctx context.Context) ([]dataarts.Package, error) {
	if packages, ok := l.known(); ok {
		return packages, nil
	}
	if err := l.reading.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer l.reading.Release(1)
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
	l.read, l.took, l.stale, l.packages = began, l.clock.Since(began), false, packages
	return packages, nil
}

func (l *packageList) known() ([]dataarts.Package, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.packages, !l.read.IsZero() && !l.stale && l.clock.Since(l.read) <= packagesTTL
}

// invalidate has the list read anew, unless that was done a short while ago.
func (l *packageList) invalidate() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stale = l.stale || l.clock.Since(l.read) >= max(staleAfter, staleFactor*l.took)
}
