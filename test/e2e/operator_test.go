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

package e2e_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gexec"

	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
	"github.com/dataarts-operator/dataarts-operator/test/harness"
)

const (
	projectID   = "62099355b894428e8916573ae635f1f9"
	workspaceID = "ab12c3d4e5f647a8b9c0d1e2f3a4b5c6"
	engineer    = "f8ccc2ff3c7748e8a7bfede38ae1cffa"
	approver    = "7b71e498e75d44048c9a22dd3c54f978"
	accessKey   = "E2EACCESSKEY"
	secretKey   = "e2e-secret-key"
)

// service is the simulated service, with ten items to pack: 1 to 10.
type service struct {
	*simulator.Server
	*simulator.Console
	url string
}

func startService() *service {
	GinkgoHelper()
	sim, err := simulator.New(simulator.Options{
		Users: []simulator.User{
			{ID: engineer, Name: "engineer", AccessKey: accessKey, SecretKey: secretKey, Projects: []string{projectID}},
			{ID: approver, Name: "approver", Projects: []string{projectID}},
		},
		Workspaces: []simulator.Workspace{{
			ProjectID: projectID, ID: workspaceID, Reviewers: []string{approver},
			Items: slices.Repeat([]simulator.NewItem{{Name: "job", SubmitUserID: engineer}}, 10),
		}},
	})
	Expect(err).NotTo(HaveOccurred())
	server := httptest.NewServer(sim)
	DeferCleanup(func() {
		sim.Close()
		server.Close()
	})
	return &service{Server: sim, Console: sim.Console(projectID, workspaceID), url: server.URL}
}

// live are the packages that nobody has withdrawn.
func (s *service) live() []simulator.Package {
	var live []simulator.Package
	for _, p := range s.Packages() {
		if p.Live() {
			live = append(live, p)
		}
	}
	return live
}

// operator is one run of the manager's command.
type operator struct {
	session         *gexec.Session
	health, metrics string
}

// startOperator starts the manager and waits until it holds the lease.
func startOperator(ctx context.Context, extra ...string) *operator {
	GinkgoHelper()
	free, err := harness.FreeAddresses(2)
	Expect(err).NotTo(HaveOccurred())
	o := &operator{health: free[0], metrics: free[1]}
	args := append([]string{
		"--kubeconfig", opsKubeconfig,
		"--health-probe-bind-address", o.health,
		"--metrics-bind-address", o.metrics,
		"--leader-elect", "--leader-election-namespace", harness.SystemNamespace,
	}, extra...)
	//nolint:noctx // stop ends it.
	o.session, err = gexec.Start(exec.Command(managerBinary, args...), GinkgoWriter, GinkgoWriter)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(o.stop)
	Eventually(ctx, func() string { return get(ctx, "http://"+o.metrics+"/metrics") }).
		Should(ContainSubstring(`leader_election_master_status{name="manager.release.dataarts-operator.io"} 1`))
	Expect(get(ctx, "http://"+o.health+"/healthz")).To(Equal("ok"))
	Eventually(ctx, func() string { return get(ctx, "http://"+o.health+"/readyz") }).Should(Equal("ok"))
	return o
}

// stop ends the manager as a kubelet does, and expects it to end well. It may have been ended before.
func (o *operator) stop() {
	GinkgoHelper()
	if o.session.ExitCode() >= 0 {
		return
	}
	Eventually(o.session.Terminate()).Should(gexec.Exit(0))
}

// get returns the body at a URL, or nothing while there is none.
func get(ctx context.Context, url string) string {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err.Error()
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return ""
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return ""
	}
	return string(body)
}
