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
	"errors"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/poll"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

var _ = Describe("Looks that fail", func() {
	It("are told to those who watch when that lasts, once, and then that it is over", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(2)
		l.follow(ids)
		l.failing(simulator.Forever, badGateway)
		l.quietRound(ctx, cost{lists: 1})
		l.expectNoView(ids[0])
		l.quietRound(ctx, cost{lists: 1})
		_, told := l.round(ctx)
		Expect(told).To(Equal(ids), "the third in a row")
		v := l.view(ids[0])
		Expect(v.Err).To(MatchError(ContainSubstring("no backend")))
		Expect(v).To(And(HaveField("Required", BeFalse()), HaveField("Gone", BeFalse()), HaveField("Package", BeNil())))

		l.follow(ids, telling(v.Err))
		for range 5 {
			l.quietRound(ctx, cost{lists: 1})
			Expect(l.view(ids[1]).Err).To(MatchError(v.Err))
		}
		l.Reset()
		_, told = l.round(ctx)
		Expect(told).To(Equal(ids), "it is over")
		Expect(l.view(ids[0])).To(showing(dataarts.StatusPendingReview, 0))
		l.follow(ids)
		l.quietRound(ctx, cost{lists: 1})
		Expect(l.view(ids[0])).To(Equal(poll.Observation{Began: l.clock.Now()}))
	})

	It("are told again if they fail in another way", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(2)
		l.follow(ids, telling(errors.New("another one")))
		l.failing(simulator.Forever, forbidden)
		_, told := l.round(ctx)
		Expect(told).To(Equal(ids))
	})

	It("are made less and less often, but every few minutes", func(ctx SpecContext) {
		l := aLookout(ctx)
		l.follow(l.packages(1))
		l.failing(simulator.Forever, badGateway)
		for _, seconds := range []int{1, 5, 10, 20, 40, 80, 160, 300, 300, 300} {
			pause, before := time.Duration(seconds)*time.Second, l.clock.Now()
			_, _ = l.round(ctx)
			Expect(l.clock.Since(before)).To(And(BeNumerically(">=", pause), BeNumerically("<=", pause+pause/10+1)))
		}
	})

	DescribeTable("are told at once where they will not pass by themselves", func(ctx SpecContext, fault simulator.Fault, kind dataarts.Kind) {
		l := aLookout(ctx)
		ids := l.packages(2)
		l.follow(ids)
		l.failing(simulator.Forever, fault)
		_, told := l.round(ctx)
		Expect(told).To(Equal(ids))
		Expect(dataarts.KindOf(l.view(ids[0]).Err)).To(Equal(kind))
	},
		Entry("as the credentials are not accepted", unauthored, dataarts.Unauthorized),
		Entry("as they may not list packages", forbidden, dataarts.Forbidden),
		Entry("as the service refuses lists", only(simulator.OpList, refused), dataarts.Refused),
	)

	DescribeTable("for want of a connection are told at once and cost nothing", func(ctx SpecContext, break_ func(ctx context.Context, l *lookout), reason string) {
		l := aLookout(ctx)
		ids := l.packages(2)
		l.follow(ids)
		l.quietRound(ctx, cost{lists: 1})
		break_(ctx, l)
		took, told := l.round(ctx)
		Expect(told).To(Equal(ids))
		Expect(took).To(Equal(cost{}))
		expectProblem(l.view(ids[0]).Err, reason)
	},
		Entry("when the workspace object is gone", func(ctx context.Context, l *lookout) {
			Expect(l.objects.Delete(ctx, aWorkspace("production", l.url))).To(Succeed())
		}, v1alpha1.ReasonWorkspaceNotFound),
		Entry("when its Secret is gone", func(ctx context.Context, l *lookout) {
			Expect(l.objects.Delete(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "dataarts"}})).To(Succeed())
		}, v1alpha1.ReasonCredentialsNotFound),
		Entry("when it cannot be used", func(ctx context.Context, l *lookout) {
			l.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.Endpoint, ws.Spec.Region = "", "nowhere" })
		}, v1alpha1.ReasonWorkspaceInvalid),
	)

	It("are told at once to those who wait", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(3)
		l.follow(ids[:2], l.seen, awaited)
		l.follow(ids[2:], within(time.Second))
		l.failing(1, badGateway)
		_, told := l.round(ctx)
		Expect(told).To(Equal(ids[:2]))
		Expect(l.view(ids[0])).To(And(HaveField("Err", HaveOccurred()), HaveField("Required", BeTrue())))
		_, told = l.round(ctx)
		Expect(told).To(Equal(ids[:2]), "the next one works")
		Expect(l.view(ids[0])).To(showing(dataarts.StatusPendingReview, 0))
	})

	It("conclude nothing about what the page showed that was not had", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(250)
		l.follow(ids)
		for _, id := range []string{ids[240], ids[10]} {
			Expect(l.console.StartDeploy(id)).To(Succeed())
		}
		f := only(simulator.OpList, badGateway)
		f.Skip = 1
		l.failing(1, f)
		took, told := l.round(ctx)
		Expect(took).To(Equal(cost{lists: 2}))
		Expect(told).To(Equal(ids[240:241]), "the first page has the newest")
		l.expectNoView(ids[10])
		_, told = l.round(ctx)
		Expect(told).To(ContainElement(ids[10]))
	})

	It("conclude nothing if they were cut off", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(2)
		Expect(l.console.StartDeploy(ids[0])).To(Succeed())
		l.follow(ids, awaited)
		run, stop := context.WithCancel(ctx)
		l.before(simulator.OpList, 1, stop)
		l.clock.SetTime(l.Poller().NextRun())
		Expect(l.Poller().RunNext(run)).To(BeTrue())
		Expect(l.news()).To(BeEmpty())
		l.expectNoView(ids[0])
		Expect(l.Poller().NextRun()).NotTo(BeTemporally(">", l.clock.Now()), "they are as due as before")
		_, told := l.round(ctx)
		Expect(told).To(Equal(ids))
	})

	It("of some packages do not hinder those at others", func(ctx SpecContext) {
		l := aLookout(ctx)
		ids := l.packages(12)
		l.follow(ids, known(poll.RemoteState{})) // So that no list can show them.
		l.failing(2, only(simulator.OpShow, badGateway))
		took, told := l.round(ctx)
		Expect(took).To(Equal(cost{shows: 12}))
		Expect(told).To(HaveLen(10))
	})

	DescribeTable("end the round where the others would fare no better", func(ctx SpecContext, fault simulator.Fault, shows int) {
		l := aLookout(ctx)
		ids := l.packages(12)
		l.follow(ids, known(poll.RemoteState{}), awaited)
		l.failing(simulator.Forever, fault)
		took, told := l.round(ctx)
		Expect(took).To(Equal(cost{shows: shows}))
		Expect(told).To(ConsistOf(ids))
	},
		Entry("as several in a row failed", badGateway, 3),
		Entry("as calls are held back", simulator.Fault{Kind: simulator.FaultError, Status: http.StatusTooManyRequests, Code: simulator.CodeThrottled}, 1),
		Entry("as the credentials are not accepted", unauthored, 1),
	)
})
