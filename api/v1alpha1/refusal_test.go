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
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// root is what the API server calls the place of a rule about the whole object.
const root = "<nil>"

// example is a value for one field, which the schema refuses at that field, or at another one if it says so,
// with these words.
type example struct {
	field string
	value any
	says  string
	at    string
}

// place is where the refusal is expected.
func (e example) place() string {
	if e.at != "" {
		return e.at
	}
	return e.field
}

const (
	badID = "an id of the service has letters, digits, '-' and '_' only; " +
		"copy it from the console or from the service's answer"
	badUserID = "a user id has letters, digits, '-', '_', '.' and '@' only; " +
		"use the IAM user id (32 hexadecimal digits in most accounts), not a display name"
	badName = "packageName must not begin or end with a space or hold control characters"
	badURL  = "endpoint is a scheme and a host, such as https://dayu.cn-north-4.myhuaweicloud.com: " +
		"no path, query, fragment or user"
	badProxy = "proxyURL is an http or https address such as http://proxy.example.com:3128, without user and password"
	oneOf    = "set exactly one of region and endpoint"
	wanted   = "set applyUserId, pendingItemIds and approverIds to pack a new package, " +
		"or releasePackageId to adopt an existing one"
	timeouts  = "timeout is a duration from 1s to 1m, such as 30s"
	repeated  = "%s must hold each id once; take the repeated one out"
	deadlines = "deletionDeadline is a duration from 1m to 720h, such as 24h"
	intervals = "pollInterval is a duration from 1s to 24h, such as 1m"

	tooShort  = "should be at least 1 chars long"
	tooLong   = "may not be more than %d bytes"
	missing   = "Required value"
	duplicate = "Duplicate value"
	notListed = "Unsupported value"
)

// unset stands for a field that is left out.
type unset struct{}

