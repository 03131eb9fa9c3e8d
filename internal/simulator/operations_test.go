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
	"fmt"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

var _ = Describe("Service", func() {
	Describe("packing", func() {
		It("answers with the name and a decimal id as a string", func(ctx SpecContext) {
			s := start()
			s.submitted("a", "b")
			r := s.post(ctx, packPath, packBody("first", "1", "2"))
			Expect(r.status).To(Equal(http.StatusOK))
			Expect(r.body).To(MatchJSON(`{"package_name":"first","release_package_id":"1"}`))
			Expect(s.console.Packages()).To(ConsistOf(simulator.Package{
				ID: "1", Name: "first", State: simulator.StateReview, Applicant: developerID,
				Approvers: []string{reviewerID}, Items: []string{"1", "2"}, Packed: epoch,
			}))
		})

		DescribeTable("refuses", func(ctx SpecContext, body string) {
			s := start()
			s.submitted("a", "b")
			Expect(s.post(ctx, packPath, packBody("other", "2")).status).To(Equal(http.StatusOK))
			r := s.post(ctx, packPath, body)
			Expect(r.status).To(Equal(http.StatusBadRequest))
			Expect(r.code()).To(Equal(invalidParam))
			Expect(s.console.Packages()).To(HaveLen(1))
		},
			Entry("no body", none),
			Entry("no JSON", "{"),
			Entry("null", "null"),
			Entry("another shape", `{"pending_item_list":"1"}`),
			Entry("no applicant", `{"apply_user_id":"","package_name":"p","pending_item_list":["1"],"approver_ids":["rev-id"]}`),
			Entry("no name", `{"apply_user_id":"dev-id","package_name":"","pending_item_list":["1"],"approver_ids":["rev-id"]}`),
			Entry("no items", `{"apply_user_id":"dev-id","package_name":"p","pending_item_list":[],"approver_ids":["rev-id"]}`),
			Entry("items that are null",
				`{"apply_user_id":"dev-id","package_name":"p","pending_item_list":null,"approver_ids":["rev-id"]}`),
			Entry("an unknown item",
				`{"apply_user_id":"dev-id","package_name":"p","pending_item_list":["1","9"],"approver_ids":["rev-id"]}`),
			Entry("a packed item",
				`{"apply_user_id":"dev-id","package_name":"p","pending_item_list":["1","2"],"approver_ids":["rev-id"]}`),
			Entry("no approvers", `{"apply_user_id":"dev-id","package_name":"p","pending_item_list":["1"],"approver_ids":[]}`),
			Entry("an empty approver",
				`{"apply_user_id":"dev-id","package_name":"p","pending_item_list":["1"],"approver_ids":[""]}`),
			Entry("an approver who may not review",
				`{"apply_user_id":"dev-id","package_name":"p","pending_item_list":["1"],"approver_ids":["by-id"]}`),
		)

		It("takes an item named twice once", func(ctx SpecContext) {
			s := start()
			s.submitted("a")
			s.post(ctx, packPath, packBody("p", "1", "1"))
			Expect(s.snapshot("1").Items).To(Equal([]string{"1"}))
		})

		It("lets every user of the project review where no reviewers are named", func(ctx SpecContext) {
			s := start()
			_, err := s.Console(project, "ws-2").Submit(simulator.NewItem{Name: "a"})
			Expect(err).NotTo(HaveOccurred())
			r, err := s.try(ctx, request{
				method: http.MethodPost, path: packPath, key: developer, header: map[string]string{"workspace": "ws-2"},
				body: `{"apply_user_id":"dev-id","package_name":"p","pending_item_list":["1"],"approver_ids":["by-id"]}`,
			})
			Expect(err).NotTo(HaveOccurred())
			Expect(r.status).To(Equal(http.StatusOK), r.body)
		})
	})

	Describe("the pending list", func() {
		It("shows items with their documented types", func(ctx SpecContext) {
			s := start()
			_, err := s.console.Submit(simulator.NewItem{
				Name: "job", TaskType: simulator.TaskScript, UpdateType: simulator.UpdateChange,
				SubmitUserID: developerID, Version: 3, DeployedVersion: 2,
			})
			Expect(err).NotTo(HaveOccurred())
			Expect(s.get(ctx, itemsPath).body).To(MatchJSON(`{"total":1,"data":[{
				"pending_item_id":"1","item_name":"job","task_id":"00000000000000000000000000000001",
				"task_type":2,"update_type":2,"package_flag":0,"pending_version":3,"deployed_version":2,
				"submit_user_id":"dev-id","submit_user_name":"dev","submit_timestamp":1747098123000,
				"project_id":"p-1-workspace-ws-1"}]}`))
		})

		It("marks packed items, and loses released ones", func(ctx SpecContext) {
			s := start()
			id := s.packed(ctx, "a")[0]
			Expect(s.get(ctx, itemsPath).body).To(ContainSubstring(`"package_flag":1`))
			Expect(s.console.Deploy(id)).To(Succeed())
			Expect(s.get(ctx, itemsPath).body).To(MatchJSON(`{"total":0,"data":[]}`))
			Expect(s.console.Items()).To(ConsistOf(HaveField("Gone", true)))
			Expect(s.post(ctx, packPath, packBody("again", "1")).code()).To(Equal(invalidParam))
		})

		DescribeTable("filters", func(ctx SpecContext, query string, want []string) {
			s := start()
			_, err := s.console.Submit(
				simulator.NewItem{Name: "job_one", SubmitUserID: developerID},
				simulator.NewItem{Name: "job_two", UpdateType: simulator.UpdateDelete, SubmitUserID: reviewerID})
			Expect(err).NotTo(HaveOccurred())
			s.clock.advance(time.Second)
			_, err = s.console.Submit(simulator.NewItem{Name: "script", TaskType: simulator.TaskScript, SubmitUserID: "unknown"})
			Expect(err).NotTo(HaveOccurred())
			Expect(s.get(ctx, itemsPath+query).rows("item_name")).To(Equal(want))
		},
			Entry("nothing", "", []string{"job_one", "job_two", "script"}),
			Entry("by an empty value nothing", "?item_name&limit=", []string{"job_one", "job_two", "script"}),
			Entry("by part of the name", "?item_name=job", []string{"job_one", "job_two"}),
			Entry("by user name", "?submit_user_name=rev", []string{"job_two"}),
			Entry("by task type", "?task_type=2", []string{"script"}),
			Entry("by update type", "?update_type=3", []string{"job_two"}),
			Entry("by start", "?start_time=1747098123001", []string{"script"}),
			Entry("by end", "?end_time=1747098123000", []string{"job_one", "job_two"}),
			Entry("by page", "?limit=2&offset=1", []string{"script"}),
		)

		DescribeTable("refuses", func(ctx SpecContext, query string) {
			s := start()
			Expect(s.get(ctx, itemsPath+query).code()).To(Equal(invalidParam))
		},
			Entry("a limit of zero", "?limit=0"),
			Entry("a limit over 100", "?limit=101"),
			Entry("a negative offset", "?offset=-1"),
			Entry("a huge offset", "?offset=9223372036854775807"),
			Entry("a limit that is no number", "?limit=ten"),
			Entry("a time that is no number", "?start_time=2025-05-13"),
		)
	})

	Describe("showing", func() {
		It("shows the package and its tasks", func(ctx SpecContext) {
			s := start()
			_, err := s.console.Submit(
				simulator.NewItem{Name: "job", SubmitUserID: developerID},
				simulator.NewItem{Name: "script", TaskType: simulator.TaskScript, SubmitUserID: "unknown"})
			Expect(err).NotTo(HaveOccurred())
			s.post(ctx, packPath, packBody("p", "1", "2"))
			Expect(s.get(ctx, packagesPath+"/1").body).To(MatchJSON(`{"release_package":{
				"package_id":"1","package_name":"p","deploy_status":1,"delete_flag":0,
				"apply_user_id":"dev-id","apply_user_name":"dev","apply_timestamp":1747098123000,
				"package_approvers":[{"user_id":"rev-id","user_name":"rev"}],
				"project_id":"p-1-workspace-ws-1","workspace_id":"ws-1"},
				"task_details":[{"pending_item_id":"1","item_name":"job","task_id":"00000000000000000000000000000001",
				"task_type":1,"update_type":1,"pending_version":1,"deployed_version":0,"deploy_status":1,
				"submit_user_id":"dev-id","submit_user_name":"dev","submit_timestamp":1747098123000},
				{"pending_item_id":"2","item_name":"script","task_id":"00000000000000000000000000000002",
				"script_id":"00000000000000000000000000000002",
				"task_type":2,"update_type":1,"pending_version":1,"deployed_version":0,"deploy_status":1,
				"submit_user_id":"unknown","submit_user_name":"","submit_timestamp":1747098123000}]}`))
		})

		It("has no jobs to start for a script", func(ctx SpecContext) {
			s := start()
			_, err := s.console.Submit(simulator.NewItem{Name: "script", TaskType: simulator.TaskScript})
			Expect(err).NotTo(HaveOccurred())
			s.post(ctx, packPath, packBody("p", "1"))
			Expect(s.console.Deploy("1")).To(Succeed())
			Expect(s.get(ctx, packagesPath+"/1").body).NotTo(ContainSubstring("start_job_status"))
		})

		It("knows who deployed it, when, and whether jobs were started", func(ctx SpecContext) {
			s := start()
			ids := s.packed(ctx, "good", "bad", "unstarted")
			s.clock.advance(time.Second)
			Expect(s.console.Deploy(ids[0])).To(Succeed())
			Expect(s.console.StartDeploy(ids[1])).To(Succeed())
			Expect(s.get(ctx, packagesPath+"/2").body).NotTo(ContainSubstring("start_job_status"), "not before the end")
			Expect(s.console.FailDeploy(ids[1])).To(Succeed())
			s.as(ctx, reviewer, http.MethodPost, deployPath, `{"package_ids":["3"],"startup_mode":0}`)
			Expect(s.console.FinishDeploy(ids[2])).To(Succeed())

			good := s.get(ctx, packagesPath+"/1").body
			Expect(good).To(ContainSubstring(
				`"deploy_user_id":"rev-id","deploy_user_name":"rev","deploy_timestamp":1747098124000`))
			Expect(good).To(ContainSubstring(`"start_job_status":2`))
			Expect(s.get(ctx, packagesPath+"/2").body).To(ContainSubstring(`"start_job_status":3`))
			Expect(s.get(ctx, packagesPath+"/3").body).NotTo(ContainSubstring("start_job_status"))
		})

		It("refuses an unknown id", func(ctx SpecContext) {
			s := start()
			r := s.get(ctx, packagesPath+"/a%2Fb")
			Expect(r.status).To(Equal(http.StatusBadRequest))
			Expect(r.code()).To(Equal(doesNotExist))
		})
	})

	Describe("deploying", func() {
		It("answers with the id as a number and ends when its time is up", func(ctx SpecContext) {
			s := start(func(o *simulator.Options) { o.DeployDuration = 5 * time.Second })
			s.packed(ctx, "a")
			r := s.as(ctx, reviewer, http.MethodPost, deployPath, `{"package_ids":["1"],"publish_type":"asy"}`)
			Expect(r.status).To(Equal(http.StatusOK))
			Expect(r.body).To(MatchJSON(`{"deploy_package_details":[
				{"asy_subtask_num":1,"asy_task_id":"ff800000000000000000000000000001","package_id":1}]}`))
			s.clock.advance(5*time.Second - time.Millisecond)
			Expect(s.list(ctx).body).To(ContainSubstring(`"deploy_status":5`))
			s.clock.advance(time.Millisecond)
			Expect(s.list(ctx).body).To(ContainSubstring(`"deploy_status":2`))
		})

		It("ended when its time was up, whenever somebody looks", func(ctx SpecContext) {
			s := start(func(o *simulator.Options) { o.DeployDuration = 5 * time.Second })
			s.packed(ctx, "a")
			Expect(s.console.StartDeploy("1")).To(Succeed())
			s.clock.advance(time.Minute)
			Expect(s.snapshot("1").Deployed).To(Equal(epoch.Add(5 * time.Second)))
		})

		It("goes on until somebody ends it where no duration is set", func(ctx SpecContext) {
			s := start()
			s.packed(ctx, "a")
			s.as(ctx, reviewer, http.MethodPost, deployPath, `{"package_ids":["1"]}`)
			s.clock.advance(time.Hour)
			Expect(s.snapshot("1").State).To(Equal(simulator.StateDeploying))
			Expect(s.console.FailDeploy("1")).To(Succeed())
			Expect(s.snapshot("1").State).To(Equal(simulator.StateFailed))
			Expect(s.console.Items()).To(ConsistOf(HaveField("Packages", []string{"1"})), "the item stays in the package")
		})

		DescribeTable("refuses", func(ctx SpecContext, key keyPair, body, code string) {
			s := start()
			ids := s.packed(ctx, "review", "deployed", "deploying", "withdrawn")
			Expect(s.console.Deploy(ids[1])).To(Succeed())
			Expect(s.console.StartDeploy(ids[2])).To(Succeed())
			Expect(s.console.Withdraw(ids[3])).To(Succeed())
			r := s.as(ctx, key, http.MethodPost, deployPath, body)
			Expect(r.status).To(Equal(http.StatusBadRequest))
			Expect(r.code()).To(Equal(code))
			Expect(s.snapshot(ids[0]).State).To(Equal(simulator.StateReview))
		},
			Entry("no body", reviewer, none, invalidParam),
			Entry("no JSON", reviewer, "{", invalidParam),
			Entry("no ids", reviewer, `{"package_ids":[]}`, invalidParam),
			Entry("101 ids", reviewer, `{"package_ids":["1"`+strings.Repeat(`,"1"`, 100)+`]}`, invalidParam),
			Entry("another startup mode", reviewer, `{"package_ids":["1"],"startup_mode":2}`, invalidParam),
			Entry("somebody who is no approver", developer, `{"package_ids":["1"]}`, "DLF.6888"),
			Entry("an unknown id beside a known one", reviewer, `{"package_ids":["1","99"]}`, doesNotExist),
			Entry("a deployed package", reviewer, `{"package_ids":["1","2"]}`, released),
			Entry("a deploying package", reviewer, `{"package_ids":["3"]}`, released),
			Entry("a withdrawn package", reviewer, `{"package_ids":["4"]}`, doesNotExist),
		)

		It("accepts 100 ids, and an id twice", func(ctx SpecContext) {
			s := start()
			s.packed(ctx, "a")
			r := s.as(ctx, reviewer, http.MethodPost, deployPath, `{"package_ids":["1"`+strings.Repeat(`,"1"`, 99)+`]}`)
			Expect(r.decode()["deploy_package_details"]).To(HaveLen(1))
		})
	})

	Describe("unpacking", func() {
		It("answers 200 without a body and frees the items", func(ctx SpecContext) {
			s := start()
			ids := s.packed(ctx, "a", "b")
			r := s.unpack(ctx, ids...)
			Expect(r.status).To(Equal(http.StatusOK))
			Expect(r.body).To(BeEmpty())
			Expect(r.header).NotTo(HaveKey("Content-Type"))
			Expect(s.console.Packages()).To(HaveEach(HaveField("Withdrawn", true)))
			Expect(s.post(ctx, packPath, packBody("again", "1")).status).To(Equal(http.StatusOK))
		})

		It("refuses a released package", func(ctx SpecContext) {
			s := start()
			ids := s.packed(ctx, "a")
			Expect(s.console.Deploy(ids[0])).To(Succeed())
			r := s.unpack(ctx, ids...)
			Expect(r.status).To(Equal(http.StatusBadRequest))
			Expect(r.code()).To(Equal(released))
		})

		It("refuses another shape", func(ctx SpecContext) {
			s := start()
			Expect(s.post(ctx, unpackPath, `{"package_ids":[1]}`).code()).To(Equal(invalidParam))
		})
	})

	It("keeps workspaces apart", func(ctx SpecContext) {
		s := start()
		ids := s.packed(ctx, "a")
		elsewhere := func(method, path, body string) reply {
			GinkgoHelper()
			r, err := s.try(ctx, request{
				method: method, path: path, body: body, key: developer, header: map[string]string{"workspace": "ws-2"},
			})
			Expect(err).NotTo(HaveOccurred())
			return r
		}
		Expect(elsewhere(http.MethodGet, itemsPath, none).body).To(MatchJSON(`{"total":0,"data":[]}`))
		Expect(elsewhere(http.MethodPost, packagesPath, none).body).To(MatchJSON(`{"total":0,"data":[]}`))
		Expect(elsewhere(http.MethodGet, packagesPath+"/1", none).code()).To(Equal(doesNotExist))
		Expect(elsewhere(http.MethodPost, unpackPath, `{"package_ids":["1"]}`).code()).To(Equal(doesNotExist))
		Expect(elsewhere(http.MethodPost, deployPath, `{"package_ids":["1"]}`).code()).To(Equal(doesNotExist))
		Expect(elsewhere(http.MethodPost, packPath, packBody("p", "1")).code()).To(Equal(invalidParam))
		Expect(s.snapshot(ids[0]).Live()).To(BeTrue())
	})

	DescribeTable("finds the workspace", func(ctx SpecContext, user, projectID, header string, want string) {
		s := start()
		r, err := s.try(ctx, request{
			method: http.MethodPost, path: fmt.Sprintf("/v2/%s/factory/release-packages", projectID),
			header: map[string]string{"workspace": header, "X-Auth-Token": user},
		})
		Expect(err).NotTo(HaveOccurred())
		Expect(r.code()).To(Equal(want))
	},
		Entry("of the header", "dev-token", "p-1", "ws-2", none),
		Entry("that is the default", "dev-token", "p-1", none, none),
		Entry("unless there is no default", "two-token", "p-2", none, invalidParam),
		Entry("unless it does not exist", "dev-token", "p-1", "ws-9", invalidParam),
		Entry("unless it is in another project", "dev-token", "p-1", "ws-3", invalidParam),
	)
})
