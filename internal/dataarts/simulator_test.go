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
	"log"
	"net/http/httptest"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

const (
	developer = "f8ccc2ff3c7748e8a7bfede38ae1cffa"
	deployer  = "7b71e498e75d44048c9a22dd3c54f978"
)

// stoppedClock is the time of the service. It is about the real one, which the SDK signs with.
var stoppedClock = time.Now().UTC().Truncate(time.Second)

// aSimulator is the service with two pending items, its endpoint and what people can do in its console.
func aSimulator(change func(*simulator.Options)) (string, *simulator.Console) {
	GinkgoHelper()
	opts := simulator.Options{
		Users: []simulator.User{
			{
				ID: developer, Name: "dev1", Projects: []string{testProject},
				AccessKey: testAccessKey, SecretKey: testSecretKey, Token: testToken,
			},
			{
				ID: deployer, Name: "dep1", Projects: []string{testProject},
				AccessKey: "TEMPORARYKEYID", SecretKey: testSecretKey, SecurityToken: testSecurityToken,
			},
		},
		Workspaces: []simulator.Workspace{{
			ProjectID: testProject, ID: testWorkspace, Reviewers: []string{deployer},
			Items: []simulator.NewItem{{Name: "job_a", SubmitUserID: developer}, {Name: "job_b", SubmitUserID: developer}},
		}},
		Now: func() time.Time { return stoppedClock },
	}
	change(&opts)
	service, err := simulator.New(opts)
	Expect(err).NotTo(HaveOccurred())
	server := httptest.NewUnstartedServer(service)
	server.Config.ErrorLog = log.New(GinkgoWriter, "", 0)
	server.Start()
	DeferCleanup(server.Close)
	DeferCleanup(service.Close)
	return server.URL, service.Console(testProject, testWorkspace)
}

func asDocumented(*simulator.Options) {}

// packAll packs what is pending for the deployer to review.
func packAll(ctx context.Context, c *dataarts.Client) (string, error) {
	pending, err := c.ListPendingItems(ctx, dataarts.PendingItemOptions{Limit: 100})
	if err != nil {
		return "", err
	}
	req := dataarts.PackRequest{PackageName: "rel-a", ApproverIDs: []string{deployer}}
	for _, item := range pending.Rows {
		req.ApplyUserID = item.SubmitUserID
		req.PendingItemIDs = append(req.PendingItemIDs, item.ID)
	}
	return c.Pack(ctx, req)
}

