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
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/controller"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

var _ = Describe("A DataArtsWorkspace", func() {
	var s *scene
	var ws *v1alpha1.DataArtsWorkspace
	var reconciler *controller.DataArtsWorkspaceReconciler

	BeforeEach(func(ctx SpecContext) {
		s = newScene(ctx)
		ws = s.aWorkspace()
		s.expectApplied(ctx, ws)
		reconciler = &controller.DataArtsWorkspaceReconciler{
			Client: s.api, Workspaces: s.reconciler.Workspaces, Events: s.recorder, Clock: s.clock,
			Needed: s.reconciler.HasRemains}
	})

	// expectVerdict makes a pass and checks what it says.
	expectVerdict := func(ctx context.Context, status metav1.ConditionStatus, reason, message string) {
		GinkgoHelper()
		result, err := reconciler.Reconcile(ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(ws)})
		Expect(err).NotTo(HaveOccurred())
		again := 30 * time.Second
		if strings.HasPrefix(reason, "Credentials") {
			again = 5 * time.Second // To find a corrected Secret soon.
		}
		Expect(result.RequeueAfter).To(BeNumerically("~", again, again/8))
		Expect(s.Get(ctx, client.ObjectKeyFromObject(ws), ws)).To(Succeed())
		Expect(meta.FindStatusCondition(ws.Status.Conditions, v1alpha1.ConditionReady)).To(HaveValue(And(
			HaveField("Status", status), HaveField("Reason", reason), HaveField("Message", ContainSubstring(message)))))
		Expect(ws.Status.ObservedGeneration).To(Equal(ws.Generation))
	}

	It("is available when the service answers, and is seldom asked again", func(ctx SpecContext) {
		s.expectApplied(ctx, s.aSecret())
		for range 3 {
			expectVerdict(ctx, metav1.ConditionTrue, v1alpha1.ReasonAvailable, "answers")
			s.clock.Step(30 * time.Second)
		}
		Expect(ws.Status.Endpoint).To(Equal(s.endpoint))
		Expect(s.api.writes).To(Equal(1))
		Expect(s.allCalls()).To(Equal(1))
		Expect(s.told()).To(ConsistOf(HavePrefix("Normal Available ")))

		s.clock.Step(10 * time.Minute)
		expectVerdict(ctx, metav1.ConditionTrue, v1alpha1.ReasonAvailable, "answers")
		Expect(s.allCalls()).To(Equal(2))
	})

	It("tells how often packages are looked at, and does not mind if that is a little more often", func(ctx SpecContext) {
		s.expectApplied(ctx, s.aSecret())
		expectInterval := func(d time.Duration) {
			GinkgoHelper()
			expectVerdict(ctx, metav1.ConditionTrue, v1alpha1.ReasonAvailable, "answers")
			Expect(ws.Status.PollInterval).To(HaveValue(HaveField("Duration", d)))
		}
		expectInterval(pollInterval)

		setInterval := func(d time.Duration) {
			GinkgoHelper()
			Expect(s.Get(ctx, client.ObjectKeyFromObject(ws), ws)).To(Succeed())
			ws.Spec.PollInterval.Duration = d
			Expect(s.Update(ctx, ws)).To(Succeed())
		}
		setInterval(0)
		expectInterval(5 * time.Second)

		conn, err := s.reconciler.Workspaces.ConnectTo(ctx, ws)
		Expect(err).NotTo(HaveOccurred())
		share := int(ws.Spec.RequestsPerSecond) / 20
		conn.Polled(90 * share)
		expectInterval(90 * time.Second)
		writes := s.api.writes
		s.clock.Step(30 * time.Second)
		conn.Polled(0)
		expectInterval(90 * time.Second)
		Expect(s.api.writes).To(Equal(writes))
		s.clock.Step(30 * time.Second)
		conn.Polled(0)
		expectInterval(30 * time.Second)

		setInterval(7 * time.Second)
		expectInterval(7 * time.Second)
	})

	It("counts its packages", func(ctx SpecContext) {
		s.expectApplied(ctx, s.aSecret())
		named := func(name, workspace string) func(*v1alpha1.ReleasePackage) {
			return func(rp *v1alpha1.ReleasePackage) {
				rp.Name, rp.Spec.WorkspaceRef.Name = name, workspace
			}
		}
		deployed := s.expectPacked(ctx, named("deployed", "default"))
		Expect(s.console.Deploy(deployed.Status.ReleasePackageID)).To(Succeed())
		s.expectReconciledAfter(ctx, pollInterval, deployed)
		s.expectApplied(ctx, s.aReleasePackage(named("new", "default")), s.aReleasePackage(named("other", "other")))

		expectVerdict(ctx, metav1.ConditionTrue, v1alpha1.ReasonAvailable, "answers")
		Expect(ws.Status.Packages).To(BeEquivalentTo(2))
		Expect(ws.Status.InFlight).To(BeEquivalentTo(1))
	})

	It("recovers when a missing Secret appears", func(ctx SpecContext) {
		for range 2 {
			expectVerdict(ctx, metav1.ConditionFalse, v1alpha1.ReasonCredentialsNotFound, "create it with")
		}
		Expect(s.told()).To(ConsistOf(HavePrefix("Warning CredentialsNotFound ")))
		s.expectApplied(ctx, s.aSecret())
		s.clock.Step(5 * time.Second)
		expectVerdict(ctx, metav1.ConditionTrue, v1alpha1.ReasonAvailable, "answers")
	})

	It("tells of rejected credentials without trying them often", func(ctx SpecContext) {
		secret := s.aSecret()
		secret.StringData[v1alpha1.SecretKeyToken] = "wrong"
		s.expectApplied(ctx, secret)
		for range 5 {
			expectVerdict(ctx, metav1.ConditionFalse, v1alpha1.ReasonCredentialsRejected, "correct the Secret")
			s.clock.Step(30 * time.Second)
		}
		Expect(s.service.Requests()).To(HaveLen(1))
		Expect(s.told()).To(ConsistOf(HavePrefix("Warning CredentialsRejected ")))

		expectEdited(ctx, s, secret, func(secret *corev1.Secret) { secret.Data[v1alpha1.SecretKeyToken] = []byte(token) })
		expectVerdict(ctx, metav1.ConditionTrue, v1alpha1.ReasonAvailable, "answers")
	})

	It("tells of a workspace that the service does not know", func(ctx SpecContext) {
		s.expectApplied(ctx, s.aSecret())
		expectEdited(ctx, s, ws, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.WorkspaceID = "nowhere" })
		expectVerdict(ctx, metav1.ConditionFalse, v1alpha1.ReasonRefused, "check spec.projectId and spec.workspaceId")
	})

	It("tells of a region that is not known", func(ctx SpecContext) {
		s.expectApplied(ctx, s.aSecret())
		expectEdited(ctx, s, ws, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.Endpoint, ws.Spec.Region = "", "moon-1" })
		expectVerdict(ctx, metav1.ConditionFalse, v1alpha1.ReasonWorkspaceInvalid, "set spec.endpoint instead")
	})

	It("is tried again after the service was down", func(ctx SpecContext) {
		s.expectApplied(ctx, s.aSecret())
		s.inject(simulator.Fault{Operation: simulator.OpList, Kind: simulator.FaultError, Status: 503})
		expectVerdict(ctx, metav1.ConditionFalse, v1alpha1.ReasonServiceUnavailable, "HTTP 503")
		s.clock.Step(30 * time.Second)
		expectVerdict(ctx, metav1.ConditionTrue, v1alpha1.ReasonAvailable, "answers")
	})

	It("tells how long calls are paused, and does not mind that a pause becomes a little longer", func(ctx SpecContext) {
		s.expectApplied(ctx, s.aSecret())
		expectVerdict(ctx, metav1.ConditionTrue, v1alpha1.ReasonAvailable, "answers")
		conn, err := s.reconciler.Workspaces.ConnectTo(ctx, ws)
		Expect(err).NotTo(HaveOccurred())
		pause := func(length time.Duration) {
			GinkgoHelper()
			s.inject(simulator.Fault{Operation: simulator.OpShow, Kind: simulator.FaultError, Status: 429,
				Code: simulator.CodeThrottled, RetryAfter: length})
			_, err := conn.Look(ctx, "13")
			Expect(err).To(HaveOccurred())
		}
		expectPause := func(left time.Duration, until OmegaMatcher, writes int) {
			GinkgoHelper()
			before := s.api.writes
			result, err := reconciler.Reconcile(ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(ws)})
			Expect(err).NotTo(HaveOccurred())
			Expect(result.RequeueAfter).To(And(BeNumerically(">=", left), BeNumerically("<=", left+left/10)))
			Expect(s.Get(ctx, client.ObjectKeyFromObject(ws), ws)).To(Succeed())
			Expect(ws.Status.ThrottledUntil).To(until)
			Expect(s.api.writes - before).To(Equal(writes))
			Expect(meta.IsStatusConditionTrue(ws.Status.Conditions, v1alpha1.ConditionReady)).To(BeTrue())
		}
		began := s.clock.Now()
		end := WithTransform(func(t *metav1.Time) time.Duration { return t.Sub(began) }, Equal(20*time.Second))
		pause(20 * time.Second)
		expectPause(20*time.Second, end, 1)
		s.clock.Step(20 * time.Second)
		pause(5 * time.Second)
		expectPause(5*time.Second, end, 0)
		s.clock.Step(5 * time.Second)
		pause(6 * time.Second)
		expectPause(6*time.Second, WithTransform(func(t *metav1.Time) time.Duration { return t.Sub(began) },
			Equal(31*time.Second)), 1)
		s.clock.Step(6 * time.Second)
		pause(2 * time.Second)
		expectPause(30*time.Second, BeNil(), 1)
	})

	It("may be deleted", func(ctx SpecContext) {
		Expect(s.Delete(ctx, ws)).To(Succeed())
		Expect(reconciler.Reconcile(ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(ws)})).To(BeZero())
	})

	// expectForgotten expects that the connection of the object that is gone is not kept, and that nothing more is due.
	expectForgotten := func(ctx context.Context) {
		GinkgoHelper()
		Expect(reconciler.Reconcile(ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(ws)})).To(BeZero())
		_, err := s.reconciler.Workspaces.ConnectForDeletion(ctx, s.namespace, v1alpha1.WorkspaceReference{Name: ws.Name})
		Expect(err).To(HaveField("Reason", v1alpha1.ReasonWorkspaceNotFound))
	}

	It("is forgotten at once when it is deleted and no package refers to it", func(ctx SpecContext) {
		s.expectApplied(ctx, s.aSecret(),
			s.aReleasePackage(func(rp *v1alpha1.ReleasePackage) { rp.Spec.WorkspaceRef.Name = "other" }))
		expectVerdict(ctx, metav1.ConditionTrue, v1alpha1.ReasonAvailable, "answers")
		Expect(s.Delete(ctx, ws)).To(Succeed())
		expectForgotten(ctx)
	})

	It("is forgotten without its Secret once no package refers to it", func(ctx SpecContext) {
		s.expectApplied(ctx, s.aSecret())
		rp := s.expectPacked(ctx)
		Expect(s.Delete(ctx, s.aSecret())).To(Succeed())
		s.clock.Step(time.Minute)
		expectVerdict(ctx, metav1.ConditionFalse, v1alpha1.ReasonCredentialsNotFound, "create it with")
		reference := v1alpha1.WorkspaceReference{Name: ws.Name}
		Expect(s.reconciler.Workspaces.ConnectForDeletion(ctx, s.namespace, reference)).NotTo(BeNil())

		s.expectDeleted(ctx, rp)
		for range 2 {
			s.expectReconciledAfter(ctx, soon, rp)
		}
		s.expectGone(ctx, rp)
		expectVerdict(ctx, metav1.ConditionFalse, v1alpha1.ReasonCredentialsNotFound, "create it with")
		_, err := s.reconciler.Workspaces.ConnectForDeletion(ctx, s.namespace, reference)
		Expect(err).To(HaveField("Reason", v1alpha1.ReasonCredentialsNotFound))
	})

	DescribeTable("that vanishes before its packages is remembered until they are withdrawn",
		func(ctx SpecContext, vanishes ...func() client.Object) {
			s.expectApplied(ctx, s.aSecret())
			rp := s.expectPacked(ctx)
			for _, object := range vanishes {
				Expect(s.Delete(ctx, object())).To(Succeed())
				s.clock.Step(time.Minute)
				result, err := reconciler.Reconcile(ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(ws)})
				Expect(err).NotTo(HaveOccurred())
				Expect(result.RequeueAfter).To(And(BeNumerically(">=", 5*time.Second), BeNumerically("<", 34*time.Second)))
			}
			s.expectTrouble(ctx, rp)
			s.expectDeleted(ctx, rp)
			for range 2 {
				s.expectReconciledAfter(ctx, soon, rp)
			}
			s.expectGone(ctx, rp)
			Expect(s.livePackages()).To(BeEmpty())
			Expect(client.IgnoreNotFound(s.Delete(ctx, ws))).To(Succeed())
			expectForgotten(ctx)
		},
		Entry("with its Secret", func() client.Object { return s.aWorkspace() }, func() client.Object { return s.aSecret() }),
		Entry("after its Secret", func() client.Object { return s.aSecret() },
			func() client.Object { return s.aWorkspace() }),
		Entry("without its Secret", func() client.Object { return s.aWorkspace() }),
		Entry("as far as its Secret goes", func() client.Object { return s.aSecret() }),
	)

	DescribeTable("that vanished before a restart is asked for by the packages that are being deleted",
		func(ctx SpecContext, vanished func() client.Object, reason, message string) {
			s.expectApplied(ctx, s.aSecret())
			rp := s.expectPacked(ctx)
			s.expectDeleted(ctx, rp)
			Expect(s.Delete(ctx, vanished())).To(Succeed())
			s.restart()
			s.expectTrouble(ctx, rp)
			expectCondition(rp, v1alpha1.ConditionReconciling, metav1.ConditionTrue, reason,
				Equal(strings.ReplaceAll(message, "NAMESPACE", s.namespace)+
					". To delete this object without that, set spec.deletionPolicy to Retain, which leaves the package "+
					"at the service"))
			Expect(s.livePackages()).To(HaveLen(1))
		},
		Entry("itself", func() client.Object { return s.aWorkspace() }, v1alpha1.ReasonWorkspaceNotFound,
			`DataArtsWorkspace "default" does not exist in namespace "NAMESPACE", and the operator does not remember `+
				`its credentials; create it again with its Secret, leading where status.workspace says`),
		Entry("or its Secret", func() client.Object { return s.aSecret() }, v1alpha1.ReasonCredentialsNotFound,
			`Secret "dataarts" of DataArtsWorkspace "default" does not exist in namespace "NAMESPACE"; create it with `+
				`the keys accessKey and secretKey (and securityToken if the key is temporary), or the key token`),
	)
})
