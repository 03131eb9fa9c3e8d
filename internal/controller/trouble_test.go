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

package controller_test

import (
	"context"
	"net/http/httptest"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// trouble is something that goes wrong, what users read about it, and its end.
type trouble struct {
	begin, end func(context.Context, *scene, *v1alpha1.ReleasePackage)
	kind       string // of the condition
	reason     string
	cause      string // in the message
	nextStep   string // in the message
	// ofWorkspace tells that it is met by all packages of the workspace, so that the event is about that.
	ofWorkspace bool
	// again is when the operator comes back by itself.
	again types.GomegaMatcher
}

// requeue is how a pass asks for the next one.
type requeue struct {
	ctrl.Result
	Err error
}

var (
	byBackoff = within(time.Second, 4*time.Second) // Of the first three tries.
	// byBackoffUnanswered is that of calls without an answer, which are held back after the third.
	byBackoffUnanswered = within(time.Second, 5*time.Second)
	notAtAll            = Equal(requeue{})
)

func within(from, to time.Duration) types.GomegaMatcher {
	return And(HaveField("Err", BeNil()),
		HaveField("RequeueAfter", And(BeNumerically(">=", from), BeNumerically("<=", to+to/10))))
}

// withSecret replaces what the Secret holds.
func withSecret(data map[string]string) func(context.Context, *scene, *v1alpha1.ReleasePackage) {
	return func(ctx context.Context, s *scene, _ *v1alpha1.ReleasePackage) {
		GinkgoHelper()
		expectEdited(ctx, s, s.aSecret(), func(secret *corev1.Secret) { secret.Data, secret.StringData = nil, data })
	}
}

// withWorkspace changes the workspace object.
func withWorkspace(change func(*scene, *v1alpha1.DataArtsWorkspace)) func(context.Context, *scene,
	*v1alpha1.ReleasePackage) {
	return func(ctx context.Context, s *scene, _ *v1alpha1.ReleasePackage) {
		GinkgoHelper()
		expectEdited(ctx, s, s.aWorkspace(), func(ws *v1alpha1.DataArtsWorkspace) { change(s, ws) })
	}
}

// withFault lets calls go wrong until the service is reset.
func withFault(f simulator.Fault) func(context.Context, *scene, *v1alpha1.ReleasePackage) {
	return func(_ context.Context, s *scene, _ *v1alpha1.ReleasePackage) {
		GinkgoHelper()
		f.Times = simulator.Forever
		s.inject(f)
	}
}

func resetService(_ context.Context, s *scene, _ *v1alpha1.ReleasePackage) { s.service.Reset() }

func rightToken(ctx context.Context, s *scene, rp *v1alpha1.ReleasePackage) {
	GinkgoHelper()
	withSecret(map[string]string{v1alpha1.SecretKeyToken: token})(ctx, s, rp)
}

func rightEndpoint(s *scene, ws *v1alpha1.DataArtsWorkspace) { ws.Spec.Endpoint = s.endpoint }

// deadEndpoint is an address where nobody listens.
func deadEndpoint(_ *scene, ws *v1alpha1.DataArtsWorkspace) {
	server := httptest.NewServer(nil)
	ws.Spec.Endpoint = server.URL
	server.Close()
}

// expectTold checks that trouble is told once, however often it is met, and that every pass asks for the next one as
// it should.
func (t trouble) expectTold(ctx context.Context, s *scene, rp *v1alpha1.ReleasePackage) {
	GinkgoHelper()
	for range 3 {
		s.clock.Step(soon)
		result, err := s.pass(ctx, rp)
		Expect(requeue{result, err}).To(t.again)
		expectCondition(rp, t.kind, metav1.ConditionTrue, t.reason, ContainSubstring(t.cause), ContainSubstring(t.nextStep))
	}
	if t.ofWorkspace {
		Expect(s.told()).To(BeEmpty())
		return
	}
	Expect(s.told()).To(ConsistOf(HavePrefix("Warning " + t.reason + " ")))
}

// expectOvercome makes passes until the package is in review, for as long as a lost request may take to settle.
func expectOvercome(ctx context.Context, s *scene, rp *v1alpha1.ReleasePackage) {
	GinkgoHelper()
	for range 4 {
		s.clock.Step(settleTime / 3)
		s.expectReconciled(ctx, rp)
	}
	expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
	expectNoCondition(rp, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled)
	Expect(s.livePackages()).To(ConsistOf(rp.Status.ReleasePackageID))
}

var _ = Describe("Trouble", func() {
	DescribeTable("before anything is packed is told once, and overcome when its cause is gone",
		func(ctx SpecContext, t trouble) {
			s := readyScene(ctx)
			rp := s.aReleasePackage()
			t.begin(ctx, s, rp)
			s.expectApplied(ctx, rp)

			t.expectTold(ctx, s, rp)
			Expect(s.console.Packages()).To(BeEmpty())

			t.end(ctx, s, rp)
			expectOvercome(ctx, s, rp)
			Expect(s.told()).To(ContainElement(HavePrefix("Normal Packed ")))
		},
		Entry("a workspace object that does not exist", trouble{
			begin: func(ctx context.Context, s *scene, _ *v1alpha1.ReleasePackage) {
				Expect(s.Delete(ctx, s.aWorkspace())).To(Succeed())
			},
			end: func(ctx context.Context, s *scene, _ *v1alpha1.ReleasePackage) {
				Expect(s.Create(ctx, s.aWorkspace())).To(Succeed())
			},
			kind: v1alpha1.ConditionReconciling, reason: v1alpha1.ReasonWorkspaceNotFound, again: byBackoff,
			cause:    `DataArtsWorkspace "default" does not exist`,
			nextStep: "create it or, as long as nothing was packed, correct spec.workspaceRef",
		}),
		Entry("a missing Secret", trouble{ofWorkspace: true,
			begin: func(ctx context.Context, s *scene, _ *v1alpha1.ReleasePackage) {
				Expect(s.Delete(ctx, s.aSecret())).To(Succeed())
			},
			end: func(ctx context.Context, s *scene, _ *v1alpha1.ReleasePackage) {
				Expect(s.Create(ctx, s.aSecret())).To(Succeed())
			},
			kind: v1alpha1.ConditionReconciling, reason: v1alpha1.ReasonCredentialsNotFound, again: byBackoff,
			cause:    `Secret "dataarts" of DataArtsWorkspace "default" does not exist`,
			nextStep: "create it with the keys accessKey and secretKey",
		}),
		Entry("a Secret without usable keys", trouble{ofWorkspace: true,
			begin: withSecret(map[string]string{"username": "me"}), end: rightToken,
			kind: v1alpha1.ConditionReconciling, reason: v1alpha1.ReasonCredentialsInvalid, again: byBackoff,
			cause: "holds no credentials", nextStep: "it needs the keys accessKey and secretKey",
		}),
		Entry("a line break in the Secret", trouble{ofWorkspace: true,
			begin: withSecret(map[string]string{v1alpha1.SecretKeyToken: token + "\n"}), end: rightToken,
			kind: v1alpha1.ConditionReconciling, reason: v1alpha1.ReasonCredentialsInvalid, again: byBackoff,
			cause: "line break around the value of token", nextStep: "store the bare value",
		}),
		Entry("a wrong secret key", trouble{ofWorkspace: true,
			begin: withSecret(map[string]string{v1alpha1.SecretKeyAccessKey: accessKey, v1alpha1.SecretKeySecretKey: "wrong"}),
			end:   rightToken,
			kind:  v1alpha1.ConditionReconciling, reason: v1alpha1.ReasonCredentialsRejected,
			again: within(30*time.Second, 30*time.Second),
			cause: "does not accept the credentials", nextStep: "correct the Secret",
		}),
		Entry("an endpoint where nobody listens", trouble{ofWorkspace: true,
			begin: withWorkspace(deadEndpoint), end: withWorkspace(rightEndpoint),
			kind: v1alpha1.ConditionReconciling, reason: v1alpha1.ReasonServiceUnavailable, again: byBackoffUnanswered,
			cause: "connection refused", nextStep: "check spec.region or spec.endpoint",
		}),
		Entry("plain http without the flag", trouble{ofWorkspace: true,
			begin: func(_ context.Context, s *scene, _ *v1alpha1.ReleasePackage) {
				s.reconciler.Workspaces.AllowInsecure = false
			},
			end:  func(_ context.Context, s *scene, _ *v1alpha1.ReleasePackage) { s.restart() },
			kind: v1alpha1.ConditionReconciling, reason: v1alpha1.ReasonWorkspaceInvalid, again: byBackoff,
			cause: "spec.endpoint is not https", nextStep: "--allow-insecure-endpoints",
		}),
		Entry("a pending item that does not exist", trouble{
			begin: func(_ context.Context, _ *scene, rp *v1alpha1.ReleasePackage) {
				rp.Spec.PendingItemIDs = []v1alpha1.ID{"999"}
			},
			end: func(ctx context.Context, s *scene, rp *v1alpha1.ReleasePackage) {
				expectEdited(ctx, s, rp, func(rp *v1alpha1.ReleasePackage) { rp.Spec.PendingItemIDs = s.items[:1] })
			},
			kind: v1alpha1.ConditionStalled, reason: v1alpha1.ReasonPreflightFailed, again: within(5*time.Minute, 6*time.Minute),
			cause: "items 999 are not in the pending list", nextStep: "Correct the spec",
		}),
		Entry("a request that the service refuses", trouble{
			begin: withFault(simulator.Fault{Operation: simulator.OpPack, Kind: simulator.FaultError, Status: 400,
				Code:    simulator.CodeInvalidParameter,
				Message: "The request parameter is invalid."}),
			end: func(ctx context.Context, s *scene, rp *v1alpha1.ReleasePackage) {
				s.service.Reset()
				expectEdited(ctx, s, rp, forced("again"))
			},
			kind: v1alpha1.ConditionStalled, reason: v1alpha1.ReasonRefused, again: notAtAll,
			cause: "DLF.3051", nextStep: "Check that the items are pending",
		}),
		Entry("a missing permission", trouble{
			begin: withFault(simulator.Fault{Operation: simulator.OpPack, Kind: simulator.FaultError, Status: 403,
				Code: simulator.CodeUserForbidden}),
			end:  resetService,
			kind: v1alpha1.ConditionReconciling, reason: v1alpha1.ReasonCredentialsRejected, again: byBackoff,
			cause: "lack a permission", nextStep: "give their user a DAYU role",
		}),
		Entry("a throttled call that says when to come back", trouble{ofWorkspace: true,
			begin: withFault(simulator.Fault{Operation: simulator.OpPack, Kind: simulator.FaultError, Status: 429,
				Code: simulator.CodeThrottled, RetryAfter: 20 * time.Second}),
			end:  resetService,
			kind: v1alpha1.ConditionReconciling, reason: v1alpha1.ReasonThrottled,
			again: within(10*time.Second, 20*time.Second),
			cause: "asks for fewer calls", nextStep: "lower spec.requestsPerSecond",
		}),
		Entry("a 500", troubleWithPack(simulator.Fault{Kind: simulator.FaultError, Status: 500, Message: "internal"},
			"HTTP 500")),
		Entry("a 502 of the gateway",
			troubleWithPack(simulator.Fault{Kind: simulator.FaultError, Status: 502, Code: simulator.CodeBadRequest},
				"APIGW.0201")),
		Entry("a page in HTML", troubleWithPack(simulator.Fault{Kind: simulator.FaultRaw, Status: 200,
			ContentType: "text/html", Body: "<html/>"}, "could not be decoded")),
	)

	DescribeTable("with a package in review is told once, and what is known of the package stands",
		func(ctx SpecContext, t trouble) {
			s := readyScene(ctx)
			rp := s.expectPacked(ctx)
			t.ofWorkspace = true // The look is made for all.
			t.begin(ctx, s, rp)
			for range 3 { // What passes by itself is not told.
				s.look(ctx, 2*pollInterval)
			}
			t.expectTold(ctx, s, rp)
			expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
			Expect(rp.Status.NextAttemptTime).To(BeNil(), "looks are made again without a pass")

			t.end(ctx, s, rp)
			expectOvercome(ctx, s, rp)
			Expect(s.told()).To(BeEmpty())
		},
		Entry("a 500", troubleWithLook(simulator.Fault{Kind: simulator.FaultError, Status: 500}, "HTTP 500")),
		Entry("a 502 in HTML", troubleWithLook(simulator.Fault{Kind: simulator.FaultRaw, Status: 502,
			ContentType: "text/html", Body: "<html>"}, "HTTP 502")),
		Entry("a page in HTML", troubleWithLook(simulator.Fault{Kind: simulator.FaultRaw, Status: 200,
			ContentType: "text/html", Body: "<html/>"}, "could not be decoded")),
		Entry("a call cut off", troubleWithLook(simulator.Fault{Kind: simulator.FaultDrop}, "connection was lost")),
		Entry("credentials that expired", trouble{
			begin: func(ctx context.Context, s *scene, rp *v1alpha1.ReleasePackage) {
				withSecret(map[string]string{v1alpha1.SecretKeyToken: "expired"})(ctx, s, rp)
				s.clock.Step(30 * time.Second)
			},
			end:  rightToken,
			kind: v1alpha1.ConditionReconciling, reason: v1alpha1.ReasonCredentialsRejected,
			again: within(time.Second, pollInterval),
			cause: "does not accept the credentials", nextStep: "correct the Secret",
		}),
	)

	It("with credentials does not get the key locked", func(ctx SpecContext) {
		s := readyScene(ctx)
		withSecret(map[string]string{v1alpha1.SecretKeyAccessKey: accessKey, v1alpha1.SecretKeySecretKey: "wrong"})(ctx, s,
			nil)
		rp := s.aReleasePackage()
		s.expectApplied(ctx, rp)
		for range 8 {
			s.expectReconciledAfter(ctx, 30*time.Second, rp)
		}
		Expect(s.service.Requests()).To(HaveLen(1))
	})
})

// troubleWithPack is an answer to a pack request that proves nothing; the next request comes after the settle time
// alone.
func troubleWithPack(f simulator.Fault, cause string) trouble {
	f.Operation = simulator.OpPack
	return trouble{
		begin: withFault(f), end: resetService,
		kind: v1alpha1.ConditionReconciling, reason: v1alpha1.ReasonOutcomeUnknown, again: within(time.Second, soon*5),
		cause: cause, nextStep: "looks for the package and sends nothing meanwhile",
	}
}

// troubleWithLook is an answer to a look that cannot be understood.
func troubleWithLook(f simulator.Fault, cause string) trouble {
	f.Operation = simulator.OpShow
	return trouble{
		begin: withFault(f), end: resetService,
		kind: v1alpha1.ConditionReconciling, reason: v1alpha1.ReasonServiceUnavailable,
		again: within(time.Second, pollInterval),
		cause: cause, nextStep: "If this lasts, check spec.endpoint",
	}
}

var _ = Describe("A pause of a whole day that the service asks for", func() {
	It("is cut short, told as it is, and tried once when a person asks for that", func(ctx SpecContext) {
		s := readyScene(ctx)
		rp := s.aReleasePackage()
		s.expectApplied(ctx, rp)
		s.inject(simulator.Fault{Operation: simulator.OpPack, Kind: simulator.FaultError, Status: 429,
			Code: simulator.CodeThrottled, RetryAfter: 24 * time.Hour,
			Times: simulator.Forever})
		began := s.clock.Now()
		result := s.expectReconciled(ctx, rp)
		expectCondition(rp, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonThrottled)
		expectAgreed := func() {
			GinkgoHelper()
			conn, err := s.reconciler.Workspaces.Connect(ctx, rp.Namespace, rp.Spec.WorkspaceRef)
			Expect(err).NotTo(HaveOccurred())
			until := conn.ThrottledUntil()
			Expect(until.Sub(s.clock.Now())).To(BeNumerically("<=", 3*time.Minute))
			Expect(rp.Status.NextAttemptTime).NotTo(BeNil())
			Expect(rp.Status.NextAttemptTime.Time).To(BeTemporally("==", until.Truncate(time.Second)))
			Expect(result.RequeueAfter).To(BeNumerically("~", until.Sub(s.clock.Now()), until.Sub(s.clock.Now())/10+time.Second))
		}
		expectAgreed()
		result = s.expectReconciledAfter(ctx, time.Minute, rp)
		Expect(s.calls(simulator.OpPack)).To(Equal(1))
		expectAgreed()
		Expect(s.clock.Since(began)).To(BeNumerically("~", time.Minute, time.Second))

		expectEdited(ctx, s, rp, forced("now"))
		for range 3 {
			result = s.expectReconciled(ctx, rp)
		}
		Expect(s.calls(simulator.OpPack)).To(Equal(2), "one call tries it")
		expectAgreed()

		s.service.Reset()
		s.clock.Step(time.Minute)
		expectEdited(ctx, s, rp, forced("again"))
		for range 2 {
			s.expectReconciled(ctx, rp)
		}
		expectCondition(rp, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPendingReview)
	})
})
