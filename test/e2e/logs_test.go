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
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("The log of a manager", func() {
	BeforeEach(startNamespaceController)

	It("has no errors when a namespace is deleted and when it is told to stop", func(ctx SpecContext) {
		o := startOperator(ctx, "--allow-insecure-endpoints")
		t := newTeam(ctx, startService())
		t.applyPackages(ctx)
		t.deleteNamespace(ctx)
		o.stop()
		log := string(o.session.Err.Contents())
		Expect(log).To(ContainSubstring("Manager stopped"))
		Expect(log).NotTo(ContainSubstring(`"level":"error"`))
	})
})
