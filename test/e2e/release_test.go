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
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	"github.com/onsi/gomega/gexec"

	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
	"github.com/dataarts-operator/dataarts-operator/test/harness"
)

// team is a namespace with a workspace that leads to the service.
type team struct {
	namespace string
	service   *service
}

func newTeam(ctx context.Context, s *service) *team {
	GinkgoHelper()
	name := strings.TrimSpace(kubectl(ctx, "create", "-o", "jsonpath={.metadata.name}", "-f", namespaceManifest()))
	t := &team{namespace: name, service: s}
	t.kubectl(ctx, "create", "secret", "generic", "dataarts", "--from-literal=accessKey="+accessKey,
		"--from-literal=secretKey="+secretKey)
	t.applyWorkspace(ctx, "production", "dataarts")
	return t
}

// applyWorkspace applies a workspace object that leads to the service with the keys of a Secret.
func (t *team) applyWorkspace(ctx context.Context, name, secret string) {
	GinkgoHelper()
	apply(ctx, t.namespace, fmt.Sprintf(`
apiVersion: release.dataarts-operator.io/v1alpha1
kind: DataArtsWorkspace
metadata: {name: %s}
spec:
  endpoint: %s
  projectId: %s
  workspaceId: %s
  pollInterval: 1s
  credentials: {secretRef: {name: %s}}
`, name, t.service.url, projectID, workspaceID, secret))
}

// namespaceManifest is a file with a namespace that nobody else uses.
func namespaceManifest() string {
	GinkgoHelper()
	path := GinkgoT().TempDir() + "/namespace.yaml"
	writeFile(path, "apiVersion: v1\nkind: Namespace\nmetadata: {generateName: team-}\n")
	return path
}

func (t *team) kubectl(ctx context.Context, args ...string) string {
	GinkgoHelper()
	return kubectl(ctx, append([]string{"-n", t.namespace}, args...)...)
}

func (t *team) applyPackage(ctx context.Context, name string, items ...string) {
	GinkgoHelper()
	apply(ctx, t.namespace, fmt.Sprintf(`
apiVersion: release.dataarts-operator.io/v1alpha1
kind: ReleasePackage
metadata: {name: %s}
spec:
  workspaceRef: {name: production}
  applyUserId: %s
  approverIds: [%s]
  pendingItemIds: ["%s"]
`, name, engineer, approver, strings.Join(items, `", "`)))
}

// waitFor is how a pipeline waits.
func (t *team) waitFor(ctx context.Context, condition, object string) {
	GinkgoHelper()
	t.kubectl(ctx, "wait", "--for=condition="+condition, object, "--timeout="+timeout.String())
}

// field is one field of a ReleasePackage.
func (t *team) field(ctx context.Context, name, path string) string {
	GinkgoHelper()
	return t.kubectl(ctx, "get", "relpkg", name, "-o", "jsonpath={"+path+"}")
}

