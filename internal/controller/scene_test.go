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

package controller_test

import (
	"context"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/controller"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
	"github.com/dataarts-operator/dataarts-operator/internal/workspace"
)

const (
	project     = "project-1"
	workspaceID = "workspace-1"
	elsewhere   = "workspace-2"

	developer = "f8ccc2ff3c7748e8a7bfede38ae1cffa"
	deployer  = "7b71e498e75d44048c9a22dd3c54f978"
	accessKey = "ACCESSKEY"
	secretKey = "secret-key"
	token     = "a-token"

	settleTime   = 3 * time.Minute
	pollInterval = time.Minute

	// Ends of the paths of calls.
	packPath   = "/pending-items/package"
	unpackPath = "/release-packages/unpack"
)

// scene is what one spec plays in: a namespace, a service of its own, and a reconciler that nobody but the spec
// calls. The embedded client is for what users do.
type scene struct {
	client.Client
	namespace string

	clock    *clocktesting.FakeClock
	service  *simulator.Server
	console  *simulator.Console
	endpoint string
	// items are pending items of the developer.
	items []v1alpha1.ID

	api        *apiServer
	recorder   *events.FakeRecorder
	reconciler *controller.ReleasePackageReconciler
	// connections are those of the manager, if one was started, and forwarded is the clock that they go by.
	connections *workspace.Connections
	forwarded   forwarded
	secretReads atomic.Int64
	// written counts the manager's writes of ReleasePackages.
	written atomic.Int32

	// applied counts the ReleasePackages that there ever were.
	applied int
	mu      sync.Mutex
	hooks   map[string]func()
}

// newScene sets the scene, with the given changes to the service as documented. Workspace objects and Secrets are the
// specs' affair: see readyScene.
func newScene(ctx context.Context, with ...func(*simulator.Options)) *scene {
	GinkgoHelper()
	c, err := client.New(controlPlane, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "spec-"}}
	Expect(c.Create(ctx, namespace)).To(Succeed())

	// Requests are signed by the real clock, so this one starts there.
	s := &scene{Client: c, namespace: namespace.Name, clock: clocktesting.NewFakeClock(time.Now().Truncate(time.Second)),
		hooks: map[string]func(){}}
	s.serve(with...)
	s.api = newAPIServer(s.namespace)
	s.recorder = events.NewFakeRecorder(100)
	s.restart()
	DeferCleanup(s.expectOnePackageEach)
	return s
}

// readyScene is a scene whose workspace is in order.
func readyScene(ctx context.Context, with ...func(*simulator.Options)) *scene {
	GinkgoHelper()
	s := newScene(ctx, with...)
	s.expectApplied(ctx, s.aSecret(), s.aWorkspace())
	return s
}

func (s *scene) serve(with ...func(*simulator.Options)) {
	GinkgoHelper()
	opts := simulator.Options{
		Users: []simulator.User{
			{ID: developer, Name: "dev1", AccessKey: accessKey, SecretKey: secretKey, Token: token, Projects: []string{project}},
			{ID: deployer, Name: "dep1", Projects: []string{project}},
		},
		Workspaces: []simulator.Workspace{
			{ProjectID: project, ID: workspaceID, Reviewers: []string{deployer}},
			{ProjectID: project, ID: elsewhere, Reviewers: []string{deployer}},
		},
		Now: s.clock.Now,
	}
	for _, change := range with {
		change(&opts)
	}
	service, err := simulator.New(opts)
	Expect(err).NotTo(HaveOccurred())
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.interrupt(r.URL.Path)
		service.ServeHTTP(w, r)
	}))
	server.Config.ErrorLog = log.New(GinkgoWriter, "", 0)
	server.Start()
	DeferCleanup(server.Close)
	DeferCleanup(service.Close)
	s.service, s.console, s.endpoint = service, service.Console(project, workspaceID), server.URL
	ids, err := s.console.Submit(
		simulator.NewItem{Name: "job_a", SubmitUserID: developer},
		simulator.NewItem{Name: "script_b", SubmitUserID: developer, TaskType: simulator.TaskScript})
	Expect(err).NotTo(HaveOccurred())
	for _, id := range ids {
		s.items = append(s.items, v1alpha1.ID(id))
	}
}

// restart replaces the reconciler, as a restart of the operator does: nothing is remembered but what the API server
// holds.
func (s *scene) restart() {
	connections := &workspace.Connections{Objects: s.Client, Secrets: s.Client, AllowInsecure: true, UserAgent: "spec",
		Clock: s.clock, Linger: -1}
	DeferCleanup(connections.Close)
	s.reconciler = &controller.ReleasePackageReconciler{
		Client:     s.api,
		Live:       s.Client,
		Workspaces: connections,
		Events:     s.recorder,
		Clock:      s.clock,
		SettleTime: settleTime,
	}
}

// beforeCall lets something happen once, right before a call whose path has this end reaches the service.
func (s *scene) beforeCall(pathEnd string, do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks[pathEnd] = do
}

func (s *scene) interrupt(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for end, do := range s.hooks {
		if strings.HasSuffix(path, end) {
			delete(s.hooks, end)
			do()
		}
	}
}

func (s *scene) aSecret() *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "dataarts"},
		StringData: map[string]string{v1alpha1.SecretKeyToken: token},
	}
}

func (s *scene) aWorkspace() *v1alpha1.DataArtsWorkspace {
	return &v1alpha1.DataArtsWorkspace{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "default"},
		Spec: v1alpha1.DataArtsWorkspaceSpec{
			Endpoint:          s.endpoint,
			ProjectID:         project,
			WorkspaceID:       workspaceID,
			Credentials:       v1alpha1.WorkspaceCredentials{SecretRef: v1alpha1.SecretReference{Name: "dataarts"}},
			Timeout:           metav1.Duration{Duration: 10 * time.Second},
			PollInterval:      metav1.Duration{Duration: pollInterval},
			RequestsPerSecond: 1000,
		},
	}
}

// aReleasePackage asks for a package of the first pending item.
func (s *scene) aReleasePackage(with ...func(*v1alpha1.ReleasePackage)) *v1alpha1.ReleasePackage {
	rp := &v1alpha1.ReleasePackage{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "release"},
		Spec: v1alpha1.ReleasePackageSpec{
			ApplyUserID:    developer,
			PendingItemIDs: s.items[:1],
			ApproverIDs:    []v1alpha1.UserID{deployer},
		},
	}
	for _, change := range with {
		change(rp)
	}
	return rp
}

func retained(rp *v1alpha1.ReleasePackage) { rp.Spec.DeletionPolicy = v1alpha1.DeletionRetain }

func suspended(rp *v1alpha1.ReleasePackage) { rp.Spec.Suspend = true }

func adopting(id string) func(*v1alpha1.ReleasePackage) {
	return func(rp *v1alpha1.ReleasePackage) {
		rp.Spec = v1alpha1.ReleasePackageSpec{ReleasePackageID: v1alpha1.ID(id)}
	}
}

// forced asks for a pass.
func forced(value string) func(*v1alpha1.ReleasePackage) {
	return func(rp *v1alpha1.ReleasePackage) {
		metav1.SetMetaDataAnnotation(&rp.ObjectMeta, v1alpha1.ReconcileAtAnnotation, value)
	}
}
