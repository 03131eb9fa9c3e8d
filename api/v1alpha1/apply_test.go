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

package v1alpha1_test

import (
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

var _ = Describe("What is applied from Git", func() {
	It("is what there is, whatever was added by hand", func(ctx SpecContext) {
		namespace := aNamespace(ctx)
		manifest := filepath.Join(GinkgoT().TempDir(), "release.yaml")
		Expect(os.WriteFile(manifest, []byte(`
apiVersion: release.dataarts-operator.io/v1alpha1
kind: ReleasePackage
metadata: {name: release}
spec:
  applyUserId: f8ccc2ff3c7748e8a7bfede38ae1cffa
  pendingItemIds: ["26", "27"]
  approverIds: ["7b71e498e75d44048c9a22dd3c54f978"]
`), 0o600)).To(Succeed())
		run := func(args ...string) {
			GinkgoHelper()
			_, stderr, err := kubectl(append([]string{"--namespace", namespace}, args...)...)
			Expect(err).NotTo(HaveOccurred(), "%s", stderr)
		}
		apply := []string{"apply", "--server-side", "--force-conflicts", "-f", manifest}

		run(apply...)
		run("patch", "releasepackage", "release", "--type=json", "-p", `[
			{"op": "add", "path": "/spec/pendingItemIds/-", "value": "28"},
			{"op": "add", "path": "/spec/approverIds/-", "value": "f8ccc2ff3c7748e8a7bfede38ae1cffb"}]`)
		run(apply...)
		rp := &v1alpha1.ReleasePackage{}
		Expect(api.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "release"}, rp)).To(Succeed())
		Expect(rp.Spec.PendingItemIDs).To(HaveExactElements(v1alpha1.ID("26"), v1alpha1.ID("27")))
		Expect(rp.Spec.ApproverIDs).To(HaveLen(1))
	})
})
