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
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/workspace"
)

const (
	secretTTL = 15 * time.Second
	// failureTTL is how long a Secret that cannot be used is not read again.
	failureTTL = 2 * time.Second

	keyAccess, keySecret, keySecurity, keyToken = v1alpha1.SecretKeyAccessKey, v1alpha1.SecretKeySecretKey,
		v1alpha1.SecretKeySecurityToken, v1alpha1.SecretKeyToken
)

var _ = Describe("A connection", func() {
	It("leads where the workspace object says, and is told how to be used", func(ctx SpecContext) {
		s := aSite()
		conn := s.expectConnected(ctx)
		Expect(conn.Target()).To(Equal(v1alpha1.PinnedWorkspace{Endpoint: s.url, ProjectID: project, WorkspaceID: workplace}))
		Expect(conn.Timeout()).To(Equal(20 * time.Second))
		Expect(conn.PollInterval()).To(Equal(40 * time.Second))
		Expect(conn.RetryAfter()).To(BeZero())
		Expect(s.calls()).To(BeZero(), "connecting makes no call")
	})

	It("is the same one as long as nothing changes", func(ctx SpecContext) {
		s := aSite()
		first := s.expectConnected(ctx)
		for range 3 {
			Expect(s.expectConnected(ctx)).To(BeIdenticalTo(first))
		}
		Expect(s.secretReads.Load()).To(BeEquivalentTo(1), "a Secret is not read for every pass")

		s.clock.Step(secretTTL)
		Expect(s.expectConnected(ctx)).To(BeIdenticalTo(first))
		Expect(s.expectConnected(ctx)).To(BeIdenticalTo(first))
		Expect(s.secretReads.Load()).To(BeEquivalentTo(2))
	})

	It("is the same one for all who ask at once", func(ctx SpecContext) {
		s := aSite()
		var all sync.Map
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				defer GinkgoRecover()
				conn, err := s.connect(ctx)
				Expect(err).NotTo(HaveOccurred())
				all.Store(conn, true)
			})
		}
		group.Wait()
		n := 0
		all.Range(func(any, any) bool { n++; return true })
		Expect(n).To(Equal(1))
		Expect(s.secretReads.Load()).To(BeEquivalentTo(1))
	})

	It("is a new one when the Secret has changed, once that is read again", func(ctx SpecContext) {
		s := aSite()
		first := s.expectConnected(ctx)
		s.storeSecret(ctx, keyToken, token)
		s.clock.Step(secretTTL - time.Nanosecond)
		Expect(s.expectConnected(ctx)).To(BeIdenticalTo(first))
		s.clock.Step(time.Nanosecond)
		second := s.expectConnected(ctx)
		Expect(second).NotTo(BeIdenticalTo(first))
		Expect(s.expectConnected(ctx)).To(BeIdenticalTo(second))
	})

	It("is a new one at once when the workspace object has changed", func(ctx SpecContext) {
		s := aSite()
		first := s.expectConnected(ctx)
		s.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.WorkspaceID = "ef56" })
		second := s.expectConnected(ctx)
		Expect(second).NotTo(BeIdenticalTo(first))
		Expect(second.Target().WorkspaceID).To(Equal("ef56"))
		Expect(first.Target().WorkspaceID).To(Equal(workplace), "who uses the old one still knows where it leads")
	})

	It("is a new one when the workspace object was deleted and made again", func(ctx SpecContext) {
		s := aSite()
		first := s.expectConnected(ctx)
		again := aWorkspace("production", s.url)
		Expect(s.objects.Delete(ctx, again.DeepCopy())).To(Succeed())
		_, err := s.connect(ctx)
		expectProblem(err, v1alpha1.ReasonWorkspaceNotFound, `"production"`, `"data-team"`, "spec.workspaceRef")

		again.UID = "uid-2"
		Expect(s.objects.Create(ctx, again)).To(Succeed())
		Expect(s.expectConnected(ctx)).NotTo(BeIdenticalTo(first))
	})

	It("is a new one when the workspace object was made again unnoticed", func(ctx SpecContext) {
		s := aSite()
		ws := aWorkspace("production", s.url)
		first, err := s.ConnectTo(ctx, ws)
		Expect(err).NotTo(HaveOccurred())
		ws.UID = "uid-2"
		second, err := s.ConnectTo(ctx, ws)
		Expect(err).NotTo(HaveOccurred())
		Expect(second).NotTo(BeIdenticalTo(first))
	})

	It("is not had by way of an object of that name elsewhere", func(ctx SpecContext) {
		s := aSite()
		s.expectConnected(ctx)
		_, err := s.Connect(ctx, "other-team", v1alpha1.WorkspaceReference{Name: "production"})
		expectProblem(err, v1alpha1.ReasonWorkspaceNotFound, `"other-team"`)
	})

	It("is made anew after all were closed", func(ctx SpecContext) {
		s := aSite()
		first := s.expectConnected(ctx)
		s.Connections.Close()
		second := s.expectConnected(ctx)
		Expect(second).NotTo(BeIdenticalTo(first))
		Expect(second.Probe(ctx)).To(Succeed())
	})

	It("is not had without a clock of its own or any other option", func(ctx SpecContext) {
		s := aSite()
		plain := &workspace.Connections{Objects: s.objects, Secrets: s.objects}
		DeferCleanup(plain.Close)
		_, err := plain.Connect(ctx, namespace, v1alpha1.WorkspaceReference{Name: "production"})
		expectProblem(err, v1alpha1.ReasonWorkspaceInvalid, "https")
	})
})

