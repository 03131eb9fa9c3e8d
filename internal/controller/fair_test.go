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

package controller_test

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dataarts-operator/dataarts-operator/internal/controller"
)

var _ = Describe("The queue", func() {
	var (
		clock *clocktesting.FakeClock
		queue priorityqueue.PriorityQueue[reconcile.Request]
	)
	request := func(name string) reconcile.Request {
		return reconcile.Request{NamespacedName: types.NamespacedName{Name: name}}
	}
	add := func(priority int, names ...string) {
		for _, name := range names {
			queue.AddWithOpts(priorityqueue.AddOpts{Priority: &priority}, request(name))
		}
	}
	// serve takes so many requests as a worker does, and puts those back that are to come back at once.
	serve := func(n int, again func(string) (priority int, back bool)) []string {
		var served []string
		for range n {
			next, _, _ := queue.GetWithPriority()
			served = append(served, next.Name)
			queue.Done(next)
			if priority, back := again(next.Name); back {
				add(priority, next.Name)
			}
			queue.Len() // What was added is taken in.
			clock.Step(100 * time.Millisecond)
		}
		return served
	}
	never := func(string) (int, bool) { return 0, false }

	BeforeEach(func() {
		clock = clocktesting.NewFakeClock(time.Now())
		limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](time.Hour, time.Hour)
		queue = controller.NewFairQueue("spec", limiter, clock)
		DeferCleanup(queue.ShutDown)
	})

	It("serves users first, then those in the background as they came, be they left from before a restart or not", func() {
		add(handler.LowPriority, "left-1", "left-2")
		add(controller.Background, "back")
		add(handler.LowPriority, "left-3")
		add(0, "edit-1", "edit-2")
		queue.Len()
		Expect(serve(6, never)).To(Equal([]string{"edit-1", "edit-2", "left-1", "left-2", "back", "left-3"}))
	})

	It("serves what is left from before a restart though others come back all the time", func() {
		for n := range 20 {
			add(controller.Background, fmt.Sprint("busy-", n))
		}
		add(handler.LowPriority, "left")
		queue.Len()
		Expect(serve(21, func(string) (int, bool) { return controller.Background, true })).To(ContainElement("left"))
	})

	DescribeTable("serves everyone within a time, though users ask for something all the time", func(low int) {
		add(low, "a", "b", "c")
		for n := range 20 {
			add(0, fmt.Sprint("edit-", n))
		}
		queue.Len()
		users := func(name string) (int, bool) { return 0, len(name) > 1 }
		Expect(serve(290, users)).NotTo(ContainElement("a"), "not before half a minute is over")
		Expect(serve(60, users)).To(ContainElements("a", "b", "c"))
	},
		Entry("what is left from before a restart", handler.LowPriority),
		Entry("what came back by the clock", controller.Background),
	)

	It("does not serve early what backs off", func() {
		low := controller.Background
		queue.AddWithOpts(priorityqueue.AddOpts{RateLimited: true, Priority: &low}, request("failed"))
		queue.AddWithOpts(priorityqueue.AddOpts{After: time.Hour, Priority: &low}, request("waits"))
		add(0, "edit")
		clock.Step(59 * time.Minute)
		Expect(serve(100, func(string) (int, bool) { return 0, true })).To(HaveEach("edit"))
	})
})
