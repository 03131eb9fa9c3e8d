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

// Package pending shares what lists show among those who ask at about the same time: which items are pending, which
// packages are in flight, and which were packed last.
package pending

import (
	"context"
	"errors"
	"maps"
	"math"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"k8s.io/utils/clock"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

const (
	// itemsTTL is how long a snapshot of the pending list may say of items that they are unpacked, and how long a list
	// is taken to be too long.
	itemsTTL = 5 * time.Minute
	// maxItems bounds the list that is read for the sake of a few items: twenty calls, which are two seconds of the
	// usual budget.
	maxItems = 2000
)

// ErrTooLong means that the service has so many pending items that they are not read for the sake of a few.
var ErrTooLong = errors.New("the service's list of pending items is too long to look for a few of them")

// Items shares snapshots of one pending list.
type Items struct {
	clock clock.PassiveClock
	list  func(context.Context) func(offset int) (dataarts.Page[dataarts.PendingItem], error)
	// reading is held by the one who reads the list, so that the others wait for what that brings.
	reading *semaphore.Weighted

	mu    sync.Mutex
	begun int
	// latest is the latest snapshot that concerns everyone, good the latest that succeeded.
	latest, good *snapshot
	// packed are items that a package was asked for since the good snapshot began, meanwhile those since the present one
	// began.
	packed, meanwhile map[string]bool
}

// query is what someone wants to know.
type query struct {
	ids []string
	// since is when a snapshot may have begun at the earliest, and whole tells that no list is too long.
	since time.Time
	whole bool
}

// NewItems makes Items. To read the list once, list is called once, and what it returns then for one page after the
// other.
func NewItems(c clock.PassiveClock, list func(context.Context) func(offset int) (dataarts.Page[dataarts.PendingItem],
	error)) *Items {
	return &Items{clock: c, list: list, reading: semaphore.NewWeighted(1), latest: &snapshot{}, good: &snapshot{}}
}

// Show returns what the pending list shows of the given items; those that it does not show are missing. Callers share
// snapshots of the list: that all items are unpacked may be the word of one that is up to five minutes old, since the
// service checks that itself when they are packed. Everything else is said by a snapshot that began after the call,
// and an absence only if the list was whole.
func (p *Items) Show(ctx context.Context, ids []string) (map[string]dataarts.PendingItem, error) {
	return p.show(ctx, query{ids: ids})
}

// ShowSince is Show for those who conclude from the list what the service does not check again: no snapshot that
// began before since tells them anything, and the list is read however long it is.
func (p *Items) ShowSince(ctx context.Context, ids []string, since time.Time) (map[string]dataarts.PendingItem, error) {
	return p.show(ctx, query{ids: ids, since: since, whole: true})
}

func (p *Items) show(ctx context.Context, q query) (map[string]dataarts.PendingItem, error) {
	s, err := p.after(ctx, p.soFar(), q)
	if s.answers(q.ids) {
		return s.of(q.ids), nil
	}
	if err != nil {
		return nil, err
	}
	// When one item leaves a list that is read page by page, another one slips from a page that is still to be read to
	// one that was, and if one comes at the same time, the number of items does not tell. The one that left is missing
	// from the next snapshot.
	again, err := p.after(ctx, s.number, q)
	if err != nil {
		return nil, err
	}
	if !again.answers(q.ids) && !again.shows(maps.Keys(s.items)) {
		return nil, dataarts.ErrIncomplete
	}
	return again.of(q.ids), nil
}

func (p *Items) soFar() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.begun
}

// after returns a snapshot that answers for the items: the first one after that number, or an earlier one that
// suffices. It is made here, or by another caller while this one waits.
func (p *Items) after(ctx context.Context, number int, q query) (*snapshot, error) {
	if s := p.known(number, q); s != nil {
		return s, s.err
	}
	if err := p.reading.Acquire(ctx, 1); err != nil {
		return &snapshot{}, err
	}
	defer p.reading.Release(1)
	s := p.known(number, q)
	if s == nil {
		s = p.read(ctx, q.atMost())
	}
	return s, s.err
}

// known returns a snapshot that was made already and suffices, or nil.
func (p *Items) known(number int, q query) *snapshot {
	p.mu.Lock()
	defer p.mu.Unlock()
	tooLong := errors.Is(p.latest.err, ErrTooLong)
	switch {
	case p.latest.number > number && (!tooLong || !q.whole):
		return p.latest
	case p.fresh(p.good) && p.unpacked(q.ids) && p.good.began.After(q.since):
		return p.good
	case p.fresh(p.latest) && tooLong && !q.whole:
		return p.latest
	}
	return nil
}

func (q *query) atMost() int {
	if q.whole {
		return math.MaxInt
	}
	return maxItems
}

func (p *Items) fresh(s *snapshot) bool { return p.clock.Since(s.began) <= itemsTTL }

// unpacked reports whether the good snapshot showed all items as unpacked, and nobody asked for a package of them
// since.
func (p *Items) unpacked(ids []string) bool {
	for _, id := range ids {
		if item, listed := p.good.items[id]; !listed || item.PackageFlag != 0 || p.packed[id] {
			return false
		}
	}
	return true
}

// read reads the list. Its caller has the turn.
func (p *Items) read(ctx context.Context, atMost int) *snapshot {
	p.mu.Lock()
	p.begun++
	s := &snapshot{number: p.begun, began: p.clock.Now()}
	p.meanwhile = map[string]bool{}
	p.mu.Unlock()

	calls, fetch := 0, p.list(ctx)
	items, err := dataarts.AllRows(func(offset int) (dataarts.Page[dataarts.PendingItem], error) {
		calls++
		page, err := fetch(offset)
		if err == nil && page.Total > atMost {
			err = ErrTooLong
		}
		return page, err
	}, math.MaxInt)
	s.atOnce, s.err, s.items = calls == 1, err, make(map[string]dataarts.PendingItem, len(items))
	for i := range items {
		s.items[items[i].ID] = items[i]
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil || s.partial() && !p.fresh(p.good) { // What a part of the list shows as unpacked is so.
		p.good, p.packed = s, p.meanwhile
	}
	if concernsAll(ctx, err) {
		p.latest = s
	}
	p.meanwhile = nil
	return s
}

// concernsAll reports whether what came of a reading is the service's word, and not due to the context of the one who
// read.
func concernsAll(ctx context.Context, err error) bool {
	if err == nil {
		return true
	}
	_, fromService := errors.AsType[*dataarts.Error](err)
	return ctx.Err() == nil && (fromService || errors.Is(err, dataarts.ErrIncomplete) || errors.Is(err, ErrTooLong))
}

// NotePack takes down that a package of the items was asked for, with this outcome. Unless that proves that nothing
// was done, the good snapshot is out of date for them; a refusal may say so, too. A withdrawal needs no note: nobody
// is told from memory that an item is packed.
func (p *Items) NotePack(ids []string, err error) {
	switch dataarts.KindOf(err) {
	case dataarts.Unauthorized, dataarts.Forbidden, dataarts.Throttled, dataarts.Unreachable:
		return
	case dataarts.Unknown, dataarts.Refused, dataarts.NotFound, dataarts.AlreadyDeployed:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range ids {
		if _, listed := p.good.items[id]; listed {
			p.packed[id] = true
		}
		if p.meanwhile != nil {
			p.meanwhile[id] = true
		}
	}
}
