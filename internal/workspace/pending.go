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
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

const (
	// lookTTL is how long a look at the pending list may say of items that they are unpacked, and how long a list is taken to be too long.
	lookTTL = 5 * time.Minute
	// maxPending bounds the list that is read for the sake of a few items: twenty calls, which are two seconds of the usual budget.
	maxPending = 20 * pageSize
)

// ErrTooLong means that the service has so many pending items that they are not read for the sake of a few.
var ErrTooLong = errors.New("the service's list of pending items is too long to look for a few of them")

// Pending returns what the pending list shows of the given items; those that it does not show are missing. Callers share looks at
// the list: that all items are unpacked may be a look's word that is up to five minutes old, since the service checks that itself when
// they are packed. Everything else is said by a look that began after the call, and an absence only if the list was whole.
func (c *Connection) Pending(ctx context.Context, ids []string) (map[string]dataarts.PendingItem, error) {
	return c.pending.show(ctx, ids)
}

// pendingLooks are the looks at one pending list.
type pendingLooks struct {
	clock clock.PassiveClock
	// list reads the list, and counts the calls that it took.
	list func(context.Context) ([]dataarts.PendingItem, int, error)
	// turn is held by the one who looks, so that the others wait for what that brings.
	turn chan struct{}

	mu    sync.Mutex
	begun int
	// latest is the latest look that concerns everyone, good the latest that succeeded.
	latest, good *pendingLook
	// packed are items that a package was asked for since the good look began, meanwhile those since the present one began.
	packed, meanwhile map[string]bool
}

func newPendingLooks(c clock.PassiveClock, list func(context.Context) ([]dataarts.PendingItem, int, error)) *pendingLooks {
	return &pendingLooks{clock: c, list: list, turn: make(chan struct{}, 1), latest: &pendingLook{}, good: &pendingLook{}}
}

// pendingLook is one look. It does not change once others see it.
type pendingLook struct {
	number int
	began  time.Time
	// atOnce tells that the list was read with one call, so that nothing changed meanwhile.
	atOnce bool
	items  map[string]dataarts.PendingItem
	err    error
}

func (p *pendingLooks) show(ctx context.Context, ids []string) (map[string]dataarts.PendingItem, error) {
	l, err := p.after(ctx, p.soFar(), ids)
	if err != nil {
		return nil, err
	}
	if l.atOnce || l.shows(ids) {
		return l.of(ids), nil
	}
	// When one item leaves a list that is read page by page, another one slips from a page that is still to be read to one that was,
	// and if one comes at the same time, the number of items does not tell. The one that left is missing from the next look.
	again, err := p.after(ctx, l.number, ids)
	if err != nil {
		return nil, err
	}
	if !again.atOnce && !again.shows(ids) && !again.showsAll(l) {
		return nil, ErrIncomplete
	}
	return again.of(ids), nil
}

func (p *pendingLooks) soFar() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.begun
}

// after returns a look that answers for the items: the first one after so many, or an earlier one that suffices. It is made here, or by
// another caller while this one waits.
func (p *pendingLooks) after(ctx context.Context, looks int, ids []string) (*pendingLook, error) {
	l := p.known(looks, ids)
	if l == nil {
		select {
		case p.turn <- struct{}{}:
			defer func() { <-p.turn }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if l = p.known(looks, ids); l == nil {
			l = p.look(ctx)
		}
	}
	return l, l.err
}

// known returns a look that was made already and suffices, or nil.
func (p *pendingLooks) known(looks int, ids []string) *pendingLook {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.latest.number > looks:
		return p.latest
	case p.fresh(p.good) && p.unpacked(ids):
		return p.good
	case p.fresh(p.latest) && errors.Is(p.latest.err, ErrTooLong):
		return p.latest
	}
	return nil
}

func (p *pendingLooks) fresh(l *pendingLook) bool { return p.clock.Since(l.began) <= lookTTL }

// unpacked reports whether the good look showed all items as unpacked, and nobody asked for a package of them since.
func (p *pendingLooks) unpacked(ids []string) bool {
	for _, id := range ids {
		if item, listed := p.good.items[id]; !listed || item.PackageFlag != 0 || p.packed[id] {
			return false
		}
	}
	return true
}

// look reads the list. Its caller has the turn.
func (p *pendingLooks) look(ctx context.Context) *pendingLook {
	p.mu.Lock()
	p.begun++
	l := &pendingLook{number: p.begun, began: p.clock.Now()}
	p.meanwhile = map[string]bool{}
	p.mu.Unlock()

	items, calls, err := p.list(ctx)
	l.atOnce, l.err, l.items = calls == 1, err, make(map[string]dataarts.PendingItem, len(items))
	for i := range items {
		l.items[items[i].ID] = items[i]
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.good, p.packed = l, p.meanwhile
	}
	if concernsAll(ctx, err) {
		p.latest = l
	}
	p.meanwhile = nil
	return l
}

// concernsAll reports whether what came of a look is the service's word, and not due to the context of the one who looked.
func concernsAll(ctx context.Context, err error) bool {
	if err == nil {
		return true
	}
	_, fromService := errors.AsType[*dataarts.Error](err)
	return ctx.Err() == nil && (fromService || errors.Is(err, ErrIncomplete) || errors.Is(err, ErrTooLong))
}

// note takes down that a package of the items was asked for, with this outcome. Unless that proves that nothing was done, the good look
// is out of date for them; a refusal may say so, too. A withdrawal needs no note: nobody is told from memory that an item is packed.
func (p *pendingLooks) note(ids []string, err error) {
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

func (l *pendingLook) of(ids []string) map[string]dataarts.PendingItem {
	found := make(map[string]dataarts.PendingItem, len(ids))
	for _, id := range ids {
		if item, listed := l.items[id]; listed {
			found[id] = item
		}
	}
	return found
}

func (l *pendingLook) shows(ids []string) bool {
	for _, id := range ids {
		if _, listed := l.items[id]; !listed {
			return false
		}
	}
	return true
}

// showsAll reports whether nothing that an earlier look showed has gone.
func (l *pendingLook) showsAll(earlier *pendingLook) bool {
	for id := range earlier.items {
		if _, listed := l.items[id]; !listed {
			return false
		}
	}
	return true
}
