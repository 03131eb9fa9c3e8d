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

package pending

import (
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

// snapshot is what one reading of the pending list has brought. It does not change once others see it.
type snapshot struct {
	// number counts the readings from 1, and began is when this one did.
	number int
	began  time.Time
	// atOnce tells that the list was read with one call, so that nothing changed meanwhile.
	atOnce bool
	items  map[string]dataarts.PendingItem
	err    error
}

// partial tells that the list changed while it was read, so that only what is shown says something.
func (s *snapshot) partial() bool { return errors.Is(s.err, dataarts.ErrIncomplete) }

// answers reports whether the snapshot suffices for these items: it shows them all, or the whole list as it was at
// one moment.
func (s *snapshot) answers(ids []string) bool {
	switch {
	case s.number == 0, s.err != nil && !s.partial():
		return false
	case s.shows(slices.Values(ids)):
		return true
	}
	return s.atOnce && s.err == nil
}

// of are those of the items that are listed.
func (s *snapshot) of(ids []string) map[string]dataarts.PendingItem {
	found := make(map[string]dataarts.PendingItem, len(ids))
	for _, id := range ids {
		if item, listed := s.items[id]; listed {
			found[id] = item
		}
	}
	return found
}

// shows reports whether all of these items are listed.
func (s *snapshot) shows(ids iter.Seq[string]) bool {
	for id := range ids {
		if _, listed := s.items[id]; !listed {
			return false
		}
	}
	return true
}
