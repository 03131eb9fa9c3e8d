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

package simulator_test

import (
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

var _ = Describe("Listing packages", func() {
	It("answers with the documented types, and [] when there is nothing", func(ctx SpecContext) {
		s := start()
		Expect(s.post(ctx, packagesPath, none).body).To(MatchJSON(`{"total":0,"data":[]}`))
		s.packed(ctx, "a")
		Expect(s.post(ctx, packagesPath, none).body).To(MatchJSON(`{"total":1,"data":[{
			"package_id":"1","package_name":"a","deploy_status":1,"delete_flag":0,
			"apply_user_id":"dev-id","apply_user_name":"dev","apply_timestamp":1747098123000,
			"package_approvers":[{"user_id":"rev-id","user_name":"rev"}],
			"project_id":"p-1-workspace-ws-1","workspace_id":"ws-1"}]}`))
	})

	// The packages, one second apart: b in review by dev, c deployed by rev at second 10, a failed
	// later, d deploying; b2 in review by rev.
	variety := func(ctx SpecContext, with ...func(*simulator.Options)) *service {
		GinkgoHelper()
		s := start(with...)
		for _, name := range []string{"b", "c", "a", "d"} {
			s.packed(ctx, name)
			s.clock.advance(time.Second)
		}
		_, err := s.console.Pack("b2", reviewerID, []string{bystanderID}, s.submitted("x"))
		Expect(err).NotTo(HaveOccurred())
		s.clock.advance(6 * time.Second)
		Expect(s.console.Deploy("2")).To(Succeed())
		s.clock.advance(time.Second)
		Expect(s.console.StartDeploy("3")).To(Succeed())
		Expect(s.console.FailDeploy("3")).To(Succeed())
		Expect(s.console.StartDeploy("4")).To(Succeed())
		return s
	}

	DescribeTable("selects and orders", func(ctx SpecContext, body string, want ...string) {
		r := variety(ctx).post(ctx, packagesPath, body)
		Expect(r.status).To(Equal(http.StatusOK), r.body)
		Expect(r.rows("package_name")).To(Equal(want))
	},
		Entry("the newest first", `{}`, "b2", "d", "a", "c", "b"),
		Entry("the oldest first", `{"sorted_direction":"asc"}`, "b", "c", "a", "d", "b2"),
		Entry("by name", `{"order_column":"package_name","sorted_direction":"asc"}`, "a", "b", "b2", "c", "d"),
		Entry("by deployment", `{"order_column":"deploy_timestamp","deploy_status_filter":[2,3]}`, "a", "c"),
		Entry("by keyword", `{"key_word":"b"}`, "b2", "b"),
		Entry("by states", `{"deploy_status_filter":[1,5]}`, "b2", "d", "b"),
		Entry("by applicant", `{"apply_user_name":"rev"}`, "b2"),
		Entry("by applicants", `{"apply_user_name_filter":["rev","other"]}`, "b2"),
		Entry("by applicant among applicants", `{"apply_user_name":"rev","apply_user_name_filter":["dev","rev"]}`, "b2"),
		Entry("by deployer", `{"deploy_user_name":"rev"}`, "d", "a", "c"),
		Entry("by deployers", `{"deploy_user_name_filter":["rev"]}`, "d", "a", "c"),
		Entry("by time of packing", `{"apply_begin_time":1747098124000,"apply_end_time":1747098125000}`, "a", "c"),
		Entry("by begin of deployment", `{"deploy_begin_time":1747098134000}`, "a"),
		Entry("by end of deployment", `{"deploy_end_time":1747098133000}`, "c"),
		Entry("nothing for null", `null`, "b2", "d", "a", "c", "b"),
		Entry("regardless of unknown fields", `{"limit":1,"colour":"red"}`, "b2"),
	)

	DescribeTable("refuses", func(ctx SpecContext, body string) {
		s := start()
		r := s.post(ctx, packagesPath, body)
		Expect(r.status).To(Equal(http.StatusBadRequest))
		Expect(r.code()).To(Equal(invalidParam))
	},
		Entry("no JSON", `[`),
		Entry("a limit that is text", `{"limit":"10"}`),
		Entry("a limit of zero", `{"limit":0}`),
		Entry("a negative offset", `{"offset":-1}`),
		Entry("an unknown state", `{"deploy_status_filter":[4]}`),
		Entry("an unknown column", `{"order_column":"colour"}`),
		Entry("an unknown direction", `{"sorted_direction":"up"}`),
		Entry("an applicant outside of the applicants", `{"apply_user_name":"rev","apply_user_name_filter":["dev"]}`),
		Entry("a deployer outside of the deployers", `{"deploy_user_name":"rev","deploy_user_name_filter":["dev"]}`),
	)

	DescribeTable("pages", func(ctx SpecContext, meaning simulator.OffsetMeaning, body string, want ...string) {
		s := variety(ctx, assuming(func(a *simulator.Assumptions) { a.Offset = meaning }))
		r := s.post(ctx, packagesPath, body)
		Expect(r.decode()["total"]).To(BeEquivalentTo("5"))
		if len(want) == 0 {
			Expect(r.decode()["data"]).To(BeEmpty())
			return
		}
		Expect(r.rows("package_name")).To(Equal(want))
	},
		Entry("first page", simulator.OffsetPage, `{"limit":2}`, "b2", "d"),
		Entry("second page", simulator.OffsetPage, `{"limit":2,"offset":1}`, "a", "c"),
		Entry("last page", simulator.OffsetPage, `{"limit":2,"offset":2}`, "b"),
		Entry("page behind the end", simulator.OffsetPage, `{"limit":2,"offset":3}`),
		Entry("page far behind the end", simulator.OffsetPage, `{"limit":2147483647,"offset":2147483647}`),
		Entry("from row 1", simulator.OffsetRow, `{"limit":2,"offset":1}`, "d", "a"),
		Entry("from the last row", simulator.OffsetRow, `{"limit":2,"offset":4}`, "b"),
		Entry("behind the last row", simulator.OffsetRow, `{"limit":2,"offset":5}`),
	)

	It("returns ten packages where no limit is given", func(ctx SpecContext) {
		s := start()
		s.packed(ctx, "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k")
		Expect(s.post(ctx, packagesPath, none).rows("package_name")).To(HaveLen(10))
		Expect(s.get(ctx, itemsPath).rows("item_name")).To(HaveLen(10))
	})
})
