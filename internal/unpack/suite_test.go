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
	"context"
	"iter"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
	"github.com/dataarts-operator/dataarts-operator/internal/unpack"
)

func TestUnpack(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "unpack")
}

const (
	project   = "6209b1e2c0ffee00aa11bb22cc33dd44"
	workplace = "ab12cd34"
	developer = "f8ccc2ff3c7748e8a7bfede38ae1cffa"
	deployer  = "7b71e498e75d44048c9a22dd3c54f978"
	token     = "MIIT-token-never-to-be-seen"
)

// site is a simulated service, and what withdrawals take of a connection to it.
type site struct {
	*simulator.Server
	console *simulator.Console
	client  *dataarts.Client

	// onRequest is called before the service sees a request.
	onRequest atomic.Pointer[func(*http.Request)]
	// onAcquire is asked for each turn, if it is set. Else each call has its turn at once.
	onAcquire func(context.Context) error
	// turns are those that were had and neither used for a call to withdraw packages nor handed back.
	turns atomic.Int32
}

// aSite has a workspace with one pending item, which may be in as many packages as one likes.
func aSite(with ...func(*simulator.Options)) *site {
	GinkgoHelper()
	s := &site{}
	opts := simulator.Options{
		Users: []simulator.User{
			{ID: developer, Name: "dev1", Projects: []string{project}, Token: token},
			{ID: deployer, Name: "dep1", Projects: []string{project}},
		},
		Workspaces: []simulator.Workspace{{
			ProjectID: project, ID: workplace, Reviewers: []string{deployer},
			Items: []simulator.NewItem{{Name: "job_a", SubmitUserID: developer}},
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
	return s
}

func assuming(change func(*simulator.Assumptions)) func(*simulator.Options) {
	return func(o *simulator.Options) { change(&o.Assumptions) }
}

// lingering makes a Batcher, and expects in the end that no call named no package or too many, and that no turn was
// lost.
func (s *site) lingering(linger time.Duration) *unpack.Batcher {
	GinkgoHelper()
	DeferCleanup(func() {
		for _, ids := range s.unpacked() {
			Expect(ids).NotTo(BeEmpty())
			Expect(len(ids)).To(BeNumerically("<=", aFullBatch))
		}
		Eventually(s.turns.Load).Should(BeZero())
	})
	return unpack.NewBatcher(service{s}, linger)
}

// service is the site as the Batcher has it.
type service struct{ *site }

// Acquire implements unpack.Service, as the methods below do.
func (s service) Acquire(ctx context.Context) error {
	if s.onAcquire != nil {
		if err := s.onAcquire(ctx); err != nil {
			return err
		}
	}
	s.turns.Add(1)
	return nil
}

func (s service) Release() { s.turns.Add(-1) }

func (s service) Unpack(ctx context.Context, ids []string) error {
	s.turns.Add(-1)
	return s.client.Unpack(ctx, ids)
}

func (s service) ListUnpackable(ctx context.Context) iter.Seq2[dataarts.Page[dataarts.Package], error] {
	return dataarts.EachPage(func(offset int) (dataarts.Page[dataarts.Package], error) {
		return s.client.List(ctx, dataarts.ListOptions{Limit: 100, Offset: offset, States: []dataarts.DeployStatus{
			dataarts.StatusPendingReview, dataarts.StatusDeployFailed, dataarts.StatusDeploying,
		}})
	})
}

// packages packs so many packages in the console and returns their ids.
func (s *site) packages(n int) []string {
	GinkgoHelper()
	ids := make([]string, 0, n)
	for i := range n {
		id, err := s.console.Pack("rel-"+strconv.Itoa(i), developer, []string{deployer}, []string{"1"})
		Expect(err).NotTo(HaveOccurred())
		ids = append(ids, id)
	}
	return ids
}

// aPackageOfItsOwn packs an item that no other package has, as an item goes with a package that is deployed.
func (s *site) aPackageOfItsOwn() string {
	GinkgoHelper()
	_, err := s.console.Submit(simulator.NewItem{Name: "job", SubmitUserID: developer})
	Expect(err).NotTo(HaveOccurred())
	items := s.console.Items()
	id, err := s.console.Pack("by-hand", developer, []string{deployer}, []string{items[len(items)-1].ID})
	Expect(err).NotTo(HaveOccurred())
	return id
}

// calls is how many calls have reached the service.
func (s *site) calls() int {
	n := 0
	for _, count := range s.Counts() {
		n += count
	}
	return n
}

// waiter is a context that tells when somebody waits for its end.
type waiter struct {
	context.Context
	waits func()
}

func (w waiter) Done() <-chan struct{} {
	w.waits()
	return w.Context.Done()
}
