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
	"context"
	"io"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

var _ = Describe("Faults", func() {
	inject := func(s *service, faults ...simulator.Fault) {
		GinkgoHelper()
		for _, f := range faults {
			Expect(s.Inject(f)).To(Succeed())
		}
	}
	pack := func(s *service) request {
		GinkgoHelper()
		return request{method: http.MethodPost, path: packPath, body: packBody("p", s.submitted("a")...), key: developer}
	}
	// leaveWhile lets the client give up once the server holds the call.
	leaveWhile := func(ctx SpecContext, s *service, r request) error {
		GinkgoHelper()
		call, leave := context.WithCancel(ctx)
		defer leave()
		req := s.build(call, r)
		done := make(chan error, 1)
		go func() {
			_, err := s.send(req)
			done <- err
		}()
		Eventually(ctx, s.Requests).Should(ContainElement(HaveField("Fault", Not(BeEmpty()))))
		leave()
		var err error
		Eventually(ctx, done).Should(Receive(&err))
		return err
	}

	Describe("before and after the work", func() {
		DescribeTable("answer", func(ctx SpecContext, f simulator.Fault, want reply, packages int) {
			s := start()
			inject(s, f)
			r, err := s.try(ctx, pack(s))
			Expect(err).NotTo(HaveOccurred())
			Expect(r.status).To(Equal(want.status))
			Expect(r.code()).To(Equal(want.code()))
			if want.code() == none {
				Expect(r.body).To(Equal(want.body))
			}
			Expect(s.console.Packages()).To(HaveLen(packages))
			Expect(s.Requests()).To(ConsistOf(And(
				HaveField("Status", want.status), HaveField("WorkDone", packages == 1), HaveField("Fault", f.Kind))))
		},
			Entry("an error",
				simulator.Fault{Kind: simulator.FaultError, Status: 502, Code: "APIGW.0201", Message: "backend unavailable"},
				reply{status: 502, body: `{"error_code":"APIGW.0201"}`}, 0),
			Entry("an error after the work",
				simulator.Fault{Kind: simulator.FaultError, AfterWork: true, Status: 504, Code: "APIGW.0201", Message: "timeout"},
				reply{status: 504, body: `{"error_code":"APIGW.0201"}`}, 1),
			Entry("HTML",
				simulator.Fault{Kind: simulator.FaultRaw, Status: 502, ContentType: "text/html", Body: "<html>"},
				reply{status: 502, body: "<html>"}, 0),
			Entry("nothing after the work",
				simulator.Fault{Kind: simulator.FaultRaw, AfterWork: true, Status: 200},
				reply{status: 200}, 1),
			Entry("no content after the work",
				simulator.Fault{Kind: simulator.FaultRaw, AfterWork: true, Status: 204},
				reply{status: 204}, 1),
			Entry("another type after the work",
				simulator.Fault{
					Kind: simulator.FaultRaw, AfterWork: true, Status: 200,
					ContentType: "application/json", Body: `{"release_package_id":1}`,
				},
				reply{status: 200, body: `{"release_package_id":1}`}, 1),
		)

		DescribeTable("drop the connection", func(ctx SpecContext, after bool, packages int) {
			s := start()
			inject(s, simulator.Fault{Kind: simulator.FaultDrop, AfterWork: after})
			_, err := s.try(ctx, pack(s))
			Expect(err).To(HaveOccurred())
			Expect(s.console.Packages()).To(HaveLen(packages))
			Expect(s.Requests()).To(ConsistOf(And(HaveField("Status", 0), HaveField("WorkDone", after))))
		},
			Entry("before", false, 0),
			Entry("after", true, 1),
		)

		DescribeTable("hang until the client leaves", func(ctx SpecContext, after bool, packages int) {
			s := start()
			inject(s, simulator.Fault{Kind: simulator.FaultHang, AfterWork: after})
			Expect(leaveWhile(ctx, s, pack(s))).To(MatchError(context.Canceled))
			Eventually(ctx, s.Requests).Should(ConsistOf(And(HaveField("Status", 0), HaveField("WorkDone", after))))
			Expect(s.console.Packages()).To(HaveLen(packages))
		},
			Entry("before", false, 0),
			Entry("after", true, 1),
		)

		DescribeTable("delay", func(ctx SpecContext, after bool) {
			s := start()
			inject(s, simulator.Fault{Kind: simulator.FaultDelay, AfterWork: after, Delay: time.Millisecond})
			r, err := s.try(ctx, pack(s))
			Expect(err).NotTo(HaveOccurred())
			Expect(r.status).To(Equal(http.StatusOK))
		},
			Entry("before", false),
			Entry("after", true),
		)

		DescribeTable("delay for longer than the client waits", func(ctx SpecContext, after bool, packages int) {
			s := start()
			inject(s, simulator.Fault{Kind: simulator.FaultDelay, AfterWork: after, Delay: time.Hour})
			Expect(leaveWhile(ctx, s, pack(s))).To(MatchError(context.Canceled))
			Eventually(ctx, s.console.Packages).Should(HaveLen(packages))
		},
			Entry("before", false, 0),
			Entry("after", true, 1),
		)
	})

	It("send half of the answer and stall", func(ctx SpecContext) {
		s := start()
		inject(s, simulator.Fault{Kind: simulator.FaultStall})
		call, leave := context.WithCancel(ctx)
		defer leave()
		resp, err := s.client.Do(s.build(call, pack(s)))
		Expect(err).NotTo(HaveOccurred())
		defer func() { Expect(resp.Body.Close()).To(Succeed()) }()
		Expect(resp.StatusCode).To(Equal(http.StatusOK))
		half := make([]byte, 10)
		_, err = io.ReadFull(resp.Body, half)
		Expect(err).NotTo(HaveOccurred())
		Expect(string(half)).To(Equal(`{"package_`))
		leave()
		_, err = io.ReadAll(resp.Body)
		Expect(err).To(MatchError(context.Canceled))
		Expect(s.console.Packages()).To(HaveLen(1))
		Expect(s.Requests()).To(ConsistOf(And(HaveField("Status", 200), HaveField("WorkDone", true))))
	})

	It("end when the server closes", func(ctx SpecContext) {
		s := start()
		inject(s, simulator.Fault{Kind: simulator.FaultHang})
		r := s.build(ctx, pack(s))
		done := make(chan error, 1)
		go func() {
			_, err := s.send(r)
			done <- err
		}()
		Eventually(ctx, s.Requests).Should(ContainElement(HaveField("Fault", simulator.FaultHang)))
		s.Close()
		s.Close() // twice is once
		Eventually(ctx, done).Should(Receive(MatchError(io.EOF)))
	})

	It("say when to come back", func(ctx SpecContext) {
		s := start()
		inject(s,
			simulator.Fault{Kind: simulator.FaultError, Status: 429, Code: "APIGW.0308", RetryAfter: 7 * time.Second},
			simulator.Fault{Kind: simulator.FaultRaw, Status: 503, RetryAfter: 8 * time.Second})
		Expect(s.list(ctx).header.Get("Retry-After")).To(Equal("7"))
		Expect(s.list(ctx).header.Get("Retry-After")).To(Equal("8"))
	})

	Describe("stale lists", func() {
		listedAs := func(ctx SpecContext, s *service, f simulator.Fault) []string {
			GinkgoHelper()
			f.Operation, f.Kind = simulator.OpList, simulator.FaultStale
			inject(s, f)
			var rows []string
			for _, row := range s.list(ctx).decode()["data"].([]any) {
				fields := row.(map[string]any)
				rows = append(rows, toJSON([]any{fields["package_id"], fields["deploy_status"], fields["delete_flag"]}))
			}
			return rows
		}

		It("are some changes behind", func(ctx SpecContext) {
			s := start()
			s.packed(ctx, "a", "b", "c")
			Expect(s.console.Deploy("1")).To(Succeed()) // two changes
			Expect(s.console.Withdraw("2")).To(Succeed())
			Expect(s.console.Vanish("3")).To(Succeed())
			Expect(listedAs(ctx, s, simulator.Fault{Behind: 1})).To(Equal([]string{`["3",1,0]`, `["2",1,1]`, `["1",2,0]`}))
			Expect(listedAs(ctx, s, simulator.Fault{Behind: 2})).To(Equal([]string{`["3",1,0]`, `["2",1,0]`, `["1",2,0]`}))
			Expect(listedAs(ctx, s, simulator.Fault{Behind: 3})).To(Equal([]string{`["3",1,0]`, `["2",1,0]`, `["1",5,0]`}))
			Expect(listedAs(ctx, s, simulator.Fault{Behind: 5})).To(Equal([]string{`["2",1,0]`, `["1",1,0]`}))
			Expect(listedAs(ctx, s, simulator.Fault{Behind: 99})).To(BeEmpty())
			Expect(s.list(ctx).rows("package_id")).To(Equal([]string{"2", "1"}), "the next list is fresh")
		})

		It("count an unpack of one package as one change, however often it is named", func(ctx SpecContext) {
			s := start()
			s.packed(ctx, "a")
			Expect(s.unpack(ctx, "1", "1").status).To(Equal(http.StatusOK))
			Expect(listedAs(ctx, s, simulator.Fault{Behind: 1})).To(Equal([]string{`["1",1,0]`}))
		})

		It("are some time behind", func(ctx SpecContext) {
			s := start()
			s.packed(ctx, "a")
			s.clock.advance(time.Minute)
			s.packed(ctx, "b")
			Expect(listedAs(ctx, s, simulator.Fault{Lag: time.Second})).To(Equal([]string{`["1",1,0]`}))
			s.clock.advance(time.Second)
			Expect(listedAs(ctx, s, simulator.Fault{Lag: time.Second})).To(Equal([]string{`["2",1,0]`, `["1",1,0]`}))
			Expect(listedAs(ctx, s, simulator.Fault{Lag: time.Hour})).To(BeEmpty())
		})
	})

	Describe("choice of calls", func() {
		status := func(code int) simulator.Fault {
			return simulator.Fault{Kind: simulator.FaultError, Status: code, Code: "X", Message: "x"}
		}
		statuses := func(ctx SpecContext, s *service, calls int) []int {
			GinkgoHelper()
			var got []int
			for range calls {
				got = append(got, s.list(ctx).status)
			}
			return got
		}
		on := func(f simulator.Fault, op simulator.Operation, skip, times int) simulator.Fault {
			f.Operation, f.Skip, f.Times = op, skip, times
			return f
		}

		It("is by operation, or any", func(ctx SpecContext) {
			s := start()
			inject(s, on(status(500), simulator.OpShow, 0, 1), on(status(501), "", 0, 1))
			Expect(s.list(ctx).status).To(Equal(501))
			Expect(s.get(ctx, packagesPath+"/1").status).To(Equal(500))
		})

		It("is from one call to another", func(ctx SpecContext) {
			s := start()
			inject(s, on(status(500), simulator.OpList, 2, 2))
			Expect(statuses(ctx, s, 6)).To(Equal([]int{200, 200, 500, 500, 200, 200}))
		})

		It("is in the order of injection", func(ctx SpecContext) {
			s := start()
			inject(s, on(status(500), simulator.OpList, 1, 1), status(501), on(status(502), "", 0, 2))
			Expect(s.Faults()).To(HaveLen(3))
			Expect(statuses(ctx, s, 5)).To(Equal([]int{501, 500, 502, 502, 200}))
			Expect(s.Faults()).To(BeEmpty())
		})

		It("is every call until the reset", func(ctx SpecContext) {
			s := start()
			inject(s, on(status(500), "", 0, simulator.Forever))
			Expect(statuses(ctx, s, 3)).To(Equal([]int{500, 500, 500}))
			Expect(s.Faults()).To(ConsistOf(HaveField("Times", simulator.Forever)))
			s.Reset()
			Expect(statuses(ctx, s, 1)).To(Equal([]int{200}))
		})

		It("leaves out calls that the gateway refuses", func(ctx SpecContext) {
			s := start()
			inject(s, status(500))
			Expect(s.as(ctx, keyPair{"DEV", "wrong"}, http.MethodGet, itemsPath, none).status).To(Equal(http.StatusUnauthorized))
			Expect(s.list(ctx).status).To(Equal(500))
		})
	})

	DescribeTable("are refused when they cannot strike", func(f simulator.Fault) {
		s := start()
		Expect(s.Inject(f)).NotTo(Succeed())
		Expect(s.Faults()).To(BeEmpty())
	},
		Entry("no kind", simulator.Fault{}),
		Entry("unknown operation", simulator.Fault{Operation: "x", Kind: simulator.FaultDrop}),
		Entry("negative skip", simulator.Fault{Kind: simulator.FaultDrop, Skip: -1}),
		Entry("negative times", simulator.Fault{Kind: simulator.FaultDrop, Times: -2}),
		Entry("error without status", simulator.Fault{Kind: simulator.FaultError}),
		Entry("raw with an informational status", simulator.Fault{Kind: simulator.FaultRaw, Status: 101}),
		Entry("delay of nothing", simulator.Fault{Kind: simulator.FaultDelay}),
		Entry("stale for another operation",
			simulator.Fault{Operation: simulator.OpShow, Kind: simulator.FaultStale, Behind: 1}),
		Entry("stale by nothing", simulator.Fault{Operation: simulator.OpList, Kind: simulator.FaultStale}),
	)
})
