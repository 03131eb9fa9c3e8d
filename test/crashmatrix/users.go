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
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/controller"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// act lets a user change the ReleasePackage that the story speaks of, and wakes the manager where its predicates
// would let the change through: a new object, another generation, which a deletion has too, another value of the
// annotation, or one that has lost the operator's finalizer.
func (w *world) act(do func(ctx context.Context) error) error {
	ctx := context.Background()
	before := w.rp
	if err := do(ctx); err != nil {
		return err
	}
	if err := w.read(ctx); err != nil {
		return err
	}
	after := w.rp
	if after != nil && (before == nil || news(before, after)) {
		w.wake(w.object)
	}
	return nil
}

// news reports whether the manager's predicates let a change through.
func news(was, is client.Object) bool {
	return controller.Wakes().Update(event.UpdateEvent{ObjectOld: was, ObjectNew: is})
}

// protects reports whether the operator's finalizer keeps an object.
func protects(o metav1.Object) bool {
	return slices.Contains(o.GetFinalizers(), v1alpha1.UnpackFinalizer)
}

// wakeWaiters wakes those who wait for what an object had or wanted and does not any more, or that went with it: the
// manager watches for that.
func (w *world) wakeWaiters(o *object, was, is *v1alpha1.ReleasePackage) {
	if was == nil {
		return
	}
	var left []lifecycle.Claim
	if is != nil {
		left = lifecycle.Claims(is)
	}
	if is != nil && !slices.ContainsFunc(lifecycle.Claims(was),
		func(c lifecycle.Claim) bool { return !slices.Contains(left, c) }) {
		return
	}
	for _, other := range w.objects {
		if other != o && other.rp != nil && readyReason(other.rp) == v1alpha1.ReasonAlreadyClaimed {
			w.wake(other)
		}
	}
}

// wake makes a pass for an object due at once, for the manager that leads.
func (w *world) wake(o *object) {
	w.mu.Lock()
	defer w.mu.Unlock()
	o.woken = true
}

// isWoken reports whether a change is on its way to the manager that makes a pass due.
func (w *world) isWoken(o *object) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return o.woken
}

// takeWake reports whether somebody has woken the manager for an object since the last time.
func (w *world) takeWake(o *object) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	woken := o.woken
	o.woken = false
	return woken
}

func (w *world) apply(change ...func(w *world, rp *v1alpha1.ReleasePackage)) error {
	rp := &v1alpha1.ReleasePackage{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: w.name},
		Spec: v1alpha1.ReleasePackageSpec{
			ApplyUserID:    developer,
			PendingItemIDs: w.items[:1],
			ApproverIDs:    []v1alpha1.UserID{deployer},
		},
	}
	for _, c := range change {
		c(w, rp)
	}
	w.retained = rp.Spec.DeletionPolicy == v1alpha1.DeletionRetain
	return w.act(func(ctx context.Context) error { return w.users.Create(ctx, rp) })
}

// edit changes the object as kubectl apply does, whatever its version.
func (w *world) edit(change func(rp *v1alpha1.ReleasePackage)) error {
	return w.act(func(ctx context.Context) error {
		if err := w.read(ctx); err != nil || w.rp == nil {
			return errors.Join(err, errIfGone(w.rp))
		}
		changed := w.rp.DeepCopy()
		change(changed)
		w.retained = changed.Spec.DeletionPolicy == v1alpha1.DeletionRetain
		return w.users.Patch(ctx, changed, client.MergeFrom(w.rp))
	})
}

func errIfGone(rp *v1alpha1.ReleasePackage) error {
	if rp == nil {
		return errors.New("the object that a user wants to edit is gone")
	}
	return nil
}

func (w *world) force() error {
	return w.edit(func(rp *v1alpha1.ReleasePackage) {
		metav1.SetMetaDataAnnotation(&rp.ObjectMeta, v1alpha1.ReconcileAtAnnotation, rp.ResourceVersion)
	})
}

func (w *world) remove() error {
	return w.act(func(ctx context.Context) error {
		rp := &v1alpha1.ReleasePackage{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: w.name}}
		return client.IgnoreNotFound(w.users.Delete(ctx, rp))
	})
}