var _ = Describe("The credentials", func() {
	DescribeTable("are accepted by the service", func(ctx SpecContext, pairs ...string) {
		s := aSite()
		s.storeSecret(ctx, pairs...)
		Expect(s.expectConnected(ctx).Probe(ctx)).To(Succeed())
	},
		Entry("as an access key", keyAccess, accessKey, keySecret, secretKey),
		Entry("as a temporary access key", keyAccess, temporaryKey, keySecret, secretKey, keySecurity, securityToken),
		Entry("as a token", keyToken, token),
		Entry("beside keys that mean nothing", keyToken, token, "note", "rotated\n"),
	)

	DescribeTable("are refused before any call", func(ctx SpecContext, word string, pairs ...string) {
		s := aSite()
		s.storeSecret(ctx, pairs...)
		_, err := s.connect(ctx)
		expectProblem(err, v1alpha1.ReasonCredentialsInvalid, word)
		Expect(s.calls()).To(BeZero())

		s.storeSecret(ctx, keyToken, token)
		s.clock.Step(failureTTL)
		Expect(s.expectConnected(ctx).Probe(ctx)).To(Succeed(), "a corrected Secret is taken within seconds")
	},
		Entry("when there are none", "needs the keys accessKey and secretKey"),
		Entry("when all are empty", "needs the keys", keyAccess, "", keySecret, "", keySecurity, "", keyToken, ""),
		Entry("when the secret key is missing", "needs the keys", keyAccess, accessKey),
		Entry("when the access key is missing", "needs the keys", keySecret, secretKey),
		Entry("when there is a security token alone", "needs the keys", keySecurity, securityToken),
		Entry("when the keys are misspelt", "needs the keys", "access-key", accessKey, "secret-key", secretKey),
		Entry("when there are two kinds", "both a token and an access key", keyAccess, accessKey, keySecret, secretKey,
			keyToken, token),
		Entry("when there is a token and half a key", "both a token and an access key", keyAccess, accessKey, keyToken,
			token),
		Entry("when there is a token and a security token", "both a token and an access key", keySecurity, securityToken,
			keyToken, token),
		Entry("when a line break ends the access key", "value of accessKey", keyAccess, accessKey+"\n", keySecret, secretKey),
		Entry("when a line break ends the secret key", "value of secretKey", keyAccess, accessKey, keySecret,
			secretKey+"\r\n"),
		Entry("when a line break ends the security token", "value of securityToken", keyAccess, temporaryKey, keySecret,
			secretKey, keySecurity, securityToken+"\n"),
		Entry("when a line break ends the token", "value of token", keyToken, token+"\n"),
		Entry("when a space begins the token", "value of token", keyToken, " "+token),
		Entry("when the token is blank", "value of token", keyToken, "\n"),
		Entry("when there is a line break in the token", "line breaks", keyToken, token+"\n"+token),
		Entry("when a secret key is not ASCII", "non-ASCII", keyAccess, accessKey, keySecret, secretKey+"é"),
	)

	DescribeTable("are not taken from what Kubernetes keeps for itself", func(ctx SpecContext, kind corev1.SecretType) {
		s := aSite()
		secret := aSecret("dataarts", keyToken, token)
		Expect(s.objects.Delete(ctx, secret)).To(Succeed())
		secret.ResourceVersion, secret.Type = "", kind
		Expect(s.objects.Create(ctx, secret)).To(Succeed())
		_, err := s.connect(ctx)
		expectProblem(err, v1alpha1.ReasonCredentialsInvalid, `"dataarts"`, string(kind), "Opaque")
		Expect(s.calls()).To(BeZero())
	},
		Entry("the token of a service account", corev1.SecretTypeServiceAccountToken),
		Entry("basic authentication", corev1.SecretTypeBasicAuth),
		Entry("a token that nodes join with", corev1.SecretType("bootstrap.kubernetes.io/token")),
	)

	It("are missed when the Secret does not exist, even by one who was connected", func(ctx SpecContext) {
		s := aSite()
		first := s.expectConnected(ctx)
		secret := aSecret("dataarts")
		Expect(s.objects.Delete(ctx, secret)).To(Succeed())
		s.clock.Step(secretTTL)
		_, err := s.connect(ctx)
		expectProblem(err, v1alpha1.ReasonCredentialsNotFound, `"dataarts"`, `"data-team"`, "accessKey")

		Expect(s.objects.Create(ctx, aSecret("dataarts", keyToken, token))).To(Succeed())
		s.clock.Step(failureTTL)
		Expect(s.expectConnected(ctx).Probe(ctx)).To(Succeed())
		Expect(first).NotTo(BeNil())
	})

	It("are out of reach when the operator may not read the Secret", func(ctx SpecContext) {
		s := aSite()
		s.secretError = apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "dataarts", errors.New("no"))
		_, err := s.connect(ctx)
		expectProblem(err, v1alpha1.ReasonCredentialsNotFound, `"dataarts"`, "ServiceAccount")
	})

	It("are nobody's fault when the API server fails", func(ctx SpecContext) {
		s := aSite()
		s.secretError = apierrors.NewInternalError(errors.New("etcd is away"))
		_, err := s.connect(ctx)
		var problem *workspace.Error
		Expect(errors.As(err, &problem)).To(BeFalse())
		Expect(apierrors.IsInternalError(err)).To(BeTrue())
	})
})

