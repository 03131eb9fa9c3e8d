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
	return c.pending.show(ctx, pendingAsk{ids: ids})
}

// PendingSince is Pending for those who conclude from the list what the service does not check again: no look that began before since tells them
// anything, and the list is read however long it is.
func (c *Connection) PendingSince(ctx context.Context, ids []string, since time.Time) (map[string]dataarts.PendingItem, error) {
	return c.pending.show(ctx, pendingAsk{ids: ids, since: since, whole: true})
}

// PendingNow is PendingSince with a look that begins after the call.
func (c *Connection) PendingNow(ctx context.Context, ids []string) (map[string]dataarts.PendingItem, error) {
	return c.PendingSince(ctx, ids, c.clock.Now())
}

// pendingAsk is what someone wants to know.
type pendingAsk struct {
	ids []string
	// since is when a look may have begun at the earliest, and whole tells that no list is too long.
	since time.Time
	whole bool
}

// pendingLooks are the looks at one pending list.
type pendingLooks struct {
	clock clock.PassiveClock
	// list reads the list unless there is more on it than so many, and counts the calls that it took. Of one that changes meanwhile it returns a part.
	list func(context.Context, int) ([]dataarts.PendingItem, int, error)
	// turn is held by the one who looks, so that the others wait for what that brings.
	turn chan struct{}

	mu    sync.Mutex
	begun int
	// latest is the latest look that concerns everyone, good the latest that succeeded.
	latest, good *pendingLook
	// packed are items that a package was asked for since the good look began, meanwhile those since the present one began.
	packed, meanwhile map[string]bool
}

func newPendingLooks(c clock.PassiveClock, list func(context.Context, int) ([]dataarts.PendingItem, int, error)) *pendingLooks {
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

func (p *pendingLooks) show(ctx context.Context, ask pendingAsk) (map[string]dataarts.PendingItem, error) {
	l, err := p.after(ctx, p.soFar(), ask)
	if l.answers(ask.ids) {
		return l.of(ask.ids), nil
	}
	if err != nil {
		return nil, err
	}
	// When one item leaves a list that is read page by page, another one slips from a page that is still to be read to one that was,
	// and if one comes at the same time, the number of items does not tell. The one that left is missing from the next look.
	again, err := p.after(ctx, l.number, ask)
	if err != nil {
		return nil, err
	}
	if !again.answers(ask.ids) && !again.showsAll(l) {
		return nil, dataarts.ErrIncomplete
	}
	return again.of(ask.ids), nil
}

func (p *pendingLooks) soFar() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.begun
}

// after returns a look that answers for the items: the first one after so many, or an earlier one that suffices. It is made here, or by
// another caller while this one waits.
func (p *pendingLooks) after(ctx context.Context, looks int, ask pendingAsk) (*pendingLook, error) {
	l := p.known(looks, ask)
	if l == nil {
		select {
		case p.turn <- struct{}{}:
			defer func() { <-p.turn }()
		case <-ctx.Done():
			return &pendingLook{}, ctx.Err()
		}
		if l = p.known(looks, ask); l == nil {
			l = p.look(ctx, ask.atMost())
		}
	}
	return l, l.err
}

// known returns a look that was made already and suffices, or nil.
func (p *pendingLooks) known(looks int, ask pendingAsk) *pendingLook {
	p.mu.Lock()
	defer p.mu.Unlock()
	tooLong := errors.Is(p.latest.err, ErrTooLong)
	switch {
	case p.latest.number > looks && (!tooLong || !ask.whole):
		return p.latest
	case p.fresh(p.good) && p.unpacked(ask.ids) && p.good.began.After(ask.since):
		return p.good
	case p.fresh(p.latest) && tooLong && !ask.whole:
		return p.latest
	}
	return nil
}

func (a *pendingAsk) atMost() int {
	if a.whole {
		return math.MaxInt
	}
	return maxPending
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
func (p *pendingLooks) look(ctx context.Context, atMost int) *pendingLook {
	p.mu.Lock()
	p.begun++
	l := &pendingLook{number: p.begun, began: p.clock.Now()}
	p.meanwhile = map[string]bool{}
	p.mu.Unlock()

	items, calls, err := p.list(ctx, atMost)
	l.atOnce, l.err, l.items = calls == 1, err, make(map[string]dataarts.PendingItem, len(items))
	for i := range items {
		l.items[items[i].ID] = items[i]
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil || l.partial() && !p.fresh(p.good) { // What a part of the list shows as unpacked is so.
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
	return ctx.Err() == nil && (fromService || errors.Is(err, dataarts.ErrIncomplete) || errors.Is(err, ErrTooLong))
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

// partial tells that the list changed while it was read, so that only what is shown says something.
func (l *pendingLook) partial() bool { return errors.Is(l.err, dataarts.ErrIncomplete) }

// answers reports whether the look suffices for these items: it shows them all, or the whole list as it was at one moment.
func (l *pendingLook) answers(ids []string) bool {
	switch {
	case l.number == 0, l.err != nil && !l.partial():
		return false
	case l.shows(ids):
		return true
	}
	return l.atOnce && l.err == nil
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
