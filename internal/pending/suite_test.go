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

package pending_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/pending"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

func TestPending(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "pending")
}

const (
	project   = "6209b1e2c0ffee00aa11bb22cc33dd44"
	workplace = "ab12cd34"
	developer = "f8ccc2ff3c7748e8a7bfede38ae1cffa"
	deployer  = "7b71e498e75d44048c9a22dd3c54f978"
	token     = "MIIT-token-never-to-be-seen"
)

// site is a simulated service, and its lists as they are shared.
type site struct {
	*simulator.Server
	console *simulator.Console
	client  *dataarts.Client
	clock   *clocktesting.FakeClock
	items   *pending.Items
	shared  *pending.Packages

	// onRequest is called before the service sees a request.
	onRequest atomic.Pointer[func(*http.Request)]
	// onTurn is asked before each page of pending items, if it is set.
	onTurn func(context.Context) error
}

// aSite has a workspace with two pending items.
func aSite(with ...func(*simulator.Options)) *site {
	GinkgoHelper()
	s := &site{clock: clocktesting.NewFakeClock(time.Date(2025, 5, 13, 9, 48, 0, 0, time.UTC))}
	opts := simulator.Options{
		Users: []simulator.User{
			{ID: developer, Name: "dev1", Projects: []string{project}, Token: token},
			{ID: deployer, Name: "dep1", Projects: []string{project}},
		},
		Workspaces: []simulator.Workspace{{
			ProjectID: project, ID: workplace, Reviewers: []string{deployer},
			Items: []simulator.NewItem{{Name: "job_a", SubmitUserID: developer}, {Name: "job_b", SubmitUserID: developer}},
		}},
	}
	for _, change := range with {
		change(&opts)
	}
	var err error
	s.Server, err = simulator.New(opts)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(s.Close)
	s.console = s.Console(project, workplace)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f := s.onRequest.Load(); f != nil {
			(*f)(r)
		}
		s.ServeHTTP(w, r)
	}))
	server.Config.ErrorLog = log.New(GinkgoWriter, "", 0)
	server.Start()
	DeferCleanup(server.Close)
	s.client, err = dataarts.New(dataarts.Config{
		Endpoint: server.URL, ProjectID: project, WorkspaceID: workplace, AllowLocal: true, Timeout: 20 * time.Second,
		Credentials: dataarts.Credentials{Token: token},
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(s.client.Close)
	s.items = pending.NewItems(s.clock, s.listItems)
	s.shared = pending.NewPackages(s.clock, s.listPackages)
	return s
}

func (s *site) listItems(ctx context.Context) func(offset int) (dataarts.Page[dataarts.PendingItem], error) {
	return func(offset int) (dataarts.Page[dataarts.PendingItem], error) {
		if s.onTurn != nil {
			if err := s.onTurn(ctx); err != nil {
				return dataarts.Page[dataarts.PendingItem]{}, err
			}
		}
		return s.client.ListPendingItems(ctx, dataarts.PendingItemOptions{Limit: 100, Offset: offset})
	}
}

func (s *site) listPackages(
	ctx context.Context, states ...dataarts.DeployStatus,
) func(offset int) (dataarts.Page[dataarts.Package], error) {
	return func(offset int) (dataarts.Page[dataarts.Package], error) {
		return s.client.List(ctx, dataarts.ListOptions{States: states, Limit: 100, Offset: offset})
	}
}

func assuming(change func(*simulator.Assumptions)) func(*simulator.Options) {
	return func(o *simulator.Options) { change(&o.Assumptions) }
}

// pack asks for a package of the items that are pending from the start, and notes what comes of it.
func (s *site) pack(ctx context.Context) (string, error) {
	r := dataarts.PackRequest{PackageName: "rel-a", ApplyUserID: developer, PendingItemIDs: []string{"1", "2"},
		ApproverIDs: []string{deployer}}
	id, err := s.client.Pack(ctx, r)
	s.items.NotePack(r.PendingItemIDs, err)
	return id, err
}

// packages packs so many packages in the console and returns their ids.
func (s *site) packages(n int) []string {
	GinkgoHelper()
	ids := make([]string, 0, n)
	for i := range n {
		id, err := s.console.Pack(fmt.Sprintf("rel-%03d", i), developer, []string{deployer}, []string{"1"})
		Expect(err).NotTo(HaveOccurred())
		ids = append(ids, id)
	}
	return ids
}

// beforePage does something once, right before the service sees the call for a page of packages, counted from 1.
func (s *site) beforePage(n int32, do func()) {
	var seen atomic.Int32
	f := func(r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/release-packages") && seen.Add(1) == n {
			do()
		}
	}
	s.onRequest.Store(&f)
}

func idsOf(packages []dataarts.Package) []string {
	ids := make([]string, 0, len(packages))
	for i := range packages {
		ids = append(ids, packages[i].ID)
	}
	return ids
}
