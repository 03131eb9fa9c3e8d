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

package workspace

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// ConnectForDeletion is Connect for a package that is being deleted. Where the workspace object or its Secret vanished
// before the package, as they do with their namespace, it returns the latest connection that this process had made
// from them. It leads where it led, whatever the object said last: ask its Target. What exists and cannot be used, or
// is rejected by the service, has not vanished.
func (c *Connections) ConnectForDeletion(ctx context.Context, namespace string,
	ref v1alpha1.WorkspaceReference) (*Connection, error) {
	conn, err := c.Connect(ctx, namespace, ref)
	if err == nil || !vanished(err) {
		return conn, err
	}
	if conn := c.latest(types.NamespacedName{Namespace: namespace, Name: ref.Name}); conn != nil {
		return conn, nil
	}
	if e, ok := errors.AsType[*Error](err); ok && e.Reason == v1alpha1.ReasonWorkspaceNotFound {
		return nil, &Error{e.Reason,
			fmt.Sprintf("DataArtsWorkspace %q does not exist in namespace %q, and the operator does not remember its "+
				"credentials; create it again with its Secret, leading where status.workspace says", ref.Name, namespace)}
	}
	return nil, err
}

// vanished reports whether an object or its Secret does not exist, or may not be read any more: when a namespace is
// deleted, the permissions in it may go first.
func vanished(err error) bool {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason == v1alpha1.ReasonWorkspaceNotFound || e.Reason == v1alpha1.ReasonCredentialsNotFound
	}
	return apierrors.IsForbidden(err)
}

// latest returns the latest connection of an object, or nil.
func (c *Connections) latest(key types.NamespacedName) *Connection {
	c.mu.Lock()
	s := c.slots[key]
	c.mu.Unlock()
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn
}

// Forget closes the connection of an object that is gone and that no package refers to any more.
func (c *Connections) Forget(key types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.slots[key]; s != nil {
		delete(c.slots, key)
		c.close(s)
	}
}

// Close closes and forgets all connections.
func (c *Connections) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.slots {
		c.close(s)
	}
	clear(c.slots)
}