// replace puts the manifest in the place of the object, as kubectl replace does: whatever the manifest does not have
// is gone, finalizers included.
func (w *world) replace() error {
	return w.act(func(ctx context.Context) error {
		if err := w.read(ctx); err != nil || w.rp == nil {
			return errors.Join(err, errIfGone(w.rp))
		}
		manifest := &v1alpha1.ReleasePackage{
			ObjectMeta: metav1.ObjectMeta{Namespace: w.rp.Namespace, Name: w.rp.Name, ResourceVersion: w.rp.ResourceVersion},
			Spec:       w.rp.Spec,
		}
		return w.users.Update(ctx, manifest)
	})
}

// restore brings the object back from a backup, into a cluster that was built anew: it is another object with the
// same spec, its status is lost, and no manager has seen the old one go. That takes a while.
func (w *world) restore() error { return w.createAgain(v1alpha1.UnpackFinalizer) }

// recreate is the same from a repository, which has no finalizers.
func (w *world) recreate() error { return w.createAgain() }

func (w *world) createAgain(finalizers ...string) error {
	ctx := context.Background()
	if err := errors.Join(w.restart(), w.read(ctx)); err != nil {
		return err
	}
	backup := &v1alpha1.ReleasePackage{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.rp.Namespace, Name: w.rp.Name, Finalizers: finalizers}, Spec: w.rp.Spec,
	}
	bare := w.rp.DeepCopy()
	bare.Finalizers = nil
	err := w.users.Patch(ctx, bare, client.MergeFrom(w.rp))
	if err == nil {
		err = w.users.Delete(ctx, bare)
	}
	if err == nil {
		err = w.users.Create(ctx, backup)
	}
	w.clock.Step(time.Minute)
	return errors.Join(err, w.read(ctx))
}

// meddle is a harmless edit, which no predicate lets through: it only makes another version.
func (w *world) meddle(ctx context.Context, name string) {
	rp := &v1alpha1.ReleasePackage{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}}
	patch := client.RawPatch("application/merge-patch+json",
		fmt.Appendf(nil, `{"metadata":{"annotations":{"touched":"%d"}}}`, w.memory.versions(name)))
	if err := client.IgnoreNotFound(w.users.Patch(ctx, rp, patch)); err != nil {
		w.judge.broken("touching the object: %v", err)
	}
}

func (w *world) createSecret() error {
	return w.users.Create(context.Background(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: secretObject},
		StringData: map[string]string{v1alpha1.SecretKeyToken: token},
	})
}

func (w *world) removeSecret() error {
	return w.users.Delete(context.Background(),
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: secretObject}})
}

func (w *world) createWorkspace() error {
	ctx := context.Background()
	err := w.users.Create(ctx, &v1alpha1.DataArtsWorkspace{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: workspaceObject},
		Spec: v1alpha1.DataArtsWorkspaceSpec{
			Endpoint:          w.server.URL,
			ProjectID:         project,
			WorkspaceID:       workspaceID,
			Credentials:       v1alpha1.WorkspaceCredentials{SecretRef: v1alpha1.SecretReference{Name: secretObject}},
			PollInterval:      metav1.Duration{Duration: pollInterval},
			RequestsPerSecond: 1000,
		},
	})
	if err != nil {
		return err
	}
	// The manager's watch of workspaces wakes the packages that something is in the way of.
	err = w.read(ctx)
	for _, o := range w.objects {
		if o.rp != nil && needsAttention(o.rp) {
			w.wake(o)
		}
	}
	return err
}

func needsAttention(rp *v1alpha1.ReleasePackage) bool {
	c := rp.Status.Conditions
	return !meta.IsStatusConditionTrue(c, v1alpha1.ConditionReady) ||
		meta.IsStatusConditionTrue(c, v1alpha1.ConditionReconciling) ||
		meta.IsStatusConditionTrue(c, v1alpha1.ConditionStalled)
}

func (w *world) removeWorkspace() error {
	return w.users.Delete(context.Background(), &v1alpha1.DataArtsWorkspace{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: workspaceObject}})
}

// packInConsole lets a person pack the first item by hand.
func (w *world) packInConsole() (string, error) {
	id, err := w.console.Pack("by hand", developer, []string{deployer}, []string{string(w.items[0])})
	w.foreign[id] = true
	return id, err
}

// review does something in the console to the package of the object that is live, if there is one.
func (w *world) review(do func(id string) error) error {
	for _, p := range w.packages() {
		if p.Live() {
			return do(p.ID)
		}
	}
	return nil
}

// ignoreState takes it for done when the state of a package does not allow a step: somebody else was faster.
func ignoreState(err error) error {
	if errors.Is(err, simulator.ErrState) || apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