var _ = Describe("The way to the service", func() {
	DescribeTable("is refused", func(ctx SpecContext, word string, change func(*v1alpha1.DataArtsWorkspace)) {
		s := aSite()
		s.AllowInsecure = false
		s.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.Endpoint = "https://dayu.example.com" })
		s.expectConnected(ctx)
		s.changeWorkspace(ctx, change)
		_, err := s.connect(ctx)
		expectProblem(err, v1alpha1.ReasonWorkspaceInvalid, `"production"`, word)
		Expect(err).NotTo(MatchError(ContainSubstring("hunter2")), "an address may hold a password")
	},
		Entry("when it is plain http", "not https", to("http://dayu.example.com")),
		Entry("when it has no scheme", "not https", to("dayu.example.com")),
		Entry("when it is no URL", "not a URL", to("https://user:hunter2@exa mple.com")),
		Entry("when it has a path", "path", to("https://dayu.example.com/v2")),
		Entry("when it names a user", "user information", to("https://user:hunter2@dayu.example.com")),
		Entry("when it is localhost", "own host", to("https://localhost")),
		Entry("when it is localhost in capitals", "own host", to("https://LocalHost:8443")),
		Entry("when it is localhost as a full name", "own host", to("https://localhost.")),
		Entry("when it is a name of localhost", "own host", to("https://dayu.localhost")),
		Entry("when it is a loopback address", "own host", to("https://127.0.0.2:8443")),
		Entry("when it is the IPv6 loopback address", "own host", to("https://[::1]")),
		Entry("when it is a loopback address written as IPv6", "own host", to("https://[::ffff:127.0.0.1]")),
		Entry("when it is no address in particular", "own host", to("https://0.0.0.0")),
		Entry("when it is no address in particular, written as IPv6", "own host", to("https://[::ffff:0.0.0.0]")),
		Entry("when it is the metadata service's address", "own host", to("https://169.254.169.254")),
		Entry("when it is a link-local address with a zone", "own host", to("https://[fe80::1%25eth0]")),
		Entry("when it is a metadata service's address written as IPv6", "metadata service", to("https://[fd00:ec2::254]")),
		Entry("when its proxy is localhost", "spec.proxyURL",
			func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.ProxyURL = "http://user:hunter2@localhost:3128" }),
		Entry("when its region is unknown", `"cn-nowhere-1"`, func(ws *v1alpha1.DataArtsWorkspace) {
			ws.Spec.Endpoint, ws.Spec.Region = "", "cn-nowhere-1"
		}),
		Entry("when its certificates are none", "CABundle",
			func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.CABundle = []byte("not PEM") }),
		Entry("when its certificates are damaged", "CABundle", func(ws *v1alpha1.DataArtsWorkspace) {
			ws.Spec.CABundle = []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
		}),
		Entry("when its proxy is no URL", "ProxyURL",
			func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.ProxyURL = "http://user:hunter2@pro xy" }),
		Entry("when its proxy has another scheme", "ProxyURL",
			func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.ProxyURL = "socks5://user:hunter2@proxy" }),
		Entry("when its project is none", "ProjectID", func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.ProjectID = "a/b" }),
	)

	DescribeTable("is taken as it is", func(ctx SpecContext, insecure bool, change func(*v1alpha1.DataArtsWorkspace),
		want string) {
		s := aSite()
		s.AllowInsecure = insecure
		s.changeWorkspace(ctx, change)
		Expect(s.expectConnected(ctx).Target().Endpoint).To(Equal(want))
	},
		Entry("with a name", false, to("https://dayu.example.com"), "https://dayu.example.com"),
		Entry("with a name that only looks local", false, to("https://localhost.example.com"),
			"https://localhost.example.com"),
		Entry("with an address", false, to("https://10.0.0.1:8443"), "https://10.0.0.1:8443"),
		Entry("with an empty path", false, to("https://dayu.example.com/"), "https://dayu.example.com"),
		Entry("by its region", false, func(ws *v1alpha1.DataArtsWorkspace) {
			ws.Spec.Endpoint, ws.Spec.Region = "",
				"cn-north-4"
		},
			"https://dayu.cn-north-4.myhuaweicloud.com"),
		Entry("by an endpoint that goes before a region", false, func(ws *v1alpha1.DataArtsWorkspace) {
			ws.Spec.Endpoint, ws.Spec.Region = "https://dayu.example.com", "cn-north-4"
		}, "https://dayu.example.com"),
		Entry("with plain http where that is allowed", true, to("http://dayu.example.com"), "http://dayu.example.com"),
		Entry("with a loopback address where that is allowed", true, to("http://127.0.0.1:8080"), "http://127.0.0.1:8080"),
	)

	It("is corrected at once", func(ctx SpecContext) {
		s := aSite()
		s.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.CABundle = []byte("not PEM") })
		_, err := s.connect(ctx)
		expectProblem(err, v1alpha1.ReasonWorkspaceInvalid)
		s.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.CABundle = nil })
		Expect(s.expectConnected(ctx).Probe(ctx)).To(Succeed())
	})

	It("has defaults where the object was stored without them", func(ctx SpecContext) {
		s := aSite()
		s.changeWorkspace(ctx, func(ws *v1alpha1.DataArtsWorkspace) {
			ws.Spec.Timeout, ws.Spec.RequestsPerSecond = metav1.Duration{}, 0
		})
		Expect(s.expectConnected(ctx).Probe(ctx)).To(Succeed())
	})
})

