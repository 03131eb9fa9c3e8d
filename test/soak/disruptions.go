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
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// foreignFinalizer is another operator's.
const foreignFinalizer = "example.com/archive"

// replace does what kubectl replace and tools that sync by replacing do: all metadata that the file does not have is
// dropped.
func (t *team) replace(ctx context.Context, r *record) error {
	w := r.want
	if t.random.IntN(3) == 0 {
		w = t.wish(r)
		t.ledger.update(func() { r.edited = true })
	}
	err := t.rewrite(ctx, r, func(rp *v1alpha1.ReleasePackage) {
		rp.Finalizers, rp.Annotations, rp.Labels = nil, nil, nil
		rp.Spec.PendingItemIDs, rp.Spec.ApproverIDs = as[v1alpha1.ID](w.items), as[v1alpha1.UserID](w.approvers)
	})
	if apierrors.IsInvalid(err) {
		return nil
	}
	if err == nil && !w.same(r.want) {
		t.ledger.update(func() { r.want, r.wanted = w, r.want })
	}
	return err
}

// abandon deletes an object without a finalizer, so that it is gone before the operator has withdrawn anything.
func (t *team) abandon(ctx context.Context, r *record) error {
	t.ledger.update(func() { r.deleted = true })
	if err := t.vanish(ctx, r); err != nil {
		return err
	}
	t.leaving = append(t.leaving, r.name)
	return nil
}

// vanish drops the finalizers and deletes, as people do who are in a hurry. The operator may be faster and put its
// own back.
func (t *team) vanish(ctx context.Context, r *record) error {
	if err := t.rewrite(ctx, r, func(rp *v1alpha1.ReleasePackage) { rp.Finalizers = nil }); err != nil {
		return client.IgnoreNotFound(err)
	}
	t.ledger.update(func() { r.vanished = append(r.vanished, time.Now()) })
	return t.discard(ctx, &v1alpha1.ReleasePackage{ObjectMeta: t.named(r.name)})
}

// restore does what a backup tool does: the object is made again as it was, with another UID and without its status.
func (t *team) restore(ctx context.Context, r *record) error {
	backup := &v1alpha1.ReleasePackage{}
	if err := persist(ctx, func() error {
		return t.api.Get(ctx, client.ObjectKey{Namespace: t.namespace, Name: r.name},
			backup)
	}); err != nil {
		return client.IgnoreNotFound(err)
	}
	t.ledger.update(func() { r.restored = true })
	if err := t.vanish(ctx, r); err != nil {
		return err
	}
	again := &v1alpha1.ReleasePackage{
		ObjectMeta: metav1.ObjectMeta{Namespace: t.namespace, Name: r.name, Annotations: backup.Annotations},
		Spec:       backup.Spec,
	}
	if t.random.IntN(2) == 0 {
		again.Finalizers = backup.Finalizers
	}
	// While the object is still there, it is being deleted: wait as the tool does.
	err := persist(ctx, func() error {
		err := t.api.Create(ctx, again)
		if !apierrors.IsAlreadyExists(err) {
			return err
		}
		there := &v1alpha1.ReleasePackage{}
		if t.api.Get(ctx, client.ObjectKeyFromObject(again), there) == nil && there.UID != backup.UID {
			again = there // The answer to an earlier try was lost.
			return nil
		}
		return fmt.Errorf("%s is still there", r.name)
	})
	if err != nil {
		return fmt.Errorf("restoring %s: %w", r.name, err)
	}
	t.ledger.update(func() { r.uid = again.UID })
	return nil
}

// hold adds the finalizer of another operator, or takes it away.
func (t *team) hold(ctx context.Context, r *record, held bool) error {
	return client.IgnoreNotFound(t.rewrite(ctx, r, func(rp *v1alpha1.ReleasePackage) {
		rp.Finalizers = slices.DeleteFunc(rp.Finalizers, func(f string) bool { return f == foreignFinalizer })
		if held {
			rp.Finalizers = append(rp.Finalizers, foreignFinalizer)
		}
	}))
}

// letGo takes the other operator's finalizer from everything that is being deleted.
func (t *team) letGo(ctx context.Context) error {
	list := &v1alpha1.ReleasePackageList{}
	if err := persist(ctx, func() error { return t.api.List(ctx, list, client.InNamespace(t.namespace)) }); err != nil {
		return err
	}
	for i := range list.Items {
		if rp := &list.Items[i]; !rp.DeletionTimestamp.IsZero() && slices.Contains(rp.Finalizers, foreignFinalizer) {
			if err := t.hold(ctx, &record{name: rp.Name}, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// lastDisruptions are what people do when everything is well and one manager is in office: it misses nothing of that.
func (t *team) lastDisruptions(ctx context.Context) error {
	disruptions := []func(context.Context, *record) error{t.replace, t.restore, t.abandon, t.restore, t.abandon, t.replace}
	for _, disrupt := range disruptions {
		if len(t.records) == 0 {
			return nil
		}
		i := t.random.IntN(len(t.records))
		r := t.records[i]
		t.records = slices.Delete(t.records, i, i+1)
		if err := disrupt(ctx, r); err != nil {
			return err
		}
	}
	return nil
}
