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
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

var _ = Describe("Gateway", func() {
	DescribeTable("knows no other paths and methods", func(ctx SpecContext, method, path string) {
		s := start()
		r := s.as(ctx, developer, method, path, none)
		Expect(r.status).To(Equal(http.StatusNotFound))
		Expect(r.code()).To(Equal("APIGW.0101"))
		Expect(r.header.Get("X-Request-Id")).To(MatchRegexp("^[0-9a-f]{32}$"))
		Expect(r.decode()).To(HaveKeyWithValue("request_id", r.header.Get("X-Request-Id")))
	},
		Entry("root", http.MethodGet, "/"),
		Entry("another version", http.MethodGet, "/v1/p-1/factory/pending-items"),
		Entry("another service", http.MethodGet, "/v2/p-1/design/pending-items"),
		Entry("a slash at the end", http.MethodGet, itemsPath+"/"),
		Entry("a doubled slash", http.MethodGet, "/v2/p-1//factory/pending-items"),
		Entry("an empty package id", http.MethodGet, packagesPath+"/"),
		Entry("a package id with a slash", http.MethodGet, packagesPath+"/1/2"),
		Entry("GET to a POST", http.MethodGet, packPath),
		Entry("POST to a GET", http.MethodPost, itemsPath),
		Entry("DELETE", http.MethodDelete, packagesPath+"/1"),
	)

	DescribeTable("checks headers and body", func(ctx SpecContext, r request, status int, code string) {
		s := start()
		answer, err := s.try(ctx, r)
		Expect(err).NotTo(HaveOccurred())
		Expect(answer.status).To(Equal(status), answer.body)
		Expect(answer.code()).To(Equal(code))
	},
		Entry("no credentials", request{method: http.MethodGet, path: itemsPath}, http.StatusUnauthorized, unauthorized),
		Entry("a token", request{
			method: http.MethodGet, path: itemsPath, header: map[string]string{"X-Auth-Token": "dev-token"},
		}, http.StatusOK, none),
		Entry("a wrong token", request{
			method: http.MethodGet, path: itemsPath, header: map[string]string{"X-Auth-Token": "other"},
		}, http.StatusUnauthorized, unauthorized),
		Entry("an unknown access key", request{
			method: http.MethodGet, path: itemsPath, key: keyPair{"NOBODY", "dev-secret"},
		}, http.StatusUnauthorized, unauthorized),
		Entry("a wrong secret key", request{
			method: http.MethodGet, path: itemsPath, key: keyPair{"DEV", "other"},
		}, http.StatusUnauthorized, unauthorized),
		Entry("a temporary key with its token", request{
			method: http.MethodGet, path: itemsPath, key: keyPair{"TMP", "tmp-secret"},
			header: map[string]string{"X-Security-Token": "tmp-security"},
		}, http.StatusOK, none),
		Entry("a temporary key without its token", request{
			method: http.MethodGet, path: itemsPath, key: keyPair{"TMP", "tmp-secret"},
		}, http.StatusUnauthorized, unauthorized),
		Entry("a permanent key with some token", request{
			method: http.MethodGet, path: itemsPath, key: developer, header: map[string]string{"X-Security-Token": "x"},
		}, http.StatusUnauthorized, unauthorized),
		Entry("a project of others", request{
			method: http.MethodGet, path: "/v2/p-2/factory/pending-items", key: developer,
		}, http.StatusForbidden, "APIGW.0302"),
		Entry("signed without project by a user of two", request{
			method: http.MethodGet, path: itemsPath, key: keyPair{"TWO", "two-secret"},
			header: map[string]string{"X-Project-Id": none},
		}, http.StatusBadRequest, "APIGW.0106"),
		Entry("a token without project by a user of two", request{
			method: http.MethodGet, path: itemsPath,
			header: map[string]string{"X-Project-Id": none, "X-Auth-Token": "two-token"},
		}, http.StatusOK, none),
		Entry("signed without project by a user of one", request{
			method: http.MethodGet, path: itemsPath, key: developer, header: map[string]string{"X-Project-Id": none},
		}, http.StatusOK, none),
		Entry("a body without content type", request{
			method: http.MethodPost, path: packagesPath, body: "{}", key: developer,
			header: map[string]string{"Content-Type": none},
		}, http.StatusBadRequest, "APIGW.0106"),
		Entry("neither body nor content type", request{
			method: http.MethodPost, path: packagesPath, key: developer, header: map[string]string{"Content-Type": none},
		}, http.StatusOK, none),
		Entry("items without workspace", request{
			method: http.MethodGet, path: itemsPath, key: developer, header: map[string]string{"workspace": none},
		}, http.StatusBadRequest, "APIGW.0106"),
		Entry("pack without workspace", request{
			method: http.MethodPost, path: packPath, body: "{}", key: developer, header: map[string]string{"workspace": none},
		}, http.StatusBadRequest, "APIGW.0106"),
		Entry("more than 12 MB", request{
			method: http.MethodPost, path: packagesPath, body: strings.Repeat(" ", 12<<20+1), key: developer,
		}, http.StatusRequestEntityTooLarge, "APIGW.0201"),
	)

	DescribeTable("refuses signatures of another time", func(ctx SpecContext, skew time.Duration, want int) {
		s := start()
		r := s.build(ctx, request{method: http.MethodGet, path: itemsPath, key: developer})
		s.clock.advance(skew)
		answer, err := s.send(r)
		Expect(err).NotTo(HaveOccurred())
		Expect(answer.status).To(Equal(want))
	},
		Entry("15 minutes old", 15*time.Minute, http.StatusOK),
		Entry("older", 15*time.Minute+time.Second, http.StatusUnauthorized),
		Entry("15 minutes ahead", -15*time.Minute, http.StatusOK),
		Entry("further ahead", -15*time.Minute-time.Second, http.StatusUnauthorized),
	)

	It("does not repeat what it was sent", func(ctx SpecContext) {
		s := start()
		for _, r := range []request{
			{method: http.MethodGet, path: itemsPath, header: map[string]string{"X-Auth-Token": "my-private-token"}},
			{method: http.MethodGet, path: itemsPath, key: keyPair{"MYPRIVATEKEY", "x"}},
			{method: http.MethodGet, path: itemsPath, key: keyPair{"TMP", "x"},
				header: map[string]string{"X-Security-Token": "my-private-sts"}},
		} {
			sent := s.build(ctx, r)
			answer, err := s.send(sent)
			Expect(err).NotTo(HaveOccurred())
			Expect(answer.status).To(Equal(http.StatusUnauthorized))
			Expect(strings.ToLower(answer.body)).NotTo(ContainSubstring("private"))
			if _, signature, signed := strings.Cut(sent.Header.Get("Authorization"), "Signature="); signed {
				Expect(answer.body).NotTo(ContainSubstring(signature))
			}
		}
	})

	Describe("lockout", func() {
		wrong := keyPair{developer.access, "wrong"}

		fail := func(ctx SpecContext, s *service, times int) {
			GinkgoHelper()
			for range times {
				Expect(s.as(ctx, wrong, http.MethodGet, itemsPath, none).status).To(Equal(http.StatusUnauthorized))
			}
		}

		It("spares a key that failed five times", func(ctx SpecContext) {
			s := start()
			fail(ctx, s, 5)
			Expect(s.get(ctx, itemsPath).status).To(Equal(http.StatusOK))
			fail(ctx, s, 5)
			Expect(s.get(ctx, itemsPath).status).To(Equal(http.StatusOK), "a success starts the count anew")
		})

		It("locks the key for five minutes after the sixth", func(ctx SpecContext) {
			s := start()
			fail(ctx, s, 6)
			locked := s.get(ctx, itemsPath)
			Expect(locked.status).To(Equal(http.StatusUnauthorized))
			Expect(locked.code()).To(Equal(unauthorized))
			Expect(locked.body).To(ContainSubstring("AK access failed to reach the limit,forbidden"))
			Expect(s.as(ctx, reviewer, http.MethodGet, itemsPath, none).status).To(Equal(http.StatusOK), "others are free")

			s.clock.advance(5*time.Minute - time.Second)
			Expect(s.get(ctx, itemsPath).status).To(Equal(http.StatusUnauthorized))
			s.clock.advance(time.Second)
			Expect(s.get(ctx, itemsPath).status).To(Equal(http.StatusOK))
		})
	})

	Describe("rate limit", func() {
		limited := func(o *simulator.Options) { o.RateLimit = 2 }

		It("is off unless switched on", func(ctx SpecContext) {
			s := start()
			for range 30 {
				Expect(s.get(ctx, itemsPath).status).To(Equal(http.StatusOK))
			}
		})

		It("counts the calls of a user in each second", func(ctx SpecContext) {
			s := start(limited)
			Expect(s.get(ctx, itemsPath).status).To(Equal(http.StatusOK))
			Expect(s.list(ctx).status).To(Equal(http.StatusOK))
			refused := s.get(ctx, itemsPath)
			Expect(refused.status).To(Equal(http.StatusTooManyRequests))
			Expect(refused.code()).To(Equal("APIGW.0308"))
			Expect(refused.header).NotTo(HaveKey("Retry-After"))
			Expect(s.as(ctx, reviewer, http.MethodGet, itemsPath, none).status).To(Equal(http.StatusOK))

			s.clock.advance(time.Second)
			Expect(s.get(ctx, itemsPath).status).To(Equal(http.StatusOK))
		})

		It("does no work for a call too many", func(ctx SpecContext) {
			s := start(limited)
			items := s.submitted("a")
			s.list(ctx)
			s.list(ctx)
			Expect(s.post(ctx, packPath, packBody("a", items...)).status).To(Equal(http.StatusTooManyRequests))
			Expect(s.console.Packages()).To(BeEmpty())
		})

		It("can say when to come back", func(ctx SpecContext) {
			s := start(limited, assuming(func(a *simulator.Assumptions) { a.RetryAfter = 3 }))
			s.list(ctx)
			s.list(ctx)
			Expect(s.list(ctx).header).To(HaveKeyWithValue("Retry-After", []string{"3"}))
		})

		It("can say so with a date", func(ctx SpecContext) {
			s := start(limited,
				assuming(func(a *simulator.Assumptions) { a.RetryAfter, a.RetryAfterForm = 86400, simulator.RetryDate }))
			s.list(ctx)
			s.list(ctx)
			Expect(s.list(ctx).header).To(HaveKeyWithValue("Retry-After", []string{"Wed, 14 May 2025 01:02:03 GMT"}))
		})

		// admitted are how many of so many calls a second get through, over some seconds, when they are spread evenly.
		admitted := func(ctx SpecContext, s *service, perSecond, seconds int) int {
			GinkgoHelper()
			n := 0
			for range perSecond * seconds {
				if s.list(ctx).status == http.StatusOK {
					n++
				}
				s.clock.advance(time.Second / time.Duration(perSecond))
			}
			return n
		}

		DescribeTable("shares the limit with a second caller",
			func(ctx SpecContext, window simulator.RateWindow, others float64, want int) {
				s := start(func(o *simulator.Options) { o.RateLimit = 4 }, assuming(func(a *simulator.Assumptions) {
					a.RateWindow, a.OtherCalls = window, others
				}))
				Expect(s.Limits().OtherCalls).To(Equal(others))
				Expect(admitted(ctx, s, 8, 10)).To(BeNumerically("~", want, 4))
			},
			Entry("who makes none", simulator.WindowSecond, 0.0, 40),
			Entry("who is half as busy", simulator.WindowSecond, 4.0, 30),
			Entry("who takes all", simulator.WindowSecond, 400.0, 10),
			Entry("who calls every other second", simulator.WindowSecond, 0.5, 40),
			Entry("who takes half of a bucket", simulator.WindowBucket, 2.0, 22),
			Entry("who takes more than there is from a bucket", simulator.WindowBucket, 5.0, 2),
		)

		It("may count in minutes", func(ctx SpecContext) {
			s := start(limited, assuming(func(a *simulator.Assumptions) { a.RateWindow = simulator.WindowMinute }))
			s.clock.advance(57 * time.Second) // To the beginning of one.
			for range 120 {
				Expect(s.list(ctx).status).To(Equal(http.StatusOK))
			}
			Expect(s.list(ctx).status).To(Equal(http.StatusTooManyRequests))
			s.clock.advance(59 * time.Second)
			Expect(s.list(ctx).status).To(Equal(http.StatusTooManyRequests))
			s.clock.advance(time.Second)
			Expect(s.list(ctx).status).To(Equal(http.StatusOK))
		})

		It("may be a bucket", func(ctx SpecContext) {
			s := start(limited, assuming(func(a *simulator.Assumptions) { a.RateWindow = simulator.WindowBucket }))
			Expect(s.list(ctx).status).To(Equal(http.StatusOK))
			Expect(s.list(ctx).status).To(Equal(http.StatusOK))
			Expect(s.list(ctx).status).To(Equal(http.StatusTooManyRequests))
			s.clock.advance(time.Second / 2)
			Expect(s.list(ctx).status).To(Equal(http.StatusOK))
			Expect(s.list(ctx).status).To(Equal(http.StatusTooManyRequests))
		})
	})

	It("lets the latency pass before the work", func(ctx SpecContext) {
		s := start(func(o *simulator.Options) { o.Latency = time.Hour })
		s.submitted("a")
		done := make(chan error, 1)
		r := s.build(ctx, request{method: http.MethodPost, path: packPath, body: packBody("a", "1"), key: developer})
		go func() {
			_, err := s.send(r)
			done <- err
		}()
		Eventually(ctx, s.Requests).Should(ContainElement(HaveField("User", developerID)))
		Expect(s.console.Packages()).To(BeEmpty())
		s.Close()
		Eventually(ctx, done).Should(Receive(HaveOccurred()))
		Expect(s.console.Packages()).To(BeEmpty())
	})

	It("answers after the latency", func(ctx SpecContext) {
		s := start(func(o *simulator.Options) { o.Latency = time.Millisecond })
		Expect(s.list(ctx).status).To(Equal(http.StatusOK))
	})
})
