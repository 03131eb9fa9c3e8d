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
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// blinds keep a manager from seeing ReleasePackages for a while. After that the API server has forgotten what has
// happened meanwhile, as one does that was started again, so that the manager sees only what there is.
type blinds struct {
	mu   sync.Mutex
	down chan struct{} // closed when they are up again; nil while they are up
	// forgotten tells that the next watch that goes on where it was gets an error.
	forgotten bool
	cut       []context.CancelFunc
}

// config returns the configuration of a manager behind them.
func (b *blinds) config(of *rest.Config) *rest.Config {
	behind := rest.CopyConfig(of)
	behind.Wrap(func(next http.RoundTripper) http.RoundTripper { return &behindBlinds{b, next} })
	return behind
}

func (b *blinds) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.down = make(chan struct{})
	for _, cut := range b.cut {
		cut()
	}
	b.cut, b.forgotten = nil, true
}

func (b *blinds) open() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.down)
	b.down = nil
}

// pass waits until the blinds are up, and reports whether the request is one for what is forgotten.
func (b *blinds) pass(r *http.Request) (*http.Request, bool) {
	b.mu.Lock()
	down := b.down
	b.mu.Unlock()
	if down != nil {
		select {
		case <-down:
		case <-r.Context().Done():
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	query := r.URL.Query()
	resumes := query.Get("watch") != "" && query.Get("resourceVersion") != "" && query.Get("sendInitialEvents") == ""
	if b.forgotten && resumes {
		b.forgotten = false
		return r, true
	}
	ctx, cut := context.WithCancel(r.Context())
	b.cut = append(b.cut, cut)
	return r.WithContext(ctx), false
}

type behindBlinds struct {
	blinds *blinds
	next   http.RoundTripper
}

func (t *behindBlinds) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/releasepackages") || r.Method != http.MethodGet {
		return t.next.RoundTrip(r)
	}
	r, forgotten := t.blinds.pass(r)
	if !forgotten {
		return t.next.RoundTrip(r)
	}
	status := `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"too old resource version",` +
		`"reason":"Expired","code":410}`
	return &http.Response{
		Status: "410 Gone", StatusCode: http.StatusGone, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(status)),
		ContentLength: int64(len(status)), Request: r,
	}, nil
}

var _ = Describe("An object that was made again while the manager could not see it", func() {
	var s *scene
	var rp *v1alpha1.ReleasePackage
	var b *blinds

	// follow starts the manager, and waits until the object is in a state.
	follow := func(ctx context.Context, state v1alpha1.PackageState, with ...func(*v1alpha1.ReleasePackage)) {
		GinkgoHelper()
		s, b = newScene(ctx), &blinds{}
		s.startManagerWith(ctx, b.config(controlPlane))
		ws := s.aWorkspace()
		ws.Spec.PollInterval.Duration = time.Second
		rp = s.aReleasePackage(with...)
		s.expectApplied(ctx, s.aSecret(), ws, rp)
		Eventually(ctx, s.livePackages, "20s").Should(HaveLen(1))
		id := s.livePackages()[0]
		switch state {
		case v1alpha1.StateDeployed:
			Expect(s.console.Deploy(id)).To(Succeed())
		case v1alpha1.StateDeployFailed:
			Expect(s.console.StartDeploy(id)).To(Succeed())
			Expect(s.console.FailDeploy(id)).To(Succeed())
		}
		Eventually(ctx, func(g Gomega) {
			g.Expect(s.Get(ctx, keyOf(rp), rp)).To(Succeed())
			g.Expect(rp.Status.State).To(Equal(state))
		}, "20s").Should(Succeed())
	}
	// again takes the object away unseen, and makes another one of its name, for another item.
	again := func(ctx context.Context) *v1alpha1.ReleasePackage {
		GinkgoHelper()
		other, err := s.console.Submit(simulator.NewItem{Name: "job_c", SubmitUserID: developer})
		Expect(err).NotTo(HaveOccurred())
		b.close()
		manifest := s.aReleasePackage()
		manifest.ResourceVersion = rp.ResourceVersion
		manifest.Spec = rp.Spec
		Expect(s.Update(ctx, manifest)).To(Succeed())
		Expect(s.Delete(ctx, manifest)).To(Succeed())
		s.expectGone(ctx, rp)
		next := s.aReleasePackage(withItems(v1alpha1.ID(other[0])))
		next.Finalizers = []string{v1alpha1.UnpackFinalizer} // As a backup has it.
		s.expectApplied(ctx, next)
		Expect(next.Generation).To(Equal(rp.Generation))
		b.open()
		return next
	}

	It("is packed, though its generation is that of the one before", func(ctx SpecContext) {
		follow(ctx, v1alpha1.StateDeployed)
		next := again(ctx)
		Eventually(ctx, func(g Gomega) {
			g.Expect(s.Get(ctx, keyOf(next), next)).To(Succeed())
			g.Expect(next.Status.State).To(Equal(v1alpha1.StatePendingReview))
		}, "30s").Should(Succeed())
	}, NodeTimeout(time.Minute))

	It("has it told that the one before has left a package", func(ctx SpecContext) {
		follow(ctx, v1alpha1.StateDeployFailed)
		left := rp.Status.ReleasePackageID
		again(ctx)
		Eventually(ctx, func(g Gomega) {
			list := &eventsv1.EventList{}
			g.Expect(s.List(ctx, list, client.InNamespace(s.namespace))).To(Succeed())
			g.Expect(list.Items).To(ContainElement(And(HaveField("Reason", v1alpha1.EventOrphaned),
				HaveField("Note", ContainSubstring("Package "+left+" stays")))))
		}, "30s").Should(Succeed())
	}, NodeTimeout(time.Minute))
})
