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
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

// findingTime is how long what was found to hold an object's items is told without another look at what else is in
// flight. Who holds them seldom changes while the pending list shows the same, and there may be many objects that
// wait for someone to act.
const findingTime = 30 * time.Minute

// findings remember what holds the items of objects that tell people of it. The zero value is ready for use.
type findings struct {
	mu   sync.Mutex
	made map[types.NamespacedName]finding
}

// finding is about one version of an object and of what the pending list shows of its items.
type finding struct {
	uid               types.UID
	generation        int64
	notListed, packed []string
	holders           []lifecycle.Package
	until             time.Time
}

// note takes down what was found, before that is told of.
func (f *findings) note(rp *v1alpha1.ReleasePackage, found lifecycle.Preflight, holders []lifecycle.Package,
	now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.made == nil {
		f.made = map[types.NamespacedName]finding{}
	}
	f.made[client.ObjectKeyFromObject(rp)] = finding{
		rp.UID, rp.Generation, slices.Clone(found.NotListed), slices.Clone(found.Packed), slices.Clone(holders),
		now.Add(findingTime),
	}
}

// standing is what was found before, if the object tells of it and nothing asks for another look.
func (f *findings) standing(rp *v1alpha1.ReleasePackage, found lifecycle.Preflight,
	now time.Time) ([]lifecycle.Package, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	made, ok := f.made[client.ObjectKeyFromObject(rp)]
	same := ok && made.uid == rp.UID && made.generation == rp.Generation && now.Before(made.until) &&
		slices.Equal(made.notListed, found.NotListed) && slices.Equal(made.packed, found.Packed)
	return made.holders, same && lifecycle.TellsOfPreflight(rp) && !lifecycle.Forced(rp)
}

func (f *findings) forget(object types.NamespacedName) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.made, object)
}
