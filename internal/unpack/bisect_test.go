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
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
	"github.com/dataarts-operator/dataarts-operator/internal/unpack"
)

// batchSizes are the number of calls to withdraw packages and of the packages in them, as the metric has them.
func batchSizes() (calls uint64, packages float64) {
	GinkgoHelper()
	families, err := metrics.Registry.Gather()
	Expect(err).NotTo(HaveOccurred())
	for _, family := range families {
		if family.GetName() == "dataarts_operator_unpack_batch_size" {
			h := family.GetMetric()[0].GetHistogram()
			return h.GetSampleCount(), h.GetSampleSum()
		}
	}
	Fail("there is no such metric")
	return 0, 0
}

// spoiler makes a package that cannot be withdrawn, and says what the service answers to that.
type spoiler struct {
	name string
	make func(s *site) string
	// want is the answer about it alone; none where the service accepts the call.
	want dataarts.Kind
	none bool
}

func spoilers(again simulator.Verdict) []spoiler {
	after := func(do func(*simulator.Console, string) error) func(*site) string {
		return func(s *site) string {
			GinkgoHelper()
			id := s.aPackageOfItsOwn()
			Expect(do(s.console, id)).To(Succeed())
			return id
		}
	}
	return []spoiler{
		{name: "a deployed package", make: after((*simulator.Console).Deploy), want: dataarts.AlreadyDeployed},
		{name: "one that is being deployed", make: after((*simulator.Console).StartDeploy), want: dataarts.AlreadyDeployed},
		{name: "one that is withdrawn", make: after((*simulator.Console).Withdraw), want: dataarts.NotFound,
			none: again == simulator.Accept},
		{name: "an unknown one", make: func(*site) string { return "4711" }, want: dataarts.NotFound},
	}
}

// answers is the answer about one that cannot be withdrawn.
func (p *spoiler) answers() OmegaMatcher {
	if p.none {
		return BeNil()
	}
	return And(Not(BeNil()), WithTransform(dataarts.KindOf, Equal(p.want)))
}

// withdrawnOrShared is the answer about a package that can be withdrawn.
var withdrawnOrShared = Or(BeNil(), MatchError(unpack.ErrRefusedTogether))

// everyReading are the readings of what the documentation leaves open about withdrawing several packages.
func everyReading() []simulator.Assumptions {
	var all []simulator.Assumptions
	for _, mixed := range []simulator.Batch{simulator.BatchAtomic, simulator.BatchPartial} {
		for _, again := range []simulator.Verdict{simulator.Refuse, simulator.Accept} {
			for _, bound := range []int{0, 3, 30} {
				for _, become := range []simulator.WithdrawnPackage{simulator.PackageFlagged, simulator.PackageUnlisted,
					simulator.PackageGone} {
					all = append(all, simulator.Assumptions{MixedUnpack: mixed, UnpackAgain: again, MaxUnpack: bound,
						WithdrawnPackage: become})
				}
			}
		}
	}
	return all
}

