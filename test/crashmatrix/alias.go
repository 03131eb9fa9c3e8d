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
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

// Everybody in a run sees other UIDs than those that the API server gives. The operator derives names from a UID, and
// when in an hour it looks for packages that came late, so that runs would differ by chance.

// searchedIn is how long after an object is made it has the first of those searches, and give or take is for the
// search for such a UID.
const (
	searchedIn = 53*time.Minute + 30*time.Second
	giveOrTake = time.Second
	maxAliases = 100_000
)

// aliases are the UIDs that everybody sees instead of those that the API server gives. They are as long. The zero
// value is ready for use.
type aliases struct {
	of map[types.UID]types.UID
}

// learn finds an alias for an object that is new, made at a time.
func (a *aliases) learn(body []byte, now time.Time) {
	var object metav1.PartialObjectMetadata
	if json.Unmarshal(body, &object) != nil || object.Kind != "ReleasePackage" || object.UID == "" ||
		a.of[object.UID] != "" {
		return
	}
	if a.of == nil {
		a.of = map[types.UID]types.UID{}
	}
	for n := range maxAliases {
		alias := types.UID(fmt.Sprintf("%08x-0000-4000-8000-%012x", len(a.of)+1, n))
		a.of[object.UID] = alias
		if until := untilSearch(alias, now) - searchedIn; until >= 0 && until < giveOrTake {
			return
		}
	}
}

// untilSearch is how long it is at a time until an object with this UID would have its next search.
func untilSearch(uid types.UID, now time.Time) time.Duration {
	return lifecycle.UntilLateSearch(&v1alpha1.ReleasePackage{
		ObjectMeta: metav1.ObjectMeta{UID: uid},
		Status: v1alpha1.ReleasePackageStatus{
			ReleasePackageID: "1", State: v1alpha1.StatePendingReview, Attempt: &v1alpha1.PackAttempt{LostBefore: 1},
		},
	}, now)
}

// put puts the aliases into what the API server says.
func (a *aliases) put(body []byte) []byte {
	for real, alias := range a.of {
		body = bytes.ReplaceAll(body, []byte(real), []byte(alias))
	}
	return body
}
