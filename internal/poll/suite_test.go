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

package poll_test

import (
	"context"
	"fmt"
	"log"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/poll"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

func TestPoll(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "poll")
}

const (
	namespace = "data-team"
	project   = "6209b1e2c0ffee00aa11bb22cc33dd44"
	workplace = "ab12cd34"
	developer = "f8ccc2ff3c7748e8a7bfede38ae1cffa"
	deployer  = "7b71e498e75d44048c9a22dd3c54f978"

	accessKey = "TESTACCESSKEYID00001"
	secretKey = "test-secret-key-never-to-be-seen"

	// interval is how often the specs look at what waits for review.
	interval = 40 * time.Second
)

var (
	production = types.NamespacedName{Namespace: namespace, Name: "production"}

	inReview  = poll.RemoteState{Status: dataarts.StatusPendingReview}
	deploying = poll.RemoteState{Status: dataarts.StatusDeploying}
)

// site is a simulated service, a poller that looks at its packages, and who was told of them.
type site struct {
	*simulator.Server
	*poll.Poller
	console *simulator.Console
	clock   *clocktesting.FakeClock
	source  *source

	// close ends the service. It is called at the end of the spec, at the latest.
	close func()
	// onRequest is called before the service sees a request.
	onRequest atomic.Pointer[func(*http.Request)]

	mu sync.Mutex
	// unresolved is why there is no source any more; nil while there is one.
	unresolved error
	told       []string
}

// source is a poll.Source without a budget.
type source struct {
	*dataarts.Client
	target   v1alpha1.PinnedWorkspace
	interval time.Duration
	// polled counts the calls of runs that nobody waited for, and least is how long each lasts.
	polled atomic.Int32
	least  time.Duration
	// hurries counts how often calls were asked to hurry.
	hurries atomic.Int32
}

func (s *source) Target() v1alpha1.PinnedWorkspace { return s.target }
func (s *source) PollInterval() time.Duration      { return s.interval }
func (s *source) Polled(calls int) time.Duration   { s.polled.Add(int32(calls)); return s.least }
func (s *source) Calls() poll.Calls                { return s }
func (s *source) Hurry()                           { s.hurries.Add(1) }

func (s *source) Look(ctx context.Context, id string) (dataarts.PackageDetail, error) {
	return s.Show(ctx, id)
}

func (s *source) ListPage(
	ctx context.Context, states []dataarts.DeployStatus, offset int,
) (dataarts.Page[dataarts.Package], error) {
	return s.List(ctx, dataarts.ListOptions{States: states, Limit: 100, Offset: offset})
}

func (s *source) Search(ctx context.Context, keyword string) ([]dataarts.Package, error) {
	return dataarts.AllRows(func(offset int) (dataarts.Page[dataarts.Package], error) {
		return s.List(ctx, dataarts.ListOptions{NameKeyword: keyword, Limit: 100, Offset: offset})
	}, math.MaxInt)
}

func (s *source) ShowsAny(ctx context.Context) (bool, error) {
	page, err := s.List(ctx, dataarts.ListOptions{Limit: 100})
	return len(page.Rows) > 0, err
}

// cost is how many calls something took.
type cost struct{ lists, shows int }

func aSite(with ...func(*simulator.Options)) *site {
	GinkgoHelper()
	c := clocktesting.NewFakeClock(time.Date(2025, 5, 13, 9, 48, 0, 0, time.UTC))
	s := aSiteWith(c, with...)
	s.clock = c
	return s
}

