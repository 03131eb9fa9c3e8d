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
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/poll"
	"github.com/dataarts-operator/dataarts-operator/internal/quota"
)

var _ = Describe("Where no pollInterval is set", func() {
	const perSecond, packages = 100, 4000

	paced := func(l *pollSite) aspect {
		return func(w *poll.Subscription) { w.Paced, w.After = true, l.conn.PollInterval() }
	}
	set := func(d time.Duration) func(*v1alpha1.DataArtsWorkspace) {
		return func(ws *v1alpha1.DataArtsWorkspace) {
			ws.Spec.RequestsPerSecond, ws.Spec.PollInterval.Duration = perSecond, d
		}
	}

	It("polls take 5 % of the quota at most, and show a decision within ten seconds", func(ctx SpecContext) {
		l := aPollSite(ctx)
		l.changeWorkspace(ctx, set(0))
		l.conn = l.expectConnected(ctx)
		Expect(l.conn.LatestPollInterval()).To(Equal(quota.MinPollInterval))
		ids := l.packages(packages)
		l.subscribe(ids, paced(l), l.assumed)
		began, calls, decided, shown := l.clock.Now(), 0, time.Time{}, time.Time{}
		const long = 90 * time.Second
		for l.clock.Since(began) < long {
			if decided.IsZero() && l.clock.Since(began) > long/2 {
				Expect(l.console.StartDeploy(ids[17])).To(Succeed())
				decided = l.clock.Now()
			}
			took, told := l.run(ctx)
			calls += took.lists + took.shows
			if len(told) > 0 && shown.IsZero() {
				Expect(told).To(Equal(ids[17:18]))
				shown = l.clock.Now()
			}
		}
		Expect(shown).To(BeTemporally("~", decided, 10*time.Second))
		Expect(calls).To(And(BeNumerically("<=", perSecond*90/20+packages/100), BeNumerically(">", perSecond*90/30)))
		Expect(l.conn.LatestPollInterval()).To(BeNumerically("~", 8*time.Second, time.Second))
	})

	It("they make room for those of another workspace of these credentials", func(ctx SpecContext) {
		l := aPollSite(ctx)
		l.changeWorkspace(ctx, set(0))
		l.conn = l.expectConnected(ctx)
		Expect(l.conn.Polled(100)).To(BeNumerically(">", 20*time.Second), "for what would be looked at more often, too")
		Expect(l.conn.PollInterval()).To(BeNumerically("~", 20*time.Second, time.Second))
		l.changeWorkspace(ctx, set(7*time.Second))
		other := l.expectConnected(ctx)
		Expect(other.Polled(100)).To(BeZero())
		Expect(other.PollInterval()).To(Equal(7*time.Second), "what is set stays")
		Expect(other.LatestPollInterval()).To(Equal(7 * time.Second))
	})
})
