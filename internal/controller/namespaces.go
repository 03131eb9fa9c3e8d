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

package controller

import (
	"context"
	"fmt"
	"slices"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// namespaceRecheck is how often the rights in the namespaces are looked at again.
const namespaceRecheck = 30 * time.Second

// Namespaces are those that the operator was told to watch. A cache of several fills for none of them while it may
// not read one, so that those are left out in which it may not.
type Namespaces struct {
	// Reviews asks the API server what the operator may do.
	Reviews client.Client
	// Wanted are the namespaces.
	Wanted []string
	// Regained is called when the operator may read one that was left out. What is watched is settled at the start, so
	// that it has to start again.
	Regained func()

	served []string
}

// Serve returns the namespaces that may be read, and tells of the others. It is an error if there is none.
func (n *Namespaces) Serve(ctx context.Context) ([]string, error) {
	log := ctrl.Log.WithName("namespaces")
	for _, namespace := range n.Wanted {
		allowed, err := n.readable(ctx, namespace)
		if err != nil {
			return nil, fmt.Errorf("asking for the rights in namespace %q: %w", namespace, err)
		}
		show(namespace, allowed)
		if allowed {
			n.served = append(n.served, namespace)
			continue
		}
		log.Info("Namespace is not served, as the operator may not read its resources; bind its role there", "namespace",
			namespace)
	}
	if len(n.served) == 0 {
		return nil, fmt.Errorf("the operator may read its resources in none of the namespaces %q: bind its role there",
			n.Wanted)
	}
	return n.served, nil
}

// Start implements manager.Runnable: it looks at the rights from time to time.
func (n *Namespaces) Start(ctx context.Context) error {
	log := ctrl.Log.WithName("namespaces")
	wait.UntilWithContext(ctx, func(ctx context.Context) {
		for _, namespace := range n.Wanted {
			allowed, err := n.readable(ctx, namespace)
			if err != nil {
				return // The next look comes soon.
			}
			show(namespace, allowed)
			if allowed && !slices.Contains(n.served, namespace) {
				log.Info("Operator starts again, as it may read a namespace that was left out", "namespace", namespace)
				n.Regained()
				return
			}
		}
	}, namespaceRecheck)
	return nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: a replica that stands by watches, too.
func (n *Namespaces) NeedLeaderElection() bool { return false }

// readable reports whether the operator may list and watch its kinds in a namespace.
func (n *Namespaces) readable(ctx context.Context, namespace string) (bool, error) {
	for _, resource := range []string{"releasepackages", "dataartsworkspaces"} {
		for _, verb := range []string{"list", "watch"} {
			review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
				ResourceAttributes: &authorizationv1.ResourceAttributes{
					Namespace: namespace, Verb: verb, Group: v1alpha1.GroupVersion.Group, Resource: resource,
				},
			}}
			if err := n.Reviews.Create(ctx, review); err != nil {
				return false, err
			}
			if !review.Status.Allowed {
				return false, nil
			}
		}
	}
	return true, nil
}

// show tells the metric.
func show(namespace string, readable bool) {
	value := 1.0
	if readable {
		value = 0
	}
	forbiddenNamespaces.WithLabelValues(namespace).Set(value)
}
