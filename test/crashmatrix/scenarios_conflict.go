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
	"errors"
	"time"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// conflictScenarios are about two objects that want the same.
var conflictScenarios = []scenario{
	{name: "conflict", neighbour: true, variants: []variant{contrary, sharedItems}, steps: func(variant) []step {
		return []step{applyingConflicting(), deletingTheFirst()}
	}},
	{name: "conflict-while-the-list-is-slow", neighbour: true, variants: []variant{sharedItems},
		steps: func(variant) []step {
			first := applyingConflicting()
			first.during = []interruption{{op: simulator.OpListItems, do: func(w *world) error {
				w.clock.Step(10 * time.Minute)
				return nil
			}}}
			return []step{first, deletingTheFirst()}
		}},
	{name: "conflict-waits-during-edit", neighbour: true, variants: []variant{contrary, packedUnlisted, sharedItems},
		steps: func(variant) []step {
			return []step{
				packingBoth(),
				{name: "the neighbour wants more", setup: true, goal: all(inReview, ofNeighbour(yields)),
					do: ofNeighbour(func(w *world) error {
						return w.edit(func(rp *v1alpha1.ReleasePackage) { wantingMore(w, rp) })
					})},
				{name: "rename", goal: all(inReview, ofNeighbour(yields)), do: func(w *world) error {
					return w.edit(func(rp *v1alpha1.ReleasePackage) { rp.Spec.PackageName = "release_of_june" })
				}},
			}
		}},
}

// applyingConflicting is the step in which the neighbour comes first, also by its name if both are made in the same
// second.
func applyingConflicting() step {
	return step{name: "apply both", goal: all(yields, ofNeighbour(inReview)), do: func(w *world) error {
		return errors.Join(connected(w), ofNeighbour(func(w *world) error { return w.apply(wantingMore) })(w), w.apply())
	}}
}

func deletingTheFirst() step {
	return step{name: "delete the first", do: ofNeighbour((*world).remove),
		goal: all(inReview, ofNeighbour(all(gone, withdrawn)))}
}

// wantingMore makes an object want an item of the first one, besides its own.
func wantingMore(w *world, rp *v1alpha1.ReleasePackage) {
	rp.Spec.PendingItemIDs = []v1alpha1.ID{w.items[0], w.objects[0].items[0]}
}

// yields is reached when an object waits for another one to leave what it wants.
func yields(w *world) string {
	if w.rp == nil || readyReason(w.rp) != v1alpha1.ReasonAlreadyClaimed {
		return "it does not wait for the other one"
	}
	return ""
}
