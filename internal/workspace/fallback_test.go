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
	"errors"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/workspace"
)

var production = types.NamespacedName{Namespace: namespace, Name: "production"}

// connectForDeletion is ConnectForDeletion to the workspace object "production".
func (s *site) connectForDeletion(ctx context.Context) (*workspace.Connection, error) {
	return s.ConnectForDeletion(ctx, namespace, v1alpha1.WorkspaceReference{Kind: "DataArtsWorkspace", Name: "production"})
}

// expectRemembered expects that this connection is had for deletions, that it works, and that nothing else is let
// through.
func (s *site) expectRemembered(ctx context.Context, conn *workspace.Connection, reason string) {
	GinkgoHelper()
	Expect(s.connectForDeletion(ctx)).To(BeIdenticalTo(conn))
	Expect(conn.Probe(ctx)).To(Succeed())
	_, err := s.connect(ctx)
	expectProblem(err, reason)
}

func loseSecret(ctx context.Context, s *site) {
	GinkgoHelper()
	Expect(s.objects.Delete(ctx, aSecret("dataarts"))).To(Succeed())
	s.clock.Step(secretTTL)
}

func loseWorkspace(ctx context.Context, s *site) {
	GinkgoHelper()
	Expect(s.objects.Delete(ctx, aWorkspace("production", s.url))).To(Succeed())
}

func lockSecret(_ context.Context, s *site) {
	s.secretError = apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "dataarts", errors.New("no"))
	s.clock.Step(secretTTL)
}

var _ = Describe("To withdraw what is left, a connection", func() {
	It("is the same as for everything else, as long as there is one", func(ctx SpecContext) {
		s := aSite()
		first, err := s.connectForDeletion(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(s.expectConnected(ctx)).To(BeIdenticalTo(first))

		s.storeSecret(ctx, keyToken, token)
		s.clock.Step(secretTTL)
		second, err := s.connectForDeletion(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(second).NotTo(BeIdenticalTo(first), "a rotated Secret is taken")
		loseSecret(ctx, s)
		s.expectRemembered(ctx, second, v1alpha1.ReasonCredentialsNotFound)
	})

	DescribeTable("is remembered", func(ctx SpecContext, reason string, losses ...func(context.Context, *site)) {
		s := aSite()
		conn := s.expectConnected(ctx)
		for _, lose := range losses {
			lose(ctx, s)
		}
		s.expectRemembered(ctx, conn, reason)
		s.clock.Step(secretTTL)
		s.expectRemembered(ctx, conn, reason)
	},
		Entry("when the Secret vanished", v1alpha1.ReasonCredentialsNotFound, loseSecret),
		Entry("when the Secret may not be read any more", v1alpha1.ReasonCredentialsNotFound, lockSecret),
		Entry("when the workspace object vanished", v1alpha1.ReasonWorkspaceNotFound, loseWorkspace),
		Entry("when the Secret vanished and then the workspace object", v1alpha1.ReasonWorkspaceNotFound, loseSecret,
			loseWorkspace),
		Entry("when the workspace object vanished and then the Secret", v1alpha1.ReasonWorkspaceNotFound, loseWorkspace,
			loseSecret),
		Entry("when the Secret was locked and then vanished", v1alpha1.ReasonWorkspaceNotFound, lockSecret, loseWorkspace),
	)

	It("is remembered when the workspace object may not be read any more", func(ctx SpecContext) {
		s := aSite()
		conn := s.expectConnected(ctx)
		s.Objects = interceptor.NewClient(s.objects, interceptor.Funcs{
			Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
				return apierrors.NewForbidden(schema.GroupResource{Resource: "dataartsworkspaces"}, "production", errors.New("no"))
			},
		})
		Expect(s.connectForDeletion(ctx)).To(BeIdenticalTo(conn))
		_, err := s.connect(ctx)
		Expect(apierrors.IsForbidden(err)).To(BeTrue())
		s.Forget(production)
		_, err = s.connectForDeletion(ctx)
		Expect(apierrors.IsForbidden(err)).To(BeTrue())
	})

	It("leads where it led, whatever the object said last", func(ctx SpecContext) {
		s := aSite()
		conn := s.expectConnected(ctx)
		s.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) {
			ws.Spec.WorkspaceID, ws.Spec.Credentials.SecretRef.Name = "ef56", "no-such"
		})
		s.expectRemembered(ctx, conn, v1alpha1.ReasonCredentialsNotFound)
		Expect(conn.Target().WorkspaceID).To(Equal(workplace))
	})

	It("is the latest one, even if the service rejects its credentials", func(ctx SpecContext) {
		s := aSite()
		s.expectConnected(ctx)
		s.storeSecret(ctx, keyToken, wrongSecret)
		s.clock.Step(secretTTL)
		rejected := s.expectConnected(ctx)
		Expect(dataarts.KindOf(rejected.Probe(ctx))).To(Equal(dataarts.Unauthorized))
		loseSecret(ctx, s)
		Expect(s.connectForDeletion(ctx)).To(BeIdenticalTo(rejected))
		s.expectHeldBack(ctx, rejected, dataarts.Unauthorized)
	})

	It("is none of memory when the Secret or the object is there and cannot be used", func(ctx SpecContext) {
		s := aSite()
		s.expectConnected(ctx)
		s.storeSecret(ctx, keyAccess, accessKey)
		s.clock.Step(secretTTL)
		_, err := s.connectForDeletion(ctx)
		expectProblem(err, v1alpha1.ReasonCredentialsInvalid)

		s.storeSecret(ctx, keyToken, token)
		s.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.Endpoint, ws.Spec.Region = "", "moon-1" })
		_, err = s.connectForDeletion(ctx)
		expectProblem(err, v1alpha1.ReasonWorkspaceInvalid)
	})

	It("is none of memory when the API server fails", func(ctx SpecContext) {
		s := aSite()
		s.expectConnected(ctx)
		s.secretError = apierrors.NewInternalError(errors.New("etcd is away"))
		s.clock.Step(secretTTL)
		_, err := s.connectForDeletion(ctx)
		Expect(apierrors.IsInternalError(err)).To(BeTrue())
	})

	It("is a new one when the object was made again, with nothing of the old one", func(ctx SpecContext) {
		s := aSite()
		first := s.expectConnected(ctx)
		loseWorkspace(ctx, s)
		s.expectRemembered(ctx, first, v1alpha1.ReasonWorkspaceNotFound)
		loseSecret(ctx, s)
		again := aWorkspace("production", s.url)
		again.UID = "uid-2"
		Expect(s.objects.Create(ctx, again)).To(Succeed())
		_, err := s.connectForDeletion(ctx)
		expectProblem(err, v1alpha1.ReasonCredentialsNotFound)

		Expect(s.objects.Create(ctx, aSecret("dataarts", keyToken, token))).To(Succeed())
		s.clock.Step(failureTTL)
		second, err := s.connectForDeletion(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(second).NotTo(BeIdenticalTo(first))
		loseWorkspace(ctx, s)
		s.expectRemembered(ctx, second, v1alpha1.ReasonWorkspaceNotFound)
	})
})

