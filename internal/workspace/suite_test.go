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

package workspace_test

import (
	"context"
	"errors"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
	"github.com/dataarts-operator/dataarts-operator/internal/workspace"
)

func TestWorkspace(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "workspace")
}

const (
	namespace = "data-team"
	project   = "6209b1e2c0ffee00aa11bb22cc33dd44"
	workplace = "ab12cd34"
	developer = "f8ccc2ff3c7748e8a7bfede38ae1cffa"
	deployer  = "7b71e498e75d44048c9a22dd3c54f978"

	accessKey     = "TESTACCESSKEYID00001"
	secretKey     = "test-secret-key-never-to-be-seen"
	temporaryKey  = "TESTTEMPORARYKEYID02"
	securityToken = "test-security-token-never-to-be-seen"
	token         = "MIIT-token-never-to-be-seen"
	wrongSecret   = "wrong-secret-key-never-to-be-seen"
)

// site is a simulated service, the objects that describe the way to it, and the connections made from them.
type site struct {
	*simulator.Server
	*workspace.Connections
	console *simulator.Console
	objects client.WithWatch
	clock   *clocktesting.FakeClock
	url     string

	// onRequest is called before the service sees a request.
	onRequest atomic.Pointer[func(*http.Request)]
	// secretReads counts how often a Secret was read, and secretError makes that fail.
	secretReads atomic.Int32
	secretError error
	// onSecretRead is called before a Secret is read.
	onSecretRead atomic.Pointer[func(context.Context)]
}

// aSite has a workspace object "production" whose Secret "dataarts" holds an access key that the service accepts.
func aSite(with ...func(*simulator.Options)) *site {
	GinkgoHelper()
	s := &site{clock: clocktesting.NewFakeClock(time.Date(2025, 5, 13, 9, 48, 0, 0, time.UTC))}
	s.serve(with...)

	scheme := runtime.NewScheme()
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	Expect(corev1.AddToScheme(scheme)).To(Succeed())
	s.objects = fake.NewClientBuilder().WithScheme(scheme).WithObjects(
		aWorkspace("production", s.url), aSecret("dataarts", v1alpha1.SecretKeyAccessKey, accessKey,
			v1alpha1.SecretKeySecretKey, secretKey),
	).Build()
	s.Connections = &workspace.Connections{
		Objects:       s.objects,
		Secrets:       interceptor.NewClient(s.objects, interceptor.Funcs{Get: s.readSecret}),
		AllowInsecure: true,
		UserAgent:     "spec",
		Clock:         s.clock,
		Linger:        -1,
	}
	DeferCleanup(s.Connections.Close)
	return s
}

func (s *site) serve(with ...func(*simulator.Options)) {
	GinkgoHelper()
	opts := simulator.Options{
		Users: []simulator.User{
			{ID: developer, Name: "dev1", Projects: []string{project}, AccessKey: accessKey, SecretKey: secretKey, Token: token},
			{
				ID: deployer, Name: "dep1", Projects: []string{project},
				AccessKey: temporaryKey, SecretKey: secretKey, SecurityToken: securityToken,
			},
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
	DeferCleanup(server.Close)
	DeferCleanup(s.Server.Close)
	s.url = server.URL
}

func (s *site) readSecret(ctx context.Context, c client.WithWatch, key client.ObjectKey, obj client.Object,
	opts ...client.GetOption) error {
	s.secretReads.Add(1)
	if f := s.onSecretRead.Load(); f != nil {
		(*f)(ctx)
	}
	if s.secretError != nil {
		return s.secretError
	}
	return c.Get(ctx, key, obj, opts...)
}

func assuming(change func(*simulator.Assumptions)) func(*simulator.Options) {
	return func(o *simulator.Options) { change(&o.Assumptions) }
}

func aWorkspace(name, endpoint string) *v1alpha1.DataArtsWorkspace {
	return &v1alpha1.DataArtsWorkspace{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: "uid-1", Generation: 1},
		Spec: v1alpha1.DataArtsWorkspaceSpec{
			Endpoint: endpoint, ProjectID: project, WorkspaceID: workplace,
			Credentials:       v1alpha1.WorkspaceCredentials{SecretRef: v1alpha1.SecretReference{Name: "dataarts"}},
			Timeout:           metav1.Duration{Duration: 20 * time.Second},
			PollInterval:      metav1.Duration{Duration: 40 * time.Second},
			RequestsPerSecond: 1000,
		},
	}
}

// aSecret holds pairs of keys and values.
func aSecret(name string, pairs ...string) *corev1.Secret {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Data: map[string][]byte{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		secret.Data[pairs[i]] = []byte(pairs[i+1])
	}
	return secret
}

// changeWorkspace edits the workspace object as a user does.
func (s *site) changeWorkspace(ctx context.Context, change func(*v1alpha1.DataArtsWorkspace)) {
	GinkgoHelper()
	ws := &v1alpha1.DataArtsWorkspace{}
	Expect(s.objects.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "production"}, ws)).To(Succeed())
	change(ws)
	ws.Generation++
	Expect(s.objects.Update(ctx, ws)).To(Succeed())
}

// storeSecret replaces the contents of the Secret by pairs of keys and values.
func (s *site) storeSecret(ctx context.Context, pairs ...string) {
	GinkgoHelper()
	secret := &corev1.Secret{}
	Expect(s.objects.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "dataarts"}, secret)).To(Succeed())
	secret.Data = aSecret("", pairs...).Data
	Expect(s.objects.Update(ctx, secret)).To(Succeed())
}

// connect is Connect to the workspace object "production".
func (s *site) connect(ctx context.Context) (*workspace.Connection, error) {
	return s.Connect(ctx, namespace, v1alpha1.WorkspaceReference{Kind: "DataArtsWorkspace", Name: "production"})
}

func (s *site) expectConnected(ctx context.Context) *workspace.Connection {
	GinkgoHelper()
	conn, err := s.connect(ctx)
	Expect(err).NotTo(HaveOccurred())
	return conn
}

// calls is how many calls have reached the service.
func (s *site) calls() int {
	n := 0
	for _, count := range s.Counts() {
		n += count
	}
	return n
}

// expectProblem expects an error that conditions can tell of, with a reason and words of its message.
func expectProblem(err error, reason string, words ...string) {
	GinkgoHelper()
	var problem *workspace.Error
	Expect(errors.As(err, &problem)).To(BeTrue(), "got %v", err)
	Expect(problem.Reason).To(Equal(reason), problem.Message)
	for _, word := range words {
		Expect(problem.Message).To(ContainSubstring(word))
	}
	expectNoSecret(err)
}

// expectNoSecret expects that an error can be shown to anyone.
func expectNoSecret(err error) {
	GinkgoHelper()
	Expect(err).To(HaveOccurred())
	for _, secret := range []string{accessKey, secretKey, temporaryKey, securityToken, token, wrongSecret} {
		Expect(strings.Contains(err.Error(), secret)).To(BeFalse(), "a secret is in the error")
	}
}
