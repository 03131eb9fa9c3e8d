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
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

const (
	// restPoll is longer than the looks that a blocked pass makes by itself would be apart; restTime is some of it.
	restPoll = 3 * time.Second
	restTime = 5 * restPoll
	// calming lets what came of the last change fade away: a workspace counts its packages some seconds later.
	calming = 6 * time.Second
)

// doings are what the operator has done about objects and packages up to a moment.
type doings map[string]int

// doingsOf counts the passes that the operator's log tells of, the writes of the objects in the team's namespace, and
// the calls at the service, by package where they name one.
func (t *team) doingsOf(ctx context.Context, o *operator) doings {
	GinkgoHelper()
	d := doings{}
	for line := range bytes.Lines(o.session.Err.Contents()) {
		var pass struct{ Msg, ControllerKind, Namespace, Name string }
		if json.Unmarshal(line, &pass) == nil && pass.Msg == "Reconciling" && pass.Namespace == t.namespace {
			d[fmt.Sprintf("passes of %s %s", pass.ControllerKind, pass.Name)]++
		}
	}
	var objects struct {
		Items []struct {
			Kind     string
			Metadata struct{ Name, ResourceVersion string }
		}
	}
	Expect(json.Unmarshal([]byte(t.kubectl(ctx, "get", "relpkg,daws,events.events.k8s.io", "-o", "json")), &objects)).To(
		Succeed())
	for _, i := range objects.Items {
		version, err := strconv.Atoi(i.Metadata.ResourceVersion)
		Expect(err).NotTo(HaveOccurred())
		d[fmt.Sprintf("latest write of %s %s", i.Kind, i.Metadata.Name)] = version
	}
	for _, r := range t.service.Requests() {
		d["calls"]++
		for _, id := range r.Packages {
			d["calls about package "+id]++
		}
	}
	return d
}

// since are the doings that are more than an earlier moment's by more than is allowed.
func (d doings) since(before, allowed doings) []string {
	var more []string
	for _, what := range slices.Sorted(maps.Keys(d)) {
		if n := d[what] - before[what]; n > allowed[what] {
			more = append(more, fmt.Sprintf("%s: %d more", what, n))
		}
	}
	return more
}

// expectRest counts what the operator does while nothing changes. What is more than allowed, which is by object and
// for the whole of the time, is told by object.
func (t *team) expectRest(ctx context.Context, o *operator, allowed doings) {
	GinkgoHelper()
	var before doings // So that the first comparison is with a moment that is one calming ago.
	Eventually(ctx, func() []string {
		now := t.doingsOf(ctx, o)
		more := now.since(before, allowed)
		before = now
		return more
	}).WithPolling(calming).WithTimeout(10*calming).Should(BeEmpty(), "there is no rest")
	Consistently(ctx, func() []string { return t.doingsOf(ctx, o).since(before, allowed) }).
		WithPolling(time.Second).WithTimeout(restTime).Should(BeEmpty(), "while nothing changed")
}

// applyOther applies an object with another spec than applyPackage does.
func (t *team) applyOther(ctx context.Context, name, spec string) {
	GinkgoHelper()
	apply(ctx, t.namespace, fmt.Sprintf(`
apiVersion: release.dataarts-operator.io/v1alpha1
kind: ReleasePackage
metadata: {name: %s}
spec: {%s, applyUserId: %s, approverIds: [%s]}
`, name, spec, engineer, approver))
}

// expectReason waits until Ready has a reason.
func (t *team) expectReason(ctx context.Context, name, reason string) {
	GinkgoHelper()
	Eventually(ctx, t.field).WithArguments(ctx, name, `.status.conditions[?(@.type=="Ready")].reason`).Should(
		Equal(reason), name)
}