var _ = Describe("With nothing remembered", func() {
	noSecret := []string{
		`Secret "dataarts" of DataArtsWorkspace "production" does not exist in namespace "data-team"; create it with`,
	}
	noWorkspace := []string{`DataArtsWorkspace "production" does not exist in namespace "data-team"`, "; create it again",
		"status.workspace"}

	DescribeTable("a deletion is told what to create",
		func(ctx SpecContext, forget func(*site), reason string, words []string,
			losses ...func(context.Context, *site)) {
			s := aSite()
			s.expectConnected(ctx)
			forget(s)
			for _, lose := range losses {
				lose(ctx, s)
			}
			_, err := s.connectForDeletion(ctx)
			expectProblem(err, reason, words...)
			Expect(err).NotTo(MatchError(ContainSubstring("spec.workspaceRef")), "it cannot be changed any more")
			Expect(s.calls()).To(BeZero())
		},
		Entry("when the Secret vanished after a restart", forgetAll, v1alpha1.ReasonCredentialsNotFound, noSecret,
			loseSecret),
		Entry("when the object vanished after a restart", forgetAll, v1alpha1.ReasonWorkspaceNotFound, noWorkspace,
			loseWorkspace),
		Entry("when both vanished after a restart", forgetAll, v1alpha1.ReasonWorkspaceNotFound, noWorkspace, loseSecret,
			loseWorkspace),
		Entry("when the Secret vanished from an object that was forgotten", forgetOne, v1alpha1.ReasonCredentialsNotFound,
			noSecret, loseSecret),
		Entry("when an object vanished that was forgotten", forgetOne, v1alpha1.ReasonWorkspaceNotFound, noWorkspace,
			loseWorkspace),
	)

	It("another object's connection is no help", func(ctx SpecContext) {
		s := aSite()
		s.expectConnected(ctx)
		loseWorkspace(ctx, s)
		for _, other := range []types.NamespacedName{{Namespace: namespace, Name: "staging"},
			{Namespace: "other-team", Name: "production"}} {
			_, err := s.ConnectForDeletion(ctx, other.Namespace, v1alpha1.WorkspaceReference{Name: other.Name})
			expectProblem(err, v1alpha1.ReasonWorkspaceNotFound)
		}
	})

	It("nothing goes wrong when all is lost, found and forgotten at once", func(ctx SpecContext) {
		s := aSite()
		var group sync.WaitGroup
		for i := range 30 {
			group.Go(func() {
				defer GinkgoRecover()
				switch i % 6 {
				case 0:
					s.Forget(production)
				case 1:
					s.Connections.Close()
				case 2:
					s.clock.Step(secretTTL)
				default:
					conn, err := s.connectForDeletion(ctx)
					Expect(err).NotTo(HaveOccurred())
					Expect(conn.Probe(ctx)).To(Succeed())
				}
			})
		}
		group.Wait()
	})
})

func forgetAll(s *site) { s.Connections.Close() }

func forgetOne(s *site) { s.Forget(production) }
