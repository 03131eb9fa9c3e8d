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

package simulator_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// sign signs like the vendor's SDK, which signs every header but Content-Type and those with an
// underscore, and leaves out what the spec says.
func sign(r *http.Request, body string, key keyPair, at time.Time, unsigned ...string) {
	r.Header.Set("X-Sdk-Date", at.UTC().Format("20060102T150405Z"))
	var names []string
	lines := map[string]string{}
	for name := range r.Header {
		lower := strings.ToLower(name)
		if lower == "content-type" || lower == "authorization" || strings.Contains(lower, "_") ||
			slices.Contains(unsigned, lower) {
			continue
		}
		names = append(names, lower)
		lines[lower] = lower + ":" + strings.TrimSpace(r.Header.Get(name)) + "\n"
	}
	slices.Sort(names)
	headers := ""
	for _, name := range names {
		headers += lines[name]
	}
	canonical := fmt.Sprintf("%s\n%s/\n%s\n%s\n%s\n%x",
		r.Method, r.URL.EscapedPath(), sortedQuery(r.URL), headers, strings.Join(names, ";"), sha256.Sum256([]byte(body)))
	text := fmt.Sprintf("SDK-HMAC-SHA256\n%s\n%x", r.Header.Get("X-Sdk-Date"), sha256.Sum256([]byte(canonical)))
	mac := hmac.New(sha256.New, []byte(key.secret))
	mac.Write([]byte(text))
	r.Header.Set("Authorization", fmt.Sprintf("SDK-HMAC-SHA256 Access=%s, SignedHeaders=%s, Signature=%x",
		key.access, strings.Join(names, ";"), mac.Sum(nil)))
}

