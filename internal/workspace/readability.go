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
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

const (
	// unreadableFor is how long an answer that cannot be read speaks for the next ones.
	unreadableFor = 5 * time.Second
)

// readability is what is known of whether the answers of a workspace can be read. As long as they cannot, nothing is to
// be sent that changes something: what it makes could not be found again.
type readability struct {
	clock clock.PassiveClock
	// turn is held by the one who asks, so that the others wait for what that brings.
	turn chan struct{}

	mu sync.Mutex
	// unread are the operations whose latest answer could not be read.
	unread map[dataarts.Op]bool
	// proved tells that the id of a package was read: an empty list holds nothing that could be misread.
	proved bool
	// packing is how many requests to pack were let through and are not answered yet.
	packing int
	// asked is when an answer that could not be read was asked for last, and failure what came of it.
	asked   time.Time
	failure error
}

func newReadability(c clock.PassiveClock) *readability {
	return &readability{clock: c, turn: make(chan struct{}, 1), unread: map[dataarts.Op]bool{}}
}

// note takes down whether an answer could be read, and how many packages it named.
func (r *readability) note(op dataarts.Op, err error, packages int) {
	e, failed := errors.AsType[*dataarts.Error](err)
	if err != nil && (!failed || e.Status == 0) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		delete(r.unread, op)
		r.proved = r.proved || packages > 0
	// Told in the service's own way, or in someone else's.
	case e.Kind != dataarts.Unknown || e.Status >= http.StatusBadRequest:
	case op == dataarts.OpListPendingItems:
		r.unread[op] = true
	case op != dataarts.OpShow: // A detail may be a matter of that one package, and all else that matters is in the list.
		r.unread[dataarts.OpList] = true
	}
}

// check returns nil unless there was an answer that could not be read, and it still cannot when it is asked for again.
func (r *readability) check(ctx context.Context, ask func(context.Context, dataarts.Op) error) error {
	if ops, err := r.doubts(); len(ops) == 0 {
		return err
	}
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	ops, err := r.doubts()
	for _, op := range ops {
		if err = ask(ctx, op); err != nil {
			break
		}
	}
	if len(ops) > 0 && ctx.Err() == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.asked, r.failure = r.clock.Now(), err
	}
	return err
}

// doubts are the operations that are to be asked for again, or why none needs to be.
func (r *readability) doubts() ([]dataarts.Op, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.unread) > 0 && r.failure != nil && r.clock.Since(r.asked) < unreadableFor {
		return nil, r.failure
	}
	return slices.Sorted(maps.Keys(r.unread)), nil
}

// begin lets one request to pack through, and the others once the id of a package was read. It reports whether this
// one may go.
func (r *readability) begin() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.proved && r.packing > 0 {
		return false
	}
	r.packing++
	return true
}

// end takes down that a request which was let through is answered, or not sent.
func (r *readability) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.packing--
}