// refusals are bad values for the fields of a good object, by kind.
var refusals = map[string][]example{
	"ReleasePackage": {
		{field: "spec", value: unset{}, says: missing},
		{field: "spec.applyUserId", value: unset{}, says: wanted, at: "spec"},
		{field: "spec.pendingItemIds", value: unset{}, says: wanted, at: "spec"},
		{field: "spec.approverIds", value: unset{}, says: wanted, at: "spec"},
		{field: "spec.workspaceRef.kind", value: "Workspace", says: notListed},
		{field: "spec.workspaceRef.name", value: "", says: tooShort},
		{field: "spec.workspaceRef.name", value: long(254), says: fmt.Sprintf(tooLong, 253)},
		{field: "spec.packageName", value: "", says: tooShort},
		{field: "spec.packageName", value: long(129), says: fmt.Sprintf(tooLong, 128)},
		{field: "spec.packageName", value: " job", says: badName},
		{field: "spec.packageName", value: "job ", says: badName},
		{field: "spec.packageName", value: "jo\tb", says: badName},
		{field: "spec.applyUserId", value: "", says: tooShort},
		{field: "spec.applyUserId", value: long(65), says: fmt.Sprintf(tooLong, 64)},
		{field: "spec.applyUserId", value: "Jane Doe", says: badUserID},
		{field: "spec.pendingItemIds", value: []any{}, says: "should have at least 1 items"},
		{field: "spec.pendingItemIds", value: numbers(101), says: "must have at most 100 items"},
		{field: "spec.pendingItemIds", value: []any{"26", "26"}, says: fmt.Sprintf(repeated, "pendingItemIds")},
		{field: "spec.pendingItemIds", value: []any{""}, says: tooShort, at: "spec.pendingItemIds[0]"},
		{field: "spec.pendingItemIds", value: []any{long(129)}, says: fmt.Sprintf(tooLong, 128),
			at: "spec.pendingItemIds[0]"},
		{field: "spec.pendingItemIds", value: []any{"26", "27/28"}, says: badID, at: "spec.pendingItemIds[1]"},
		{field: "spec.approverIds", value: []any{}, says: "should have at least 1 items"},
		{field: "spec.approverIds", value: numbers(21), says: "must have at most 20 items"},
		{field: "spec.approverIds", value: []any{"a", "b", "a"}, says: fmt.Sprintf(repeated, "approverIds")},
		{field: "spec.approverIds", value: []any{""}, says: tooShort, at: "spec.approverIds[0]"},
		{field: "spec.approverIds", value: []any{long(65)}, says: fmt.Sprintf(tooLong, 64), at: "spec.approverIds[0]"},
		{field: "spec.approverIds", value: []any{"张三"}, says: badUserID, at: "spec.approverIds[0]"},
		{field: "spec.releasePackageId", value: "", says: tooShort},
		{field: "spec.releasePackageId", value: long(129), says: fmt.Sprintf(tooLong, 128)},
		{field: "spec.releasePackageId", value: "../13", says: badID},
		{field: "spec.deletionPolicy", value: "Delete", says: notListed},
		{field: "spec.deletionDeadline", value: strings.Repeat("1", 32) + "s", says: fmt.Sprintf(tooLong, 32)},
		{field: "spec.deletionDeadline", value: "", says: deadlines},
		{field: "spec.deletionDeadline", value: "a day", says: deadlines},
		{field: "spec.deletionDeadline", value: "1d", says: deadlines},
		{field: "spec.deletionDeadline", value: "0s", says: deadlines},
		{field: "spec.deletionDeadline", value: "59s", says: deadlines},
		{field: "spec.deletionDeadline", value: "720h1s", says: deadlines},
		{field: "spec.deletionDeadline", value: "-1h", says: deadlines},
	},
	"DataArtsWorkspace": {
		{field: "spec", value: unset{}, says: missing},
		{field: "spec.region", value: unset{}, says: oneOf, at: "spec"},
		{field: "spec.endpoint", value: "https://dayu.example.com", says: oneOf, at: "spec"},
		{field: "spec.region", value: "", says: tooShort},
		{field: "spec.region", value: long(65), says: fmt.Sprintf(tooLong, 64)},
		{field: "spec.region", value: "CN North 4",
			says: "region is a region id such as cn-north-4: lower-case letters, digits and single hyphens"},
		{field: "spec.endpoint", value: "", says: tooShort},
		{field: "spec.endpoint", value: "https://" + long(505), says: fmt.Sprintf(tooLong, 512)},
		{field: "spec.endpoint", value: "dayu.example.com", says: badURL},
		{field: "spec.endpoint", value: "ftp://dayu.example.com", says: badURL},
		{field: "spec.endpoint", value: "https://", says: badURL},
		{field: "spec.endpoint", value: "https://dayu.example.com/v2", says: badURL},
		{field: "spec.endpoint", value: "https://dayu.example.com?a=b", says: badURL},
		{field: "spec.endpoint", value: "https://dayu.example.com#a", says: badURL},
		{field: "spec.endpoint", value: "https://me:secret@dayu.example.com", says: badURL},
		{field: "spec.projectId", value: unset{}, says: missing},
		{field: "spec.projectId", value: "ab", says: "should be at least 3 chars long"},
		{field: "spec.projectId", value: long(65), says: fmt.Sprintf(tooLong, 64)},
		{field: "spec.projectId", value: "a/b",
			says: "projectId has letters, digits, '-' and '_' only; copy it from My Credentials in the console"},
		{field: "spec.workspaceId", value: unset{}, says: missing},
		{field: "spec.workspaceId", value: "ab", says: "should be at least 3 chars long"},
		{field: "spec.workspaceId", value: long(65), says: fmt.Sprintf(tooLong, 64)},
		{field: "spec.workspaceId", value: "my workspace",
			says: "workspaceId has letters, digits, '-' and '_' only; copy it from the workspace's details in the console"},
		{field: "spec.credentials", value: unset{}, says: missing},
		{field: "spec.credentials.secretRef", value: unset{}, says: missing},
		{field: "spec.credentials.secretRef.name", value: unset{}, says: missing},
		{field: "spec.credentials.secretRef.name", value: "", says: tooShort},
		{field: "spec.credentials.secretRef.name", value: long(254), says: fmt.Sprintf(tooLong, 253)},
		{field: "spec.caBundle", value: "", says: tooShort},
		{field: "spec.caBundle", value: base64.StdEncoding.EncodeToString([]byte(long(262144))),
			says: fmt.Sprintf(tooLong, 262144)},
		{field: "spec.proxyURL", value: "", says: tooShort},
		{field: "spec.proxyURL", value: "http://" + long(506), says: fmt.Sprintf(tooLong, 512)},
		{field: "spec.proxyURL", value: "socks5://proxy.example.com", says: badProxy},
		{field: "spec.proxyURL", value: "http://me:secret@proxy.example.com", says: badProxy},
		{field: "spec.timeout", value: strings.Repeat("1", 32) + "s", says: fmt.Sprintf(tooLong, 32)},
		{field: "spec.timeout", value: "soon", says: timeouts},
		{field: "spec.timeout", value: "999ms", says: timeouts},
		{field: "spec.timeout", value: "61s", says: timeouts},
		{field: "spec.timeout", value: "-5s", says: timeouts},
		{field: "spec.pollInterval", value: strings.Repeat("1", 32) + "s", says: fmt.Sprintf(tooLong, 32)},
		{field: "spec.pollInterval", value: "1 minute", says: intervals},
		{field: "spec.pollInterval", value: "0s", says: intervals},
		{field: "spec.pollInterval", value: "24h1s", says: intervals},
		{field: "spec.requestsPerSecond", value: int64(0), says: "should be greater than or equal to 1"},
		{field: "spec.requestsPerSecond", value: int64(1001), says: "should be less than or equal to 1000"},
	},
}

func long(n int) string { return strings.Repeat("a", n) }

func numbers(n int) []any {
	all := make([]any, n)
	for i := range all {
		all[i] = fmt.Sprint(i)
	}
	return all
}

// longNumbers differ at their end only, which is the most work to find out.
func longNumbers(n, length int) []any {
	all := make([]any, n)
	for i := range all {
		all[i] = fmt.Sprintf("%0*d", length, i)
	}
	return all
}