// sortedQuery is good enough for the plain values that the specs send.
func sortedQuery(u *url.URL) string {
	if u.RawQuery == "" {
		return ""
	}
	pairs := strings.Split(u.RawQuery, "&")
	for i, pair := range pairs {
		if !strings.Contains(pair, "=") {
			pairs[i] += "="
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

var _ = Describe("Signatures", func() {
	It("accepts one that was computed outside of Go", func(ctx SpecContext) {
		const signature = "f24cd57aec5be8c373c3cd35f1c7a1c13a2ac9ad00a6921fe98fa5a28ff91425"
		s := start()
		r := s.build(ctx, request{
			method: http.MethodPost, path: unpackPath, body: `{"package_ids":["13"]}` + "\n",
			header: map[string]string{
				"User-Agent": "huaweicloud-usdk-go/3.0; vector",
				"X-Sdk-Date": "20250513T010203Z",
				"Authorization": "SDK-HMAC-SHA256 Access=DEV, SignedHeaders=user-agent;workspace;x-project-id;x-sdk-date, " +
					"Signature=" + signature,
			},
		})
		answer, err := s.send(r)
		Expect(err).NotTo(HaveOccurred())
		Expect(answer.code()).To(Equal(doesNotExist), "the signature passes, the package is unknown")
	})

	DescribeTable("covers", func(ctx SpecContext, change func(*http.Request), want int) {
		s := start()
		r := s.build(ctx,
			request{method: http.MethodGet, path: itemsPath + "?limit=1&task_type&item_name=a%20b", key: developer})
		change(r)
		answer, err := s.send(r)
		Expect(err).NotTo(HaveOccurred())
		Expect(answer.status).To(Equal(want), answer.body)
	},
		Entry("nothing that changed", func(*http.Request) {}, http.StatusOK),
		Entry("the query, but not its order", func(r *http.Request) {
			r.URL.RawQuery = "item_name=a%20b&task_type=&limit=1"
		}, http.StatusOK),
		Entry("the values of the query", func(r *http.Request) {
			r.URL.RawQuery = "limit=2&task_type&item_name=a%20b"
		}, http.StatusUnauthorized),
		Entry("the path", func(r *http.Request) { r.URL.Path = packagesPath + "/1" }, http.StatusUnauthorized),
		Entry("the method", func(r *http.Request) {
			r.Method, r.URL.Path = http.MethodPost, packagesPath
		}, http.StatusUnauthorized),
		Entry("the signed headers", func(r *http.Request) { r.Header.Set("workspace", "ws-2") }, http.StatusUnauthorized),
		Entry("the date", func(r *http.Request) {
			r.Header.Set("X-Sdk-Date", "20250513T010204Z")
		}, http.StatusUnauthorized),
		Entry("the date, if it is one", func(r *http.Request) {
			r.Header.Set("X-Sdk-Date", "yesterday")
		}, http.StatusUnauthorized),
		Entry("no header that was not signed", func(r *http.Request) { r.Header.Set("Trace_id", "x") }, http.StatusOK),
		Entry("no content type", func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }, http.StatusOK),
	)

	It("covers the body", func(ctx SpecContext) {
		s := start()
		r := s.build(ctx, request{method: http.MethodPost, path: packagesPath, body: `{"limit":1}`})
		sign(r, `{"limit":2}`, developer, s.clock.Now())
		answer, err := s.send(r)
		Expect(err).NotTo(HaveOccurred())
		Expect(answer.code()).To(Equal(unauthorized))
	})

	It("has to cover the date", func(ctx SpecContext) {
		s := start()
		r := s.build(ctx, request{method: http.MethodGet, path: itemsPath})
		sign(r, none, developer, s.clock.Now(), "workspace")
		answer, err := s.send(r)
		Expect(err).NotTo(HaveOccurred())
		Expect(answer.status).To(Equal(http.StatusOK), "other headers may be left out")

		r = s.build(ctx, request{method: http.MethodGet, path: itemsPath})
		sign(r, none, developer, s.clock.Now(), "x-sdk-date")
		answer, err = s.send(r)
		Expect(err).NotTo(HaveOccurred())
		Expect(answer.status).To(Equal(http.StatusUnauthorized))
	})

	It("covers the host when the client signs it", func(ctx SpecContext) {
		s := start()
		r := s.build(ctx, request{method: http.MethodGet, path: itemsPath})
		r.Header.Set("Host", r.URL.Host) // signed, but sent by net/http from r.Host
		sign(r, none, developer, s.clock.Now())
		answer, err := s.send(r)
		Expect(err).NotTo(HaveOccurred())
		Expect(answer.status).To(Equal(http.StatusOK), answer.body)

		r = s.build(ctx, request{method: http.MethodGet, path: itemsPath})
		r.Header.Set("Host", "elsewhere")
		sign(r, none, developer, s.clock.Now())
		answer, err = s.send(r)
		Expect(err).NotTo(HaveOccurred())
		Expect(answer.status).To(Equal(http.StatusUnauthorized))
	})

	DescribeTable("refuses a header it cannot read", func(ctx SpecContext, value string) {
		s := start()
		r := s.build(ctx, request{method: http.MethodGet, path: itemsPath, key: developer})
		r.Header.Set("Authorization", value)
		answer, err := s.send(r)
		Expect(err).NotTo(HaveOccurred())
		Expect(answer.status).To(Equal(http.StatusUnauthorized))
		Expect(answer.code()).To(Equal(unauthorized))
	},
		Entry("another algorithm", "AWS4-HMAC-SHA256 Access=DEV, SignedHeaders=x-sdk-date, Signature=00"),
		Entry("nothing but the algorithm", "SDK-HMAC-SHA256"),
		Entry("no key", "SDK-HMAC-SHA256 SignedHeaders=x-sdk-date, Signature=00"),
		Entry("a date that is not signed", "SDK-HMAC-SHA256 Access=DEV, SignedHeaders=user-agent, Signature=00"),
		Entry("a signature that is not hexadecimal", "SDK-HMAC-SHA256 Access=DEV, SignedHeaders=x-sdk-date, Signature=zz"),
		Entry("no signature", "SDK-HMAC-SHA256 Access=DEV, SignedHeaders=x-sdk-date"),
		Entry("an empty signature", "SDK-HMAC-SHA256 Access=DEV, SignedHeaders=x-sdk-date, Signature="),
	)
})