// aSiteWith is a site whose poller goes by a clock.
func aSiteWith(c clock.PassiveClock, with ...func(*simulator.Options)) *site {
	GinkgoHelper()
	s := &site{}
	url := s.serve(with...)
	client, err := dataarts.New(dataarts.Config{
		Endpoint: url, ProjectID: project, WorkspaceID: workplace, AllowLocal: true, Timeout: 20 * time.Second,
		Credentials: dataarts.Credentials{AccessKey: accessKey, SecretKey: secretKey},
	})
	Expect(err).NotTo(HaveOccurred())
	s.source = &source{
		Client: client, interval: interval,
		target: v1alpha1.PinnedWorkspace{Endpoint: url, ProjectID: project, WorkspaceID: workplace},
	}
	s.Poller = poll.New(c, s.resolve)
	s.SetSource(production, s.source)
	s.OnChange(func(object types.NamespacedName) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.told = append(s.told, strings.TrimPrefix(object.Name, "of-"))
	})
	return s
}

func (s *site) serve(with ...func(*simulator.Options)) string {
	GinkgoHelper()
	opts := simulator.Options{
		Users: []simulator.User{
			{ID: developer, Name: "dev1", Projects: []string{project}, AccessKey: accessKey, SecretKey: secretKey},
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
	s.console = s.Console(project, workplace)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f := s.onRequest.Load(); f != nil {
			(*f)(r)
		}
		s.ServeHTTP(w, r)
	}))
	server.Config.ErrorLog = log.New(GinkgoWriter, "", 0)
	server.Start()
	s.close = sync.OnceFunc(func() {
		s.Close()
		server.CloseClientConnections()
		server.Close()
	})
	DeferCleanup(s.close)
	return server.URL
}

func (s *site) resolve(_ context.Context, _ types.NamespacedName, forDeletion bool) (poll.Source, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unresolved != nil && !forDeletion {
		return nil, s.unresolved
	}
	return s.source, nil
}

// lastingError is one that stands until someone acts.
type lastingError struct{ error }

func (lastingError) Lasting() bool { return true }

// replaceSource lets the workspace object have another source, which is like the one before but for a change.
func (s *site) replaceSource(change func(*source)) {
	s.mu.Lock()
	s.source = &source{Client: s.source.Client, target: s.source.target, interval: s.source.interval}
	change(s.source)
	s.mu.Unlock()
	s.SetSource(production, s.source)
}

func assuming(change func(*simulator.Assumptions)) func(*simulator.Options) {
	return func(o *simulator.Options) { change(&o.Assumptions) }
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

// unpack withdraws a package as the operator does.
func (s *site) unpack(ctx context.Context, id string) error {
	err := s.source.Unpack(ctx, []string{id})
	s.NoteWrite(s.source.target, id)
	return err
}

// find is a look at a package for its caller alone.
func (s *site) find(ctx context.Context, id string) poll.Observation {
	return s.Find(ctx, s.source, id, "")
}

// calls is how many calls have reached the service.
func (s *site) calls() int {
	n := 0
	for _, count := range s.Counts() {
		n += count
	}
	return n
}

// object is who has subscribed to a package.
func object(id string) types.NamespacedName {
	return types.NamespacedName{Namespace: namespace, Name: "of-" + id}
}

type aspect func(*poll.Subscription)

func required(s *poll.Subscription)    { s.Required, s.After = true, time.Second }
func forDeletion(s *poll.Subscription) { s.ForDeletion = true }
func nameless(s *poll.Subscription)    { s.Name = "" }

// assumed makes it a package that was just named by the service, so that the first look has time.
func (s *site) assumed(to *poll.Subscription) {
	to.Observed = &poll.Observation{Began: s.clock.Now(), Assumed: true}
}

func known(state poll.RemoteState) aspect { return func(s *poll.Subscription) { s.LastKnown = state } }
func telling(err error) aspect            { return func(s *poll.Subscription) { s.LastError = err.Error() } }
func within(d time.Duration) aspect       { return func(s *poll.Subscription) { s.After = d } }

// observed is what the object has just seen by itself.
func observed(v poll.Observation) aspect { return func(s *poll.Subscription) { s.Observed = &v } }

// subscribe subscribes to packages that wait for review as far as their objects know, unless an aspect says otherwise.
func (s *site) subscribe(ids []string, aspects ...aspect) {
	GinkgoHelper()
	packages := map[string]simulator.Package{}
	for _, p := range s.console.Packages() {
		packages[p.ID] = p
	}
	for _, id := range ids {
		to := poll.Subscription{
			Object: object(id), Workspace: production, ID: id, Name: packages[id].Name, After: interval, LastKnown: inReview,
		}
		for _, a := range aspects {
			a(&to)
		}
		to.Paced = to.Paced || to.After == interval
		Expect(s.Subscribe(s.source, to)).To(BeTrue())
	}
}

// run makes the next run at its time, and returns what it took and who was told.
func (s *site) run(ctx context.Context) (took cost, told []string) {
	GinkgoHelper()
	when := s.NextRun()
	Expect(when.IsZero()).To(BeFalse(), "a run is due")
	if when.After(s.clock.Now()) {
		s.clock.SetTime(when)
	}
	before := s.Counts()
	Expect(s.RunNext(ctx)).To(BeTrue())
	after := s.Counts()
	took = cost{lists: after[simulator.OpList] - before[simulator.OpList],
		shows: after[simulator.OpShow] - before[simulator.OpShow]}
	return took, s.news()
}

// news is who was told since it was asked for last.
func (s *site) news() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	told := s.told
	s.told = nil
	slices.Sort(told)
	return told
}

