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
	"os/exec"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gexec"

	"github.com/dataarts-operator/dataarts-operator/test/harness"
)

// startRestricted starts a manager that has the operator's rights in the namespace of one team only, and watches
// those of two.
func startRestricted(ctx context.Context, a, b string) *operator {
	GinkgoHelper()
	grant(ctx, a)
	free, err := harness.FreeAddresses(2)
	Expect(err).NotTo(HaveOccurred())
	o := &operator{health: free[0], metrics: free[1]}
	o.session, err = gexec.Start(exec.Command(managerBinary, //nolint:noctx // stop ends it.
		"--kubeconfig", restrictedKubeconfig,
		"--health-probe-bind-address", o.health,
		"--metrics-bind-address", o.metrics,
		"--allow-insecure-endpoints",
		"--watch-namespaces", a+","+b,
	), GinkgoWriter, GinkgoWriter)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(o.stop)
	return o
}

// grant gives the manager's rights in a namespace to a user.
func grant(ctx context.Context, namespace string) {
	GinkgoHelper()
	kubectl(ctx, "create", "rolebinding", "restricted", "-n", namespace, "--clusterrole=dataarts-operator-manager-role",
		"--user="+restrictedUser)
}

var _ = Describe("A manager with rights in one of two namespaces", func() {
	It("serves that one, tells of the other, and starts again for it", func(ctx SpecContext) {
		a, b := newTeam(ctx, startService()), newTeam(ctx, startService())
		o := startRestricted(ctx, a.namespace, b.namespace)
		a.applyPackage(ctx, "job", "1")
		a.kubectl(ctx, "wait", "--for=condition=Ready", "relpkg", "--all", "--timeout="+timeout.String())
		Eventually(ctx, func() string { return get(ctx, "http://"+o.health+"/readyz") }, timeout).Should(Equal("ok"))
		Expect(get(ctx, "http://"+o.metrics+"/metrics")).To(And(
			ContainSubstring(`dataarts_operator_namespace_forbidden{namespace="`+a.namespace+`"} 0`),
			ContainSubstring(`dataarts_operator_namespace_forbidden{namespace="`+b.namespace+`"} 1`)))

		grant(ctx, b.namespace)
		Eventually(ctx, o.session, "60s").Should(gexec.Exit(0))
	})
})
