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

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/test/harness"
)

const (
	workspaceName = "production"
	callTimeout   = 30 * time.Second

	// people is how many apply or delete at the same time.
	people = 16

	// requestsMost is more calls a second than any scenario makes; an API that does not take it takes requestsMostBefore.
	requestsMost       = 1000
	requestsMostBefore = 100
)

// pace is what a workspace object says about the use of the service.
type pace struct {
	requests int32
	interval time.Duration
}

// world is a namespace with a workspace, a service of its own, and a manager that looks after this namespace alone.
type world struct {
	*bench
	name    string
	size    int
	service *service
	tracker *tracker
	manager *harness.Process // nil while none runs
	runs    int
}

// newWorld makes everything but the manager.
func (b *bench) newWorld(ctx context.Context, name string, size int, l limits, p pace) (made *world, err error) {
	w := &world{bench: b, name: name, size: size}
	defer func() {
		if err != nil {
			w.close()
			err = fmt.Errorf("%s: %w", name, err)
		}
	}()
	if w.service, err = startService(ctx, b.dir, b.logs, name, l); err != nil {
		return nil, err
	}
	if err := b.plane.api.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
		return nil, err
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "dataarts"},
		StringData: map[string]string{
			v1alpha1.SecretKeyAccessKey: accessKey, v1alpha1.SecretKeySecretKey: secretKey,
		}}
	if err := b.plane.api.Create(ctx, secret); err != nil {
		return nil, err
	}
	if err := w.createWorkspace(ctx, p); err != nil {
		return nil, err
	}
	w.tracker, err = track(ctx, b.plane, name)
	return w, err
}

func (w *world) createWorkspace(ctx context.Context, p pace) error {
	ws := &v1alpha1.DataArtsWorkspace{ObjectMeta: metav1.ObjectMeta{Namespace: w.name, Name: workspaceName},
		Spec: v1alpha1.DataArtsWorkspaceSpec{
			Endpoint: w.service.Service, ProjectID: projectID, WorkspaceID: workspaceID,
			Credentials:       v1alpha1.WorkspaceCredentials{SecretRef: v1alpha1.SecretReference{Name: "dataarts"}},
			Timeout:           metav1.Duration{Duration: callTimeout},
			PollInterval:      metav1.Duration{Duration: p.interval},
			RequestsPerSecond: p.requests,
		}}
	err := w.plane.api.Create(ctx, ws)
	if apierrors.IsInvalid(err) && p.requests == requestsMost {
		ws.Spec.RequestsPerSecond = requestsMostBefore
		return w.plane.api.Create(ctx, ws)
	}
	return err
}

// change makes the workspace go by another pace.
func (w *world) change(ctx context.Context, p pace) error {
	ws, err := w.workspace(ctx)
	if err != nil {
		return err
	}
	before := ws.DeepCopy()
	ws.Spec.RequestsPerSecond, ws.Spec.PollInterval.Duration = p.requests, p.interval
	return w.plane.api.Patch(ctx, ws, client.MergeFrom(before))
}

func (w *world) workspace(ctx context.Context) (*v1alpha1.DataArtsWorkspace, error) {
	ws := &v1alpha1.DataArtsWorkspace{}
	return ws, w.plane.api.Get(ctx, client.ObjectKey{Namespace: w.name, Name: workspaceName}, ws)
}

// startManager starts the manager as config/default runs it, but for the election of a leader, which nobody else
// stands for here.
func (w *world) startManager() error {
	w.runs++
	var err error
	log := filepath.Join(w.logs, fmt.Sprintf("%s-manager-%d.log", w.name, w.runs))
	w.manager, err = harness.StartProcess("manager", log,
		"--kubeconfig", w.plane.managerKubeconfig, "--watch-namespaces", w.name, "--allow-insecure-endpoints",
		"--metrics-bind-address", "0", "--health-probe-bind-address", "0", "--max-concurrent-reconciles",
		fmt.Sprint(w.workers))
	return err
}

func (w *world) stopManager() {
	w.manager.Stop()
	w.manager = nil
}

// awaitWorkspace returns when the manager has tried the workspace, and a moment has passed in which it does what it
// does at its start.
func (w *world) awaitWorkspace(ctx context.Context) error {
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, time.Minute, true,
		func(ctx context.Context) (bool, error) {
			ws, err := w.workspace(ctx)
			return err == nil && apimeta.IsStatusConditionTrue(ws.Status.Conditions, v1alpha1.ConditionReady),
				errors.Join(err, w.well())
		})
	if err != nil {
		return fmt.Errorf("%s: waiting for the workspace: %w", w.name, err)
	}
	return harness.Pause(ctx, settling)
}

// well returns an error when a part of the world has ended.
func (w *world) well() error { return errors.Join(w.manager.Alive(), w.service.Alive()) }

// close ends what runs. The objects stay, as the control plane ends with this program.
func (w *world) close() {
	w.stopManager()
	if w.service != nil {
		w.service.Stop()
	}
	if w.tracker != nil {
		w.tracker.stop()
	}
}

func packageName(i int) string { return fmt.Sprintf("package-%05d", i) }

// newPackage is what a data engineer applies.
func (w *world) newPackage(i int, item string) *v1alpha1.ReleasePackage {
	return &v1alpha1.ReleasePackage{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.name, Name: packageName(i)},
		Spec: v1alpha1.ReleasePackageSpec{
			WorkspaceRef: v1alpha1.WorkspaceReference{Name: workspaceName}, ApplyUserID: engineer,
			PendingItemIDs: []v1alpha1.ID{v1alpha1.ID(item)}, ApproverIDs: []v1alpha1.UserID{approver},
		},
	}
}

// apply creates a ReleasePackage for each item, and hands over each that was created.
func (w *world) apply(ctx context.Context, items []string, created func(*v1alpha1.ReleasePackage)) error {
	return each(ctx, people, len(items), func(ctx context.Context, i int) error {
		rp := w.newPackage(i, items[i])
		if err := w.plane.api.Create(ctx, rp); err != nil {
			return fmt.Errorf("applying %s: %w", rp.Name, err)
		}
		created(rp)
		return nil
	})
}

// remove deletes every ReleasePackage, as kubectl delete does without waiting.
func (w *world) remove(ctx context.Context) (int, error) {
	all, err := names(ctx, w.plane.api, w.name)
	if err != nil {
		return 0, err
	}
	return len(all), each(ctx, people, len(all), func(ctx context.Context, i int) error {
		rp := &v1alpha1.ReleasePackage{ObjectMeta: metav1.ObjectMeta{Namespace: w.name, Name: all[i]}}
		return client.IgnoreNotFound(w.plane.api.Delete(ctx, rp))
	})
}