// latest is what is known of a package.
func (s *site) latest(id string) poll.Observation {
	GinkgoHelper()
	v, ok := s.Latest(object(id), id)
	Expect(ok).To(BeTrue(), "something is known of package %s", id)
	return v
}

func (s *site) expectNothingKnown(id string) {
	GinkgoHelper()
	v, ok := s.Latest(object(id), id)
	Expect(ok).To(BeFalse(), "got %+v", v)
}

// expectQuietRun expects a run that costs so much and tells nobody.
func (s *site) expectQuietRun(ctx context.Context, want cost) {
	GinkgoHelper()
	took, told := s.run(ctx)
	Expect(told).To(BeEmpty())
	Expect(took).To(Equal(want))
}

// before does something once, right before the service sees the n-th call of an operation from now on, counted from 1.
func (s *site) before(op simulator.Operation, n int32, do func()) {
	var calls atomic.Int32
	f := func(r *http.Request) {
		if operationOf(r) == op && calls.Add(1) == n {
			defer GinkgoRecover()
			do()
		}
	}
	s.onRequest.Store(&f)
}

func operationOf(r *http.Request) simulator.Operation {
	switch {
	case strings.HasSuffix(r.URL.Path, "/release-packages/unpack"):
		return simulator.OpUnpack
	case strings.HasSuffix(r.URL.Path, "/release-packages"):
		return simulator.OpList
	case strings.Contains(r.URL.Path, "/release-packages/"):
		return simulator.OpShow
	}
	return ""
}

// failing injects a fault, so often.
func (s *site) failing(times int, f simulator.Fault) {
	GinkgoHelper()
	f.Times = times
	Expect(s.Inject(f)).To(Succeed())
}

// Faults of one kind.
var (
	badGateway = simulator.Fault{Kind: simulator.FaultError, Status: http.StatusBadGateway, Code: "APIGW.0610",
		Message: "no backend"}
	forbidden = simulator.Fault{Kind: simulator.FaultError, Status: http.StatusForbidden,
		Code: simulator.CodeUserForbidden, Message: "no"}
	unauthored = simulator.Fault{Kind: simulator.FaultError, Status: http.StatusUnauthorized,
		Code: simulator.CodeUnauthorized, Message: "no"}
	refused = simulator.Fault{Kind: simulator.FaultError, Status: http.StatusBadRequest,
		Code: simulator.CodeInvalidParameter, Message: "no"}
)

// only lets a fault strike one operation.
func only(op simulator.Operation, f simulator.Fault) simulator.Fault {
	f.Operation = op
	return f
}
