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
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

var _ = Describe("A call to withdraw packages that the service refuses", func() {
	DescribeTable("leads to a look at the list, as far as that is worth it",
		func(ctx SpecContext, others, lists, unpacks int) {
			s := aSite()
			s.Linger = 500 * time.Millisecond
			conn := s.expectConnected(ctx)
			s.packages(others)
			ids := s.packages(3)
			Expect(s.console.StartDeploy(ids[0])).To(Succeed())
			Expect(s.console.Withdraw(ids[1])).To(Succeed())
			errs := make([]error, len(ids))
			var group sync.WaitGroup
			for i, id := range ids {
				group.Go(func() { errs[i] = conn.Unpack(ctx, id) })
			}
			group.Wait()
			Expect(dataarts.KindOf(errs[0])).To(Equal(dataarts.AlreadyDeployed))
			Expect(errs[2]).NotTo(HaveOccurred())
			Expect(s.Counts()).To(Equal(map[simulator.Operation]int{simulator.OpUnpack: unpacks, simulator.OpList: lists}))
		},
		Entry("so that what is not listed is not sent again", 0, 1, 3),
		Entry("of three pages for three packages", 198, 3, 3),
		Entry("but no more pages than there are packages", 298, 1, 5),
	)
})