var _ = Describe("Against the simulated service", func() {
	DescribeTable("a package is packed, seen and unpacked", func(ctx SpecContext, credentials dataarts.Credentials) {
		endpoint, _ := aSimulator(asDocumented)
		c := aClient(endpoint, withCredentials(credentials))

		id, err := packAll(ctx, c)
		Expect(err).NotTo(HaveOccurred())

		page, err := c.List(ctx, dataarts.ListOptions{
			NameKeyword: "rel", States: []dataarts.DeployStatus{dataarts.StatusPendingReview}, Limit: 100,
		})
		Expect(err).NotTo(HaveOccurred())
		Expect(page.Total).To(Equal(1))
		Expect(page.Rows).To(ConsistOf(And(
			HaveField("ID", id),
			HaveField("Name", "rel-a"),
			HaveField("Status", dataarts.StatusPendingReview),
			HaveField("ApplyUserID", developer),
			HaveField("AppliedAt", stoppedClock),
			HaveField("Approvers", []dataarts.User{{ID: deployer, Name: "dep1"}}),
		)))

		detail, err := c.Show(ctx, id)
		Expect(err).NotTo(HaveOccurred())
		Expect(detail.Package).To(Equal(page.Rows[0]))
		Expect(detail.Items).To(ConsistOf(HaveField("Name", "job_a"), HaveField("Name", "job_b")))

		Expect(c.Unpack(ctx, []string{id})).To(Succeed())
		Expect(dataarts.KindOf(c.Unpack(ctx, []string{id}))).To(Equal(dataarts.NotFound))
	},
		Entry("with a key", dataarts.Credentials{AccessKey: testAccessKey, SecretKey: testSecretKey}),
		Entry("with a temporary key", dataarts.Credentials{
			AccessKey: "TEMPORARYKEYID", SecretKey: testSecretKey, SecurityToken: testSecurityToken,
		}),
		Entry("with a token", dataarts.Credentials{Token: testToken}),
	)

	It("a deployed package stays deployed", func(ctx SpecContext) {
		endpoint, console := aSimulator(asDocumented)
		c := aClient(endpoint)
		id, err := packAll(ctx, c)
		Expect(err).NotTo(HaveOccurred())

		Expect(console.StartDeploy(id)).To(Succeed())
		Expect(c.Show(ctx, id)).To(HaveField("Status", dataarts.StatusDeploying))
		Expect(console.FinishDeploy(id)).To(Succeed())
		Expect(c.Show(ctx, id)).To(HaveField("Status", dataarts.StatusDeployed))
		Expect(dataarts.KindOf(c.Unpack(ctx, []string{id}))).To(Equal(dataarts.AlreadyDeployed))
	})

	DescribeTable("an unknown package is not found", func(ctx SpecContext, code simulator.Code) {
		endpoint, _ := aSimulator(func(o *simulator.Options) { o.Assumptions.UnknownPackage = code })
		c := aClient(endpoint)
		_, err := c.Show(ctx, "4711")
		Expect(expectError(err).Kind).To(Equal(dataarts.NotFound))
		Expect(expectError(c.Unpack(ctx, []string{"4711"})).Kind).To(Equal(dataarts.NotFound))
	},
		Entry("by one code", simulator.CodeNoTask),
		Entry("by the other", simulator.CodeNoTaskLong),
	)

	It("an item that does not exist is refused", func(ctx SpecContext) {
		endpoint, _ := aSimulator(asDocumented)
		_, err := aClient(endpoint).Pack(ctx, dataarts.PackRequest{
			PackageName: "rel-a", ApplyUserID: developer, PendingItemIDs: []string{"4711"}, ApproverIDs: []string{deployer},
		})
		Expect(expectError(err).Kind).To(Equal(dataarts.Refused))
	})

	DescribeTable("a wrong identity is told so", func(ctx SpecContext, kind dataarts.Kind, change option) {
		endpoint, _ := aSimulator(asDocumented)
		_, err := aClient(endpoint, change).List(ctx, dataarts.ListOptions{})
		Expect(expectError(err).Kind).To(Equal(kind), err.Error())
	},
		Entry("with another secret key", dataarts.Unauthorized,
			func(c *dataarts.Config) { c.Credentials.SecretKey = "wrong" }),
		Entry("with an unknown key", dataarts.Unauthorized, func(c *dataarts.Config) { c.Credentials.AccessKey = "wrong" }),
		Entry("without the security token", dataarts.Unauthorized,
			func(c *dataarts.Config) { c.Credentials.AccessKey = "TEMPORARYKEYID" }),
		Entry("with another token", dataarts.Unauthorized, withCredentials(dataarts.Credentials{Token: "wrong"})),
		Entry("in another workspace", dataarts.Refused, func(c *dataarts.Config) { c.WorkspaceID = "elsewhere" }),
	)

	It("too many calls are throttled", func(ctx SpecContext) {
		endpoint, _ := aSimulator(func(o *simulator.Options) {
			o.RateLimit = 1
			o.Assumptions.RetryAfter = 3
		})
		c := aClient(endpoint)
		Expect(c.List(ctx, dataarts.ListOptions{})).To(HaveField("Total", 0))
		_, err := c.List(ctx, dataarts.ListOptions{})
		e := expectError(err)
		Expect(e.Kind).To(Equal(dataarts.Throttled))
		Expect(e.RetryAfter).To(Equal(3 * time.Second))
	})
})
