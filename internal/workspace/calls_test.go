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

package workspace_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
	"github.com/dataarts-operator/dataarts-operator/internal/workspace"
)

const rejectedPause = 5 * time.Minute

// aRequest asks for a package of the items that are pending from the start.
var aRequest = dataarts.PackRequest{
	PackageName: "rel-a", ApplyUserID: developer, PendingItemIDs: []string{"1", "2"}, ApproverIDs: []string{deployer},
}

// everyCall are all calls that wait for the budget by themselves.
func everyCall(conn *workspace.Connection) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Probe":  conn.Probe,
		"Unpack": func(ctx context.Context) error { return conn.Unpack(ctx, "13") },
		"Look": func(ctx context.Context) error {
			_, err := conn.Look(ctx, "13")
			return err
		},
		"Search": func(ctx context.Context) error {
			_, err := conn.Search(ctx, "rel")
			return err
		},
		"PendingItems": func(ctx context.Context) error {
			_, err := conn.PendingItems(ctx)
			return err
		},
		"Pending": func(ctx context.Context) error {
			_, err := conn.Pending(ctx, []string{"1"})
			return err
		},
	}
}

// expectHeldBack expects that no call reaches the service, and that each says why.
func (s *site) expectHeldBack(ctx context.Context, conn *workspace.Connection, kind dataarts.Kind) {
	GinkgoHelper()
	before := s.calls()
	for name, call := range everyCall(conn) {
		err := call(ctx)
		expectNoSecret(err)
		Expect(dataarts.KindOf(err)).To(Equal(kind), name)
	}
	Expect(dataarts.KindOf(conn.AcquirePackNow(ctx))).To(Equal(kind))
	Expect(s.calls()).To(Equal(before))
}

var _ = Describe("The calls", func() {
	It("pack, find, show and unpack a package", func(ctx SpecContext) {
		s := aSite()
		conn := s.expectConnected(ctx)
		items, err := conn.PendingItems(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(items).To(HaveExactElements(HaveField("ID", "1"), HaveField("ID", "2")))

		Expect(conn.AcquirePackNow(ctx)).To(Succeed())
		id, err := conn.Pack(ctx, aRequest)
		Expect(err).NotTo(HaveOccurred())
		Expect(conn.Look(ctx, id)).To(And(HaveField("Name", "rel-a"), HaveField("Items", HaveLen(2))))
		Expect(conn.Search(ctx, "el-")).To(HaveExactElements(HaveField("ID", id)))
		Expect(conn.Search(ctx, "other")).To(BeEmpty())

		Expect(conn.Unpack(ctx, id)).To(Succeed())
		Expect(dataarts.KindOf(conn.Unpack(ctx, id))).To(Equal(dataarts.NotFound))
	})

	It("come no faster than the budget allows, whoever makes them", func(ctx SpecContext) {
		s := aSite()
		s.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.RequestsPerSecond = 20 })
		conn := s.expectConnected(ctx)
		begin := time.Now()
		var group sync.WaitGroup
		for range 6 {
			group.Go(func() {
				defer GinkgoRecover()
				Expect(conn.Probe(ctx)).To(Succeed())
			})
		}
		group.Wait()
		Expect(time.Since(begin)).To(BeNumerically(">=", 5*time.Second/20))
		Expect(s.calls()).To(Equal(6))
	})

	It("are not made once their context has ended", func(ctx SpecContext) {
		s := aSite()
		conn := s.expectConnected(ctx)
		ended, cancel := context.WithCancel(ctx)
		cancel()
		for name, call := range everyCall(conn) {
			Expect(call(ended)).To(MatchError(context.Canceled), name)
		}
		Expect(s.calls()).To(BeZero())
	})
})

