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
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/poll"
)

var _ = Describe("What is watched through a workspace object", func() {
	It("goes over to the connection with its new credentials", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(3)
		l.follow(ids)
		l.quietRound(ctx, cost{lists: 1})
		l.storeSecret(ctx, keyToken, token)
		l.clock.Step(secretTTL)
		Expect(l.expectConnected(ctx)).NotTo(BeIdenticalTo(l.conn))

		Expect(l.console.StartDeploy(ids[0])).To(Succeed())
		took, told := l.round(ctx)
		Expect(took).To(Equal(cost{lists: 1}))
		Expect(told).To(Equal(ids[:1]))
		l.Poller().Unsubscribe(object(ids[0]))
		l.quietRound(ctx, cost{lists: 1})
	})

	It("goes over when a round finds out about that, which makes no call with what was taken away", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(3)
		l.follow(ids)
		l.quietRound(ctx, cost{lists: 1})
		l.storeSecret(ctx, keyToken, token)
		l.quietRound(ctx, cost{})
		l.quietRound(ctx, cost{lists: 1})
		Expect(l.Requests()[len(l.Requests())-1].Status).To(Equal(200))
	})

	It("is told to its object when that leads elsewhere", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(3)
		l.follow(ids)
		l.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.WorkspaceID = "elsewhere" })
		took, told := l.round(ctx)
		Expect(took).To(Equal(cost{}))
		Expect(told).To(Equal(ids))
		l.expectNoView(ids[0])
		Expect(l.Poller().NextRun().IsZero()).To(BeTrue())
	})

	It("is told to its object when that is forgotten", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(2)
		l.follow(ids)
		l.Forget(production)
		Expect(l.news()).To(Equal(ids))
		Expect(l.Poller().NextRun().IsZero()).To(BeTrue())
	})

	It("is watched on with the credentials that are remembered while it is being deleted, and no longer otherwise", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(2)
		l.follow(ids[:1])
		l.follow(ids[1:], toUnpack)
		l.quietRound(ctx, cost{lists: 1})
		Expect(l.objects.Delete(ctx, aWorkspace("production", l.url))).To(Succeed())
		took, told := l.round(ctx)
		Expect(took).To(Equal(cost{shows: 1}))
		Expect(told).To(Equal(ids[:1]))
		expectProblem(l.view(ids[0]).Err, v1alpha1.ReasonWorkspaceNotFound)
		Expect(l.view(ids[1]).Err).NotTo(HaveOccurred())
	})

	It("is watched through another one when its object says so", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(2)
		l.follow(ids)
		l.quietRound(ctx, cost{lists: 1})
		old := l.conn
		l.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.RequestsPerSecond = 2_000_000 })
		l.conn = l.expectConnected(ctx)
		Expect(l.conn).NotTo(BeIdenticalTo(old))
		l.follow(ids, awaited)
		took, told := l.round(ctx)
		Expect(took).To(Equal(cost{lists: 1}))
		Expect(told).To(Equal(ids))
	})

	DescribeTable("is with the present connection, though its object looked through one that was replaced meanwhile",
		func(ctx SpecContext, replace func(context.Context, *lookout)) {
			l := aLookout(ctx)
			ids := l.packages(6)
			l.follow(ids[:3], l.seen)
			old := l.conn
			replace(ctx, l)
			Expect(l.expectConnected(ctx)).NotTo(BeIdenticalTo(old))
			l.news()

			l.follow(ids[3:5], l.seen) // By passes that still hold the old one.
			Expect(l.console.StartDeploy(ids[0])).To(Succeed())
			Expect(l.console.StartDeploy(ids[4])).To(Succeed())
			took, told := l.round(ctx)
			Expect(took).To(Equal(cost{lists: 1}), "one look for all")
			Expect(told).To(ConsistOf(ids[0], ids[4]))
			Expect(l.Poller().NextRun()).To(BeTemporally(">", l.clock.Now()), "nothing is left that is due")

			l.follow(ids[5:], awaited)
			took, told = l.round(ctx)
			Expect(took).To(Equal(cost{shows: 1}))
			Expect(told).To(Equal(ids[5:]))
		},
		Entry("as the Secret holds another key", func(ctx context.Context, l *lookout) { l.rotate(ctx, keyToken, token) }),
		Entry("as the Secret held a wrong key, and holds the right one again", func(ctx context.Context, l *lookout) {
			l.rotate(ctx, v1alpha1.SecretKeyAccessKey, accessKey, v1alpha1.SecretKeySecretKey, wrongSecret)
			l.expectConnected(ctx)
			l.rotate(ctx, v1alpha1.SecretKeyAccessKey, accessKey, v1alpha1.SecretKeySecretKey, secretKey)
		}),
		Entry("as its timeout was edited", func(ctx context.Context, l *lookout) {
			l.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.Timeout.Duration++ })
		}),
		Entry("as its limit was edited", func(ctx context.Context, l *lookout) {
			l.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.RequestsPerSecond++ })
		}),
		Entry("as its interval was edited", func(ctx context.Context, l *lookout) {
			l.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.PollInterval.Duration++ })
		}),
	)

	It("is with the present connection after the workspace object was deleted and made again", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(2)
		Expect(l.objects.Delete(ctx, aWorkspace("production", l.url))).To(Succeed())
		again := aWorkspace("production", l.url)
		again.UID, again.Spec.RequestsPerSecond = "uid-2", 1_000_000
		Expect(l.objects.Create(ctx, again)).To(Succeed())
		Expect(l.expectConnected(ctx)).NotTo(BeIdenticalTo(l.conn))

		l.follow(ids, l.seen)
		Expect(l.console.StartDeploy(ids[0])).To(Succeed())
		took, told := l.round(ctx)
		Expect(took).To(Equal(cost{lists: 1}))
		Expect(told).To(Equal(ids[:1]))
	})

	It("is not watched if its object looked at a place where the workspace object leads no longer", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(3)
		l.follow(ids[:1], l.seen)
		l.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.WorkspaceID = "elsewhere" })
		l.expectConnected(ctx)
		Expect(l.news()).To(Equal(ids[:1]))
		watch := poll.Subscription{Object: object(ids[1]), Workspace: production, ID: ids[1], After: interval, LastKnown: inReview}
		Expect(l.Poller().Subscribe(l.conn, watch)).To(BeFalse())
		l.Forget(production)
		Expect(l.Poller().Subscribe(l.conn, watch)).To(BeFalse())
		Expect(l.Poller().NextRun().IsZero()).To(BeTrue(), "nothing is watched with a connection that is closed")
	})

	It("is looked at as often as the edited interval says", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(2)
		l.follow(ids, l.seen)
		l.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.PollInterval.Duration = 10 * time.Second })
		l.expectConnected(ctx)
		began := l.clock.Now()
		l.quietRound(ctx, cost{lists: 1})
		l.quietRound(ctx, cost{lists: 1})
		Expect(l.clock.Since(began)).To(BeNumerically("<=", 25*time.Second))
	})
})
