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

package poll

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

// Source is where packages are looked at: one connection to the service. Sources are compared with ==.
type Source interface {
	// Target says where the packages are.
	Target() v1alpha1.PinnedWorkspace
	// PollInterval is how long to wait at this time before packages in review are looked at again.
	PollInterval() time.Duration
	// Polled takes down that a run has made so many calls that nobody waited for, besides looks at what has changed. It
	// returns how long to wait at least because of them, whatever was asked for.
	Polled(calls int) time.Duration
	// Calls begins a series of calls for which nobody waits yet.
	Calls() Calls
	// Look shows one package.
	Look(ctx context.Context, id string) (dataarts.PackageDetail, error)
	// Search lists the packages whose name contains a keyword.
	Search(ctx context.Context, keyword string) ([]dataarts.Package, error)
	// ShowsAny reports whether there is any package.
	ShowsAny(ctx context.Context) (bool, error)
}

// Calls are made one after the other, for one run. Once begun, they go on however many other calls wait.
type Calls interface {
	// Hurry says that somebody waits for what is left of the calls.
	Hurry()
	// ListPage reads a page of the packages in some states.
	ListPage(ctx context.Context, states []dataarts.DeployStatus, offset int) (dataarts.Page[dataarts.Package], error)
	// Look shows one package.
	Look(ctx context.Context, id string) (dataarts.PackageDetail, error)
}

// Resolve finds the source that a workspace object has now. An error with a method Lasting that returns true stands
// until someone acts.
type Resolve func(ctx context.Context, workspace types.NamespacedName, forDeletion bool) (Source, error)
