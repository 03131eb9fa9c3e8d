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
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	// maxUnpack is how many packages one call withdraws at most. The service documents no highest number for this call, and this one for deploying.
	maxUnpack = 100
	// defaultLinger is how long a batch waits for one more package: a busy API server takes that long for what comes before a withdrawal.
	defaultLinger = 500 * time.Millisecond
	// maxLingers bounds the wait of a batch that goes on growing, in lingers.
	maxLingers = 4
	// maxAlone bounds what is remembered of packages that nobody may ask about again.
	maxAlone = 10000
)

// ErrUnpackShared means that the service refused to withdraw several packages together, and that this one may be among those that it withdrew all
// the same. Look, and decide then. Whoever asks for it again has a call for it alone, so that the answer comes the second time at the latest.
var ErrUnpackShared = errors.New("the service refused to withdraw several packages together; a look shows what became of this one")

// Unpack withdraws a package. Callers that ask at about the same time share a call, and each gets the answer for its own package. A caller whose
// context ends is let go, unless the call is on its way: that one is not cut off, and its answer is waited for.
func (c *Connection) Unpack(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return notAwaited(err)
	}
	if err := c.budget.Err(); err != nil {
		return err
	}
	return c.unpacking.ask(ctx, id)
}

func notAwaited(err error) error {
	return fmt.Errorf("waiting for the turn to withdraw a package: %w", err)
}

// unpacking collects packages that are to be withdrawn into batches. Each batch has a goroutine, which ends with the last of its requests.
type unpacking struct {
	conn   *Connection
	linger time.Duration

	mu sync.Mutex
	// limit is how many packages a call withdraws, as far as is known by now.
	limit int
	// open is the batch that further packages join, nil if there is none.
	open *batch
	// asked are the requests that have no answer yet, by package.
	asked map[string]*unpackRequest
	// alone are the packages that are sent by themselves the next time.
	alone map[string]bool
}

func newUnpacking(conn *Connection, linger time.Duration) *unpacking {
	if linger == 0 {
		linger = defaultLinger
	}
	return &unpacking{conn: conn, linger: linger, limit: maxUnpack, asked: map[string]*unpackRequest{}, alone: map[string]bool{}}
}

// unpackRequest is one package to be withdrawn, whoever asks for that. But for its answer, it is guarded by unpacking.mu.
type unpackRequest struct {
	id    string
	batch *batch
	// callers are those who have not given up.
	callers int
	// sent tells that a call with this package is on its way.
	sent bool
	// answered is closed once err is the answer.
	answered chan struct{}
	err      error
}

// batch is a number of packages that are withdrawn together.
type batch struct {
	// context ends with the last request.
	context context.Context
	end     context.CancelFunc
	// waiting are the requests without an answer, guarded by unpacking.mu.
	waiting []*unpackRequest
	// joined tells of one more request, and full is closed when there will be no more.
	joined, full chan struct{}
	// admitted tells that a turn of the budget was had and not used yet. It belongs to the batch's goroutine.
	admitted bool
}

func (u *unpacking) ask(ctx context.Context, id string) error {
	r := u.join(ctx, id)
	select {
	case <-r.answered:
	case <-ctx.Done():
		if u.leave(r) {
			return notAwaited(ctx.Err())
		}
		<-r.answered
	}
	return r.err
}

// join returns the request for a package: the one there is already, or a new one in the open batch.
func (u *unpacking) join(ctx context.Context, id string) *unpackRequest {
	u.mu.Lock()
	defer u.mu.Unlock()
	if r := u.asked[id]; r != nil {
		r.callers++
		return r
	}
	b, alone := u.open, u.alone[id]
	if b == nil || alone {
		b = u.begin(ctx)
	}
	r := &unpackRequest{id: id, batch: b, callers: 1, answered: make(chan struct{})}
	u.asked[id] = r
	delete(u.alone, id)
	b.waiting = append(b.waiting, r)
	switch {
	case alone:
		close(b.full)
	case len(b.waiting) >= u.limit:
		u.open = nil
		close(b.full)
	default:
		u.open = b
	}
	select {
	case b.joined <- struct{}{}:
	default: // The batch has yet to see the one before.
	}
	return r
}

// begin begins a batch. It outlives the one who needs it first, since others may join.
func (u *unpacking) begin(ctx context.Context) *batch {
	b := &batch{joined: make(chan struct{}, 1), full: make(chan struct{})}
	b.context, b.end = context.WithCancel(context.WithoutCancel(ctx))
	go u.run(b)
	return b
}

// leave lets a caller go, and reports whether it need not wait for an answer.
func (u *unpacking) leave(r *unpackRequest) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.asked[r.id] != r {
		return false // The answer has just come.
	}
	r.callers--
	if r.callers == 0 && !r.sent {
		u.answer(r, context.Canceled) // Which nobody hears: it leaves the batch.
		return true
	}
	return !r.sent
}

// answer ends a request. Its caller holds the lock.
func (u *unpacking) answer(r *unpackRequest, err error) {
	b := r.batch
	delete(u.asked, r.id)
	b.waiting = slices.DeleteFunc(b.waiting, func(other *unpackRequest) bool { return other == r })
	if len(b.waiting) == 0 {
		b.end()
		if u.open == b {
			u.open = nil
		}
	}
	if errors.Is(err, ErrUnpackShared) {
		if len(u.alone) >= maxAlone {
			clear(u.alone)
		}
		u.alone[r.id] = true
	}
	r.err = err
	close(r.answered)
}

// answerAll gives all that is left of a batch the same answer.
func (u *unpacking) answerAll(b *batch, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, r := range slices.Clone(b.waiting) {
		u.answer(r, err)
	}
}

// linger waits until nobody has joined for a moment.
func (b *batch) linger(d time.Duration) {
	if d < 0 {
		return
	}
	quiet, longest := time.NewTimer(d), time.NewTimer(maxLingers*d)
	defer quiet.Stop()
	defer longest.Stop()
	for {
		select {
		case <-b.joined:
			quiet.Reset(d)
		case <-quiet.C:
			return
		case <-longest.C:
			return
		case <-b.full:
			return
		case <-b.context.Done():
			return
		}
	}
}