var _ = Describe("A release, with kubectl", func() {
	It("goes from apply to production, can be edited in review, and is frozen afterwards", func(ctx SpecContext) {
		startOperator(ctx, "--allow-insecure-endpoints")
		t := newTeam(ctx, startService())

		By("applying a package")
		t.applyPackage(ctx, "job", "1", "2")
		t.waitFor(ctx, "Ready", "relpkg/job")
		Expect(t.kubectl(ctx, "get", "relpkg", "-o", "wide")).To(And(
			MatchRegexp(`NAME +PACKAGE-ID +STATE +READY +REASON +AGE +PACKAGE-NAME +WORKSPACE +MESSAGE`),
			MatchRegexp(`job +1 +PendingReview +True +PendingReview +\S+ +job-\S{8} +production +Package 1 is packed`)))
		Expect(t.service.live()).To(ConsistOf(HaveField("Items", ConsistOf("1", "2"))))

		By("editing it with an editor while it waits for review")
		out, err := tryKubectlWith(ctx, []string{"KUBE_EDITOR=sed -i -e 's/- \"2\"/- \"3\"/'"}, "", "-n", t.namespace, "edit",
			"relpkg/job")
		Expect(err).NotTo(HaveOccurred(), out)
		Eventually(ctx, t.service.live).Should(ConsistOf(HaveField("Items", ConsistOf("1", "3"))))
		Eventually(ctx, t.field).WithArguments(ctx, "job", ".status.releasePackageId").Should(Equal("2"))
		t.waitFor(ctx, "Ready", "relpkg/job")

		By("approving it")
		Expect(t.service.StartDeploy("2")).To(Succeed())
		Eventually(ctx, t.field).WithArguments(ctx, "job", ".status.state").Should(Equal("Deploying"))
		Expect(t.service.FinishDeploy("2")).To(Succeed())
		t.waitFor(ctx, "Deployed", "relpkg/job")
		Expect(t.field(ctx, "job", ".status.deployedBy")).To(Equal("approver"))
		Expect(t.field(ctx, "job", ".status.items[*].id")).To(Equal("1 3"))

		By("trying to edit what was released")
		out, err = tryKubectl(ctx, "", "-n", t.namespace, "patch", "relpkg/job", "--type=merge", "-p",
			`{"spec":{"pendingItemIds":["4"]}}`)
		Expect(err).To(HaveOccurred())
		Expect(out).To(ContainSubstring(
			"spec.pendingItemIds are frozen because the package is deploying or deployed; create another ReleasePackage"))

		By("reading the events")
		Eventually(ctx, t.kubectl).WithArguments(ctx, "get", "events", "--field-selector", "involvedObject.name=job", "-o",
			"jsonpath={.items[*].reason}").
			Should(And(ContainSubstring("Packed"), ContainSubstring("Unpacked"), ContainSubstring("Deploying"),
				ContainSubstring("Deployed")))

		By("deleting it")
		t.kubectl(ctx, "delete", "relpkg/job", "--timeout="+timeout.String())
		Expect(t.service.Counts()).To(And(HaveKeyWithValue(simulator.OpPack, 2), HaveKeyWithValue(simulator.OpUnpack, 1)))
	}, SpecTimeout(5*time.Minute))

	It("is withdrawn when it is deleted in review, after a forced pass was echoed", func(ctx SpecContext) {
		startOperator(ctx, "--allow-insecure-endpoints")
		t := newTeam(ctx, startService())
		t.applyPackage(ctx, "job", "1")
		t.waitFor(ctx, "Ready", "relpkg/job")

		t.kubectl(ctx, "annotate", "relpkg/job", "dataarts-operator.io/reconcile-at=now-please")
		Eventually(ctx, t.field).WithArguments(ctx, "job", ".status.lastHandledReconcileAt").Should(Equal("now-please"))

		t.kubectl(ctx, "delete", "relpkg/job", "--timeout="+timeout.String())
		Expect(t.service.live()).To(BeEmpty())
		Expect(t.service.Packages()).To(ConsistOf(HaveField("Withdrawn", true)))
	}, SpecTimeout(5*time.Minute))

	It("tells what is wrong and recovers when that is mended", func(ctx SpecContext) {
		startOperator(ctx, "--allow-insecure-endpoints")
		t := newTeam(ctx, startService())

		By("asking for an item that does not exist")
		t.applyPackage(ctx, "job", "99")
		t.waitFor(ctx, "Stalled", "relpkg/job")
		Expect(t.kubectl(ctx, "get", "relpkg", "job")).To(MatchRegexp(`job +False +PreflightFailed`))
		Expect(t.kubectl(ctx, "describe", "relpkg", "job")).To(And(ContainSubstring("Nothing was sent: items 99"),
			ContainSubstring("Correct the spec")))
		Expect(t.service.Counts()).NotTo(HaveKey(simulator.OpPack))
		t.applyPackage(ctx, "job", "1")
		t.waitFor(ctx, "Ready", "relpkg/job")

		By("asking for an item that another one has")
		t.applyPackage(ctx, "copy", "1")
		t.waitFor(ctx, "Stalled", "relpkg/copy")
		Expect(t.kubectl(ctx, "describe", "relpkg", "copy")).To(ContainSubstring("ReleasePackage " + t.namespace +
			"/job has item 1"))
		t.kubectl(ctx, "delete", "relpkg/job", "--timeout="+timeout.String())
		t.waitFor(ctx, "Ready", "relpkg/copy")
		t.kubectl(ctx, "delete", "relpkg/copy", "--timeout="+timeout.String())
		t.applyPackage(ctx, "job", "1")
		t.waitFor(ctx, "Ready", "relpkg/job")

		By("storing a wrong key")
		t.kubectl(ctx, "create", "secret", "generic", "wrong", "--from-literal=accessKey="+accessKey,
			"--from-literal=secretKey=no")
		t.kubectl(ctx, "patch", "daws/production", "--type=merge", "-p",
			`{"spec":{"credentials":{"secretRef":{"name":"wrong"}}}}`)
		Eventually(ctx, t.kubectl).WithArguments(ctx, "get",
			"daws").Should(MatchRegexp(`production +False +CredentialsRejected`))
		t.kubectl(ctx, "patch", "daws/production", "--type=merge", "-p",
			`{"spec":{"credentials":{"secretRef":{"name":"dataarts"}}}}`)
		t.waitFor(ctx, "Ready", "daws/production")
		Expect(t.service.live()).To(HaveLen(1))
	}, SpecTimeout(5*time.Minute))
})

