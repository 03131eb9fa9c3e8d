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

package pending_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// waiter is a context that tells when somebody waits for its end.
type waiter struct {
	context.Context
	waits func()
}

func (w waiter) Done() <-chan struct{} {
	w.waits()
	return w.Context.Done()
}

// outcome is what one of several callers got.
type outcome struct {
	Items map[string]dataarts.PendingItem
	Err   error
}

// got waits for what a caller gets.
func got(ctx context.Context, answer <-chan outcome) outcome {
	GinkgoHelper()
	var o outcome
	Eventually(ctx, answer, "10s").Should(Receive(&o))
	return o
}

// ask asks for items from another goroutine and returns once that waits for a look of somebody else.
func (s *site) ask(ctx context.Context, ids ...string) <-chan outcome {
	GinkgoHelper()
	answer, waits := make(chan outcome, 1), make(chan struct{})
	waiting := waiter{Context: ctx, waits: sync.OnceFunc(func() { close(waits) })}
	go func() {
		items, err := s.items.Show(waiting, ids)
		answer <- outcome{items, err}
	}()
	Eventually(ctx, waits).Should(BeClosed())
	return answer
}

// aLookUnderWay begins a look whose first call the service holds until release is called.
func (s *site) aLookUnderWay(ctx, looker context.Context, ids ...string) (answer <-chan outcome, release func()) {
	GinkgoHelper()
	arrived, held := make(chan struct{}), make(chan struct{})
	s.beforeListing(func(call int32) {
		if call == 1 {
			close(arrived)
			<-held
		}
	})
	release = sync.OnceFunc(func() { close(held) })
	DeferCleanup(release) // Before the server is closed, which waits for its calls.
	looked := make(chan outcome, 1)
	go func() {
		items, err := s.items.Show(looker, ids)
		looked <- outcome{items, err}
	}()
	Eventually(ctx, arrived).Should(BeClosed())
	return looked, release
}

var _ = Describe("Those who look for pending items at once", func() {
	It("share the look that begins after all have asked", func(ctx SpecContext) {
		s := aSite()
		first, release := s.aLookUnderWay(ctx, ctx, "2")
		var answers []<-chan outcome
		for range 10 {
			answers = append(answers, s.ask(ctx, "1", "3"))
		}
		s.packed("1")
		s.submit(1)
		release()
		Expect(got(ctx, first)).To(HaveField("Items", haveFlags(map[string]int{"2": 0})))
		for _, answer := range answers {
			Expect(got(ctx, answer)).To(HaveField("Items", haveFlags(map[string]int{"1": 1, "3": 0})))
		}
		Expect(s.looks()).To(Equal(2))
	})

	It("make no further one if the one under way finds their items unpacked", func(ctx SpecContext) {
		s := aSite()
		first, release := s.aLookUnderWay(ctx, ctx, "2")
		second := s.ask(ctx, "1")
		release()
		Expect(got(ctx, first)).To(HaveField("Items", haveFlags(map[string]int{"2": 0})))
		Expect(got(ctx, second)).To(HaveField("Items", haveFlags(map[string]int{"1": 0})))
		Expect(s.looks()).To(Equal(1))
	})

	It("share its failure", func(ctx SpecContext) {
		s := aSite()
		Expect(s.Inject(simulator.Fault{Operation: simulator.OpListItems, Kind: simulator.FaultError,
			Status: http.StatusBadGateway, Skip: 1})).To(Succeed())
		first, release := s.aLookUnderWay(ctx, ctx, "2")
		answers := []<-chan outcome{s.ask(ctx, "3"), s.ask(ctx, "3")}
		release()
		Expect(got(ctx, first)).To(HaveField("Err", BeNil()))
		for _, answer := range answers {
			Expect(got(ctx, answer)).To(And(HaveField("Items", BeNil()), HaveField("Err.Status", http.StatusBadGateway)))
		}
		Expect(s.looks()).To(Equal(2))
		s.expectFlags(ctx, 0, []string{"1"}, map[string]int{"1": 0})
	})

	It("do not fail when the one who looks gives up", func(ctx SpecContext) {
		s := aSite()
		looker, giveUp := context.WithCancel(ctx)
		_, release := s.aLookUnderWay(ctx, ctx, "2")
		first := s.ask(looker, "3")
		answers := []<-chan outcome{s.ask(ctx, "1", "3"), s.ask(ctx, "1", "3")}
		gaveUp := make(chan struct{})
		s.beforeListing(func(call int32) {
			if call == 1 {
				giveUp()
				<-gaveUp
			}
		})
		release()
		Expect(got(ctx, first)).To(HaveField("Err", MatchError(context.Canceled)))
		close(gaveUp)
		for _, answer := range answers {
			Expect(got(ctx, answer)).To(HaveField("Items", haveFlags(map[string]int{"1": 0})))
		}
		Expect(s.looks()).To(BeNumerically("<=", 3))
	})

	It("do not fail when the one who looks has too little time for the budget", func(ctx SpecContext) {
		s := aSite()
		_, release := s.aLookUnderWay(ctx, ctx, "2")
		var turns atomic.Int32
		s.onTurn = func(ctx context.Context) error {
			if turns.Add(1) > 1 {
				return nil
			}
			<-ctx.Done()
			return fmt.Errorf("waiting for the budget of calls: %w", ctx.Err())
		}
		looker, giveUp := context.WithTimeout(ctx, 100*time.Millisecond)
		DeferCleanup(giveUp)
		first, second := s.ask(looker, "3"), s.ask(ctx, "1", "3")
		release()
		Expect(got(ctx, first)).To(HaveField("Err", HaveOccurred()))
		Expect(got(ctx, second)).To(HaveField("Items", haveFlags(map[string]int{"1": 0})))
	})

	It("need not wait for each other", func(ctx SpecContext) {
		s := aSite()
		_, release := s.aLookUnderWay(ctx, ctx, "2")
		impatient, giveUp := context.WithCancel(ctx)
		patient, other := s.ask(ctx, "1"), s.ask(impatient, "1")
		giveUp()
		Expect(got(ctx, other)).To(HaveField("Err", MatchError(context.Canceled)))
		Consistently(ctx, patient, "50ms").ShouldNot(Receive())
		release()
		Expect(got(ctx, patient)).To(HaveField("Err", BeNil()))
	})

	It("and pack at once all get an answer", func(ctx SpecContext) {
		s := aSite(assuming(func(a *simulator.Assumptions) { a.SharedItem = simulator.Accept }))
		var group sync.WaitGroup
		for i := range 20 {
			group.Go(func() {
				defer GinkgoRecover()
				Expect(s.items.Show(ctx, []string{"1", strconv.Itoa(i % 4)})).To(HaveKey("1"))
				s.clock.Step(10 * time.Second)
				Expect(s.pack(ctx)).NotTo(BeEmpty())
				Expect(s.items.Show(ctx, []string{"1"})).To(haveFlags(map[string]int{"1": 1}))
			})
		}
		group.Wait()
	})
})
