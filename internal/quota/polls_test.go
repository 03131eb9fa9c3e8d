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

package quota_test

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/dataarts-operator/dataarts-operator/internal/quota"
)

func TestQuota(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Quota")
}

// aBudget is one of 10 calls a second, whose clock stands still.
func aBudget() (*quota.Budget, *clocktesting.FakeClock) {
	c := clocktesting.NewFakeClock(time.Date(2025, 5, 13, 9, 48, 0, 0, time.UTC))
	b, leave := quota.NewBudgets(c, c, 0, func(*quota.Budget) {}).Join(quota.Identity{}, 10)
	DeferCleanup(leave)
	return b, c
}

var _ = Describe("Polls", func() {
	DescribeTable("keep within 5 % of the quota", func(calls int, interval time.Duration) {
		b, _ := aBudget()
		b.Polled(calls)
		Expect(b.PollInterval()).To(Equal(interval))
	},
		Entry("and follow each other after 5 seconds at best", 1, 5*time.Second),
		Entry("400 packages", 4, 8*time.Second),
		Entry("10,000 packages", 100, 200*time.Second),
		Entry("and follow each other after 10 minutes at the latest", 1000, 10*time.Minute),
	)

	It("of all workspaces of an identity share that", func() {
		b, c := aBudget()
		b.Polled(4)
		c.Step(2 * time.Second)
		b.Polled(4)
		Expect(b.PollInterval()).To(Equal(14 * time.Second))
		c.Step(14 * time.Second)
		Expect(b.PollInterval()).To(Equal(quota.MinPollInterval))
		b.Polled(4)
		Expect(b.PollInterval()).To(Equal(8*time.Second), "what was not used is not saved up")
	})

	It("come half as often while a change waits for its turn", func(ctx SpecContext) {
		b, _ := aBudget()
		b.Polled(20)
		Expect(b.PollInterval()).To(Equal(40 * time.Second))
		Expect(b.Acquire(ctx, quota.Lookup, time.Second)).To(Succeed())
		waiting, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- b.Acquire(waiting, quota.Change, time.Second) }()
		Eventually(ctx, func() int { return b.Waiting(quota.Change) }).Should(Equal(1))
		Expect(b.PollInterval()).To(Equal(80 * time.Second))
		stop()
		Eventually(ctx, done).Should(Receive(MatchError(context.Canceled)))
		Expect(b.PollInterval()).To(Equal(40 * time.Second))
	})
})
