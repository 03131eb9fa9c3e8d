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

package dataarts_test

import (
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

var _ = Describe("What is read", func() {
	shownPackage := dataarts.Package{
		ID: "13", Name: "rel-a", Status: dataarts.StatusPendingReview,
		ApplyUserID: "f8cc", ApplyUserName: "dev1", AppliedAt: time.UnixMilli(1747103060123).UTC(),
		Approvers: []dataarts.User{{ID: "7b71", Name: "dep1"}}, ProjectID: "6209-workspace-ab12", WorkspaceID: "ab12",
	}

	It("is a package with its items", func(ctx SpecContext) {
		Expect(aClient(aServer(answer(200, shown)).URL).Show(ctx, "13")).To(Equal(dataarts.PackageDetail{
			Package: shownPackage,
			Items: []dataarts.Item{{
				PendingItemID: "26", Name: "job_a", TaskID: "t1",
				TaskType: dataarts.TaskJob, ChangeType: dataarts.ChangeUpdate, Status: dataarts.StatusPendingReview,
				PendingVersion: 4, DeployedVersion: 3, SubmitUserID: "f8cc", SubmittedAt: time.UnixMilli(1747103000000).UTC(),
			}},
		}))
	})

	It("may be a deleted package that is empty", func(ctx SpecContext) {
		server := aServer(answer(200, `{"release_package":{"package_id":"13","delete_flag":1}}`))
		Expect(aClient(server.URL).Show(ctx, "13")).To(And(HaveField("Deleted", true), HaveField("Items", BeEmpty())))
	})

	It("is a page of packages", func(ctx SpecContext) {
		_, rest, _ := strings.Cut(shown, `{"release_package":`)
		first, _, _ := strings.Cut(rest, `,"task_details"`)
		server := aServer(answer(200, `{"data":[`+first+`,`+
			`{"package_id":"14","deploy_status":2,"delete_flag":1,"deploy_user_id":"7b71","deploy_user_name":"dep1",`+
			`"deploy_timestamp":1},`+
			`{"package_id":"15","deploy_status":77,"delete_flag":9,"apply_timestamp":0,`+
			`"deploy_timestamp":9223372036854775807,"new":{}}`+
			`],"total":1234}`))
		Expect(aClient(server.URL).List(ctx, dataarts.ListOptions{})).To(Equal(dataarts.Page[dataarts.Package]{
			Total: 1234,
			Rows: []dataarts.Package{
				shownPackage,
				{
					ID: "14", Status: dataarts.StatusDeployed, Deleted: true, Approvers: []dataarts.User{},
					DeployUserID: "7b71", DeployUserName: "dep1", DeployedAt: time.UnixMilli(1).UTC(),
				},
				{ID: "15", Status: 77, Approvers: []dataarts.User{}},
			},
		}))
	})

	DescribeTable("may be an empty page", func(ctx SpecContext, body string, total int) {
		c := aClient(aServer(answer(200, body)).URL)
		Expect(c.List(ctx, dataarts.ListOptions{})).To(Equal(dataarts.Page[dataarts.Package]{Total: total}))
		Expect(c.ListPendingItems(ctx, dataarts.PendingItemOptions{})).To(
			Equal(dataarts.Page[dataarts.PendingItem]{Total: total}))
	},
		Entry("with a list", `{"data":[],"total":0}`, 0),
		Entry("without a list", `{"total":0}`, 0),
		Entry("after the last one", `{"data":[],"total":5}`, 5),
	)

	It("is a page of pending items", func(ctx SpecContext) {
		server := aServer(answer(200, `{"data":[{"pending_item_id":"26","item_name":"job_a","task_id":"t1","task_type":2,`+
			`"update_type":3,"package_flag":7,"pending_version":4,"deployed_version":3,"submit_user_id":"f8cc",`+
			`"submit_user_name":"dev1","submit_timestamp":1747103000000,"project_id":"6209ab12"}],"total":1}`))
		items, err := aClient(server.URL).ListPendingItems(ctx, dataarts.PendingItemOptions{})
		Expect(err).NotTo(HaveOccurred())
		Expect(items).To(Equal(dataarts.Page[dataarts.PendingItem]{
			Total: 1,
			Rows: []dataarts.PendingItem{{
				ID: "26", Name: "job_a", TaskID: "t1", TaskType: dataarts.TaskScript, ChangeType: dataarts.ChangeDelete,
				PackageFlag: 7, PendingVersion: 4, DeployedVersion: 3, SubmitUserID: "f8cc", SubmitUserName: "dev1",
				SubmittedAt: time.UnixMilli(1747103000000).UTC(), ProjectID: "6209ab12",
			}},
		}))
	})
})
