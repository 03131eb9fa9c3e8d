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
	"context"
	"io"
	"net/http"
	"os"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

// sent is a request as the server saw it.
type sent struct {
	line   string
	header http.Header
	body   string
}

// aRecorder is a server that gives the answer to every request, and the requests in the order in which they came.
func aRecorder(body string) (string, <-chan sent) {
	requests := make(chan sent, 10)
	server := aServer(func(w http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		requests <- sent{line: r.Method + " " + r.RequestURI, header: r.Header, body: string(content)}
		_, _ = io.WriteString(w, body)
	})
	return server.URL, requests
}

const factory = "/v2/" + testProject + "/factory"

var _ = Describe("What is sent", func() {
	// The answers do not matter here, so one that satisfies the most is enough.
	const anAnswer = `{"release_package_id":"13","data":[],"total":0}`

	DescribeTable("by each operation",
		func(ctx SpecContext, line, body string, call func(context.Context, *dataarts.Client) error) {
			endpoint, requests := aRecorder(anAnswer)
			Expect(call(ctx, aClient(endpoint))).To(Succeed())

			var got sent
			Expect(requests).To(Receive(&got))
			Expect(got.line).To(Equal(line))
			if body == "" {
				Expect(got.body).To(BeEmpty())
			} else {
				Expect(got.body).To(MatchJSON(body))
				Expect(got.header).To(HaveKeyWithValue("Content-Type", []string{"application/json;charset=UTF-8"}))
			}
			Expect(got.header).To(HaveKeyWithValue("Workspace", []string{testWorkspace}))
			Expect(got.header).To(HaveKeyWithValue("X-Project-Id", []string{testProject}))
			Expect(got.header).To(HaveKeyWithValue("User-Agent", []string{"huaweicloud-usdk-go/3.0; dataarts-operator"}))
			Expect(got.header.Get("Authorization")).To(MatchRegexp(
				`^SDK-HMAC-SHA256 Access=` + testAccessKey +
					`, SignedHeaders=user-agent;workspace;x-project-id;x-sdk-date, Signature=[0-9a-f]{64}$`))
			Expect(requests).NotTo(Receive())
		},
		Entry("Pack", "POST "+factory+"/pending-items/package",
			`{"apply_user_id":"f8ccc2ff3c7748e8a7bfede38ae1cffa","package_name":"job_0948_20250513",
			  "pending_item_list":["26","27"],"approver_ids":["7b71e498e75d44048c9a22dd3c54f978"]}`,
			func(ctx context.Context, c *dataarts.Client) error {
				_, err := c.Pack(ctx, packRequest)
				return err
			}),
		Entry("Unpack", "POST "+factory+"/release-packages/unpack", `{"package_ids":["13","14"]}`,
			func(ctx context.Context, c *dataarts.Client) error { return c.Unpack(ctx, []string{"13", "14"}) }),
		Entry("List", "POST "+factory+"/release-packages",
			`{"key_word":"job","deploy_status_filter":[1,5],"apply_begin_time":1747103060000,"apply_end_time":1747103061000,
			  "limit":100,"offset":2}`,
			func(ctx context.Context, c *dataarts.Client) error {
				_, err := c.List(ctx, dataarts.ListOptions{
					NameKeyword:   "job",
					States:        []dataarts.DeployStatus{dataarts.StatusPendingReview, dataarts.StatusDeploying},
					AppliedAfter:  time.UnixMilli(1747103060000),
					AppliedBefore: time.UnixMilli(1747103061000),
					Limit:         100,
					Offset:        2,
				})
				return err
			}),
		Entry("List without options", "POST "+factory+"/release-packages", `{}`,
			func(ctx context.Context, c *dataarts.Client) error {
				_, err := c.List(ctx, dataarts.ListOptions{})
				return err
			}),
		Entry("ListPendingItems",
			"GET "+factory+"/pending-items?item_name=a%20b%26c&limit=100&offset=1&submit_user_name=dev1", "",
			func(ctx context.Context, c *dataarts.Client) error {
				_, err := c.ListPendingItems(ctx, dataarts.PendingItemOptions{
					ItemName: "a b&c", SubmitUserName: "dev1", Limit: 100, Offset: 1,
				})
				return err
			}),
		Entry("ListPendingItems without options", "GET "+factory+"/pending-items", "",
			func(ctx context.Context, c *dataarts.Client) error {
				_, err := c.ListPendingItems(ctx, dataarts.PendingItemOptions{})
				return err
			}),
	)

	It("asks Show about the id", func(ctx SpecContext) {
		endpoint, requests := aRecorder(shown)
		Expect(aClient(endpoint).Show(ctx, "13")).To(HaveField("ID", "13"))
		var got sent
		Expect(requests).To(Receive(&got))
		Expect(got.line).To(Equal("GET " + factory + "/release-packages/13"))
	})

	It("signs the security token of temporary credentials", func(ctx SpecContext) {
		endpoint, requests := aRecorder(anAnswer)
		c := aClient(endpoint, withCredentials(dataarts.Credentials{
			AccessKey: testAccessKey, SecretKey: testSecretKey, SecurityToken: testSecurityToken,
		}))
		Expect(c.Pack(ctx, packRequest)).To(Equal("13"))

		var got sent
		Expect(requests).To(Receive(&got))
		Expect(got.header).To(HaveKeyWithValue("X-Security-Token", []string{testSecurityToken}))
		Expect(got.header.Get("Authorization")).To(ContainSubstring(";x-security-token,"))
	})

	It("sends a token instead of a signature", func(ctx SpecContext) {
		endpoint, requests := aRecorder(anAnswer)
		client := aClient(endpoint, withCredentials(dataarts.Credentials{Token: testToken}))
		Expect(client.Pack(ctx, packRequest)).To(Equal("13"))

		var got sent
		Expect(requests).To(Receive(&got))
		Expect(got.line).To(Equal("POST " + factory + "/pending-items/package"))
		Expect(got.header).To(HaveKeyWithValue("X-Auth-Token", []string{testToken}))
		Expect(got.header).To(HaveKeyWithValue("X-Project-Id", []string{testProject}))
		Expect(got.header).To(HaveKeyWithValue("Workspace", []string{testWorkspace}))
		Expect(got.header).NotTo(Or(HaveKey("Authorization"), HaveKey("X-Sdk-Date")))
	})

	It("is not influenced by what the SDK finds around it, nor does the SDK leave anything there", func(ctx SpecContext) {
		home := GinkgoT().TempDir()
		GinkgoT().Setenv("HOME", home)
		for _, name := range []string{
			"HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_PROJECT_ID", "HUAWEICLOUD_SDK_SECURITY_TOKEN",
			"HUAWEICLOUD_SDK_IDP_ID", "HUAWEICLOUD_SDK_ID_TOKEN_FILE", "HUAWEICLOUD_SDK_IAM_ENDPOINT",
			"HUAWEICLOUD_SDK_CREDENTIALS_FILE", "HUAWEICLOUD_SDK_REGIONS_FILE", "HC_CONTAINER_CREDENTIALS_FULL_URI",
		} {
			GinkgoT().Setenv(name, "http://from-the-environment.test")
		}
		endpoint, requests := aRecorder(anAnswer)
		Expect(aClient(endpoint).Pack(ctx, packRequest)).To(Equal("13"))

		var got sent
		Expect(requests).To(Receive(&got))
		Expect(got.line).To(ContainSubstring(testProject))
		Expect(got.header.Get("Authorization")).To(ContainSubstring("Access=" + testAccessKey))
		Expect(got.header).NotTo(HaveKey("X-Security-Token"))
		Expect(os.ReadDir(home)).To(BeEmpty())
	})

	DescribeTable("is nothing, if it could not be accepted",
		func(ctx SpecContext, call func(context.Context, *dataarts.Client) error) {
			endpoint, requests := aRecorder(anAnswer)
			e := expectError(call(ctx, aClient(endpoint)))
			Expect(e.Kind).To(Equal(dataarts.Refused))
			Expect(e.Status).To(BeZero())
			Expect(requests).NotTo(Receive())
		},
		Entry("Unpack of nothing", unpacking()),
		Entry("Unpack of an empty id", unpacking("13", "")),
		Entry("Unpack of a path", unpacking("1/2")),
		Entry("Show of an empty id", showing("")),
		Entry("Show of a path", showing("1/2")),
		Entry("Show of a query", showing("1?x=y")),
		Entry("Show of a fragment", showing("1#2")),
		Entry("Show of an escape", showing("1%2f2")),
		Entry("Show of the same", showing(".")),
		Entry("Show of the parent", showing("..")),
		Entry("Show of a space", showing("1 ")),
		Entry("Show of the SDK's own placeholder", showing("{project_id}")),
		Entry("Pack without a name", packing(func(r *dataarts.PackRequest) { r.PackageName = "" })),
		Entry("Pack without an applicant", packing(func(r *dataarts.PackRequest) { r.ApplyUserID = "" })),
		Entry("Pack without items", packing(func(r *dataarts.PackRequest) { r.PendingItemIDs = nil })),
		Entry("Pack with an empty item", packing(func(r *dataarts.PackRequest) { r.PendingItemIDs = []string{"26", ""} })),
		Entry("Pack without approvers", packing(func(r *dataarts.PackRequest) { r.ApproverIDs = []string{} })),
		Entry("Pack with an empty approver", packing(func(r *dataarts.PackRequest) { r.ApproverIDs = []string{""} })),
		Entry("List with a negative limit", listing(dataarts.ListOptions{Limit: -1})),
		Entry("List with an offset beyond 32 bits", listing(dataarts.ListOptions{Offset: 1 << 31})),
		Entry("List with a state beyond 32 bits", listing(dataarts.ListOptions{States: []dataarts.DeployStatus{1 << 32}})),
		Entry("ListPendingItems with a negative offset", func(ctx context.Context, c *dataarts.Client) error {
			_, err := c.ListPendingItems(ctx, dataarts.PendingItemOptions{Offset: -1})
			return err
		}),
	)
})

func unpacking(ids ...string) func(context.Context, *dataarts.Client) error {
	return func(ctx context.Context, c *dataarts.Client) error { return c.Unpack(ctx, ids) }
}

func showing(id string) func(context.Context, *dataarts.Client) error {
	return func(ctx context.Context, c *dataarts.Client) error {
		_, err := c.Show(ctx, id)
		return err
	}
}

func packing(change func(*dataarts.PackRequest)) func(context.Context, *dataarts.Client) error {
	return func(ctx context.Context, c *dataarts.Client) error {
		req := packRequest
		change(&req)
		_, err := c.Pack(ctx, req)
		return err
	}
}

func listing(opts dataarts.ListOptions) func(context.Context, *dataarts.Client) error {
	return func(ctx context.Context, c *dataarts.Client) error {
		_, err := c.List(ctx, opts)
		return err
	}
}
