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
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

func TestSimulator(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Simulator")
}

const (
	project   = "p-1"
	workspace = "ws-1"

	packPath      = "/v2/p-1/factory/pending-items/package"
	itemsPath     = "/v2/p-1/factory/pending-items"
	packagesPath  = "/v2/p-1/factory/release-packages"
	unpackPath    = packagesPath + "/unpack"
	deployPath    = packagesPath + "/deploy"
	none          = ""
	invalidParam  = "DLF.3051"
	released      = "DLF.20990"
	doesNotExist  = "DLF.0810"
	unauthorized  = "APIGW.0301"
	developerID   = "dev-id"
	reviewerID    = "rev-id"
	bystanderID   = "by-id"
	temporaryID   = "tmp-id"
	twoProjectsID = "two-id"
)

var epoch = time.Date(2025, 5, 13, 1, 2, 3, 0, time.UTC)

// clock is the time of the service, moved by the spec alone.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// service is a simulator behind a real connection, with its first workspace's console at hand.
type service struct {
	*simulator.Server
	console *simulator.Console
	clock   *clock
	url     string
	client  *http.Client
}

func people() []simulator.User {
	return []simulator.User{
		{ID: developerID, Name: "dev", AccessKey: "DEV", SecretKey: "dev-secret", Token: "dev-token",
			Projects: []string{project}},
		{ID: reviewerID, Name: "rev", AccessKey: "REV", SecretKey: "rev-secret", Projects: []string{project}},
		{ID: bystanderID, Name: "by", AccessKey: "BY", SecretKey: "by-secret", Projects: []string{project}},
		{ID: temporaryID, Name: "tmp", AccessKey: "TMP", SecretKey: "tmp-secret", SecurityToken: "tmp-security",
			Projects: []string{project}},
		{ID: twoProjectsID, Name: "two", AccessKey: "TWO", SecretKey: "two-secret", Token: "two-token",
			Projects: []string{project, "p-2"}},
	}
}

// start runs a service with the given changes to a plain configuration.
func start(with ...func(*simulator.Options)) *service {
	GinkgoHelper()
	c := &clock{now: epoch}
	opts := simulator.Options{
		Users: people(),
		Workspaces: []simulator.Workspace{
			{ProjectID: project, ID: workspace, Default: true, Reviewers: []string{reviewerID}},
			{ProjectID: project, ID: "ws-2"},
			{ProjectID: "p-2", ID: "ws-3"},
		},
		Now: c.Now,
	}
	for _, change := range with {
		change(&opts)
	}
	sim, err := simulator.New(opts)
	Expect(err).NotTo(HaveOccurred())
	server := httptest.NewServer(sim)
	DeferCleanup(server.Close)
	DeferCleanup(sim.Close)
	// Without kept connections a dropped GET is not repeated behind the spec's back.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return &service{sim, sim.Console(project, workspace), c, server.URL, client}
}

func assuming(change func(*simulator.Assumptions)) func(*simulator.Options) {
	return func(o *simulator.Options) { change(&o.Assumptions) }
}

// reply is an answer, read to its end.
type reply struct {
	status int
	header http.Header
	body   string
}

// code is the error code in the body, empty if there is none.
func (r reply) code() string {
	var envelope struct {
		Code string `json:"error_code"`
	}
	if json.Unmarshal([]byte(r.body), &envelope) != nil {
		return ""
	}
	return envelope.Code
}

// decode reads the body into nested maps; numbers stay as they were written.
func (r reply) decode() map[string]any {
	GinkgoHelper()
	d := json.NewDecoder(strings.NewReader(r.body))
	d.UseNumber()
	var v map[string]any
	Expect(d.Decode(&v)).To(Succeed())
	return v
}

// rows are the values of one field in the data of a list.
func (r reply) rows(field string) []string {
	GinkgoHelper()
	var values []string
	for _, row := range r.decode()["data"].([]any) {
		values = append(values, row.(map[string]any)[field].(string))
	}
	return values
}

