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

package unpack_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
	"github.com/dataarts-operator/dataarts-operator/internal/unpack"
)

const (
	// aFullBatch is how many packages are sent without waiting for more.
	aFullBatch = 100
	// tillFull is so long a linger that only a full batch is sent.
	tillFull = time.Minute
)

// unpacked are the packages that each call to withdraw some named. A call that was struck by a fault is left out, as
// the service has not read it.
func (s *site) unpacked() [][]string {
	var calls [][]string
	for _, r := range s.Requests() {
		if r.Operation == simulator.OpUnpack && r.Fault == "" {
			calls = append(calls, r.Packages)
		}
	}
	return calls
}

// left are those of the packages that are not withdrawn.
func (s *site) left(ids []string) []string {
	of := map[string]bool{}
	for _, id := range ids {
		of[id] = true
	}
	var left []string
	for _, p := range s.console.Packages() {
		if of[p.ID] && p.Live() {
			left = append(left, p.ID)
		}
	}
	return left
}

// ask asks for a withdrawal from another goroutine and returns once that has joined a batch.
func ask(ctx context.Context, batcher *unpack.Batcher, id string) <-chan error {
	GinkgoHelper()
	answer, joined := make(chan error, 1), make(chan struct{})
	waiting := waiter{Context: ctx, waits: sync.OnceFunc(func() { close(joined) })}
	go func() { answer <- batcher.Unpack(waiting, id) }()
	select { // Not Eventually, which would take its time for each of a hundred.
	case <-joined:
	case err := <-answer: // It was turned away.
		answer <- err
	}
	return answer
}

// askAll asks for many withdrawals, one after the other, and returns each one's answer.
func askAll(ctx context.Context, batcher *unpack.Batcher, ids []string) map[string]error {
	GinkgoHelper()
	waiting := map[string]<-chan error{}
	for _, id := range ids {
		waiting[id] = ask(ctx, batcher, id)
	}
	answers := map[string]error{}
	for id, answer := range waiting {
		answers[id] = answered(answer)
	}
	return answers
}

func answered(answer <-chan error) error {
	GinkgoHelper()
	select {
	case err := <-answer:
		return err
	case <-time.After(20 * time.Second):
		Fail("there is no answer")
		return nil
	}
}

// aCallHeld lets the service hold the first call to withdraw packages until release is called.
func (s *site) aCallHeld() (arrived <-chan struct{}, release func()) {
	held, came := make(chan struct{}), make(chan struct{})
	var calls atomic.Int32
	f := func(r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/unpack") && calls.Add(1) == 1 {
			close(came)
			<-held
		}
	}
	s.onRequest.Store(&f)
	release = sync.OnceFunc(func() { close(held) })
	DeferCleanup(release)
	return came, release
}

var _ = Describe("Withdrawals that come together", func() {
	It("share one call when a batch is full", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(aFullBatch)
		answers := askAll(ctx, s.lingering(tillFull), ids)
		Expect(answers).To(HaveEach(BeNil()))
		Expect(s.left(ids)).To(BeEmpty())
		Expect(s.unpacked()).To(HaveExactElements(ConsistOf(ids)))
		Expect(s.calls()).To(Equal(1))
	})

	It("share one call when no more come", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(4)
		batcher := s.lingering(500 * time.Millisecond)
		ticker := time.NewTicker(200 * time.Millisecond)
		defer ticker.Stop()
		var answers []<-chan error
		for _, id := range ids {
			answers = append(answers, ask(ctx, batcher, id))
			<-ticker.C
		}
		for _, answer := range answers {
			Expect(answered(answer)).To(Succeed())
		}
		Expect(s.unpacked()).To(HaveExactElements(ConsistOf(ids)),
			"the last one came after a linger, but within one of its predecessor")
	})

	It("are sent while still more come, after ten times the linger", func(ctx SpecContext) {
		s := aSite()
		batcher := s.lingering(150 * time.Millisecond)
		ticker := time.NewTicker(18 * time.Millisecond)
		defer ticker.Stop()
		for _, id := range s.packages(aFullBatch - 1) {
			ask(ctx, batcher, id)
			<-ticker.C
		}
		Expect(s.unpacked()).NotTo(BeEmpty(), "the batch is not full yet")
	})

	It("share one call when they wait for the budget together", func(ctx SpecContext) {
		s := aSite()
		due := make(chan struct{})
		s.onAcquire = func(context.Context) error {
			<-due
			return nil
		}
		batcher := s.lingering(-1)
		ids := s.packages(3)
		var answers []<-chan error
		for _, id := range ids {
			answers = append(answers, ask(ctx, batcher, id))
		}
		close(due)
		for _, answer := range answers {
			Expect(answered(answer)).To(Succeed())
		}
		Expect(s.unpacked()).To(HaveExactElements(ConsistOf(ids)))
	})

	It("are sent while an earlier call is on its way", func(ctx SpecContext) {
		s := aSite()
		batcher := s.lingering(-1)
		ids := s.packages(2)
		arrived, release := s.aCallHeld()
		first := ask(ctx, batcher, ids[0])
		Eventually(ctx, arrived).Should(BeClosed())
		Expect(batcher.Unpack(ctx, ids[1])).To(Succeed())
		Expect(first).NotTo(Receive())
		release()
		Expect(answered(first)).To(Succeed())
	})

	It("of the same package are one, before the call and while it is on its way", func(ctx SpecContext) {
		s := aSite()
		batcher := s.lingering(300 * time.Millisecond)
		id := s.packages(1)[0]
		arrived, release := s.aCallHeld()
		answers := []<-chan error{ask(ctx, batcher, id), ask(ctx, batcher, id)}
		Eventually(ctx, arrived).Should(BeClosed())
		answers = append(answers, ask(ctx, batcher, id))
		release()
		for _, answer := range answers {
			Expect(answered(answer)).To(Succeed())
		}
		Expect(s.unpacked()).To(HaveExactElements(HaveExactElements(id)))
		Expect(dataarts.KindOf(batcher.Unpack(ctx, id))).To(Equal(dataarts.NotFound), "a later one is another")
	})

	It("are counted in a metric", func(ctx SpecContext) {
		s := aSite()
		batcher := s.lingering(500 * time.Millisecond)
		calls, packages := batchSizes()
		Expect(askAll(ctx, batcher, s.packages(3))).To(HaveEach(BeNil()))
		callsNow, packagesNow := batchSizes()
		Expect(callsNow - calls).To(BeEquivalentTo(1))
		Expect(packagesNow - packages).To(BeEquivalentTo(3))
	})
})

