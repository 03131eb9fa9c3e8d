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

	"k8s.io/apimachinery/pkg/types"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

// freshSearch is how long a search that found nothing stands: the pass that closes an attempt upon it and the one
// that sends the next request, right after that, need one between them.
const freshSearch = 10 * time.Second

// searches remembers which attempts were searched for in vain a moment ago. The zero value is ready for use.
type searches struct {
	mu    sync.Mutex
	made  map[types.UID]madeSearch
	swept time.Time
}

type madeSearch struct {
	attempt int32
	at      time.Time
}

// note takes down that nothing was found of an open attempt.
func (s *searches) note(rp *v1alpha1.ReleasePackage, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made == nil {
		s.made = map[types.UID]madeSearch{}
	}
	if now.Sub(s.swept) > freshSearch {
		s.swept = now
		maps.DeleteFunc(s.made, func(_ types.UID, m madeSearch) bool { return now.Sub(m.at) > freshSearch })
	}
	s.made[rp.UID] = madeSearch{rp.Status.Attempt.Number, now}
}

// stands reports whether the latest attempt was closed upon a search that still stands. A deletion and a forced pass
// want one of their own.
func (s *searches) stands(rp *v1alpha1.ReleasePackage, now time.Time) bool {
	a := rp.Status.Attempt
	if a.Outcome != v1alpha1.OutcomeNotFound || lifecycle.LookID(rp) != "" || lifecycle.Forced(rp) ||
		!rp.DeletionTimestamp.IsZero() {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := s.made[rp.UID]
	return ok && m.attempt == a.Number && now.Sub(m.at) <= freshSearch
}
