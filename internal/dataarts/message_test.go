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
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

// saying is a refusal with the message.
func saying(status int, code, message string) http.HandlerFunc {
	body, err := json.Marshal(map[string]string{"error_code": code, "error_msg": message})
	Expect(err).NotTo(HaveOccurred())
	return answer(status, string(body))
}

var _ = Describe("The text of an error", func() {
	temporary := withCredentials(dataarts.Credentials{
		AccessKey: testAccessKey, SecretKey: testSecretKey, SecurityToken: testSecurityToken,
	})

	DescribeTable("is one short line without secrets", func(ctx SpecContext, said, shown string) {
		_, err := aClient(aServer(saying(401, "APIGW.0301", said)).URL, temporary).Pack(ctx, packRequest)
		Expect(expectError(err).Message).To(Equal(shown))
	},
		Entry("as it is", "Incorrect IAM authentication information", "Incorrect IAM authentication information"),
		Entry("in another language", "请求参数无效", "请求参数无效"),
		Entry("nothing", "", ""),
		Entry("an access key", "ak "+testAccessKey+" not exist", "ak [redacted] not exist"),
		Entry("a security token", "decrypt "+testSecurityToken+" fail", "decrypt [redacted] fail"),
		Entry("a secret key", "key "+testSecretKey, "key [redacted]"),
		Entry("the canonical request",
			"verify aksk signature fail, canonicalRequest:POST|/v2/|x-security-token:"+testSecurityToken+"|",
			"verify aksk signature fail, [redacted]"),
		Entry("the string to sign", "fail: StringToSign=SDK-HMAC-SHA256|20260101T000000Z|abc", "fail: [redacted]"),
		Entry("an Authorization header", "bad header Authorization: x Access=y", "bad header [redacted]"),
		Entry("someone else's token", "header X-Auth-Token: abc is wrong", "header [redacted]"),
		Entry("line breaks and control characters", "a\r\nb\x00c\x1b[31md\u202ee\tf", "a b c [31md e f"),
		Entry("a time", "now is 20260722T101112Z or 2026-07-22 10:11:12.123+08:00", "now is [time] or [time]"),
		Entry("a long text", strings.Repeat("ä", 1000), strings.Repeat("ä", 255)+"…"),
	)

	It("says less rather than more if the answer is not from the service", func(ctx SpecContext) {
		_, err := aClient(aServer(answer(502, loginPage)).URL).Pack(ctx, packRequest)
		Expect(err).To(MatchError("pack: no clear answer: HTTP 502"))
	})

	DescribeTable("names the operation, the kind and the code", func(ctx SpecContext, status int, code, text string) {
		err := aClient(aServer(saying(status, code, "no")).URL).Unpack(ctx, []string{"13"})
		Expect(err).To(MatchError(text))
	},
		Entry(nil, 400, "DLF.3051", "unpack: refused: DLF.3051: no"),
		Entry(nil, 400, "DLF.0810", "unpack: not found: DLF.0810: no"),
		Entry(nil, 400, "DLF.20990", "unpack: already deployed: DLF.20990: no"),
		Entry(nil, 401, "APIGW.0301", "unpack: credentials not accepted: APIGW.0301: no"),
		Entry(nil, 403, "", "unpack: not permitted: HTTP 403: no"),
		Entry(nil, 429, "APIGW.0308", "unpack: throttled: APIGW.0308: no"),
		Entry(nil, 500, "rm -rf", "unpack: no clear answer: HTTP 500: no"),
	)

	It("is of no kind if it is not of this package", func() {
		Expect(dataarts.KindOf(errors.New("x"))).To(Equal(dataarts.Unknown))
		err := fmt.Errorf("doing x: %w", &dataarts.Error{Kind: dataarts.Throttled})
		Expect(dataarts.KindOf(err)).To(Equal(dataarts.Throttled))
	})

	It("is the same for the same failure", func(ctx SpecContext) {
		c := aClient(aServer(hangUp).URL)
		_, first := c.Pack(ctx, packRequest)
		_, second := c.Pack(ctx, packRequest)
		Expect(first).To(MatchError(second.Error()))
		Expect(aClient("http://127.0.0.1:1").Unpack(ctx, []string{"13"})).
			To(MatchError("unpack: service unreachable: connection refused"))
	})
})