var _ = Describe("At rest", func() {
	It("nothing is done about any object but the looks that its state asks for", func(ctx SpecContext) {
		o := startOperator(ctx, "--allow-insecure-endpoints", "--zap-log-level=5")
		s := startService()
		t := newTeam(ctx, s)
		t.kubectl(ctx, "patch", "daws/production", "--type=merge", "-p",
			fmt.Sprintf(`{"spec":{"pollInterval":"%s"}}`, restPoll))

		By("bringing an object to each state that it may rest in")
		for i, name := range []string{"review", "deployed", "withdrawn", "failed", "suspended", "held"} {
			t.applyPackage(ctx, name, fmt.Sprint(i+1))
			t.waitFor(ctx, "Ready", "relpkg/"+name)
		}
		id := func(name string) string { return t.field(ctx, name, ".status.releasePackageId") }
		Expect(s.Deploy(id("deployed"))).To(Succeed())
		Expect(s.Withdraw(id("withdrawn"))).To(Succeed())
		Expect(s.StartDeploy(id("failed"))).To(Succeed())
		Expect(s.FailDeploy(id("failed"))).To(Succeed())
		t.kubectl(ctx, "patch", "relpkg/suspended", "--type=merge", "-p", `{"spec":{"suspend":true}}`)
		t.kubectl(ctx, "patch", "relpkg/held", "--type=json", "-p",
			`[{"op":"add","path":"/metadata/finalizers/-","value":"example.com/archive"}]`)
		t.kubectl(ctx, "delete", "relpkg/held", "--wait=false")

		elsewhere, err := s.Pack("elsewhere", engineer, []string{approver}, []string{"7"})
		Expect(err).NotTo(HaveOccurred())
		t.applyOther(ctx, "differs",
			fmt.Sprintf(`workspaceRef: {name: production}, releasePackageId: %q, pendingItemIds: ["8"]`, elsewhere))
		t.applyPackage(ctx, "claimed", "1")
		t.applyPackage(ctx, "preflight", "99")
		Expect(s.Inject(simulator.Fault{
			Operation: simulator.OpPack, Kind: simulator.FaultError, Status: 400, Code: simulator.CodeInvalidParameter,
			Message: "Refused",
		})).To(Succeed())
		t.applyPackage(ctx, "refused", "9")
		t.kubectl(ctx, "create", "secret", "generic", "wrong", "--from-literal=accessKey=NOBODYSKEY",
			"--from-literal=secretKey=no")
		t.applyWorkspace(ctx, "rejected", "wrong")
		Eventually(ctx, t.kubectl).WithArguments(ctx, "get",
			"daws").Should(MatchRegexp(`rejected +False +CredentialsRejected`))
		t.applyOther(ctx, "rejected", `workspaceRef: {name: rejected}, pendingItemIds: ["10"]`)

		for name, reason := range map[string]string{
			"review": "PendingReview", "deployed": "Deployed", "withdrawn": "Withdrawn", "failed": "DeployFailed",
			"suspended": "Suspended",
			"differs":   "SpecDiffers", "claimed": "AlreadyClaimed", "preflight": "PreflightFailed", "refused": "Refused",
			"rejected": "CredentialsRejected",
		} {
			t.expectReason(ctx, name, reason)
		}
		Eventually(ctx, t.kubectl).WithArguments(ctx, "get", "relpkg/held", "-o", "jsonpath={.metadata.finalizers}").Should(
			Equal(`["example.com/archive"]`))

		By("counting")
		looks := int(restTime/restPoll) + 1
		t.expectRest(ctx, o, doings{
			"calls": 2 * looks, "calls about package " + id("review"): looks, "calls about package " + elsewhere: looks,
			// They make no call, but look for a corrected Secret: every half minute, and every five seconds.
			"passes of ReleasePackage rejected": 1, "passes of DataArtsWorkspace rejected": int(restTime/(5*time.Second)) + 1,
		})

		By("letting go what is held")
		t.kubectl(ctx, "patch", "relpkg/held", "--type=merge", "-p", `{"metadata":{"finalizers":null}}`)
		t.kubectl(ctx, "wait", "--for=delete", "relpkg/held", "--timeout="+timeout.String())
	}, SpecTimeout(5*time.Minute))
})
