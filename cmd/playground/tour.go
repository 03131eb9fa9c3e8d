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

package main

import (
	"context"
	"fmt"
	"os"
	"strings"
)

const (
	workspaceSample = "config/samples/release_v1alpha1_dataartsworkspace.yaml"
	packageSample   = "config/samples/release_v1alpha1_releasepackage.yaml"

	// Where the samples say that the workspace is; the simulator's demonstration has it too.
	projectID   = "62099355b894428e8916573ae635f1f9"
	workspaceID = "ab12c3d4e5f647a8b9c0d1e2f3a4b5c6"
)

// secondPackage is deleted again before anyone approves it.
const secondPackage = `apiVersion: release.dataarts-operator.io/v1alpha1
kind: ReleasePackage
metadata:
  name: job-report
spec:
  workspaceRef:
    name: production
  applyUserId: f8ccc2ff3c7748e8a7bfede38ae1cffa
  approverIds: [7b71e498e75d44048c9a22dd3c54f978]
  pendingItemIds: ["3"]
`

// tour shows a release from pull request to production, and one that is taken back.
type tour struct {
	*stack
}

// take goes through the steps. Each is checked on both sides: what kubectl says and what the service has.
func (t *tour) take(ctx context.Context) (string, error) {
	for _, step := range []func(context.Context) error{t.connect, t.packOne, t.approve, t.packAnother, t.takeBack} {
		if err := step(ctx); err != nil {
			return "", err
		}
	}
	n, err := t.console().tally(ctx)
	if err != nil {
		return "", err
	}
	if want := (tally{packed: 2, deployed: 1, unpacked: 1, live: 0}); n != want {
		return "", fmt.Errorf("the tour should have ended with %s, but the service has %s", want, n)
	}
	return "tour ok: " + n.String(), nil
}

func (t *tour) console() console {
	return console{url: fmt.Sprintf("%s/projects/%s/workspaces/%s", t.simulator.Control, projectID, workspaceID)}
}

func (t *tour) connect(ctx context.Context) error {
	headline("1. The platform team connects a workspace")
	if err := t.kubectl.show(ctx, "create", "secret", "generic", "dataarts",
		"--from-literal=accessKey=DEMOACCESSKEY", "--from-literal=secretKey=demo-secret-key"); err != nil {
		return err
	}
	sample, err := os.ReadFile(workspaceSample)
	if err != nil {
		return err
	}
	here := "endpoint: " + t.simulator.Service + "\n  pollInterval: 2s"
	local := strings.Replace(string(sample), "region: cn-north-4", here, 1)
	if err := t.kubectl.showWith(ctx, withoutComments(local), "apply", "-f", "-"); err != nil {
		return err
	}
	if err := t.kubectl.show(ctx, "wait", "--for=condition=Ready", "daws/production", "--timeout=60s"); err != nil {
		return err
	}
	if err := t.kubectl.show(ctx, "get", "daws"); err != nil {
		return err
	}
	return t.console().show(ctx)
}

func (t *tour) packOne(ctx context.Context) error {
	headline("2. A data engineer applies a ReleasePackage; the operator packs it")
	sample, err := os.ReadFile(packageSample)
	if err != nil {
		return err
	}
	fmt.Print("\n" + indent(withoutComments(string(sample))))
	if err := t.kubectl.show(ctx, "apply", "-f", packageSample); err != nil {
		return err
	}
	if err := t.kubectl.show(ctx, "wait", "--for=condition=Ready", "relpkg/job-0948", "--timeout=60s"); err != nil {
		return err
	}
	if err := t.kubectl.show(ctx, "get", "relpkg", "-o", "wide"); err != nil {
		return err
	}
	if err := t.console().show(ctx); err != nil {
		return err
	}
	return t.atService(ctx, "job-0948", func(p *remotePackage) bool { return p.State == inReview && !p.Withdrawn },
		"in review")
}