var _ = Describe("A batch with packages that cannot be withdrawn", func() {
	for _, reading := range everyReading() {
		name := fmt.Sprintf("%s, again %s, at most %d, then %s", reading.MixedUnpack, reading.UnpackAgain, reading.MaxUnpack,
			reading.WithdrawnPackage)
		It("is bisected until each has its answer: "+name, func(ctx SpecContext) {
			s := aSite(assuming(func(a *simulator.Assumptions) { *a = reading }))
			batcher := s.lingering(tillFull)
			bad := spoilers(reading.UnpackAgain)
			good := s.packages(aFullBatch - len(bad))
			all := slices.Clone(good)
			for i, p := range bad {
				all = slices.Insert(all, 20*i, p.make(s))
			}
			answers := askAll(ctx, batcher, all)
			Expect(s.left(good)).To(BeEmpty())
			for _, id := range good {
				Expect(answers[id]).To(withdrawnOrShared)
			}
			Expect(len(s.unpacked())).To(BeNumerically("<=", 2*aFullBatch))
			var again []string
			for i, p := range bad {
				if id := all[20*i]; errors.Is(answers[id], unpack.ErrRefusedTogether) {
					again = append(again, id)
				} else {
					Expect(answers[id]).To(p.answers(), p.name)
				}
			}
			answers = askAll(ctx, batcher, again)
			for i, p := range bad {
				if id := all[20*i]; slices.Contains(again, id) {
					Expect(answers[id]).To(p.answers(), p.name+", by itself and without lingering")
				}
			}
		})
	}

	for _, p := range spoilers(simulator.Refuse) {
		for _, become := range []simulator.WithdrawnPackage{simulator.PackageFlagged, simulator.PackageUnlisted,
			simulator.PackageGone} {
			It(fmt.Sprintf("costs few calls for %s, where a refusal does nothing, then %s", p.name, become),
				func(ctx SpecContext) {
					s := aSite(assuming(func(a *simulator.Assumptions) { a.WithdrawnPackage = become }))
					batcher := s.lingering(tillFull)
					good := s.packages(aFullBatch - 1)
					answers := askAll(ctx, batcher, slices.Insert(slices.Clone(good), 42, p.make(s)))
					for _, id := range good {
						Expect(answers[id]).NotTo(HaveOccurred())
					}
					Expect(s.left(good)).To(BeEmpty())
					Expect(len(s.unpacked())).To(BeNumerically("<=", 15))
					Expect(s.calls()).To(BeNumerically("<=", 16))
				})

			It(fmt.Sprintf("costs hardly any calls for %s, where a refusal does what it can, then %s", p.name, become),
				func(ctx SpecContext) {
					s := aSite(assuming(func(a *simulator.Assumptions) {
						a.MixedUnpack, a.WithdrawnPackage = simulator.BatchPartial,
							become
					}))
					batcher := s.lingering(tillFull)
					good := s.packages(aFullBatch - 1)
					answers := askAll(ctx, batcher, slices.Insert(slices.Clone(good), 42, p.make(s)))
					for _, id := range good {
						Expect(answers[id]).To(MatchError(unpack.ErrRefusedTogether))
					}
					Expect(s.left(good)).To(BeEmpty())
					Expect(s.calls()).To(BeNumerically("<=", 4))
				})
		}
	}

	It("looks again when both halves are refused, since both may have been withdrawn in part", func(ctx SpecContext) {
		s := aSite(assuming(func(a *simulator.Assumptions) { a.MixedUnpack, a.MaxUnpack = simulator.BatchPartial, 50 }))
		batcher := s.lingering(tillFull)
		ids := s.packages(aFullBatch)
		for _, bad := range []string{ids[10], ids[90]} {
			Expect(s.console.StartDeploy(bad)).To(Succeed())
		}
		answers := askAll(ctx, batcher, ids)
		Expect(s.left(ids)).To(ConsistOf(ids[10], ids[90]))
		Expect(dataarts.KindOf(answers[ids[10]])).To(Equal(dataarts.AlreadyDeployed))
		Expect(dataarts.KindOf(answers[ids[90]])).To(Equal(dataarts.AlreadyDeployed))
		Expect(s.calls()).To(Equal(1 + 1 + 2 + 1 + 2))
	})

	It("is halved without a look where the list is too long for that", func(ctx SpecContext) {
		s := aSite()
		s.packages(201)
		ids := s.packages(2)
		Expect(s.console.StartDeploy(ids[1])).To(Succeed())
		answers := askAll(ctx, s.lingering(500*time.Millisecond), ids)
		Expect(answers[ids[0]]).NotTo(HaveOccurred())
		Expect(dataarts.KindOf(answers[ids[1]])).To(Equal(dataarts.AlreadyDeployed))
		Expect(s.Counts()).To(Equal(map[simulator.Operation]int{simulator.OpUnpack: 3, simulator.OpList: 1}))
	})

	It("is halved without a look where that fails", func(ctx SpecContext) {
		s := aSite(assuming(func(a *simulator.Assumptions) { a.MixedUnpack = simulator.BatchPartial }))
		Expect(s.Inject(simulator.Fault{Operation: simulator.OpList, Kind: simulator.FaultError,
			Status: http.StatusBadGateway, Times: 9})).To(Succeed())
		ids := append(s.packages(2), "4711")
		answers := askAll(ctx, s.lingering(500*time.Millisecond), ids)
		for _, id := range ids {
			Expect(dataarts.KindOf(answers[id])).To(Equal(dataarts.NotFound), "withdrawn before, by the call that was refused")
		}
		Expect(s.left(ids)).To(BeEmpty())
	})
})