var _ = Describe("The manager", func() {
	It("finishes a call in flight when it is told to stop, and records the id", func(ctx SpecContext) {
		first := startOperator(ctx, "--allow-insecure-endpoints")
		t := newTeam(ctx, startService())
		t.waitFor(ctx, "Ready", "daws/production")
		Expect(t.service.Inject(simulator.Fault{Operation: simulator.OpPack, Kind: simulator.FaultDelay,
			Delay: 3 * time.Second})).To(Succeed())
		t.applyPackage(ctx, "job", "1")
		Eventually(ctx, t.service.Counts).Should(HaveKeyWithValue(simulator.OpPack, 1))
		Expect(t.field(ctx, "job", ".status.releasePackageId")).To(BeEmpty())

		first.stop()
		Expect(t.field(ctx, "job", ".status.releasePackageId")).To(Equal("1"))

		By("starting another, which finds the lease free and sends nothing twice")
		lease := kubectl(ctx, "get", "lease", "-n", harness.SystemNamespace, "-o", "jsonpath={.items[0].spec.holderIdentity}")
		Expect(lease).To(BeEmpty())
		startOperator(ctx, "--allow-insecure-endpoints")
		t.kubectl(ctx, "annotate", "relpkg/job", "dataarts-operator.io/reconcile-at=again")
		Eventually(ctx, t.field).WithArguments(ctx, "job", ".status.lastHandledReconcileAt").Should(Equal("again"))
		Expect(t.service.Counts()).To(HaveKeyWithValue(simulator.OpPack, 1))
	}, SpecTimeout(5*time.Minute))

	It("finds the package of a manager that was killed before it had the answer", func(ctx SpecContext) {
		first := startOperator(ctx, "--allow-insecure-endpoints")
		t := newTeam(ctx, startService())
		t.waitFor(ctx, "Ready", "daws/production")
		Expect(t.service.Inject(simulator.Fault{Operation: simulator.OpPack, Kind: simulator.FaultHang, AfterWork: true})).To(
			Succeed())
		t.applyPackage(ctx, "job", "1")
		Eventually(ctx, t.service.live).Should(HaveLen(1))
		Eventually(first.session.Kill()).Should(gexec.Exit())
		Expect(t.field(ctx, "job", ".status.attempt.outcome")).To(BeEmpty())
		// The lease of a killed manager would have to run out first.
		kubectl(ctx, "delete", "lease", "-n", harness.SystemNamespace, "--all")

		startOperator(ctx, "--allow-insecure-endpoints")
		t.waitFor(ctx, "Ready", "relpkg/job")
		Expect(t.field(ctx, "job", ".status.releasePackageId")).To(Equal("1"))
		Expect(t.service.Counts()).To(HaveKeyWithValue(simulator.OpPack, 1))
		Expect(t.service.Packages()).To(HaveLen(1))
	}, SpecTimeout(5*time.Minute))

	It("refuses a plain http endpoint unless it was started for that", func(ctx SpecContext) {
		startOperator(ctx)
		t := newTeam(ctx, startService())
		t.applyPackage(ctx, "job", "1")
		Eventually(ctx, t.kubectl).WithArguments(ctx, "get",
			"daws").Should(MatchRegexp(`production +False +WorkspaceInvalid`))
		Eventually(ctx, t.kubectl).WithArguments(ctx, "get", "relpkg", "-o", "wide").
			Should(MatchRegexp(`job +False +WorkspaceInvalid.*spec.endpoint is not https`))
		Expect(t.kubectl(ctx, "describe", "relpkg/job")).To(ContainSubstring("--allow-insecure-endpoints"), "what to do")
		t.kubectl(ctx, "delete", "relpkg/job", "--timeout="+timeout.String())
		Expect(t.service.Requests()).To(BeEmpty())
	}, SpecTimeout(5*time.Minute))

	It("logs structured lines without credentials", func(ctx SpecContext) {
		o := startOperator(ctx, "--allow-insecure-endpoints", "--zap-log-level=debug")
		t := newTeam(ctx, startService())
		t.applyPackage(ctx, "job", "1")
		t.waitFor(ctx, "Ready", "relpkg/job")
		o.stop()
		Expect(o.session.Err).To(gbytes.Say(`"msg":"Packed"`))
		log := string(o.session.Err.Contents())
		Expect(log).NotTo(Or(ContainSubstring(secretKey), ContainSubstring(accessKey), ContainSubstring("Signature=")))
	}, SpecTimeout(5*time.Minute))
})

var _ = Describe("The installation", func() {
	It("changes nothing when it is applied again", func(ctx SpecContext) {
		for line := range strings.Lines(kubectl(ctx, "apply", "-k", root+"/config/default")) {
			Expect(line).To(HaveSuffix(" unchanged\n"))
		}
	})

	It("explains every field to kubectl explain", func(ctx SpecContext) {
		Expect(kubectl(ctx, "explain", "relpkg.spec.pendingItemIds")).To(
			MatchRegexp(`one\s+submitted\s+version\s+of\s+a\s+job\s+or\s+script`))
		for _, kind := range []string{"relpkg", "daws"} {
			for _, part := range []string{"spec", "status"} {
				Expect(kubectl(ctx, "explain", "--recursive=false", kind+"."+part)).NotTo(ContainSubstring("<no description>"))
			}
		}
	})
})
