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
	"net/http/httptest"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

var _ = Describe("Console", func() {
	states := func(s *service) []simulator.State {
		var got []simulator.State
		for _, p := range s.console.Packages() {
			got = append(got, p.State)
		}
		return got
	}

	It("takes a package through its states", func(ctx SpecContext) {
		s := start()
		s.packed(ctx, "a", "b")
		Expect(s.console.StartDeploy("1")).To(Succeed())
		Expect(s.console.Deploy("2")).To(Succeed())
		Expect(states(s)).To(Equal([]simulator.State{simulator.StateDeploying, simulator.StateDeployed}))
		Expect(s.console.FailDeploy("1")).To(Succeed())
		Expect(states(s)[0]).To(Equal(simulator.StateFailed))
		Expect(s.console.StartDeploy("1")).To(Succeed())
		Expect(s.console.FinishDeploy("1")).To(Succeed())
		Expect(states(s)[0]).To(Equal(simulator.StateDeployed))
		Expect(s.snapshot("1").Deployer).To(Equal(reviewerID))
	})

	It("refuses steps that the state does not allow", func(ctx SpecContext) {
		s := start()
		s.packed(ctx, "review", "deployed", "withdrawn")
		Expect(s.console.Deploy("2")).To(Succeed())
		Expect(s.console.Withdraw("3")).To(Succeed())
		for _, err := range []error{
			s.console.FinishDeploy("1"), s.console.FailDeploy("1"),
			s.console.Deploy("2"), s.console.StartDeploy("2"), s.console.Withdraw("2"),
			s.console.Deploy("3"), s.console.StartDeploy("3"), s.console.Withdraw("3"), s.console.FinishDeploy("3"),
		} {
			Expect(err).To(MatchError(simulator.ErrState))
		}
	})

	It("knows no other packages, items and workspaces", func(ctx SpecContext) {
		s := start()
		s.packed(ctx, "a")
		Expect(s.console.Vanish("1")).To(Succeed())
		Expect(s.console.Deploy("1")).To(MatchError(simulator.ErrNotFound))
		Expect(s.console.Deploy("9")).To(MatchError(simulator.ErrNotFound))
		_, err := s.console.Pack("p", developerID, []string{reviewerID}, []string{"9"})
		Expect(err).To(MatchError(simulator.ErrNotFound))

		nowhere := s.Console(project, "ws-9")
		Expect(nowhere.Deploy("1")).To(MatchError(simulator.ErrNotFound))
		_, err = nowhere.Submit(simulator.NewItem{})
		Expect(err).To(MatchError(simulator.ErrNotFound))
		_, err = nowhere.Pack("p", developerID, nil, nil)
		Expect(err).To(MatchError(simulator.ErrNotFound))
		Expect(nowhere.Items()).To(BeNil())
		Expect(nowhere.Packages()).To(BeNil())
	})

	It("lets a row vanish and frees its items", func(ctx SpecContext) {
		s := start()
		s.packed(ctx, "a")
		Expect(s.console.Vanish("1")).To(Succeed())
		Expect(s.list(ctx).body).To(MatchJSON(`{"total":0,"data":[]}`))
		Expect(s.get(ctx, packagesPath+"/1").code()).To(Equal(doesNotExist))
		Expect(s.snapshot("1")).To(And(HaveField("Gone", true), HaveField("Withdrawn", false), HaveField("Live()", false)))
		Expect(s.post(ctx, packPath, packBody("again", "1")).status).To(Equal(http.StatusOK))
	})

	DescribeTable("ends a deployment for good", func(ctx SpecContext, end func(*simulator.Console, string) error) {
		s := start(func(o *simulator.Options) { o.DeployDuration = time.Second })
		s.packed(ctx, "a")
		Expect(s.console.StartDeploy("1")).To(Succeed())
		Expect(end(s.console, "1")).To(Succeed())
		s.clock.advance(time.Minute)
		Expect(s.snapshot("1").State).To(Equal(simulator.StateDeploying))
		Expect(s.console.Items()).To(ConsistOf(HaveField("Gone", false)))
	},
		Entry("when the package is withdrawn", (*simulator.Console).Withdraw),
		Entry("when the package vanishes", (*simulator.Console).Vanish),
	)

	It("sets states that nobody documented", func(ctx SpecContext) {
		s := start(func(o *simulator.Options) { o.DeployDuration = time.Second })
		s.packed(ctx, "a")
		Expect(s.console.StartDeploy("1")).To(Succeed())
		Expect(s.console.SetState("1", 4)).To(Succeed())
		s.clock.advance(time.Minute)
		Expect(s.list(ctx).body).To(ContainSubstring(`"deploy_status":4`), "the deployment is forgotten")
	})

	It("packs without approvers, which nobody then deploys", func() {
		s := start()
		Expect(s.console.Pack("p", developerID, nil, s.submitted("a"))).To(Equal("1"))
		Expect(s.console.Deploy("1")).To(Succeed())
		Expect(s.snapshot("1").Deployer).To(BeEmpty())
	})

	It("shows items with the packages that hold them", func(ctx SpecContext) {
		s := start(assuming(func(a *simulator.Assumptions) { a.SharedItem = simulator.Accept }))
		s.submitted("a")
		s.post(ctx, packPath, packBody("one", "1"))
		s.post(ctx, packPath, packBody("two", "1"))
		Expect(s.console.Items()).To(ConsistOf(simulator.Item{
			ID: "1", Packages: []string{"1", "2"},
			NewItem: simulator.NewItem{
				Name: "a", TaskType: simulator.TaskJob, UpdateType: simulator.UpdateAdd, SubmitUserID: developerID, Version: 1,
			},
		}))
		Expect(s.console.Withdraw("1")).To(Succeed())
		Expect(s.console.Items()).To(ConsistOf(HaveField("Packages", []string{"2"})))
	})

	It("does not bring back a released item with another package", func(ctx SpecContext) {
		s := start(assuming(func(a *simulator.Assumptions) { a.SharedItem = simulator.Accept }))
		s.submitted("a")
		s.post(ctx, packPath, packBody("one", "1"))
		s.post(ctx, packPath, packBody("two", "1"))
		Expect(s.console.Deploy("1")).To(Succeed())
		Expect(s.console.Withdraw("2")).To(Succeed())
		Expect(s.console.Items()).To(ConsistOf(And(HaveField("Gone", true), HaveField("Packages", BeEmpty()))))
	})
})

