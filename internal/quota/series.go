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

package quota

import (
	"context"
	"time"
)

// Series is several calls that belong together and are made one after the other, such as those that read a list page by page. Others may come to need
// what it brings while it is under way, and raise its priority to theirs. A series that has begun goes on: see Priority.
type Series struct {
	budget  *Budget
	timeout time.Duration

	// What follows is guarded by the budget's lock.
	priority Priority
	begun    bool
	latest   *waiter
}

// Series begins a series of calls with this timeout.
func (b *Budget) Series(p Priority, timeout time.Duration) *Series {
	return &Series{budget: b, timeout: timeout, priority: p}
}

// Acquire waits for the turn of the series's next call, or says at once why none is to be made now.
func (s *Series) Acquire(ctx context.Context) error {
	return s.budget.wait(ctx, &waiter{series: s, timeout: s.timeout})
}

// Raise gives the rest of the series a higher priority, also a call that waits for its turn already. It never lowers it.
func (s *Series) Raise(p Priority) {
	s.budget.mu.Lock()
	defer s.budget.mu.Unlock()
	if p >= s.priority {
		return
	}
	s.priority = p
	if s.latest != nil {
		s.budget.queue.raise(s.latest, p)
		s.budget.dispatch()
	}
}

// queued is told of the next call before that waits. Its caller holds the budget's lock.
func (s *Series) queued(w *waiter) { w.priority, w.begun, s.latest = s.priority, s.begun, w }