var _ = Describe("Whoever gives up a withdrawal", func() {
	It("before it is sent takes it out of the batch", func(ctx SpecContext) {
		s := aSite()
		batcher := s.lingering(tillFull)
		ids := s.packages(aFullBatch + 1)
		impatient, giveUp := context.WithCancel(ctx)
		givenUp := ask(impatient, batcher, ids[0])
		patient := ask(ctx, batcher, ids[1])
		giveUp()
		Expect(answered(givenUp)).To(MatchError(context.Canceled))
		Expect(askAll(ctx, batcher, ids[2:])).To(HaveEach(BeNil()))
		Expect(answered(patient)).To(Succeed())
		Expect(s.left(ids)).To(ConsistOf(ids[0]))
	})

	It("leaves it to others who asked for the same", func(ctx SpecContext) {
		s := aSite()
		batcher := s.lingering(tillFull)
		ids := s.packages(aFullBatch)
		impatient, giveUp := context.WithCancel(ctx)
		givenUp, other := ask(impatient, batcher, ids[0]), ask(ctx, batcher, ids[0])
		giveUp()
		Expect(answered(givenUp)).To(MatchError(context.Canceled))
		Expect(askAll(ctx, batcher, ids[1:])).To(HaveEach(BeNil()))
		Expect(answered(other)).To(Succeed())
		Expect(s.left(ids)).To(BeEmpty())
	})

	DescribeTable("alone causes no call",
		func(ctx SpecContext, linger time.Duration, onAcquire func(context.Context) error) {
			s := aSite()
			s.onAcquire = onAcquire
			batcher := s.lingering(linger)
			impatient, giveUp := context.WithCancel(ctx)
			givenUp := ask(impatient, batcher, "13")
			giveUp()
			Expect(answered(givenUp)).To(MatchError(context.Canceled))
			Consistently(ctx, s.calls, "1200ms", "50ms").Should(BeZero())
		},
		Entry("while the batch lingers", 500*time.Millisecond, nil),
		Entry("while the batch waits for the budget", time.Duration(-1), func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}),
		Entry("when the batch has just had its turn, which is handed back", time.Duration(-1),
			func(ctx context.Context) error {
				<-ctx.Done()
				return nil
			}),
	)

	It("gets the answer if the call is on its way, and does not cut it off", func(ctx SpecContext) {
		s := aSite()
		batcher := s.lingering(-1)
		ids := s.packages(1)
		arrived, release := s.aCallHeld()
		impatient, giveUp := context.WithCancel(ctx)
		answer := ask(impatient, batcher, ids[0])
		Eventually(ctx, arrived).Should(BeClosed())
		giveUp()
		Consistently(ctx, answer, "100ms").ShouldNot(Receive())
		release()
		Expect(answered(answer)).To(Succeed())
		Expect(s.left(ids)).To(BeEmpty())
	})

	It("is let go when the call was refused and the batch is bisected", func(ctx SpecContext) {
		s := aSite()
		batcher := s.lingering(500 * time.Millisecond)
		ids := s.packages(3)
		Expect(s.console.StartDeploy(ids[2])).To(Succeed())
		arrived, release := s.aCallHeld()
		impatient, giveUp := context.WithCancel(ctx)
		givenUp := []<-chan error{ask(impatient, batcher, ids[0]), ask(impatient, batcher, ids[1])}
		patient := ask(ctx, batcher, ids[2])
		Eventually(ctx, arrived).Should(BeClosed())
		giveUp()
		Consistently(ctx, givenUp[0], "100ms").ShouldNot(Receive())
		release()
		for _, answer := range givenUp {
			Expect(answered(answer)).To(MatchError(unpack.ErrRefusedTogether))
		}
		Expect(dataarts.KindOf(answered(patient))).To(Equal(dataarts.AlreadyDeployed))
		Expect(s.unpacked()).To(HaveExactElements(ConsistOf(ids), ConsistOf(ids[2])))
	})

	It("never keeps the others from being withdrawn", func(ctx SpecContext) {
		s := aSite()
		batcher := s.lingering(5 * time.Millisecond)
		ids := s.packages(300)
		var group sync.WaitGroup
		for i, id := range ids {
			group.Go(func() {
				defer GinkgoRecover()
				caller, giveUp := context.WithCancel(ctx)
				defer giveUp()
				if i%3 == 0 {
					giving := time.AfterFunc(time.Duration(i%17)*time.Millisecond, giveUp)
					defer giving.Stop()
				}
				if err := batcher.Unpack(caller, id); i%3 != 0 {
					Expect(err).NotTo(HaveOccurred())
				} else if err != nil {
					Expect(err).To(MatchError(context.Canceled))
					Expect(s.left([]string{id})).NotTo(BeEmpty(), "what is on its way is waited for")
				}
			})
		}
		group.Wait()
		for i, id := range ids {
			if i%3 != 0 {
				Expect(s.left([]string{id})).To(BeEmpty())
			}
		}
	})
})
