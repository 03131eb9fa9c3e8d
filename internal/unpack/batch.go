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

// Package unpack withdraws packages. Withdrawals that are asked for at about the same time share a call, and a call
// that the service refuses is bisected until each package has an answer of its own.
package unpack

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

const (
	// maxUnpack is how many packages one call withdraws at most. The service documents no highest number for this call,
	// and this one for deploying.
	maxUnpack = 100
	// defaultLinger is how long a batch waits for one more package: a busy API server takes that long for what comes
	// before a withdrawal.
	defaultLinger = 500 * time.Millisecond
	// maxLingers bounds the wait of a batch that goes on growing, in lingers.
	maxLingers = 4
	// maxIsolated bounds what is remembered of packages that nobody may ask about again.
	maxIsolated = 10000
)

// ErrRefusedTogether means that the service refused to withdraw several packages together, and that this one may be
// among those that it withdrew all the same. Look, and decide then. Whoever asks for it again has a call for it
// alone, so that the answer comes the second time at the latest.
var ErrRefusedTogether = errors.New(
	"the service refused to withdraw several packages together; a look shows what became of this one")

// Service is what withdrawals take of a connection to the service.
type Service interface {
	// Acquire waits for the turn of a call, and Release hands back a turn that is not used.
	Acquire(ctx context.Context) error
	Release()
	// Unpack withdraws packages with one call.
	Unpack(ctx context.Context, ids []string) error
	// ListUnpackable lists the packages that may be withdrawn, page by page.
	ListUnpackable(ctx context.Context) iter.Seq2[dataarts.Page[dataarts.Package], error]
}

// Batcher collects packages that are to be withdrawn into batches. Each batch has a goroutine, which ends with the
// last of its requests.
type Batcher struct {
	service Service
	linger  time.Duration

	mu sync.Mutex
	// open is the batch that further packages join, nil if there is none.
	open *batch
	// asked are the requests that have no answer yet, by package.
	asked map[string]*request
	// isolated are the packages that are sent by themselves the next time.
	isolated map[string]bool
}

// NewBatcher makes a Batcher. A batch waits for more packages until none has come for the time of linger; half a
// second if that is zero.
func NewBatcher(service Service, linger time.Duration) *Batcher {
	if linger == 0 {
		linger = defaultLinger
	}
	return &Batcher{service: service, linger: linger, asked: map[string]*request{},
		isolated: map[string]bool{}}
}

// Unpack withdraws a package. Callers that ask at about the same time share a call, and each gets the answer for its
// own package. A caller whose context ends is let go, unless the call is on its way: that one is not cut off, and its
// answer is waited for.
func (u *Batcher) Unpack(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return cancelled(err)
	}
	r := u.join(ctx, id)
	select {
	case <-r.answered:
	case <-ctx.Done():
		if u.leave(r) {
			return cancelled(ctx.Err())
		}
		<-r.answered
	}
	return r.err
}

func cancelled(err error) error {
	return fmt.Errorf("waiting for the turn to withdraw a package: %w", err)
}

// request is one package to be withdrawn, whoever asks for that. But for its answer, it is guarded by Batcher.mu.
type request struct {
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
	// waiting are the requests without an answer, guarded by Batcher.mu.
	waiting []*request
	// joined tells of one more request, and full is closed when there will be no more.
	joined, full chan struct{}
	// admitted tells that a turn of the budget was had and not used yet. It belongs to the batch's goroutine.
	admitted bool
}

// join returns the request for a package: the one there is already, or a new one in the open batch.
func (u *Batcher) join(ctx context.Context, id string) *request {
	u.mu.Lock()
	defer u.mu.Unlock()
	if r := u.asked[id]; r != nil {
		r.callers++
		return r
	}
	b, isolated := u.open, u.isolated[id]
	if b == nil || isolated {
		b = u.begin(ctx)
	}
	r := &request{id: id, batch: b, callers: 1, answered: make(chan struct{})}
	u.asked[id] = r
	delete(u.isolated, id)
	b.waiting = append(b.waiting, r)
	switch {
	case isolated:
		close(b.full)
	case len(b.waiting) >= maxUnpack:
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
func (u *Batcher) begin(ctx context.Context) *batch {
	b := &batch{joined: make(chan struct{}, 1), full: make(chan struct{})}
	b.context, b.end = context.WithCancel(context.WithoutCancel(ctx))
	go u.run(b)
	return b
}

// leave lets a caller go, and reports whether it need not wait for an answer.
func (u *Batcher) leave(r *request) bool {
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
func (u *Batcher) answer(r *request, err error) {
	b := r.batch
	delete(u.asked, r.id)
	b.waiting = slices.DeleteFunc(b.waiting, func(other *request) bool { return other == r })
	if len(b.waiting) == 0 {
		b.end()
		if u.open == b {
			u.open = nil
		}
	}
	if errors.Is(err, ErrRefusedTogether) {
		if len(u.isolated) >= maxIsolated {
			clear(u.isolated)
		}
		u.isolated[r.id] = true
	}
	r.err = err
	close(r.answered)
}

// answerAll gives all that is left of a batch the same answer.
func (u *Batcher) answerAll(b *batch, err error) {
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
