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

package dataarts_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

func refusal(code string) string {
	return `{"error_code":"` + code + `","error_msg":"no"}`
}

func compressed(body string) string {
	var out strings.Builder
	w := gzip.NewWriter(&out)
	_, _ = io.WriteString(w, body)
	_ = w.Close()
	return out.String()
}

// numericIDs takes the quotes from ids.
func numericIDs(body string) string {
	return regexp.MustCompile(`(_id":)"(\d+)"`).ReplaceAllString(body, "$1$2")
}

const (
	shown = `{"release_package":{"package_id":"13","package_name":"rel-a","deploy_status":1,"delete_flag":0,` +
		`"apply_user_id":"f8cc","apply_user_name":"dev1","apply_timestamp":1747103060123,` +
		`"package_approvers":[{"user_id":"7b71","user_name":"dep1"}],` +
		`"project_id":"6209-workspace-ab12","workspace_id":"ab12"},` +
		`"task_details":[{"pending_item_id":"26","item_name":"job_a","task_id":"t1","task_type":1,"update_type":2,` +
		`"deploy_status":1,"pending_version":4,"deployed_version":3,"submit_user_id":"f8cc",` +
		`"submit_timestamp":1747103000000}]}`
	loginPage = `<!DOCTYPE html><html><body>Please log in</body></html>`
)

