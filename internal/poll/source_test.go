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

package poll_test

import (
	"errors"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"

	"github.com/dataarts-operator/dataarts-operator/internal/poll"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

var _ = Describe("What is subscribed to through a workspace object", func() {
	It("goes over to its present source, with those who still use the one before", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(5)
		s.subscribe(ids[:3])
		s.expectQuietRun(ctx, cost{lists: 1})
		old := s.source
		s.replaceSource(func(*source) {})
		Expect(s.news()).To(BeEmpty())

		present := s.source
		s.source = old
		s.subscribe(ids[3:], s.assumed)
		s.source = present
		Expect(s.console.StartDeploy(ids[0])).To(Succeed())
		Expect(s.console.StartDeploy(ids[4])).To(Succeed())
		took, told := s.run(ctx)
		Expect(took).To(Equal(cost{lists: 1}), "one look for all")
		Expect(told).To(ConsistOf(ids[0], ids[4]))
		Expect(s.NextRun()).To(BeTemporally(">", s.clock.Now()), "nothing is left that is due")
	})

	It("is not looked at with a source that the object has no longer", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(3)
		s.subscribe(ids)
		old := s.source
		s.source = &source{Client: old.Client, target: old.target, interval: old.interval}
		s.expectQuietRun(ctx, cost{})
		s.SetSource(production, s.source)
		s.expectQuietRun(ctx, cost{lists: 1})
	})

	It("is looked at as often as the present source says", func(ctx SpecContext) {
		s := aSite()
		s.subscribe(s.packages(2), s.assumed)
		s.replaceSource(func(to *source) { to.interval = 10 * time.Second })
		began := s.clock.Now()
		s.expectQuietRun(ctx, cost{lists: 1})
		s.expectQuietRun(ctx, cost{lists: 1})
		Expect(s.clock.Since(began)).To(BeNumerically("<=", 25*time.Second))
	})

	It("is told when the object leads elsewhere, and looked at no more", func() {
		s := aSite()
		ids := s.packages(3)
		s.subscribe(ids[:2])
		old := s.source
		s.replaceSource(func(to *source) { to.target.WorkspaceID = "elsewhere" })
		Expect(s.news()).To(Equal(ids[:2]))
		s.expectNothingKnown(ids[0])
		Expect(s.Subscribe(old, poll.Subscription{Object: object(ids[2]), Workspace: production, ID: ids[2]})).To(BeFalse())
		Expect(s.NextRun().IsZero()).To(BeTrue())
	})

	It("is told when the object has no source any more, unless that of another object is meant", func() {
		s := aSite()
		ids := s.packages(2)
		s.subscribe(ids)
		other := types.NamespacedName{Namespace: namespace, Name: "other"}
		s.SetSource(other, s.source)
		s.RemoveSource(other)
		Expect(s.news()).To(BeEmpty())
		s.RemoveSource(production)
		Expect(s.news()).To(Equal(ids))
		Expect(s.NextRun().IsZero()).To(BeTrue())
	})

	It("is looked at for a deletion where it is for others no longer", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(2)
		s.subscribe(ids[:1])
		s.subscribe(ids[1:], forDeletion)
		s.unresolved = lastingError{errors.New("no workspace object")}
		took, told := s.run(ctx)
		Expect(took).To(Equal(cost{shows: 1}))
		Expect(told).To(Equal(ids[:1]))
		Expect(s.latest(ids[1]).Err).NotTo(HaveOccurred())
	})

	It("makes the calls hurry for which someone waits", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(3)
		s.subscribe(ids)
		s.expectQuietRun(ctx, cost{lists: 1})
		unhurried := s.source.hurries.Load()
		s.before(simulator.OpList, 1, func() { s.subscribe(ids[:1], required) })
		s.run(ctx)
		Expect(s.source.hurries.Load()).To(BeNumerically(">", unhurried+1))
	})
})
