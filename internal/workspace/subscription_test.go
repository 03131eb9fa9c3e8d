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
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/poll"
)

var _ = Describe("What is subscribed to through a workspace object", func() {
	It("goes over to the connection with its new credentials", func(ctx SpecContext) {
		l := aPollSite(ctx)
		ids := l.packages(3)
		l.subscribe(ids)
		l.expectQuietRun(ctx, cost{lists: 1})
		l.storeSecret(ctx, keyToken, token)
		l.clock.Step(secretTTL)
		Expect(l.expectConnected(ctx)).NotTo(BeIdenticalTo(l.conn))

		Expect(l.console.StartDeploy(ids[0])).To(Succeed())
		took, told := l.run(ctx)
		Expect(took).To(Equal(cost{lists: 1}))
		Expect(told).To(Equal(ids[:1]))
		l.Poller().Unsubscribe(object(ids[0]))
		l.expectQuietRun(ctx, cost{lists: 1})
	})

	It("goes over when a run finds out about that, which makes no call with what was taken away", func(ctx SpecContext) {
		l := aPollSite(ctx)
		ids := l.packages(3)
		l.subscribe(ids)
		l.expectQuietRun(ctx, cost{lists: 1})
		l.storeSecret(ctx, keyToken, token)
		l.expectQuietRun(ctx, cost{})
		l.expectQuietRun(ctx, cost{lists: 1})
		Expect(l.Requests()[len(l.Requests())-1].Status).To(Equal(200))
	})

	It("is told to its object when that leads elsewhere", func(ctx SpecContext) {
		l := aPollSite(ctx)
		ids := l.packages(3)
		l.subscribe(ids)
		l.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.WorkspaceID = "elsewhere" })
		took, told := l.run(ctx)
		Expect(took).To(Equal(cost{}))
		Expect(told).To(Equal(ids))
		l.expectNothingKnown(ids[0])
		Expect(l.Poller().NextRun().IsZero()).To(BeTrue())
	})

	It("is told to its object when that is forgotten", func(ctx SpecContext) {
		l := aPollSite(ctx)
		ids := l.packages(2)
		l.subscribe(ids)
		l.Forget(production)
		Expect(l.news()).To(Equal(ids))
		Expect(l.Poller().NextRun().IsZero()).To(BeTrue())
	})

	It("is looked at with the credentials that are remembered while it is being deleted, and no longer otherwise",
		func(ctx SpecContext) {
			l := aPollSite(ctx)
			ids := l.packages(2)
			l.subscribe(ids[:1])
			l.subscribe(ids[1:], forDeletion)
			l.expectQuietRun(ctx, cost{lists: 1})
			Expect(l.objects.Delete(ctx, aWorkspace("production", l.url))).To(Succeed())
			took, told := l.run(ctx)
			Expect(took).To(Equal(cost{shows: 1}))
			Expect(told).To(Equal(ids[:1]))
			expectProblem(l.latest(ids[0]).Err, v1alpha1.ReasonWorkspaceNotFound)
			Expect(l.latest(ids[1]).Err).NotTo(HaveOccurred())
		})

	It("is looked at through another one when its object says so", func(ctx SpecContext) {
		l := aPollSite(ctx)
		ids := l.packages(2)
		l.subscribe(ids)
		l.expectQuietRun(ctx, cost{lists: 1})
		old := l.conn
		l.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.RequestsPerSecond = 2_000_000 })
		l.conn = l.expectConnected(ctx)
		Expect(l.conn).NotTo(BeIdenticalTo(old))
		l.subscribe(ids, required)
		took, told := l.run(ctx)
		Expect(took).To(Equal(cost{lists: 1}))
		Expect(told).To(Equal(ids))
	})

	DescribeTable("is with the present connection, though its object looked through one that was replaced meanwhile",
		func(ctx SpecContext, replace func(context.Context, *pollSite)) {
			l := aPollSite(ctx)
			ids := l.packages(6)
			l.subscribe(ids[:3], l.assumed)
			old := l.conn
			replace(ctx, l)
			Expect(l.expectConnected(ctx)).NotTo(BeIdenticalTo(old))
			l.news()

			l.subscribe(ids[3:5], l.assumed) // By passes that still hold the old one.
			Expect(l.console.StartDeploy(ids[0])).To(Succeed())
			Expect(l.console.StartDeploy(ids[4])).To(Succeed())
			took, told := l.run(ctx)
			Expect(took).To(Equal(cost{lists: 1}), "one look for all")
			Expect(told).To(ConsistOf(ids[0], ids[4]))
			Expect(l.Poller().NextRun()).To(BeTemporally(">", l.clock.Now()), "nothing is left that is due")

			l.subscribe(ids[5:], required)
			took, told = l.run(ctx)
			Expect(took).To(Equal(cost{shows: 1}))
			Expect(told).To(Equal(ids[5:]))
		},
		Entry("as the Secret holds another key", func(ctx context.Context, l *pollSite) { l.rotate(ctx, keyToken, token) }),
		Entry("as the Secret held a wrong key, and holds the right one again", func(ctx context.Context, l *pollSite) {
			l.rotate(ctx, v1alpha1.SecretKeyAccessKey, accessKey, v1alpha1.SecretKeySecretKey, wrongSecret)
			l.expectConnected(ctx)
			l.rotate(ctx, v1alpha1.SecretKeyAccessKey, accessKey, v1alpha1.SecretKeySecretKey, secretKey)
		}),
		Entry("as its timeout was edited", func(ctx context.Context, l *pollSite) {
			l.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.Timeout.Duration++ })
		}),
		Entry("as its limit was edited", func(ctx context.Context, l *pollSite) {
			l.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.RequestsPerSecond++ })
		}),
		Entry("as its interval was edited", func(ctx context.Context, l *pollSite) {
			l.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.PollInterval.Duration++ })
		}),
	)

	It("is with the present connection after the workspace object was deleted and made again", func(ctx SpecContext) {
		l := aPollSite(ctx)
		ids := l.packages(2)
		Expect(l.objects.Delete(ctx, aWorkspace("production", l.url))).To(Succeed())
		again := aWorkspace("production", l.url)
		again.UID, again.Spec.RequestsPerSecond = "uid-2", 1_000_000
		Expect(l.objects.Create(ctx, again)).To(Succeed())
		Expect(l.expectConnected(ctx)).NotTo(BeIdenticalTo(l.conn))

		l.subscribe(ids, l.assumed)
		Expect(l.console.StartDeploy(ids[0])).To(Succeed())
		took, told := l.run(ctx)
		Expect(took).To(Equal(cost{lists: 1}))
		Expect(told).To(Equal(ids[:1]))
	})

	It("is not looked at if its object looked at a place where the workspace object leads no longer",
		func(ctx SpecContext) {
			l := aPollSite(ctx)
			ids := l.packages(3)
			l.subscribe(ids[:1], l.assumed)
			l.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.WorkspaceID = "elsewhere" })
			l.expectConnected(ctx)
			Expect(l.news()).To(Equal(ids[:1]))
			to := poll.Subscription{Object: object(ids[1]), Workspace: production, ID: ids[1], After: interval,
				LastKnown: inReview}
			Expect(l.Poller().Subscribe(l.conn, to)).To(BeFalse())
			l.Forget(production)
			Expect(l.Poller().Subscribe(l.conn, to)).To(BeFalse())
			Expect(l.Poller().NextRun().IsZero()).To(BeTrue(), "nothing is looked at with a connection that is closed")
		})

	It("is looked at as often as the edited interval says", func(ctx SpecContext) {
		l := aPollSite(ctx)
		ids := l.packages(2)
		l.subscribe(ids, l.assumed)
		l.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.PollInterval.Duration = 10 * time.Second })
		l.expectConnected(ctx)
		began := l.clock.Now()
		l.expectQuietRun(ctx, cost{lists: 1})
		l.expectQuietRun(ctx, cost{lists: 1})
		Expect(l.clock.Since(began)).To(BeNumerically("<=", 25*time.Second))
	})

	DescribeTable("is told at once that there is no connection any more, which costs nothing",
		func(ctx SpecContext, lose func(ctx context.Context, l *pollSite), reason string) {
			l := aPollSite(ctx)
			ids := l.packages(2)
			l.subscribe(ids)
			l.expectQuietRun(ctx, cost{lists: 1})
			lose(ctx, l)
			took, told := l.run(ctx)
			Expect(told).To(Equal(ids))
			Expect(took).To(Equal(cost{}))
			expectProblem(l.latest(ids[0]).Err, reason)
		},
		Entry("when the workspace object is gone", func(ctx context.Context, l *pollSite) {
			Expect(l.objects.Delete(ctx, aWorkspace("production", l.url))).To(Succeed())
		}, v1alpha1.ReasonWorkspaceNotFound),
		Entry("when its Secret is gone", func(ctx context.Context, l *pollSite) {
			Expect(l.objects.Delete(ctx,
				&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "dataarts"}})).To(Succeed())
		}, v1alpha1.ReasonCredentialsNotFound),
		Entry("when it cannot be used", func(ctx context.Context, l *pollSite) {
			l.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.Endpoint, ws.Spec.Region = "", "nowhere" })
		}, v1alpha1.ReasonWorkspaceInvalid),
	)

	It("may be looked at by itself as long as few ask for that", func(ctx SpecContext) {
		l := aPollSite(ctx)
		spare := func() (n int) {
			for l.conn.SpareLook() {
				n++
			}
			return n
		}
		Expect(spare()).To(Equal(2))
		l.clock.Step(9 * time.Second)
		Expect(spare()).To(BeZero())
		l.clock.Step(time.Second)
		Expect(spare()).To(Equal(1))
		l.clock.Step(time.Hour)
		Expect(spare()).To(Equal(2))
	})
})
