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

package v1alpha1_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

func TestAPI(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "API")
}

// crds is where the generated schemas are.
var crds = filepath.Join("..", "..", "config", "crd", "bases")

// api is what users talk to, by kubectl too; each spec has a namespace of its own.
var (
	api     client.Client
	kubectl func(args ...string) (stdout, stderr io.Reader, err error)
)

var _ = BeforeSuite(func() {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		Fail("KUBEBUILDER_ASSETS is not set, so there is no API server to test against; run `make test`, which provides one")
	}
	ctrl.SetLogger(GinkgoLogr)
	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())

	environment := &envtest.Environment{CRDDirectoryPaths: []string{crds}, ErrorIfCRDPathMissing: true, Scheme: scheme}
	config, err := environment.Start()
	DeferCleanup(environment.Stop)
	Expect(err).NotTo(HaveOccurred())
	api, err = client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	user, err := environment.AddUser(envtest.User{Name: "git", Groups: []string{"system:masters"}}, nil)
	Expect(err).NotTo(HaveOccurred())
	tool, err := user.Kubectl()
	Expect(err).NotTo(HaveOccurred())
	kubectl = tool.Run
})

// aNamespace makes a namespace for a spec.
func aNamespace(ctx context.Context) string {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "spec-"}}
	Expect(api.Create(ctx, namespace)).To(Succeed())
	return namespace.Name
}

// aReleasePackage asks for a package with all that its content consists of.
func aReleasePackage(namespace string) *v1alpha1.ReleasePackage {
	return &v1alpha1.ReleasePackage{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "release"},
		Spec: v1alpha1.ReleasePackageSpec{
			PackageName:    "job_0948_20250513",
			ApplyUserID:    "f8ccc2ff3c7748e8a7bfede38ae1cffa",
			PendingItemIDs: []v1alpha1.ID{"26", "27"},
			ApproverIDs:    []v1alpha1.UserID{"7b71e498e75d44048c9a22dd3c54f978"},
		},
	}
}

func aWorkspace(namespace string) *v1alpha1.DataArtsWorkspace {
	return &v1alpha1.DataArtsWorkspace{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "default"},
		Spec: v1alpha1.DataArtsWorkspaceSpec{
			Region:      "cn-north-4",
			ProjectID:   "62099355b894428e8916573ae635f1f9",
			WorkspaceID: "ab12cd34",
			Credentials: v1alpha1.WorkspaceCredentials{SecretRef: v1alpha1.SecretReference{Name: "dataarts"}},
		},
	}
}
