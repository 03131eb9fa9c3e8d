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

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// indexed is a client that answers lists by an index, as the manager's cache does and the API server does not. Like a
// manager with --watch-namespaces, it knows the namespace of its run alone.
type indexed struct {
	client.Client
	namespace string
	indexes   map[string]client.IndexerFunc
}

// List implements client.Reader.
func (c *indexed) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	var asked client.ListOptions
	asked.ApplyOptions(opts)
	packages, ok := list.(*v1alpha1.ReleasePackageList)
	if !ok || asked.FieldSelector == nil {
		return c.Client.List(ctx, list, opts...)
	}
	if err := c.Client.List(ctx, list, client.InNamespace(c.namespace)); err != nil {
		return err
	}
	for _, wanted := range asked.FieldSelector.Requirements() {
		index, ok := c.indexes[wanted.Field]
		if !ok {
			return fmt.Errorf("the operator asks for an index %q that nobody has made", wanted.Field)
		}
		packages.Items = slices.DeleteFunc(packages.Items, func(rp v1alpha1.ReleasePackage) bool {
			return !slices.Contains(index(&rp), wanted.Value)
		})
	}
	return nil
}