var _ = Describe("Control API", func() {
	const here = "/projects/p-1/workspaces/ws-1"

	call := func(s *service, method, path, body string) reply {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		w := httptest.NewRecorder()
		s.Control().ServeHTTP(w, r)
		return reply{w.Code, w.Header(), w.Body.String()}
	}

	It("submits, packs and lists", func() {
		s := start()
		r := call(s, http.MethodPost, here+"/items", `{"items":[{"name":"a","submitUserId":"dev-id"}]}`)
		Expect(r.status).To(Equal(http.StatusCreated))
		Expect(r.body).To(MatchJSON(`{"ids":["1"]}`))
		r = call(s, http.MethodPost, here+"/packages",
			`{"name":"p","applicant":"dev-id","approvers":["rev-id"],"items":["1"]}`)
		Expect(r.status).To(Equal(http.StatusCreated))
		Expect(r.body).To(MatchJSON(`{"id":"1"}`))
		Expect(call(s, http.MethodGet, here+"/items", none).body).To(MatchJSON(`{"items":[
			{"id":"1","name":"a","taskType":1,"updateType":1,"submitUserId":"dev-id","version":1,"packages":["1"]}]}`))
		Expect(call(s, http.MethodGet, here+"/packages", none).body).To(MatchJSON(`{"packages":[
			{"id":"1","name":"p","state":1,"applicant":"dev-id","approvers":["rev-id"],"items":["1"],
			"packed":"2025-05-13T01:02:03Z"}]}`))
	})

	DescribeTable("takes steps", func(ctx SpecContext, step, body string, want OmegaMatcher) {
		s := start()
		s.packed(ctx, "a")
		if strings.HasPrefix(step, "f") {
			Expect(s.console.StartDeploy("1")).To(Succeed())
		}
		Expect(call(s, http.MethodPost, here+"/packages/1/"+step, body).status).To(Equal(http.StatusNoContent))
		Expect(s.snapshot("1")).To(want)
	},
		Entry("deploy", "deploy", none, HaveField("State", simulator.StateDeployed)),
		Entry("start", "start-deploy", none, HaveField("State", simulator.StateDeploying)),
		Entry("finish", "finish-deploy", none, HaveField("State", simulator.StateDeployed)),
		Entry("fail", "fail-deploy", none, HaveField("State", simulator.StateFailed)),
		Entry("withdraw", "withdraw", none, HaveField("Withdrawn", true)),
		Entry("vanish", "vanish", none, HaveField("Gone", true)),
		Entry("set", "set-state", `{"state":4}`, HaveField("State", simulator.State(4))),
	)

	It("injects and lists faults", func(ctx SpecContext) {
		s := start()
		fault := `{"operation":"list","kind":"error","afterWork":true,"skip":1,"times":-1,"status":429,` +
			`"code":"APIGW.0308","message":"slow","retryAfter":"3s"}`
		Expect(call(s, http.MethodPost, "/faults", fault).status).To(Equal(http.StatusNoContent))
		Expect(call(s, http.MethodGet, "/faults", none).body).To(MatchJSON(`{"faults":[` + fault + `]}`))
		Expect(s.list(ctx).status).To(Equal(http.StatusOK))
		Expect(s.list(ctx).header.Get("Retry-After")).To(Equal("3"))

		Expect(call(s, http.MethodPost, "/faults", `{"kind":"delay","delay":"1ms"}`).status).To(Equal(http.StatusNoContent))
		Expect(call(s, http.MethodPost, "/faults",
			`{"operation":"list","kind":"stale","lag":"1m0s"}`).status).To(Equal(http.StatusNoContent))
		Expect(s.Faults()[1:]).To(HaveExactElements(
			HaveField("Delay", time.Millisecond), HaveField("Lag", time.Minute)))
	})

	It("shows and changes the limits", func(ctx SpecContext) {
		s := start(func(o *simulator.Options) { o.RateLimit, o.Latency = 1, time.Millisecond })
		Expect(call(s, http.MethodGet, "/limits", none).body).To(MatchJSON(
			`{"rateLimit":1,"otherCalls":0,"retryAfter":"0s","latency":"1ms",
			"itemLag":"0s","listLag":"0s","showLag":"0s","clockOffset":"0s"}`))
		Expect(s.list(ctx).status).To(Equal(http.StatusOK))
		Expect(s.list(ctx).status).To(Equal(http.StatusTooManyRequests))

		Expect(call(s, http.MethodPut, "/limits",
			`{"rateLimit":4,"latency":"2ms","retryAfter":"24h"}`).status).To(Equal(http.StatusNoContent))
		Expect(s.Limits()).To(Equal(simulator.Limits{RateLimit: 4, Latency: 2 * time.Millisecond,
			RetryAfter: 24 * time.Hour}))
		Expect(s.list(ctx).status).To(Equal(http.StatusOK))
		Expect(s.list(ctx).status).To(Equal(http.StatusOK))
		throttled := s.list(ctx)
		Expect(throttled.status).To(Equal(http.StatusTooManyRequests), "the calls of this second count")
		Expect(throttled.header.Get("Retry-After")).To(Equal("86400"))

		s.clock.advance(time.Second)
		Expect(call(s, http.MethodPut, "/limits", `{"rateLimit":4,"otherCalls":2.5}`).status).To(Equal(http.StatusNoContent))
		Expect(s.Limits()).To(Equal(simulator.Limits{RateLimit: 4, OtherCalls: 2.5}))

		Expect(call(s, http.MethodPut, "/limits",
			`{"itemLag":"1s","listLag":"2s","showLag":"3s","clockOffset":"-8h"}`).status).
			To(Equal(http.StatusNoContent))
		Expect(s.Limits()).To(Equal(simulator.Limits{
			ItemLag: time.Second, ListLag: 2 * time.Second, ShowLag: 3 * time.Second, ClockOffset: -8 * time.Hour}))

		Expect(call(s, http.MethodPut, "/limits", `{}`).status).To(Equal(http.StatusNoContent))
		Expect(s.Limits()).To(BeZero())
		Expect(s.list(ctx).status).To(Equal(http.StatusOK))
	})

	It("lets a new latency pass before the work", func(ctx SpecContext) {
		s := start()
		Expect(call(s, http.MethodPut, "/limits", `{"latency":"1h"}`).status).To(Equal(http.StatusNoContent))
		done := make(chan error, 1)
		r := s.build(ctx,
			request{method: http.MethodPost, path: packPath, body: packBody("a", s.submitted("a")...), key: developer})
		go func() {
			_, err := s.send(r)
			done <- err
		}()
		Eventually(ctx, s.Requests).Should(ContainElement(HaveField("User", developerID)))
		Consistently(ctx, done, "50ms").ShouldNot(Receive())
		s.Close()
		Eventually(ctx, done).Should(Receive(HaveOccurred()))
		Expect(s.console.Packages()).To(BeEmpty())
	})

	It("shows and resets the log", func(ctx SpecContext) {
		s := start()
		s.list(ctx)
		Expect(call(s, http.MethodGet, "/requests", none).body).To(MatchJSON(`{"requests":[
			{"operation":"list","method":"POST","path":"/v2/p-1/factory/release-packages","user":"dev-id",
			"project":"p-1","workspace":"ws-1","time":"2025-05-13T01:02:03Z","status":200,"workDone":true}]}`))
		Expect(call(s, http.MethodGet, "/counts", none).body).To(MatchJSON(`{"list":1}`))
		Expect(call(s, http.MethodPost, "/reset", none).status).To(Equal(http.StatusNoContent))
		Expect(call(s, http.MethodGet, "/counts", none).body).To(MatchJSON(`{}`))
	})

	DescribeTable("refuses", func(ctx SpecContext, method, path, body string, want int) {
		s := start()
		s.packed(ctx, "a")
		Expect(call(s, method, path, body).status).To(Equal(want))
	},
		Entry("an unknown path", http.MethodGet, "/", none, http.StatusNotFound),
		Entry("an unknown step", http.MethodPost, here+"/packages/1/explode", none, http.StatusNotFound),
		Entry("another method", http.MethodDelete, "/faults", none, http.StatusMethodNotAllowed),
		Entry("an unknown package", http.MethodPost, here+"/packages/9/deploy", none, http.StatusNotFound),
		Entry("an unknown workspace", http.MethodPost, "/projects/p-1/workspaces/x/items", `{"items":[]}`,
			http.StatusNotFound),
		Entry("an unknown item", http.MethodPost, here+"/packages", `{"items":["9"]}`, http.StatusNotFound),
		Entry("a step out of state", http.MethodPost, here+"/packages/1/finish-deploy", none, http.StatusConflict),
		Entry("a misspelt field", http.MethodPost, "/faults", `{"kinds":"drop"}`, http.StatusBadRequest),
		Entry("two values", http.MethodPost, "/faults", `{"kind":"drop"}{}`, http.StatusBadRequest),
		Entry("an impossible fault", http.MethodPost, "/faults", `{"kind":"delay"}`, http.StatusBadRequest),
		Entry("a duration without unit", http.MethodPost, "/faults", `{"kind":"delay","delay":"5"}`, http.StatusBadRequest),
		Entry("a negative limit", http.MethodPut, "/limits", `{"rateLimit":-1}`, http.StatusBadRequest),
		Entry("a negative latency", http.MethodPut, "/limits", `{"latency":"-1s"}`, http.StatusBadRequest),
		Entry("a negative second caller", http.MethodPut, "/limits", `{"otherCalls":-1}`, http.StatusBadRequest),
		Entry("a negative Retry-After", http.MethodPut, "/limits", `{"retryAfter":"-1s"}`, http.StatusBadRequest),
		Entry("a negative lag", http.MethodPut, "/limits", `{"showLag":"-1s"}`, http.StatusBadRequest),
		Entry("a limit that is none", http.MethodPut, "/limits", `{"limit":1}`, http.StatusBadRequest),
		Entry("limits without JSON", http.MethodPut, "/limits", none, http.StatusBadRequest),
		Entry("items without JSON", http.MethodPost, here+"/items", none, http.StatusBadRequest),
		Entry("a package without JSON", http.MethodPost, here+"/packages", none, http.StatusBadRequest),
		Entry("a state without JSON", http.MethodPost, here+"/packages/1/set-state", none, http.StatusBadRequest),
	)
})