func (t *tour) approve(ctx context.Context) error {
	headline("3. An approver deploys it in the console; a pipeline waits for that with kubectl")
	id, err := t.kubectl.output(ctx, "get", "relpkg/job-0948", "-o", "jsonpath={.status.releasePackageId}")
	if err != nil {
		return err
	}
	fmt.Printf("\n(the approver presses \"Release\" on package %s)\n", id)
	if err := t.console().deploy(ctx, id); err != nil {
		return err
	}
	if err := t.kubectl.show(ctx, "wait", "--for=condition=Deployed", "relpkg/job-0948", "--timeout=60s"); err != nil {
		return err
	}
	if err := t.kubectl.show(ctx, "get", "relpkg"); err != nil {
		return err
	}
	if err := t.console().show(ctx); err != nil {
		return err
	}
	return t.atService(ctx, "job-0948", func(p *remotePackage) bool { return p.State == deployed }, "deployed")
}

func (t *tour) packAnother(ctx context.Context) error {
	headline("4. A second one, whose package gets a name of its own")
	if err := t.kubectl.showWith(ctx, secondPackage, "apply", "-f", "-"); err != nil {
		return err
	}
	if err := t.kubectl.show(ctx, "wait", "--for=condition=Ready", "relpkg/job-report", "--timeout=60s"); err != nil {
		return err
	}
	if err := t.kubectl.show(ctx, "get", "relpkg"); err != nil {
		return err
	}
	if err := t.console().show(ctx); err != nil {
		return err
	}
	return t.atService(ctx, "job-report", func(p *remotePackage) bool { return p.State == inReview && !p.Withdrawn },
		"in review")
}

func (t *tour) takeBack(ctx context.Context) error {
	headline("5. It is deleted before anyone approved it; the operator withdraws the package first")
	if err := t.kubectl.show(ctx, "delete", "relpkg/job-report", "--timeout=60s"); err != nil {
		return err
	}
	if err := t.kubectl.show(ctx, "get", "relpkg"); err != nil {
		return err
	}
	if err := t.console().show(ctx); err != nil {
		return err
	}
	return t.kubectl.show(ctx, "get", "events", "--sort-by=.metadata.creationTimestamp",
		"-o", "custom-columns=OBJECT:.involvedObject.name,TYPE:.type,REASON:.reason,MESSAGE:.message")
}

// atService checks that the package that the object's status names is at the service as it should be.
func (t *tour) atService(ctx context.Context, object string, right func(*remotePackage) bool, should string) error {
	id, err := t.kubectl.output(ctx, "get", "relpkg/"+object, "-o", "jsonpath={.status.releasePackageId}")
	if err != nil {
		return err
	}
	packages, err := t.console().packages(ctx)
	if err != nil {
		return err
	}
	for i := range packages {
		if p := &packages[i]; p.ID == id && right(p) {
			return nil
		}
	}
	return fmt.Errorf("package %q of %s should be %s at the service, and is not", id, object, should)
}

// explain tells how to go on by hand. The numbers follow from the tour, as the simulator counts from 1.
func (t *tour) explain() {
	console := t.console().url
	fmt.Printf(`
=== The playground stays up. In another terminal, paste:

export KUBECONFIG=%s
alias kubectl=%s

Submit another pending item, which gets the id 4, and pack it:

curl -d '{"items":[{"name":"job_mine","submitUserId":"f8ccc2ff3c7748e8a7bfede38ae1cffa"}]}' \
  %s/items
kubectl apply -f - <<'EOF'
%sEOF

Play its approver, and see what the service has
(start-deploy lets it succeed after 3s; fail-deploy and withdraw are the other ends):

curl -X POST %s/packages/3/start-deploy
curl %s/packages

The manager's log is %s
Its metrics are at %s

Ctrl-C ends everything.
`, t.kubectl.Kubeconfig, t.kubectl.Path, console,
		strings.NewReplacer("job-report", "job-mine", `"3"`, `"4"`).Replace(secondPackage), console, console, t.manager.Log,
		t.metricsURL)
}

func withoutComments(yaml string) string {
	var kept []string
	for line := range strings.Lines(yaml) {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}
