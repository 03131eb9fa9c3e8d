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
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	managerconfig "sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/controller"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
	"github.com/dataarts-operator/dataarts-operator/internal/workspace"
)

// forwarded is the real clock, put forward.
type forwarded struct{ by atomic.Int64 }

func (f *forwarded) Now() time.Time                  { return time.Now().Add(time.Duration(f.by.Load())) }
func (f *forwarded) Since(t time.Time) time.Duration { return f.Now().Sub(t) }

// countingReader counts what is read one by one.
type countingReader struct {
	client.Reader
	reads *atomic.Int64
}

func (r *countingReader) Get(ctx context.Context, key client.ObjectKey, obj client.Object,
	opts ...client.GetOption) error {
	r.reads.Add(1)
	return r.Reader.Get(ctx, key, obj, opts...)
}

// workers is how many packages the manager works on at the same time.
const workers = 20

// startManager runs both controllers, as the operator does, on the namespace of the scene.
func (s *scene) startManager(ctx context.Context) {
	GinkgoHelper()
	s.startManagerWith(ctx, controlPlane)
}

// startManagerWith is the same, for a manager with a way of its own to the API server.
func (s *scene) startManagerWith(ctx context.Context, config *rest.Config) {
	GinkgoHelper()
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:     scheme,
		Cache:      cache.Options{DefaultNamespaces: map[string]cache.Config{s.namespace: {}}},
		Metrics:    metricsserver.Options{BindAddress: "0"},
		NewClient:  s.countingClient,
		Controller: managerconfig.Controller{SkipNameValidation: new(true)}, // The spec may be repeated in one process.
	})
	Expect(err).NotTo(HaveOccurred())
	connections := &workspace.Connections{
		Objects: mgr.GetClient(), Secrets: &countingReader{Reader: mgr.GetAPIReader(), reads: &s.secretReads},
		AllowInsecure: true, UserAgent: "spec",
		Clock: &s.forwarded, Linger: -1, Workers: workers,
	}
	s.connections = connections
	Expect(mgr.Add(connections.Poller())).To(Succeed())
	packages := &controller.ReleasePackageReconciler{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Workspaces: connections,
		Events: mgr.GetEventRecorder("releasepackage-controller"), Clock: clock.RealClock{}, SettleTime: settleTime,
	}
	Expect(packages.SetupWithManager(mgr, workers)).To(Succeed())
	Expect((&controller.DataArtsWorkspaceReconciler{
		Client: mgr.GetClient(), Workspaces: connections,
		Events: mgr.GetEventRecorder("dataartsworkspace-controller"), Clock: clock.RealClock{},
		Needed: packages.HasRemains,
	}).SetupWithManager(mgr)).To(Succeed())

	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(running) }()
	DeferCleanup(func(ctx SpecContext) {
		stop()
		Eventually(ctx, ended).Should(Receive(BeNil()))
		connections.Close()
	}, NodeTimeout(time.Minute))
}

// countingClient is a manager's client, whose writes of ReleasePackages are counted.
func (s *scene) countingClient(config *rest.Config, options client.Options) (client.Client, error) {
	c, err := client.NewWithWatch(config, options)
	if err != nil {
		return nil, err
	}
	count := func(obj client.Object) {
		if _, ok := obj.(*v1alpha1.ReleasePackage); ok {
			s.written.Add(1)
		}
	}
	return interceptor.NewClient(c, interceptor.Funcs{
		Patch: func(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch,
			opts ...client.PatchOption) error {
			count(obj)
			return c.Patch(ctx, obj, patch, opts...)
		},
		SubResourcePatch: func(
			ctx context.Context, c client.Client, subResource string, obj client.Object, patch client.Patch,
			opts ...client.SubResourcePatchOption,
		) error {
			count(obj)
			return c.SubResource(subResource).Patch(ctx, obj, patch, opts...)
		},
	}), nil
}

var _ = Describe("The manager", func() {
	It("wakes packages when their workspace appears, follows them, and counts them", func(ctx SpecContext) {
		s := newScene(ctx)
		s.startManager(ctx)
		rp := s.aReleasePackage()
		s.expectApplied(ctx, rp)

		condition := func(kind, reason string) types.GomegaMatcher {
			return WithTransform(func(rp *v1alpha1.ReleasePackage) []metav1.Condition { return rp.Status.Conditions },
				ContainElement(And(HaveField("Type", kind), HaveField("Reason", reason))))
		}
		current := func() *v1alpha1.ReleasePackage {
			latest := &v1alpha1.ReleasePackage{}
			Expect(client.IgnoreNotFound(s.Get(ctx, keyOf(rp), latest))).To(Succeed())
			return latest
		}
		Eventually(ctx, current).Should(condition(v1alpha1.ConditionReconciling, v1alpha1.ReasonWorkspaceNotFound))

		ws := s.aWorkspace()
		ws.Spec.PollInterval.Duration = time.Second
		s.expectApplied(ctx, s.aSecret(), ws)
		Eventually(ctx, current).Should(condition(v1alpha1.ConditionReady, v1alpha1.ReasonPendingReview))
		Expect(s.console.Deploy(s.livePackages()[0])).To(Succeed())
		Eventually(ctx, current).Should(condition(v1alpha1.ConditionReady, v1alpha1.ReasonDeployed))
		Eventually(ctx, func() (v1alpha1.DataArtsWorkspaceStatus, error) {
			err := s.Get(ctx, client.ObjectKeyFromObject(ws), ws)
			return ws.Status, err
		}).Should(And(HaveField("Packages", BeEquivalentTo(1)), HaveField("InFlight", BeEquivalentTo(0))))
		Eventually(ctx, func() ([]eventsv1.Event, error) {
			list := &eventsv1.EventList{}
			err := s.List(ctx, list, client.InNamespace(s.namespace))
			return list.Items, err
		}).Should(ContainElement(And(HaveField("Reason", v1alpha1.EventPacked), HaveField("Regarding.Name", rp.Name))))

		Expect(s.Delete(ctx, rp)).To(Succeed())
		Eventually(ctx, func() bool { return apierrors.IsNotFound(s.Get(ctx, keyOf(rp), rp)) }).Should(BeTrue())
	}, NodeTimeout(time.Minute))

	It("tells at once that the service asked for fewer calls, and when that is over", func(ctx SpecContext) {
		s := newScene(ctx)
		s.startManager(ctx)
		ws := s.aWorkspace()
		ws.Spec.PollInterval.Duration = time.Second
		rp := s.aReleasePackage()
		s.expectApplied(ctx, s.aSecret(), ws, rp)
		Eventually(ctx, s.livePackages, "20s").Should(HaveLen(1))
		s.inject(simulator.Fault{Operation: simulator.OpShow, Kind: simulator.FaultError, Status: 429,
			Code: simulator.CodeThrottled, RetryAfter: 4 * time.Second})
		pausedUntil := func() (*metav1.Time, error) {
			err := s.Get(ctx, client.ObjectKeyFromObject(ws), ws)
			return ws.Status.ThrottledUntil, err
		}
		Eventually(ctx, pausedUntil, "10s").ShouldNot(BeNil())
		Eventually(ctx, pausedUntil, "10s").Should(BeNil())
		Expect(s.Delete(ctx, rp)).To(Succeed())
		Eventually(ctx, func() bool { return apierrors.IsNotFound(s.Get(ctx, keyOf(rp), rp)) }, "20s").Should(BeTrue())
	}, NodeTimeout(time.Minute))
})