var _ = Describe("What an answer proves", func() {
	DescribeTable("to Pack", func(ctx SpecContext, kind dataarts.Kind, handler http.HandlerFunc) {
		id, err := aClient(aServer(handler).URL).Pack(ctx, packRequest)
		Expect(expectError(err).Kind).To(Equal(kind), err.Error())
		Expect(id).To(BeEmpty())
	},
		Entry("an empty 200", dataarts.Unknown, answer(200, "")),
		Entry("a 200 without an id", dataarts.Unknown, answer(200, `{"package_name":"a"}`)),
		Entry("a 200 with an empty id", dataarts.Unknown, answer(200, `{"release_package_id":""}`)),
		Entry("a 200 with a blank id", dataarts.Unknown, answer(200, `{"release_package_id":" "}`)),
		Entry("a 200 with an id that is a path", dataarts.Unknown, answer(200, `{"release_package_id":"../1"}`)),
		Entry("a 200 with a fraction for an id", dataarts.Unknown, answer(200, `{"release_package_id":13.0}`)),
		Entry("a 200 with an exponent in the id", dataarts.Unknown, answer(200, `{"release_package_id":1e3}`)),
		Entry("a 200 with a negative id", dataarts.Unknown, answer(200, `{"release_package_id":-13}`)),
		Entry("a 200 with an object for an id", dataarts.Unknown, answer(200, `{"release_package_id":{"id":13}}`)),
		Entry("a 200 with an id that is cut", dataarts.Unknown, answer(200, `{"release_package_id":13`)),
		Entry("a 200 with null", dataarts.Unknown, answer(200, `null`)),
		Entry("a 200 with an array", dataarts.Unknown, answer(200, `[{"release_package_id":"13"}]`)),
		Entry("a 200 with a login page", dataarts.Unknown, answer(200, loginPage)),
		Entry("a 200 with truncated JSON", dataarts.Unknown, answer(200, `{"release_package_id":"13`)),
		Entry("a 200 with something after the JSON", dataarts.Unknown, answer(200, `{"release_package_id":"13"}{}`)),
		Entry("a 200 with an error", dataarts.Unknown, answer(200, refusal("DLF.3051"))),
		Entry("a 200 with an id and an error", dataarts.Unknown,
			answer(200, `{"release_package_id":"13","error_code":"DLF.3051","error_msg":"no"}`)),
		Entry("a 200 that says it is none", dataarts.Unknown, answer(200, `{"release_package_id":"13","is_success":false}`)),
		Entry("a 200 that is too long", dataarts.Unknown,
			answer(200, `{"release_package_id":"13"`+strings.Repeat(" ", 2<<20)+`}`)),
		Entry("a 200 that is too long once it is unpacked", dataarts.Unknown,
			answer(200, compressed(`{"release_package_id":"13"`+strings.Repeat(" ", 2<<20)+`}`), "Content-Encoding", "gzip")),
		Entry("a 201", dataarts.Unknown, answer(201, `{"release_package_id":"13"}`)),
		Entry("a 202", dataarts.Unknown, answer(202, `{"release_package_id":"13"}`)),
		Entry("a 204", dataarts.Unknown, answer(204, "")),
		Entry("a 302", dataarts.Unknown, answer(302, loginPage, "Location", "/login")),
		Entry("a 307", dataarts.Unknown, answer(307, "", "Location", "/login")),
		Entry("a redirect to nowhere", dataarts.Unknown, answer(302, "", "Location", "http://[")),
		Entry("a 304", dataarts.Unknown, answer(304, "")),

		Entry("a documented refusal", dataarts.Refused, answer(400, refusal("DLF.3051"))),
		Entry("a refusal with five digits", dataarts.Refused, answer(400, refusal("DLF.30111"))),
		Entry("a refusal of the management centre", dataarts.Refused, answer(400, refusal("DAYU.4402"))),
		Entry("a workspace that does not exist", dataarts.Refused, answer(400, refusal("DLM.4001"))),
		Entry("a refusal of the gateway", dataarts.Refused, answer(400, refusal("APIGW.0106"))),
		Entry("a refusal of the gateway under its other name", dataarts.Refused, answer(400, refusal("APIG.0106"))),
		Entry("a method that is not published", dataarts.Refused, answer(404, refusal("APIGW.0101"))),
		Entry("a request that is too large", dataarts.Refused, answer(413, refusal("APIGW.0201"))),
		Entry("a request that is too large, by someone else", dataarts.Refused, answer(413, loginPage)),
		Entry("a path that is too long", dataarts.Refused, answer(414, "")),
		Entry("a missing item, which is no missing package", dataarts.Refused, answer(400, refusal("DLF.0810"))),
		Entry("a refusal without a message", dataarts.Refused, answer(400, `{"error_code":"DLF.3051"}`)),

		Entry("a bare 400", dataarts.Unknown, answer(400, "")),
		Entry("a 400 of someone else", dataarts.Unknown, answer(400, loginPage)),
		Entry("a 400 with a code of another service", dataarts.Unknown, answer(400, refusal("IAM.0101"))),
		Entry("a 400 with a numeric code", dataarts.Unknown, answer(400, `{"error_code":400,"error_msg":"DLF.3051"}`)),
		Entry("a 400 with the code of the identity service", dataarts.Unknown,
			answer(400, `{"error":{"code":400,"message":"x"}}`)),
		Entry("a 400 with a code only in its text", dataarts.Unknown, answer(400, `{"error_msg":"DLF.3051"}`)),
		Entry("a 400 that is too long", dataarts.Unknown, answer(400, refusal("DLF.3051")+strings.Repeat(" ", 64<<10))),
		Entry("a bare 404", dataarts.Unknown, answer(404, loginPage)),
		Entry("a 408", dataarts.Unknown, answer(408, refusal("APIGW.0201"))),

		Entry("a 401", dataarts.Unauthorized, answer(401, refusal("APIGW.0301"))),
		Entry("a 401 without a code", dataarts.Unauthorized, answer(401, "")),
		Entry("a 401 that is too long", dataarts.Unauthorized, answer(401, strings.Repeat("x", 1<<20))),
		Entry("a 403", dataarts.Forbidden, answer(403, refusal("APIGW.0302"))),
		Entry("a missing permission", dataarts.Forbidden, answer(400, refusal("DLF.6888"))),
		Entry("a 429", dataarts.Throttled, answer(429, refusal("APIGW.0308"))),
		Entry("a 429 without a code", dataarts.Throttled, answer(429, "")),

		Entry("a 500", dataarts.Unknown, answer(500, refusal("DAYU.3531"))),
		Entry("a 500 with the code of a refusal", dataarts.Unknown, answer(500, refusal("DLF.3051"))),
		Entry("a 502 of a proxy", dataarts.Unknown, answer(502, loginPage)),
		Entry("a 502 of the gateway", dataarts.Unknown, answer(502, refusal("APIGW.0201"))),
		Entry("a 503", dataarts.Unknown, answer(503, refusal("APIGW.0613"))),
		Entry("a 504 of the gateway", dataarts.Unknown, answer(504, refusal("APIGW.0201"))),
	)

	DescribeTable("to Unpack", func(ctx SpecContext, kind dataarts.Kind, handler http.HandlerFunc) {
		err := aClient(aServer(handler).URL).Unpack(ctx, []string{"13"})
		Expect(expectError(err).Kind).To(Equal(kind), err.Error())
	},
		Entry("no such package", dataarts.NotFound, answer(400, refusal("DLF.0810"))),
		Entry("no such package, by its other code", dataarts.NotFound, answer(400, refusal("DLF.20810"))),
		Entry("a package that has been deployed", dataarts.AlreadyDeployed, answer(400, refusal("DLF.20990"))),
		Entry("another refusal", dataarts.Refused, answer(400, refusal("DLF.3051"))),
		Entry("no such package, in a 200", dataarts.Unknown, answer(200, refusal("DLF.0810"))),
		Entry("no such package, in a 500", dataarts.Unknown, answer(500, refusal("DLF.0810"))),
		Entry("a 200 with a login page", dataarts.Unknown, answer(200, loginPage)),
		Entry("a 200 with an array", dataarts.Unknown, answer(200, `[]`)),
		Entry("a 200 that says it is none", dataarts.Unknown, answer(200, `{"is_success":false}`)),
		Entry("a 204", dataarts.Unknown, answer(204, "")),
		Entry("a 302", dataarts.Unknown, answer(302, "", "Location", "/login")),
	)

	DescribeTable("to Unpack, when it is a success", func(ctx SpecContext, body string) {
		Expect(aClient(aServer(answer(200, body)).URL).Unpack(ctx, []string{"13"})).To(Succeed())
	},
		Entry("no body, as documented", ""),
		Entry("an empty object", `{}`),
		Entry("null", `null`),
		Entry("an object", `{"is_success":true}`),
	)

	DescribeTable("to Show", func(ctx SpecContext, kind dataarts.Kind, handler http.HandlerFunc) {
		detail, err := aClient(aServer(handler).URL).Show(ctx, "13")
		Expect(expectError(err).Kind).To(Equal(kind), err.Error())
		Expect(detail).To(BeZero())
	},
		Entry("no such package", dataarts.NotFound, answer(400, refusal("DLF.0810"))),
		Entry("no such package, by its other code", dataarts.NotFound, answer(400, refusal("DLF.20810"))),
		Entry("no such package, in a 200", dataarts.Unknown, answer(200, refusal("DLF.0810"))),
		Entry("no such job", dataarts.Refused, answer(400, refusal("DLF.0100"))),
		Entry("a bare 404", dataarts.Unknown, answer(404, "")),
		Entry("a method that is not published", dataarts.Refused, answer(404, refusal("APIGW.0101"))),
		Entry("an empty 200", dataarts.Unknown, answer(200, "")),
		Entry("an empty object", dataarts.Unknown, answer(200, `{}`)),
		Entry("null", dataarts.Unknown, answer(200, `null`)),
		Entry("a package without an id", dataarts.Unknown,
			answer(200, strings.Replace(shown, `"package_id":"13"`, `"x":1`, 1))),
		Entry("another package", dataarts.Unknown, answer(200, strings.Replace(shown, `"13"`, `"14"`, 1))),
		Entry("a package that seems empty", dataarts.Unknown,
			answer(200, `{"release_package":{"package_id":"13","deploy_status":1}}`)),
		Entry("an item without an id", dataarts.Unknown, answer(200, strings.Replace(shown, `"26"`, `""`, 1))),
		Entry("a status that is a text", dataarts.Unknown,
			answer(200, strings.Replace(shown, `"deploy_status":1`, `"deploy_status":"1"`, 1))),
		Entry("a status that is out of range", dataarts.Unknown,
			answer(200, strings.Replace(shown, `"deploy_status":1`, `"deploy_status":99999999999`, 1))),
	)

	DescribeTable("to List", func(ctx SpecContext, kind dataarts.Kind, handler http.HandlerFunc) {
		page, err := aClient(aServer(handler).URL).List(ctx, dataarts.ListOptions{})
		Expect(expectError(err).Kind).To(Equal(kind), err.Error())
		Expect(page).To(BeZero())
	},
		Entry("an empty 200, which is not an empty page", dataarts.Unknown, answer(200, "")),
		Entry("an empty object", dataarts.Unknown, answer(200, `{}`)),
		Entry("a page without a total", dataarts.Unknown, answer(200, `{"data":[]}`)),
		Entry("a total without a page", dataarts.Unknown, answer(200, `{"total":3}`)),
		Entry("a negative total", dataarts.Unknown, answer(200, `{"data":[],"total":-1}`)),
		Entry("a package without an id", dataarts.Unknown, answer(200, `{"data":[{"package_name":"a"}],"total":1}`)),
		Entry("a page that is too long", dataarts.Unknown,
			answer(200, `{"data":[],"total":0`+strings.Repeat(" ", 10<<20)+`}`)),
		Entry("a refusal", dataarts.Refused, answer(400, refusal("DLF.0810"))),
	)

	DescribeTable("to ListPendingItems", func(ctx SpecContext, kind dataarts.Kind, handler http.HandlerFunc) {
		page, err := aClient(aServer(handler).URL).ListPendingItems(ctx, dataarts.PendingItemOptions{})
		Expect(expectError(err).Kind).To(Equal(kind), err.Error())
		Expect(page).To(BeZero())
	},
		Entry("an empty object, which is not an empty page", dataarts.Unknown, answer(200, `{}`)),
		Entry("an item without an id", dataarts.Unknown, answer(200, `{"data":[{"item_name":"a"}],"total":1}`)),
		Entry("a refusal", dataarts.Refused, answer(400, refusal("DLF.3051"))),
	)

	It("is read with numbers for ids as with texts", func(ctx SpecContext) {
		const large = "9007199254740993" // A float would lose its last digit.
		c := aClient(aServer(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasSuffix(r.URL.Path, "/package"):
				answer(200, `{"release_package_id": `+large+`}`)(w, r)
			case strings.HasSuffix(r.URL.Path, "/pending-items"):
				answer(200, `{"data":[{"item_name":"x_id\":1,","pending_item_id":26,"task_id" : 7 ,"submit_user_id":8,`+
					`"package_flag":0,"project_id":9}],"total":1}`)(w, r)
			case r.Method == http.MethodGet:
				answer(200, numericIDs(shown))(w, r)
			default:
				answer(200, `{"data":[{"package_id":`+large+`,"apply_user_id":5,"package_approvers":[{"user_id":6}]}],`+
					`"total":1,"request_id":4}`)(w, r)
			}
		}).URL)
		Expect(c.Pack(ctx, packRequest)).To(Equal(large))
		page, err := c.List(ctx, dataarts.ListOptions{})
		Expect(err).NotTo(HaveOccurred())
		Expect(page.Rows).To(ConsistOf(dataarts.Package{ID: large, ApplyUserID: "5",
			Approvers: []dataarts.User{{ID: "6"}}}))
		pending, err := c.ListPendingItems(ctx, dataarts.PendingItemOptions{})
		Expect(err).NotTo(HaveOccurred())
		Expect(pending.Rows).To(ConsistOf(dataarts.PendingItem{ID: "26", Name: `x_id":1,`, TaskID: "7",
			SubmitUserID: "8", ProjectID: "9"}))
		detail, err := c.Show(ctx, "13")
		Expect(err).NotTo(HaveOccurred())
		Expect(detail.Items).To(HaveLen(1))
		Expect(detail.Items[0].PendingItemID).To(Equal("26"))
	})

	DescribeTable("about when to come back", func(ctx SpecContext, want time.Duration, status int, headers ...string) {
		_, err := aClient(aServer(answer(status, "", headers...)).URL).Pack(ctx, packRequest)
		Expect(expectError(err).RetryAfter).To(Equal(want))
	},
		Entry("nothing", time.Duration(0), 429),
		Entry("seconds", 7*time.Second, 429, "Retry-After", "7"),
		Entry("seconds with a 503", 7*time.Second, 503, "Retry-After", "7"),
		Entry("a date", 90*time.Second, 429,
			"Date", "Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After", "Sun, 06 Nov 1994 08:51:07 GMT"),
		Entry("a date that has passed", time.Duration(0), 429,
			"Date", "Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After", "Sun, 06 Nov 1994 08:49:36 GMT"),
		Entry("more than a day", 24*time.Hour, 429, "Retry-After", "4294967295"),
		Entry("more than a number", time.Duration(0), 429, "Retry-After", "99999999999999999999"),
		Entry("a negative number", time.Duration(0), 429, "Retry-After", "-3"),
		Entry("a word", time.Duration(0), 429, "Retry-After", "later"),
	)

	It("leaves out a request id that is none", func(ctx SpecContext) {
		server := aServer(answer(400, refusal("DLF.3051"), "X-Request-Id", "<script>"))
		_, err := aClient(server.URL).Pack(ctx, packRequest)
		Expect(expectError(err).RequestID).To(BeEmpty())
	})

	It("carries the code in one spelling and the request id beside the text", func(ctx SpecContext) {
		server := aServer(answer(400, `{"error_code":"APIG.0106","error_msg":"bad, request r-1","request_id":"r-1"}`))
		_, err := aClient(server.URL).Pack(ctx, packRequest)
		e := expectError(err)
		Expect(e.Code).To(Equal("APIGW.0106"))
		Expect(e.Status).To(Equal(http.StatusBadRequest))
		Expect(e.RequestID).To(Equal("r-1"))
		Expect(e).To(MatchError("pack: refused: APIGW.0106: bad, request"))
		Expect(dataarts.KindOf(e)).To(Equal(dataarts.Refused))
	})
})
