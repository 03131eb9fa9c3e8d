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

package workspace_test

import (
	"context"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

var _ = Describe("The read of a Secret", func() {
	// during lets something happen while a Secret is read.
	during := func(s *site, do func(context.Context)) { s.onSecretRead.Store(&do) }
	// hang lets reads of a Secret go on until they are given up, or released.
	hang := func(s *site) (release func()) {
		ended := make(chan struct{})
		during(s, func(ctx context.Context) {
			select {
			case <-ended:
			case <-ctx.Done():
			}
		})
		return sync.OnceFunc(func() { close(ended) })
	}
	// connectAside connects without waiting for it.
	connectAside := func(ctx context.Context, s *site) <-chan error {
		answer := make(chan error, 1)
		go func() {
			_, err := s.connect(ctx)
			answer <- err
		}()
		return answer
	}

	It("is shared by all who need it, and made once in a while where there is none", func(ctx SpecContext) {
		s := aSite()
		loseSecret(ctx, s)
		release := hang(s)
		var answers []<-chan error
		for range 100 {
			answers = append(answers, connectAside(ctx, s))
		}
		Eventually(ctx, s.secretReads.Load).Should(BeEquivalentTo(1))
		release()
		for _, answer := range answers {
			expectProblem(<-answer, v1alpha1.ReasonCredentialsNotFound)
		}
		for range 100 {
			_, err := s.connect(ctx)
			expectProblem(err, v1alpha1.ReasonCredentialsNotFound)
		}
		Expect(s.secretReads.Load()).To(BeEquivalentTo(1))

		Expect(s.objects.Create(ctx, aSecret("dataarts", keyToken, token))).To(Succeed())
		s.clock.Step(failureTTL)
		s.expectConnected(ctx)
		Expect(s.secretReads.Load()).To(BeEquivalentTo(2))
	})

	It("is made at once for an edited workspace object", func(ctx SpecContext) {
		s := aSite()
		loseSecret(ctx, s)
		_, err := s.connect(ctx)
		expectProblem(err, v1alpha1.ReasonCredentialsNotFound)
		Expect(s.objects.Create(ctx, aSecret("another", keyToken, token))).To(Succeed())
		s.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.Credentials.SecretRef.Name = "another" })
		s.expectConnected(ctx)
	})

	It("is made again soon while the service rejects what it brought", func(ctx SpecContext) {
		s := aSite()
		s.storeSecret(ctx, v1alpha1.SecretKeyAccessKey, accessKey, v1alpha1.SecretKeySecretKey, wrongSecret)
		Expect(s.expectConnected(ctx).Probe(ctx)).NotTo(Succeed())
		s.storeSecret(ctx, keyToken, token)
		s.clock.Step(failureTTL)
		Expect(s.expectConnected(ctx).Probe(ctx)).To(Succeed())
	})

	It("keeps nobody for long, whatever the API server does", func(ctx SpecContext) {
		s := aSite()
		s.Pace = s.clock
		DeferCleanup(hang(s))
		answer := connectAside(ctx, s)
		Eventually(ctx, s.clock.HasWaiters).Should(BeTrue())
		s.clock.Step(2 * time.Second)
		Eventually(ctx, answer).Should(Receive(MatchError(ContainSubstring("has not answered"))))
		_, err := s.connect(ctx)
		Expect(err).To(MatchError(ContainSubstring("has not answered")), "the next one is told at once")
		Expect(s.secretReads.Load()).To(BeEquivalentTo(1))
	})

	It("keeps nobody who stops, and does not outlive its connection", func(ctx SpecContext) {
		s := aSite()
		release := hang(s)
		DeferCleanup(release)
		stopping, stop := context.WithCancel(ctx)
		answer := connectAside(stopping, s)
		Eventually(ctx, s.secretReads.Load).Should(BeEquivalentTo(1))
		stop()
		Eventually(ctx, answer).Should(Receive(MatchError(context.Canceled)))
		s.Connections.Close() // At once.
		release()
		Consistently(ctx, s.Budgets, "100ms").Should(BeZero(), "it opens no connection any more")
	})

	It("leaves no connection behind that was forgotten while it was made", func(ctx SpecContext) {
		s := aSite()
		during(s, func(context.Context) {
			s.onSecretRead.Store(nil)
			s.Forget(production)
		})
		s.expectConnected(ctx)
		Expect(s.Budgets()).To(Equal(1))
		s.Forget(production)
		Expect(s.Budgets()).To(BeZero(), "nothing holds the budget down any more")
	})

	It("does not bring back what an object said before it was edited or made again", func(ctx SpecContext) {
		s := aSite()
		during(s, func(ctx context.Context) {
			s.onSecretRead.Store(nil)
			s.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.WorkspaceID = "edited" })
			s.expectConnected(ctx)
		})
		Expect(s.expectConnected(ctx).Target().WorkspaceID).To(Equal("edited"))
		Expect(s.expectConnected(ctx).Target().WorkspaceID).To(Equal("edited"))
	})
})
