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

package controller_test

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// badGateway loses what the service says of a request to pack, without a doubt that it is there.
func badGateway(afterWork bool) simulator.Fault {
	return simulator.Fault{Operation: simulator.OpPack, Kind: simulator.FaultError, Status: 502, AfterWork: afterWork}
}

var _ = Describe("Many outcomes that are not known at once", func() {
	DescribeTable("cost three calls a package at most", func(ctx SpecContext, fault simulator.Fault, lost, pending int) {
		s := readyScene(ctx)
		for range pending {
			ids, err := s.console.Submit(simulator.NewItem{Name: "job", SubmitUserID: developer})
			Expect(err).NotTo(HaveOccurred())
			s.items = append(s.items, v1alpha1.ID(ids[0]))
		}
		objects, due := map[string]*v1alpha1.ReleasePackage{}, map[string]time.Time{}
		fault.Times = lost
		s.inject(fault)
		for i := range lost {
			rp := s.aReleasePackage(withItems(s.items[len(s.items)-1-i]))
			rp.Name = fmt.Sprintf("release-%02d", i)
			s.expectApplied(ctx, rp)
			result := s.expectReconciled(ctx, rp)
			expectOutcomeUnknown(rp)
			objects[rp.Name], due[rp.Name] = rp, s.clock.Now().Add(result.RequeueAfter)
		}
		before := s.service.Counts()
		for len(due) > 0 {
			next := ""
			for name, when := range due {
				if next == "" || when.Before(due[next]) {
					next = name
				}
			}
			rp := objects[next]
			if due[next].After(s.clock.Now()) {
				s.clock.SetTime(due[next])
			}
			result := s.expectReconciled(ctx, rp)
			due[next] = s.clock.Now().Add(result.RequeueAfter)
			if rp.Status.ReleasePackageID != "" {
				delete(due, next)
			}
		}
		looks := 0
		for operation, n := range s.service.Counts() {
			if operation != simulator.OpPack {
				looks += n - before[operation]
			}
		}
		Expect(looks).To(BeNumerically("<=", 3*lost))
		Expect(s.livePackages()).To(HaveLen(lost))
	},
		Entry("when the answers are lost", badGateway(true), 30, 1000),
		Entry("when the requests are lost", badGateway(false), 30, 1000),
		Entry("when one answer is lost", lostReply, 1, 1),
		Entry("when one request is lost", lostRequest, 1, 1),
	)
})

var _ = Describe("A lost request", func() {
	It("lets a deleted object go where its items were deployed with another package", func(ctx SpecContext) {
		s := readyScene(ctx)
		rp := s.aReleasePackage()
		s.expectApplied(ctx, rp)
		s.inject(lostRequest)
		s.expectReconciled(ctx, rp)
		for i := range 30 { // Others are no reason to look into all of them at once.
			id, err := s.console.Pack(fmt.Sprint("other", i), developer, []string{deployer}, []string{string(s.moreItems(1)[0])})
			Expect(err).NotTo(HaveOccurred())
			DeferCleanup(s.console.Withdraw, id)
		}
		other, err := s.console.Pack("by hand", developer, []string{deployer}, []string{string(s.items[0])})
		Expect(err).NotTo(HaveOccurred())
		Expect(s.console.Deploy(other)).To(Succeed())

		Expect(s.Delete(ctx, rp)).To(Succeed())
		before := s.calls(simulator.OpShow)
		result := s.expectReconciledAfter(ctx, settleTime+time.Second, rp)
		Expect(s.calls(simulator.OpShow) - before).To(BeNumerically("<=", 20))
		result = s.expectReconciledAfter(ctx, result.RequeueAfter, rp)
		Expect(s.calls(simulator.OpShow) - before).To(BeNumerically("<=", 31))
		s.expectReconciledAfter(ctx, result.RequeueAfter, rp)
		s.expectGone(ctx, rp)
	})
})
