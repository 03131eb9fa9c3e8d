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

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

var errFromAPIServer = errors.New("the API server has a bad day")

// apiServer is the reconciler's way to the API server. It counts the writes, and specs can come in between.
type apiServer struct {
	client.WithWatch
	writes int
	// outdated, if set, is the ReleasePackage that every read shows, as a cache does that lags behind.
	outdated *v1alpha1.ReleasePackage
	// beforeStatus and afterStatus are called around every write of a ReleasePackage's status; the first may refuse it, the second may
	// lose the answer.
	beforeStatus, afterStatus func(*v1alpha1.ReleasePackage) error
}

func newAPIServer() *apiServer {
	GinkgoHelper()
	c, err := client.NewWithWatch(controlPlane, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	a := &apiServer{}
	a.WithWatch = interceptor.NewClient(c, interceptor.Funcs{Get: a.get, Patch: a.patch, SubResourcePatch: a.patchStatus})
	a.reset()
	return a
}

// reset forgets the writes, what is outdated, and who came in between.
func (a *apiServer) reset() {
	a.outdated, a.writes = nil, 0
	a.beforeStatus, a.afterStatus = allow, allow
}

func allow(*v1alpha1.ReleasePackage) error { return nil }

func (a *apiServer) get(ctx context.Context, c client.WithWatch, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	rp, ok := obj.(*v1alpha1.ReleasePackage)
	if !ok || a.outdated == nil {
		return c.Get(ctx, key, obj, opts...)
	}
	a.outdated.DeepCopyInto(rp)
	return nil
}

func (a *apiServer) patch(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
	a.writes++
	return c.Patch(ctx, obj, patch, opts...)
}

func (a *apiServer) patchStatus(
	ctx context.Context, c client.Client, subResource string, obj client.Object, patch client.Patch, opts ...client.SubResourcePatchOption,
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

// recordsID tells the write that records the outcome of a pack request from the one that records the attempt.
func recordsID(rp *v1alpha1.ReleasePackage) bool { return rp.Status.ReleasePackageID != "" }
