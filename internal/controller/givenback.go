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
	"maps"
	"sync"
	"time"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

// givenBack remembers which items this process has given back by withdrawing their package, for as long as the
// pending list may lag behind. The zero value is ready for use.
type givenBack struct {
	mu    sync.Mutex
	items map[placedItem]time.Time
}

// placedItem is an item of a workspace.
type placedItem struct {
	v1alpha1.PinnedWorkspace
	id string
}

// note takes down that the items of an object's package were given back, and forgets what was given back before that.
func (g *givenBack) note(rp *v1alpha1.ReleasePackage, place v1alpha1.PinnedWorkspace, now time.Time,
	lag time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	maps.DeleteFunc(g.items, func(_ placedItem, at time.Time) bool { return now.Sub(at) >= lag })
	if g.items == nil {
		g.items = map[placedItem]time.Time{}
	}
	for _, id := range lifecycle.ItemsOf(rp) {
		g.items[placedItem{place, id}] = now
	}
}

// since is when the latest of the items was given back; the zero time unless all of them were.
func (g *givenBack) since(place v1alpha1.PinnedWorkspace, ids []string) (latest time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, id := range ids {
		at := g.items[placedItem{place, id}]
		if at.IsZero() {
			return time.Time{}
		}
		if at.After(latest) {
			latest = at
		}
	}
	return latest
}