// request is a call by the developer to the first workspace unless it says otherwise.
type request struct {
	method, path, body string
	header             map[string]string // on top of, or instead of, the usual ones
	key                keyPair
}

type keyPair struct{ access, secret string }

var (
	developer = keyPair{"DEV", "dev-secret"}
	reviewer  = keyPair{"REV", "rev-secret"}
	bystander = keyPair{"BY", "by-secret"}
)

// build makes the HTTP request and signs it, if there is a key.
func (s *service) build(ctx context.Context, r request) *http.Request {
	GinkgoHelper()
	req, err := http.NewRequestWithContext(ctx, r.method, s.url+r.path, strings.NewReader(r.body))
	Expect(err).NotTo(HaveOccurred())
	req.Header.Set("User-Agent", "spec")
	req.Header.Set("workspace", workspace)
	req.Header.Set("X-Project-Id", project)
	req.Header.Set("Content-Type", "application/json;charset=UTF-8")
	for name, value := range r.header {
		req.Header.Set(name, value)
		if value == none {
			req.Header.Del(name)
		}
	}
	if r.key != (keyPair{}) {
		sign(req, r.body, r.key, s.clock.Now())
	}
	return req
}

// try sends a request and reads the answer.
func (s *service) try(ctx context.Context, r request) (reply, error) {
	GinkgoHelper()
	return s.send(s.build(ctx, r))
}

func (s *service) send(req *http.Request) (reply, error) {
	resp, err := s.client.Do(req)
	if err != nil {
		return reply{}, err
	}
	body, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, string(body)}, errors.Join(err, resp.Body.Close())
}

// as sends a request with the key of somebody.
func (s *service) as(ctx context.Context, key keyPair, method, path, body string) reply {
	GinkgoHelper()
	r, err := s.try(ctx, request{method: method, path: path, body: body, key: key})
	Expect(err).NotTo(HaveOccurred())
	return r
}

func (s *service) get(ctx context.Context, path string) reply {
	GinkgoHelper()
	return s.as(ctx, developer, http.MethodGet, path, none)
}

func (s *service) post(ctx context.Context, path, body string) reply {
	GinkgoHelper()
	return s.as(ctx, developer, http.MethodPost, path, body)
}

func (s *service) list(ctx context.Context) reply {
	GinkgoHelper()
	return s.post(ctx, packagesPath, `{"limit":100}`)
}

func (s *service) unpack(ctx context.Context, ids ...string) reply {
	GinkgoHelper()
	return s.post(ctx, unpackPath, toJSON(map[string]any{"package_ids": ids}))
}

// submitted adds an item of the developer for each name and returns their ids.
func (s *service) submitted(names ...string) []string {
	GinkgoHelper()
	var items []simulator.NewItem
	for _, name := range names {
		items = append(items, simulator.NewItem{Name: name, SubmitUserID: developerID})
	}
	ids, err := s.console.Submit(items...)
	Expect(err).NotTo(HaveOccurred())
	return ids
}

// packed packs a new item for each name over the API and returns the ids of the packages.
func (s *service) packed(ctx context.Context, names ...string) []string {
	GinkgoHelper()
	var ids []string
	for _, name := range names {
		r := s.post(ctx, packPath, packBody(name, s.submitted("item of "+name)...))
		Expect(r.status).To(Equal(http.StatusOK), r.body)
		ids = append(ids, r.decode()["release_package_id"].(string))
	}
	return ids
}

// snapshot is the first package with the id.
func (s *service) snapshot(id string) simulator.Package {
	GinkgoHelper()
	for _, p := range s.console.Packages() {
		if p.ID == id {
			return p
		}
	}
	Fail("no package " + id)
	return simulator.Package{}
}

func packBody(name string, items ...string) string {
	return toJSON(map[string]any{
		"apply_user_id": developerID, "package_name": name,
		"pending_item_list": items, "approver_ids": []string{reviewerID},
	})
}

func toJSON(v any) string {
	GinkgoHelper()
	data, err := json.Marshal(v)
	Expect(err).NotTo(HaveOccurred())
	return string(data)
}