var _ = Describe("After credentials were rejected", func() {
	aRejectedSite := func(ctx context.Context, pairs ...string) (*site, *workspace.Connection) {
		GinkgoHelper()
		s := aSite()
		s.storeSecret(ctx, pairs...)
		conn := s.expectConnected(ctx)
		err := conn.Probe(ctx)
		expectNoSecret(err)
		Expect(dataarts.KindOf(err)).To(Equal(dataarts.Unauthorized))
		Expect(s.calls()).To(Equal(1))
		return s, conn
	}

	DescribeTable("no call is made for five minutes", func(ctx SpecContext, pairs ...string) {
		s, conn := aRejectedSite(ctx, pairs...)
		s.expectHeldBack(ctx, conn, dataarts.Unauthorized)
		Expect(conn.RetryAfter()).To(Equal(rejectedPause))

		s.clock.Step(rejectedPause - time.Nanosecond)
		s.expectHeldBack(ctx, conn, dataarts.Unauthorized)
		Expect(s.expectConnected(ctx)).To(BeIdenticalTo(conn), "the same Secret is no way around it")

		s.clock.Step(time.Nanosecond)
		Expect(conn.RetryAfter()).To(BeZero())
		Expect(dataarts.KindOf(conn.Probe(ctx))).To(Equal(dataarts.Unauthorized))
		Expect(s.calls()).To(Equal(2))
		s.expectHeldBack(ctx, conn, dataarts.Unauthorized)
	},
		Entry("with a wrong secret key", keyAccess, accessKey, keySecret, wrongSecret),
		Entry("with a temporary key that lacks its security token", keyAccess, temporaryKey, keySecret, secretKey),
		Entry("with a wrong token", keyToken, wrongSecret),
	)

	It("a corrected Secret lets calls through as soon as it is read", func(ctx SpecContext) {
		s, conn := aRejectedSite(ctx, keyAccess, accessKey, keySecret, wrongSecret)
		s.storeSecret(ctx, keyAccess, accessKey, keySecret, secretKey)
		s.clock.Step(secretTTL)
		corrected := s.expectConnected(ctx)
		Expect(corrected.RetryAfter()).To(BeZero())
		Expect(corrected.Probe(ctx)).To(Succeed())
		s.expectHeldBack(ctx, conn, dataarts.Unauthorized)
	})

	It("the calls that were waiting for the budget are not made either", func(ctx SpecContext) {
		s := aSite()
		s.storeSecret(ctx, keyAccess, accessKey, keySecret, wrongSecret)
		s.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.RequestsPerSecond = 1 })
		conn := s.expectConnected(ctx)
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() {
				defer GinkgoRecover()
				Expect(dataarts.KindOf(conn.Probe(ctx))).To(Equal(dataarts.Unauthorized))
			})
		}
		group.Wait()
		Expect(s.calls()).To(Equal(1))
	})

	It("no secret is shown, even if the service repeats it", func(ctx SpecContext) {
		s := aSite()
		Expect(s.Inject(simulator.Fault{Kind: simulator.FaultRaw, Status: http.StatusUnauthorized,
			ContentType: "application/json",
			Body: `{"error_code":"APIGW.0301","error_msg":"verify fail, ak ` + accessKey + ` sk ` + secretKey +
				`"}`})).To(
			Succeed())
		conn := s.expectConnected(ctx)
		expectNoSecret(conn.Probe(ctx))
		s.expectHeldBack(ctx, conn, dataarts.Unauthorized)
	})
})

var _ = Describe("After a call was throttled", func() {
	throttled := simulator.Fault{Kind: simulator.FaultError, Status: http.StatusTooManyRequests,
		Code: simulator.CodeThrottled, Message: "slow down"}

	DescribeTable("calls are held back", func(ctx SpecContext, retryAfter, pause time.Duration) {
		s := aSite()
		fault := throttled
		fault.RetryAfter = retryAfter
		Expect(s.Inject(fault)).To(Succeed())
		conn := s.expectConnected(ctx)
		Expect(dataarts.KindOf(conn.Probe(ctx))).To(Equal(dataarts.Throttled))
		Expect(conn.RetryAfter()).To(Equal(pause))

		s.clock.Step(pause - time.Nanosecond)
		s.expectHeldBack(ctx, conn, dataarts.Throttled)
		s.clock.Step(time.Nanosecond)
		Expect(conn.Probe(ctx)).To(Succeed())
		Expect(conn.RetryAfter()).To(BeZero())
	},
		Entry("for as long as the service asks", 30*time.Second, 30*time.Second),
		Entry("for a few seconds that are too long to wait", 6*time.Second, 6*time.Second),
	)

	It("a request to pack holds the others back too", func(ctx SpecContext) {
		s := aSite()
		fault := throttled
		fault.RetryAfter = 10 * time.Second
		Expect(s.Inject(fault)).To(Succeed())
		conn := s.expectConnected(ctx)
		_, err := conn.Pack(ctx, aRequest)
		Expect(dataarts.KindOf(err)).To(Equal(dataarts.Throttled))
		s.expectHeldBack(ctx, conn, dataarts.Throttled)
	})

	It("a request to pack that was admitted before is made", func(ctx SpecContext) {
		s := aSite()
		conn := s.expectConnected(ctx)
		Expect(conn.Probe(ctx)).To(Succeed())
		Expect(conn.AcquirePackNow(ctx)).To(Succeed())
		Expect(s.Inject(throttled)).To(Succeed())
		Expect(conn.Probe(ctx)).NotTo(Succeed())
		Expect(conn.Pack(ctx, aRequest)).NotTo(BeEmpty(), "its attempt is on record already")
	})
})

var _ = Describe("After another failure", func() {
	DescribeTable("the next call is made", func(ctx SpecContext, fault simulator.Fault) {
		s := aSite()
		Expect(s.Inject(fault)).To(Succeed())
		conn := s.expectConnected(ctx)
		expectNoSecret(conn.Probe(ctx))
		Expect(conn.RetryAfter()).To(BeZero())
		Expect(conn.Probe(ctx)).To(Succeed())
	},
		Entry("of the service", simulator.Fault{Kind: simulator.FaultError, Status: http.StatusBadGateway, Code: "APIGW.0610",
			Message: "no backend"}),
		Entry("of the permissions", simulator.Fault{Kind: simulator.FaultError, Status: http.StatusForbidden,
			Code: simulator.CodeUserForbidden, Message: "no"}),
		Entry("of the request", simulator.Fault{Kind: simulator.FaultError, Status: http.StatusBadRequest,
			Code: simulator.CodeInvalidParameter, Message: "no"}),
		Entry("of the line", simulator.Fault{Kind: simulator.FaultDrop}),
		Entry("of all sense", simulator.Fault{Kind: simulator.FaultRaw, Status: http.StatusOK, ContentType: "text/html",
			Body: "<p>" + strings.Repeat("?", 99)}),
	)
})