// goodObject is an object of the kind that the API server accepts, as users write it.
func goodObject(kind, namespace string) *unstructured.Unstructured {
	spec := map[string]any{
		"applyUserId":    "f8ccc2ff3c7748e8a7bfede38ae1cffa",
		"pendingItemIds": []any{"26"},
		"approverIds":    []any{"7b71e498e75d44048c9a22dd3c54f978"},
	}
	if kind == "DataArtsWorkspace" {
		spec = map[string]any{
			"region": "cn-north-4", "projectId": "62099355b894428e8916573ae635f1f9", "workspaceId": "ab12cd34",
			"credentials": map[string]any{"secretRef": map[string]any{"name": "dataarts"}},
		}
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": kind,
		"metadata": map[string]any{"namespace": namespace, "name": "example"}, "spec": spec,
	}}
}

// put sets the field of the example in an object.
func (e example) put(obj *unstructured.Unstructured) {
	GinkgoHelper()
	path := strings.Split(e.field, ".")
	if e.value == (unset{}) {
		unstructured.RemoveNestedField(obj.Object, path...)
		return
	}
	Expect(unstructured.SetNestedField(obj.Object, e.value, path...)).To(Succeed())
}

// causesOf are the reasons for which the API server calls an object invalid.
func causesOf(err error) []metav1.StatusCause {
	GinkgoHelper()
	var status *apierrors.StatusError
	Expect(errors.As(err, &status)).To(BeTrue(), "not refused: %v", err)
	Expect(apierrors.IsInvalid(err)).To(BeTrue(), err.Error())
	return status.ErrStatus.Details.Causes
}

var _ = Describe("A bad value", func() {
	for _, kind := range slices.Sorted(maps.Keys(refusals)) {
		for _, e := range refusals[kind] {
			text := fmt.Sprintf("%v", e.value)
			It(fmt.Sprintf("is refused in %s, %s %.40q: %s", kind, e.field, text, e.says), func(ctx SpecContext) {
				obj := goodObject(kind, aNamespace(ctx))
				e.put(obj)
				Expect(causesOf(api.Create(ctx, obj))).To(ContainElement(And(
					HaveField("Field", e.place()), HaveField("Message", ContainSubstring(e.says)))))
			})
		}
	}
})

var _ = Describe("A good value", func() {
	DescribeTable("is accepted", func(ctx SpecContext, kind string, examples ...example) {
		obj := goodObject(kind, aNamespace(ctx))
		for _, e := range examples {
			e.put(obj)
		}
		Expect(api.Create(ctx, obj)).To(Succeed())
	},
		Entry("the least that packs", "ReleasePackage"),
		Entry("the least that adopts", "ReleasePackage",
			example{field: "spec", value: map[string]any{"releasePackageId": "13"}}),
		Entry("a name in Chinese with a space inside", "ReleasePackage",
			example{field: "spec.packageName", value: "发布 job_0948"}),
		Entry("a name of one letter", "ReleasePackage", example{field: "spec.packageName", value: "j"}),
		Entry("as many items as the console takes", "ReleasePackage",
			example{field: "spec.pendingItemIds", value: numbers(100)}),
		Entry("as many items with the longest ids", "ReleasePackage",
			example{field: "spec.pendingItemIds", value: longNumbers(100, 128)}),
		Entry("the most approvers", "ReleasePackage", example{field: "spec.approverIds", value: numbers(20)}),
		Entry("as many with the longest ids", "ReleasePackage",
			example{field: "spec.approverIds", value: longNumbers(20, 64)}),
		Entry("user ids like an address", "ReleasePackage",
			example{field: "spec.applyUserId", value: "jane.doe@example.com"}),
		Entry("the other policies", "ReleasePackage",
			example{field: "spec.deletionPolicy", value: "Retain"}, example{field: "spec.suspend", value: true}),
		Entry("the shortest deadline", "ReleasePackage", example{field: "spec.deletionDeadline", value: "60s"}),
		Entry("the longest deadline", "ReleasePackage", example{field: "spec.deletionDeadline", value: "719h60m"}),
		Entry("a deadline between", "ReleasePackage", example{field: "spec.deletionDeadline", value: "1.5h"}),
		Entry("the least workspace", "DataArtsWorkspace"),
		Entry("an endpoint with a port", "DataArtsWorkspace",
			example{field: "spec.region", value: unset{}}, example{field: "spec.endpoint", value: "http://127.0.0.1:8080"}),
		Entry("the shortest times", "DataArtsWorkspace",
			example{field: "spec.timeout", value: "1s"}, example{field: "spec.pollInterval", value: "1000ms"}),
		Entry("the longest times", "DataArtsWorkspace",
			example{field: "spec.timeout", value: "1m0s"}, example{field: "spec.pollInterval", value: "23h60m"}),
		Entry("a proxy and certificates", "DataArtsWorkspace",
			example{field: "spec.proxyURL", value: "http://proxy.example.com:3128"},
			example{field: "spec.caBundle", value: "LS0tLQ=="}),
		Entry("the most requests", "DataArtsWorkspace", example{field: "spec.requestsPerSecond", value: int64(1000)}),
	)
})