func to(endpoint string) func(*v1alpha1.DataArtsWorkspace) {
	return func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.Endpoint = endpoint }
}

// key names a workspace object.
func key(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: namespace, Name: name}
}

// another is the connection of another workspace object, which says the same as "production" but for a change.
func (s *site) another(ctx context.Context, name string,
	change func(*v1alpha1.DataArtsWorkspace)) *workspace.Connection {
	GinkgoHelper()
	ws := &v1alpha1.DataArtsWorkspace{}
	Expect(s.objects.Get(ctx, production, ws)).To(Succeed())
	ws.Name, ws.UID, ws.ResourceVersion = name, types.UID("uid-of-"+name), ""
	change(ws)
	Expect(s.objects.Create(ctx, ws)).To(Succeed())
	conn, err := s.Connect(ctx, namespace, v1alpha1.WorkspaceReference{Name: name})
	Expect(err).NotTo(HaveOccurred())
	return conn
}

var _ = Describe("Workspace objects", func() {
	It("share a connection if they say the same, whatever their Secrets are called", func(ctx SpecContext) {
		s := aSite()
		first := s.expectConnected(ctx)
		Expect(s.objects.Create(ctx, aSecret("copy", keyAccess, accessKey, keySecret, secretKey))).To(Succeed())
		second := s.another(ctx, "staging",
			func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.Credentials.SecretRef.Name = "copy" })
		Expect(second).To(BeIdenticalTo(first))

		s.Forget(production)
		Expect(s.expectConnected(ctx)).To(BeIdenticalTo(first), "the other one still has it")
		s.Forget(production)
		s.Forget(key("staging"))
		Expect(s.expectConnected(ctx)).NotTo(BeIdenticalTo(first))
	})

	It("keep the connection when the Secret was only written again", func(ctx SpecContext) {
		s := aSite()
		first := s.expectConnected(ctx)
		s.storeSecret(ctx, keyAccess, accessKey, keySecret, secretKey, "note", "again")
		s.clock.Step(secretTTL)
		Expect(s.expectConnected(ctx)).To(BeIdenticalTo(first))
		s.Forget(production)
		Expect(s.Budgets()).To(BeZero(), "it is used once, not twice")
	})

	DescribeTable("do not share a connection", func(ctx SpecContext, change func(*v1alpha1.DataArtsWorkspace)) {
		s := aSite()
		first := s.expectConnected(ctx)
		Expect(s.objects.Create(ctx, aSecret("other", keyToken, token))).To(Succeed())
		Expect(s.another(ctx, "staging", change)).NotTo(BeIdenticalTo(first))
		Expect(s.expectConnected(ctx)).To(BeIdenticalTo(first))
	},
		Entry("of another host", func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.Endpoint = "http://localhost:1" }),
		Entry("of another project", func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.ProjectID = "other" }),
		Entry("of another workspace", func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.WorkspaceID = "other" }),
		Entry("of another user", func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.Credentials.SecretRef.Name = "other" }),
		Entry("through another proxy", func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.ProxyURL = "http://localhost:1" }),
		Entry("of another timeout", func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.Timeout.Duration = time.Second }),
		Entry("of another interval", func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.PollInterval.Duration = time.Second }),
		Entry("of another pace", func(ws *v1alpha1.DataArtsWorkspace) { ws.Spec.RequestsPerSecond = 5 }),
	)
})
