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
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gexec"

	"github.com/dataarts-operator/dataarts-operator/test/harness"
)

// startNamespaceController starts kube-controller-manager with the controller that empties a namespace that is being
// deleted, and no other.
func startNamespaceController() {
	GinkgoHelper()
	session, err := gexec.Start(exec.Command(controllerManager(), //nolint:noctx // The cleanup ends it.
		"--kubeconfig", admin.Kubeconfig,
		"--controllers", "namespace-controller",
		"--leader-elect=false",
		"--secure-port", "0",
	), GinkgoWriter, GinkgoWriter)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Eventually(session.Terminate()).Should(gexec.Exit()) })
}

// controllerManager is the kube-controller-manager that make controller-manager provides. Most control planes for
// tests come without one.
func controllerManager() string {
	GinkgoHelper()
	for _, dir := range []string{filepath.Dir(admin.Path), filepath.Join(root, "bin/k8s")} {
		path := filepath.Join(dir, "kube-controller-manager")
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	Fail("There is no kube-controller-manager: run make controller-manager")
	return ""
}

// applyPackages applies one package for each of the four items, and waits until they are in review.
func (t *team) applyPackages(ctx context.Context) {
	GinkgoHelper()
	for i := 1; i <= 4; i++ {
		t.applyPackage(ctx, fmt.Sprintf("job-%d", i), fmt.Sprint(i))
	}
	t.kubectl(ctx, "wait", "--for=condition=Ready", "relpkg", "--all", "--timeout="+timeout.String())
	Expect(t.service.live()).To(HaveLen(4))
}

// deleteNamespace waits until it is gone.
func (t *team) deleteNamespace(ctx context.Context) {
	GinkgoHelper()
	kubectl(ctx, "delete", "namespace", t.namespace, "--timeout="+timeout.String())
}

var _ = Describe("A namespace that is deleted as a whole", func() {
	BeforeEach(startNamespaceController)

	It("goes, and its packages are withdrawn, whether the Secret and the workspace go before them or after",
		func(ctx SpecContext) {
			startOperator(ctx, "--allow-insecure-endpoints")
			t := newTeam(ctx, startService())
			t.applyPackages(ctx)

			t.deleteNamespace(ctx)
			Expect(t.service.live()).To(BeEmpty())
			Expect(t.service.Packages()).To(And(HaveLen(4), HaveEach(HaveField("Withdrawn", true))))
		}, SpecTimeout(5*time.Minute))

	It("tells what is missing when the operator was away meanwhile, and goes when the packages are let go",
		func(ctx SpecContext) {
			first := startOperator(ctx, "--allow-insecure-endpoints")
			t := newTeam(ctx, startService())
			t.applyPackages(ctx)
			Eventually(first.session.Kill()).Should(gexec.Exit())
			// The lease of a killed manager would have to run out first.
			kubectl(ctx, "delete", "lease", "-n", harness.SystemNamespace, "--all")

			kubectl(ctx, "delete", "namespace", t.namespace, "--wait=false")
			Eventually(ctx, t.kubectl).WithArguments(ctx, "get", "secret,daws", "-o", "name").Should(BeEmpty())
			startOperator(ctx, "--allow-insecure-endpoints")
			for i := 1; i <= 4; i++ {
				job := fmt.Sprintf("job-%d", i)
				Eventually(ctx, t.field).WithArguments(ctx, job, `.status.conditions[?(@.type=="Reconciling")].message`).Should(And(
					ContainSubstring(`DataArtsWorkspace "production"`),
					ContainSubstring("spec.deletionPolicy to Retain")))
				Expect(t.field(ctx, job, `.status.conditions[?(@.type=="Ready")].reason`)).To(Equal("WorkspaceNotFound"))
			}

			for i := 1; i <= 4; i++ {
				t.kubectl(ctx, "patch", fmt.Sprintf("relpkg/job-%d", i), "--type=merge", "-p",
					`{"spec":{"deletionPolicy":"Retain"}}`)
			}
			kubectl(ctx, "wait", "--for=delete", "namespace/"+t.namespace, "--timeout="+timeout.String())
			Expect(t.service.live()).To(HaveLen(4))
		}, SpecTimeout(5*time.Minute))
})
