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
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// Target says where the workspace object that ref names in the namespace leads to, whether or not there are
// credentials for it. It is nil when the object does not exist or cannot be used.
func (c *Connections) Target(ctx context.Context, namespace string,
	ref v1alpha1.WorkspaceReference) (*v1alpha1.PinnedWorkspace, error) {
	ws := &v1alpha1.DataArtsWorkspace{}
	err := c.Objects.Get(ctx, types.NamespacedName{Namespace: namespace, Name: ref.Name}, ws)
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("reading DataArtsWorkspace %q: %w", ref.Name, err)
	}
	endpoint, err := c.endpoint(ws)
	if err != nil {
		return nil, nil //nolint:nilerr // What cannot be used leads nowhere.
	}
	return &v1alpha1.PinnedWorkspace{Endpoint: endpoint, ProjectID: ws.Spec.ProjectID, WorkspaceID: ws.Spec.WorkspaceID},
		nil
}
