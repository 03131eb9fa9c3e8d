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
	"errors"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/fields"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/controller"
)

var errFromAPIServer = errors.New("the API server has a bad day")

// apiServer is the reconciler's way to the API server. It counts the writes, and specs can come in between.
type apiServer struct {
	client.WithWatch
	// namespace is all that its cache holds.
	namespace string
	writes    int
	// outdated, if set, is the ReleasePackage that every read shows, as a cache does that lags behind.
	outdated *v1alpha1.ReleasePackage
	// beforeStatus and afterStatus are called around every write of a ReleasePackage's status; the first may refuse it,
	// the second may lose the answer.
	beforeStatus, afterStatus func(*v1alpha1.ReleasePackage) error
}

func newAPIServer(namespace string) *apiServer {
	GinkgoHelper()
	c, err := client.NewWithWatch(controlPlane, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	a := &apiServer{namespace: namespace}
	a.WithWatch = interceptor.NewClient(c,
		interceptor.Funcs{Get: a.get, List: a.list, Patch: a.patch, SubResourcePatch: a.patchStatus})
	a.reset()
	return a
}

// reset forgets the writes, what is outdated, and who came in between.
func (a *apiServer) reset() {
	a.outdated, a.writes = nil, 0
	a.beforeStatus, a.afterStatus = allow, allow
}

func allow(*v1alpha1.ReleasePackage) error { return nil }

func (a *apiServer) get(ctx context.Context, c client.WithWatch, key client.ObjectKey, obj client.Object,
	opts ...client.GetOption) error {
	rp, ok := obj.(*v1alpha1.ReleasePackage)
	if !ok || a.outdated == nil {
		return c.Get(ctx, key, obj, opts...)
	}
	a.outdated.DeepCopyInto(rp)
	return nil
}

// list answers what the reconcilers ask of the manager's indexes, which the API server has not.
func (a *apiServer) list(ctx context.Context, c client.WithWatch, objects client.ObjectList,
	opts ...client.ListOption) error {
	asked := (&client.ListOptions{}).ApplyOptions(opts)
	packages, ok := objects.(*v1alpha1.ReleasePackageList)
	if !ok || asked.FieldSelector == nil {
		return c.List(ctx, objects, opts...)
	}
	if err := c.List(ctx, packages, client.InNamespace(a.namespace)); err != nil {
		return err
	}
	indexes := controller.Indexes()
	packages.Items = slices.DeleteFunc(packages.Items, func(rp v1alpha1.ReleasePackage) bool {
		return slices.ContainsFunc(asked.FieldSelector.Requirements(), func(r fields.Requirement) bool {
			return !slices.Contains(indexes[r.Field](&rp), r.Value)
		})
	})
	return nil
}

func (a *apiServer) patch(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch,
	opts ...client.PatchOption) error {
	a.writes++
	return c.Patch(ctx, obj, patch, opts...)
}

func (a *apiServer) patchStatus(
	ctx context.Context, c client.Client, subResource string, obj client.Object, patch client.Patch,
	opts ...client.SubResourcePatchOption,
) error {
	a.writes++
	rp, ok := obj.(*v1alpha1.ReleasePackage)
	if !ok {
		return c.SubResource(subResource).Patch(ctx, obj, patch, opts...)
	}
	if err := a.beforeStatus(rp); err != nil {
		return err
	}
	written := rp.DeepCopy()
	if err := c.SubResource(subResource).Patch(ctx, written, patch, opts...); err != nil {
		return err
	}
	if err := a.afterStatus(written); err != nil {
		return err
	}
	written.DeepCopyInto(rp)
	return nil
}

// blindAPIServer is one whose cache shows no other object than the one that is asked for.
func (s *scene) blindAPIServer() client.Client {
	return interceptor.NewClient(s.api.WithWatch, interceptor.Funcs{
		List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error { return nil },
	})
}

// recordsID tells the write that records the outcome of a pack request from the one that records the attempt.
func recordsID(rp *v1alpha1.ReleasePackage) bool { return rp.Status.ReleasePackageID != "" }
