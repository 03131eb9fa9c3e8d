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
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

var _ = Describe("What is left out", func() {
	It("has defaults in a ReleasePackage", func(ctx SpecContext) {
		rp := aReleasePackage(aNamespace(ctx))
		Expect(api.Create(ctx, rp)).To(Succeed())
		Expect(rp.Spec.WorkspaceRef).To(Equal(v1alpha1.WorkspaceReference{Kind: "DataArtsWorkspace", Name: "default"}))
		Expect(rp.Spec.DeletionPolicy).To(Equal(v1alpha1.DeletionUnpack))
		Expect(rp.Spec.Suspend).To(BeFalse())
	})

	It("has the default kind beside a name", func(ctx SpecContext) {
		rp := aReleasePackage(aNamespace(ctx))
		rp.Spec.WorkspaceRef.Name = "production"
		Expect(api.Create(ctx, rp)).To(Succeed())
		Expect(rp.Spec.WorkspaceRef).To(Equal(v1alpha1.WorkspaceReference{Kind: "DataArtsWorkspace", Name: "production"}))
	})

	It("has defaults in a DataArtsWorkspace", func(ctx SpecContext) {
		ws := aWorkspace(aNamespace(ctx))
		Expect(api.Create(ctx, ws)).To(Succeed())
		Expect(ws.Spec.Timeout.Duration).To(Equal(30 * time.Second))
		Expect(ws.Spec.PollInterval.Duration).To(BeZero(), "which leaves it to the cost")
		Expect(ws.Spec.RequestsPerSecond).To(BeEquivalentTo(10))
	})
})

var _ = Describe("What the service shows", func() {
	recording := func(ctx SpecContext, change func(*v1alpha1.ReleasePackageStatus)) error {
		rp := aReleasePackage(aNamespace(ctx))
		Expect(api.Create(ctx, rp)).To(Succeed())
		in(v1alpha1.StatePendingReview)(&rp.Status)
		change(&rp.Status)
		return api.Status().Update(ctx, rp)
	}
	users := func(n, length int) []string {
		ids := make([]string, n)
		for i := range ids {
			ids[i] = fmt.Sprintf("%0*d", length, i)
		}
		return ids
	}

	It("fits into a status", func(ctx SpecContext) {
		Expect(recording(ctx, func(st *v1alpha1.ReleasePackageStatus) {
			st.ApplyUserID, st.ApproverIDs, st.Attempt.LostBefore = long(128), users(100, 128), 2
		})).To(Succeed())
	})

	DescribeTable("is bounded", func(ctx SpecContext, place, says string, change func(*v1alpha1.ReleasePackageStatus)) {
		Expect(causesOf(recording(ctx, change))).To(ContainElement(And(HaveField("Field", place),
			HaveField("Message", ContainSubstring(says)))))
	},
		Entry("in the applicant", "status.applyUserId", fmt.Sprintf(tooLong, 128),
			func(st *v1alpha1.ReleasePackageStatus) { st.ApplyUserID = long(129) }),
		Entry("in the number of approvers", "status.approverIds", "must have at most 100 items",
			func(st *v1alpha1.ReleasePackageStatus) { st.ApproverIDs = users(101, 3) }),
		Entry("in an approver", "status.approverIds[0]", fmt.Sprintf(tooLong, 128),
			func(st *v1alpha1.ReleasePackageStatus) { st.ApproverIDs = []string{long(129)} }),
		Entry("in an approver without an id", "status.approverIds[0]", tooShort,
			func(st *v1alpha1.ReleasePackageStatus) { st.ApproverIDs = []string{""} }),
		Entry("in the count of lost requests", "status.attempt.lostBefore", "greater than or equal to 0",
			func(st *v1alpha1.ReleasePackageStatus) { st.Attempt.LostBefore = -1 }),
	)
})

var _ = Describe("The generated schemas", func() {
	It("hold no rule without an example that it refuses", func() {
		rules := 0
		for kind, schema := range schemas() {
			for place, texts := range rulesIn(schema) {
				for _, text := range texts {
					rules++
					Expect(exemplified(kind, place, text)).To(BeTrue(), "%s: no refused example at %s for %q", kind, place, text)
				}
			}
		}
		Expect(rules).To(BeNumerically(">", 50), "the guard found next to nothing to guard")
	})
})

// exemplified reports whether some example is refused at the place, whatever the index in a list, with this text.
func exemplified(kind, place, text string) bool {
	if place == root {
		return len(refusedChanges[text]) > 0
	}
	index := regexp.MustCompile(`\[\d+\]`)
	return slices.ContainsFunc(refusals[kind], func(e example) bool {
		return index.ReplaceAllString(e.place(), "[]") == place && strings.Contains(e.says, text)
	})
}

// schemas are the schemas that are generated from the types, by kind.
func schemas() map[string]map[string]any {
	GinkgoHelper()
	files, err := filepath.Glob(filepath.Join(crds, "*.yaml"))
	Expect(err).NotTo(HaveOccurred())
	Expect(files).NotTo(BeEmpty())
	byKind := map[string]map[string]any{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		Expect(err).NotTo(HaveOccurred())
		var crd struct {
			Spec struct {
				Names    struct{ Kind string }
				Versions []struct {
					Schema struct {
						OpenAPIV3Schema map[string]any `json:"openAPIV3Schema"`
					}
				}
			}
		}
		Expect(yaml.Unmarshal(data, &crd)).To(Succeed())
		Expect(crd.Spec.Versions).To(HaveLen(1))
		byKind[crd.Spec.Names.Kind] = crd.Spec.Versions[0].Schema.OpenAPIV3Schema
	}
	return byKind
}

// rulesIn lists what the API server says when it refuses what users write, by place. The status is not theirs
// to write, but its CEL rules count.
func rulesIn(schema map[string]any) map[string][]string {
	rules := map[string][]string{}
	addRules(rules, schema, "")
	return rules
}

func addRules(rules map[string][]string, schema map[string]any, place string) {
	at := place
	if place == "" {
		at = root
	}
	validations, _ := schema["x-kubernetes-validations"].([]any)
	for _, v := range validations {
		rules[at] = append(rules[at], v.(map[string]any)["message"].(string))
	}
	if strings.HasPrefix(place, "spec") {
		addBounds(rules, schema, place)
	}
	if items, ok := schema["items"].(map[string]any); ok {
		addRules(rules, items, place+"[]")
	}
	properties, _ := schema["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		addRules(rules, properties[name].(map[string]any), strings.TrimPrefix(place+"."+name, "."))
	}
	required, _ := schema["required"].([]any)
	for _, name := range required {
		if field := strings.TrimPrefix(place+"."+name.(string), "."); strings.HasPrefix(field, "spec") {
			rules[field] = append(rules[field], missing)
		}
	}
}

// addBounds adds what the schema says of one field besides CEL.
func addBounds(rules map[string][]string, schema map[string]any, place string) {
	for key, text := range map[string]string{
		"minLength": "should be at least %v chars long",
		"maxLength": "may not be more than %v bytes",
		"minItems":  "should have at least %v items",
		"maxItems":  "must have at most %v items",
		"minimum":   "should be greater than or equal to %v",
		"maximum":   "should be less than or equal to %v",
	} {
		if bound, ok := schema[key]; ok {
			rules[place] = append(rules[place], fmt.Sprintf(text, bound))
		}
	}
	if _, ok := schema["enum"]; ok {
		rules[place] = append(rules[place], notListed)
	}
	if schema["x-kubernetes-list-type"] == "set" {
		rules[place+"[]"] = append(rules[place+"[]"], duplicate)
	}
}
