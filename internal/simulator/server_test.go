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
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

var _ = Describe("Request log", func() {
	It("tells who asked what, where and when, and what came of it", func(ctx SpecContext) {
		s := start()
		s.submitted("a")
		s.post(ctx, packPath, packBody("p", "1"))
		s.clock.advance(time.Second)
		s.unpack(ctx, "1", "2")
		Expect(s.Requests()).To(Equal([]simulator.Request{
			{
				Operation: simulator.OpPack, Method: http.MethodPost, Path: packPath, User: developerID,
				Project: project, Workspace: workspace, Time: epoch, Status: http.StatusOK, WorkDone: true,
				Packages: []string{"1"}, Items: []string{"1"},
			},
			{
				Operation: simulator.OpUnpack, Method: http.MethodPost, Path: unpackPath, User: developerID,
				Project: project, Workspace: workspace, Time: epoch.Add(time.Second), Status: http.StatusBadRequest,
				Packages: []string{"1", "2"},
			},
		}))
	})

	It("contains calls that were turned away", func(ctx SpecContext) {
		s := start()
		s.get(ctx, "/elsewhere")
		s.as(ctx, keyPair{"DEV", "wrong"}, http.MethodGet, itemsPath, none)
		Expect(s.Requests()).To(HaveExactElements(
			And(HaveField("Operation", BeEmpty()), HaveField("Status", http.StatusNotFound)),
			And(HaveField("User", BeEmpty()), HaveField("Status", http.StatusUnauthorized)),
		))
		Expect(s.Counts()).To(Equal(map[simulator.Operation]int{"": 1, simulator.OpListItems: 1}))
	})

	It("names the default workspace", func(ctx SpecContext) {
		s := start()
		_, err := s.try(ctx, request{
			method: http.MethodGet, path: packagesPath + "/7", key: developer, header: map[string]string{"workspace": none},
		})
		Expect(err).NotTo(HaveOccurred())
		Expect(s.Requests()).To(ConsistOf(And(HaveField("Workspace", workspace), HaveField("Packages", []string{"7"}))))
	})

	It("keeps the newest requests and counts all", func(ctx SpecContext) {
		s := start(func(o *simulator.Options) { o.LogLimit = 2 })
		for range 4 {
			s.list(ctx)
		}
		s.get(ctx, itemsPath)
		Expect(s.Requests()).To(HaveLen(3))
		Expect(s.Requests()[2].Operation).To(Equal(simulator.OpListItems))
		Expect(s.Counts()).To(Equal(map[simulator.Operation]int{simulator.OpList: 4, simulator.OpListItems: 1}))
		s.Reset()
		Expect(s.Requests()).To(BeEmpty())
		Expect(s.Counts()).To(BeEmpty())
	})
})

var _ = Describe("Server", func() {
	It("packs an item once, however many ask at the same time", func(ctx SpecContext) {
		s := start()
		body := packBody("p", s.submitted("a")...)
		var requests sync.WaitGroup
		var mu sync.Mutex
		statuses := map[int]int{}
		for range 8 {
			r := s.build(ctx, request{method: http.MethodPost, path: packPath, body: body, key: developer})
			requests.Go(func() {
				answer, err := s.send(r)
				mu.Lock()
				defer mu.Unlock()
				statuses[answer.status]++
				if err != nil {
					statuses[0]++
				}
			})
		}
		requests.Wait()
		Expect(statuses).To(Equal(map[int]int{http.StatusOK: 1, http.StatusBadRequest: 7}))
		Expect(s.console.Packages()).To(HaveLen(1))
	})

	It("starts with the items of its configuration", func() {
		s := start(func(o *simulator.Options) { o.Workspaces[0].Items = []simulator.NewItem{{Name: "a"}, {Name: "b"}} })
		Expect(s.console.Items()).To(HaveExactElements(HaveField("ID", "1"), HaveField("ID", "2")))
	})

	DescribeTable("refuses a configuration with", func(change func(*simulator.Options), text string) {
		opts := simulator.Options{Users: people(), Workspaces: []simulator.Workspace{{ProjectID: project, ID: workspace}}}
		_, err := simulator.New(opts)
		Expect(err).NotTo(HaveOccurred())
		change(&opts)
		_, err = simulator.New(opts)
		Expect(err).To(MatchError(ContainSubstring(text)))
	},
		Entry("a user without id", func(o *simulator.Options) { o.Users[0].ID = "" }, "unique"),
		Entry("a user twice", func(o *simulator.Options) { o.Users[1].ID = o.Users[0].ID }, "unique"),
		Entry("an access key twice", func(o *simulator.Options) { o.Users[1].AccessKey = o.Users[0].AccessKey },
			"access keys are unique"),
		Entry("half a key", func(o *simulator.Options) { o.Users[0].SecretKey = "" }, "come together"),
		Entry("a workspace without id", func(o *simulator.Options) { o.Workspaces[0].ID = "" }, "unique"),
		Entry("a workspace twice",
			func(o *simulator.Options) { o.Workspaces = append(o.Workspaces, o.Workspaces[0]) }, "unique"),
		Entry("two default workspaces", func(o *simulator.Options) {
			o.Workspaces = []simulator.Workspace{{ProjectID: "p", ID: "a", Default: true},
				{ProjectID: "p", ID: "b", Default: true}}
		}, "default"),
		Entry("an unknown reviewer", func(o *simulator.Options) { o.Workspaces[0].Reviewers = []string{"x"} }, "not a user"),
		Entry("a negative limit", func(o *simulator.Options) { o.RateLimit = -1 }, "negative"),
		Entry("a negative bound", func(o *simulator.Options) { o.Assumptions.MaxItems = -1 }, "negative"),
		Entry("a misspelt assumption", func(o *simulator.Options) { o.Assumptions.Offset = "pages" },
			`assumption offset: "pages"`),
	)

	It("reads its configuration from JSON", func() {
		opts, err := simulator.ReadOptions(strings.NewReader(`{"users":[{"id":"u","projects":["p"]}],
			"workspaces":[{"projectId":"p","id":"w"}],"assumptions":{"offset":"row","retryAfter":1}}`))
		Expect(err).NotTo(HaveOccurred())
		Expect(opts.Assumptions).To(Equal(simulator.Assumptions{Offset: simulator.OffsetRow, RetryAfter: 1}))
		_, err = simulator.New(opts)
		Expect(err).NotTo(HaveOccurred())
	})

	It("does not read a configuration with misspelt fields", func() {
		_, err := simulator.ReadOptions(strings.NewReader(`{"assumptions":{"offsets":"row"}}`))
		Expect(err).To(HaveOccurred())
	})
})
