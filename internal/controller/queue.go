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

package controller

import (
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// background is the priority of what nobody has asked for just now: it comes back by the clock, or a look has shown a
// change. It is that of what is left from before a restart, which therefore has its turn among it.
var background = handler.LowPriority

const (
	// longestBackground is how long something may wait in the background before it is served as if someone had asked for
	// it.
	longestBackground = 30 * time.Second
	// scanEvery is how often those are looked for who have waited for so long.
	scanEvery = time.Second
)

// fairQueue is a queue in which nobody waits for ever. What users do comes first, in the order of its arrival, then
// what is in the background, in the order in which it became due. What has waited there for too long is put behind
// what users have done by then. The queue alone would let every request of a higher priority go first, however many
// come.
type fairQueue struct {
	priorityqueue.PriorityQueue[reconcile.Request]
	limiter workqueue.TypedRateLimiter[reconcile.Request]
	clock   clock.PassiveClock

	mu sync.Mutex
	// due is since when, or from when on, each request waits in the background.
	due     map[reconcile.Request]time.Time
	scanned time.Time
}

// newQueue is a constructor for controller.Options.
func newQueue(name string,
	limiter workqueue.TypedRateLimiter[reconcile.Request]) workqueue.TypedRateLimitingInterface[reconcile.Request] {
	return newFairQueue(name, limiter, clock.RealClock{})
}

func newFairQueue(name string, limiter workqueue.TypedRateLimiter[reconcile.Request], c clock.PassiveClock) *fairQueue {
	inner := priorityqueue.New(name, func(o *priorityqueue.Opts[reconcile.Request]) { o.RateLimiter = limiter })
	return &fairQueue{PriorityQueue: inner, limiter: limiter, clock: c, due: map[reconcile.Request]time.Time{}}
}

// AddWithOpts takes down since when what is added to the background waits.
func (q *fairQueue) AddWithOpts(o priorityqueue.AddOpts, requests ...reconcile.Request) {
	if ptr.Deref(o.Priority, 0) >= 0 {
		q.PriorityQueue.AddWithOpts(o, requests...)
		return
	}
	for _, request := range requests {
		one := o
		if o.RateLimited {
			one.RateLimited = false
			if after := q.limiter.When(request); o.After == 0 || after < o.After {
				one.After = after
			}
		}
		q.waits(request, q.clock.Now().Add(one.After))
		q.PriorityQueue.AddWithOpts(one, request)
	}
}

func (q *fairQueue) waits(request reconcile.Request, due time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if was, waits := q.due[request]; !waits || due.Before(was) {
		q.due[request] = due
	}
}

// GetWithPriority returns the next request.
func (q *fairQueue) GetWithPriority() (reconcile.Request, int, bool) {
	if overdue := q.overdue(); len(overdue) > 0 {
		q.PriorityQueue.AddWithOpts(priorityqueue.AddOpts{}, overdue...)
	}
	request, priority, shutdown := q.PriorityQueue.GetWithPriority()
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.due, request)
	return request, priority, shutdown
}

// Get returns the next request.
func (q *fairQueue) Get() (reconcile.Request, bool) {
	request, _, shutdown := q.GetWithPriority()
	return request, shutdown
}

// overdue are those who have waited for too long. It is enough to look for them when someone else is about to be
// served.
func (q *fairQueue) overdue() []reconcile.Request {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock.Now()
	if now.Sub(q.scanned) < scanEvery {
		return nil
	}
	q.scanned = now
	var overdue []reconcile.Request
	for request, due := range q.due {
		if now.Sub(due) > longestBackground {
			overdue = append(overdue, request)
			delete(q.due, request)
		}
	}
	return overdue
}
