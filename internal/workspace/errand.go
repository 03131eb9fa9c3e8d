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
	"time"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

// errand is a piece of work that takes several calls, one after the other, such as to read a list page by page. Others may come to need what it brings
// while it is under way, and lend it their priority. An errand that has begun goes on: see priority.
type errand struct {
	budget  *budget
	timeout time.Duration

	// What follows is guarded by the budget's lock.
	priority priority
	begun    bool
	latest   *waiter
}

// errand begins a piece of work.
func (c *Connection) errand(p priority) *errand {
	return &errand{budget: c.budget, timeout: c.trialTime(), priority: p}
}

// lend raises the priority of what is left of the errand, also of a call that waits for its turn already. It never lowers it.
func (e *errand) lend(p priority) {
	e.budget.mu.Lock()
	defer e.budget.mu.Unlock()
	if p >= e.priority {
		return
	}
	e.priority = p
	if e.latest != nil {
		e.budget.queue.raise(e.latest, p)
		e.budget.proceed()
	}
}

// queued is told of the next call before that waits. Its caller holds the budget's lock.
func (e *errand) queued(w *waiter) { w.priority, w.begun, e.latest = e.priority, e.begun, w }

// admit waits for the turn of the errand's next call, or says at once why none is to be made now.
func (e *errand) admit(ctx context.Context) error {
	return e.budget.wait(ctx, &waiter{errand: e, timeout: e.timeout})
}

// mostThrottled is how often in a row a call of an errand is made again that the service throttles. More is trouble, which those who wait have to tell of.
const mostThrottled = 3

// fetch makes the next call of an errand in its turn. Where the service asks for fewer calls, and a pause is over soon, it is made again: what was fetched
// before is not lost, and who waits for it need not begin anew.
func fetch[T any](ctx context.Context, e *errand, call func() (T, error)) (answer T, err error) {
	for again := 0; ; again++ {
		if err := e.admit(ctx); err != nil {
			return answer, err
		}
		answer, err = call()
		if dataarts.KindOf(err) != dataarts.Throttled || again == mostThrottled {
			return answer, err
		}
	}
}