var _ = Describe("A batch that is larger than the service takes", func() {
	It("is halved until its parts are taken", func(ctx SpecContext) {
		s := aSite(assuming(func(a *simulator.Assumptions) { a.MaxUnpack = 30 }))
		Expect(askAll(ctx, s.lingering(tillFull), s.packages(aFullBatch))).To(HaveEach(BeNil()))
		Expect(s.Counts()).To(Equal(map[simulator.Operation]int{simulator.OpUnpack: 1 + 2 + 4, simulator.OpList: 2}))
	})
})

var _ = Describe("An answer that is not about packages", func() {
	DescribeTable("is everyone's, and nothing is sent again",
		func(ctx SpecContext, fault simulator.Fault, kind dataarts.Kind) {
			s := aSite()
			fault.Operation, fault.Times = simulator.OpUnpack, simulator.Forever
			Expect(s.Inject(fault)).To(Succeed())
			ids := s.packages(3)
			answers := askAll(ctx, s.lingering(500*time.Millisecond), ids)
			for _, id := range ids {
				Expect(answers[id]).To(MatchError(Not(ContainSubstring(token))))
				Expect(dataarts.KindOf(answers[id])).To(Equal(kind))
			}
			Expect(s.calls()).To(Equal(1))
		},
		Entry("when the credentials are rejected", simulator.Fault{
			Kind: simulator.FaultError, Status: http.StatusUnauthorized, Code: simulator.CodeUnauthorized},
			dataarts.Unauthorized),
		Entry("when the gateway lets the user do nothing", simulator.Fault{
			Kind: simulator.FaultError, Status: http.StatusForbidden, Code: simulator.CodeUserForbidden}, dataarts.Forbidden),
		Entry("when calls are throttled", simulator.Fault{
			Kind: simulator.FaultError, Status: http.StatusTooManyRequests, Code: simulator.CodeThrottled}, dataarts.Throttled),
		Entry("when the service fails", simulator.Fault{
			Kind: simulator.FaultError, Status: http.StatusInternalServerError, Code: "DLF.6201"}, dataarts.Unknown),
		Entry("when the answer is lost", simulator.Fault{Kind: simulator.FaultDrop, AfterWork: true}, dataarts.Unknown),
	)

	It("is everyone's when the batch was bisected before", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(aFullBatch)
		Expect(s.console.StartDeploy(ids[0])).To(Succeed())
		Expect(s.Inject(simulator.Fault{
			Operation: simulator.OpUnpack, Kind: simulator.FaultError, Status: http.StatusBadGateway, Code: "APIGW.0610",
			Skip: 1,
		})).To(Succeed())
		for _, err := range askAll(ctx, s.lingering(tillFull), ids) {
			Expect(err).To(HaveField("Status", http.StatusBadGateway))
		}
		Expect(s.Counts()).To(Equal(map[simulator.Operation]int{simulator.OpUnpack: 2, simulator.OpList: 1}))
	})

	It("is told apart from a lack of permission for single packages", func(ctx SpecContext) {
		s := aSite()
		ids := s.packages(2)
		Expect(s.Inject(simulator.Fault{
			Operation: simulator.OpUnpack, Kind: simulator.FaultError, Status: http.StatusBadRequest,
			Code: simulator.CodeNoPermission, Times: 2,
		})).To(Succeed())
		answers := askAll(ctx, s.lingering(500*time.Millisecond), ids)
		Expect(dataarts.KindOf(answers[ids[0]])).To(Equal(dataarts.Forbidden))
		Expect(answers[ids[1]]).NotTo(HaveOccurred())
	})
})
