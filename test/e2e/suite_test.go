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

// Package e2e_test uses the operator as its users do: the manager is the built command with the rights that
// config/rbac gives it, the cluster is a real kube-apiserver, kubectl is kubectl, and the service is the simulator
// over HTTP.
package e2e_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gexec"

	"github.com/dataarts-operator/dataarts-operator/test/harness"
)

const (
	root = "../.."
	// restrictedUser has no rights but those that a spec gives it.
	restrictedUser = "restricted"
	managerCommand = "github.com/dataarts-operator/dataarts-operator/cmd/manager"

	// timeout is how long anything may take that should take moments, on a machine that is busy with other things.
	timeout = 90 * time.Second
)

// The control plane, shared by all specs.
var (
	admin         harness.Kubectl
	opsKubeconfig string // of the manager's ServiceAccount
	managerBinary string

	restrictedKubeconfig string
)

func TestE2E(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(timeout)
	SetDefaultEventuallyPollingInterval(100 * time.Millisecond)
	RunSpecs(t, "End to end")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	assets, err := harness.Assets("test")
	Expect(err).NotTo(HaveOccurred())
	managerBinary, err = gexec.Build(managerCommand, buildFlags...)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(gexec.CleanupBuildArtifacts)

	plane, err := harness.StartPlane(assets, GinkgoT().TempDir(), nil)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(plane.Stop)
	admin, err = plane.Admin()
	Expect(err).NotTo(HaveOccurred())
	opsKubeconfig, _, err = plane.Manager()
	Expect(err).NotTo(HaveOccurred())
	restrictedKubeconfig, _, err = plane.User(restrictedUser)
	Expect(err).NotTo(HaveOccurred())
	Expect(admin.Install(ctx, root)).To(Succeed())
})

// kubectl runs kubectl as an administrator, expects it to succeed, and returns what it prints.
func kubectl(ctx context.Context, args ...string) string {
	GinkgoHelper()
	out, err := tryKubectl(ctx, "", args...)
	Expect(err).NotTo(HaveOccurred(), "kubectl %s: %s", strings.Join(args, " "), out)
	return out
}

// apply gives a manifest to kubectl apply.
func apply(ctx context.Context, namespace, manifest string) {
	GinkgoHelper()
	out, err := tryKubectl(ctx, manifest, "apply", "-n", namespace, "-f", "-")
	Expect(err).NotTo(HaveOccurred(), "kubectl apply: %s", out)
}

// tryKubectl returns what kubectl prints on both streams, and whether it succeeded.
func tryKubectl(ctx context.Context, input string, args ...string) (string, error) {
	return tryKubectlWith(ctx, nil, input, args...)
}

func tryKubectlWith(ctx context.Context, env []string, input string, args ...string) (string, error) {
	cmd := admin.Command(ctx, args...)
	cmd.Env = append(cmd.Env, env...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func writeFile(path, content string) {
	GinkgoHelper()
	Expect(os.WriteFile(path, []byte(content), 0o600)).To(Succeed())
}
