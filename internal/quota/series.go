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

// Series is calls that belong together and follow each other, such as those that read a list page by page. A series
// that has begun goes on: see Priority.
type Series struct {
	budget  *Budget
	timeout time.Duration

	// The budget's lock guards what follows.
	priority Priority
	begun    bool
	latest   *waiter
}

// Series begins a series of calls, each with this timeout.
func (b *Budget) Series(p Priority, timeout time.Duration) *Series {
	return &Series{budget: b, timeout: timeout, priority: p}
}

// Acquire waits for the turn of the next call. It returns an error at once while the breaker is open.
func (s *Series) Acquire(ctx context.Context) error {
	return s.budget.acquire(ctx, &waiter{series: s, timeout: s.timeout})
}

// Raise gives the rest of the series a higher priority, also a call that waits already. It never lowers it. It is for
// those who come to need what the series brings while it is under way: the series inherits their priority.
func (s *Series) Raise(p Priority) {
	s.budget.update(func() {
		if p >= s.priority {
			return
		}
		s.priority = p
		if s.latest != nil {
			s.budget.queue.raise(s.latest, p)
		}
	})
}
