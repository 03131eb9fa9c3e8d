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
	"encoding/json"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// object is a part of a merge patch.
type object map[string]any

func (t *team) patch(ctx context.Context, r *record, change object) error {
	text, err := json.Marshal(change)
	if err != nil {
		return err
	}
	rp := &v1alpha1.ReleasePackage{ObjectMeta: t.named(r.name)}
	err = persist(ctx, func() error { return t.api.Patch(ctx, rp, client.RawPatch(types.MergePatchType, text)) })
	if err != nil {
		return fmt.Errorf("patching %s with %s: %w", r.name, text, err)
	}
	return nil
}

// persist repeats what fails for another reason than the request itself, as people do.
func persist(ctx context.Context, do func() error) error {
	for {
		err := do()
		if err == nil || apierrors.IsNotFound(err) || apierrors.IsAlreadyExists(err) || apierrors.IsInvalid(err) {
			return err
		}
		if !pause(ctx, 300*time.Millisecond) {
			return err
		}
	}
}

// rewrite reads an object, changes it and writes it back whole.
func (t *team) rewrite(ctx context.Context, r *record, change func(*v1alpha1.ReleasePackage)) error {
	err := persist(ctx, func() error {
		rp := &v1alpha1.ReleasePackage{}
		if err := t.api.Get(ctx, client.ObjectKey{Namespace: t.namespace, Name: r.name}, rp); err != nil {
			return err
		}
		change(rp)
		return t.api.Update(ctx, rp)
	})
	if err != nil {
		return fmt.Errorf("rewriting %s: %w", r.name, err)
	}
	return nil
}

// put creates an object, or gives the one that is there this content.
func (t *team) put(ctx context.Context, wanted client.Object) error {
	err := persist(ctx, func() error {
		there := wanted.DeepCopyObject().(client.Object)
		err := t.api.Get(ctx, client.ObjectKeyFromObject(wanted), there)
		if apierrors.IsNotFound(err) {
			return t.api.Create(ctx, wanted.DeepCopyObject().(client.Object))
		}
		if err != nil {
			return err
		}
		next := wanted.DeepCopyObject().(client.Object)
		next.SetResourceVersion(there.GetResourceVersion())
		return t.api.Update(ctx, next)
	})
	if err != nil && !apierrors.IsAlreadyExists(err) { // The answer to an earlier try was lost.
		return fmt.Errorf("putting %s: %w", wanted.GetName(), err)
	}
	return nil
}

// discard deletes an object that is there or not.
func (t *team) discard(ctx context.Context, object client.Object) error {
	err := persist(ctx, func() error { return t.api.Delete(ctx, object) })
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deleting %s: %w", object.GetName(), err)
	}
	return nil
}
