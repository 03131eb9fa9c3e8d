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
	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

var replaceVariants = []variant{
	contrary, packedUnlisted, uniqueNames, longCode, unpackAgain, withdrawnHidden, withdrawnGone, withdrawnItemOut,
}

// editScenarios are about a package that follows another.
var editScenarios = []scenario{
	{name: "replace", variants: replaceVariants, steps: func(variant) []step {
		return []step{packing(), {name: "edit", do: editItems, goal: inReview}}
	}},
	{name: "rename", variants: []variant{contrary, uniqueNames, withdrawnItemOut}, steps: func(v variant) []step {
		after := goal(inReview)
		if v.assumptions.WithdrawnItem == simulator.ItemGone {
			after = itemsGone
		}
		lost := v.assumptions.WithdrawnItem == simulator.ItemGone
		return []step{packing(), {name: "rename", goal: after, slow: lost, do: func(w *world) error {
			return w.edit(func(rp *v1alpha1.ReleasePackage) { rp.Spec.PackageName = "release_of_june" })
		}}}
	}},
	{name: "edit-during-pack", variants: []variant{contrary, sharedItems}, steps: func(variant) []step {
		first := struck(packing())
		first.during = []interruption{{op: simulator.OpPack, do: editItems}}
		return []step{first}
	}},
	{name: "edit-suspended", variants: []variant{contrary}, steps: func(variant) []step {
		return []step{
			packing(),
			{name: "suspend and edit", goal: stalled(v1alpha1.ReasonSuspended), do: func(w *world) error {
				return w.edit(func(rp *v1alpha1.ReleasePackage) { rp.Spec.Suspend, rp.Spec.PendingItemIDs = true, w.items[1:2] })
			}},
			{name: "resume", goal: inReview, do: func(w *world) error {
				return w.edit(func(rp *v1alpha1.ReleasePackage) { rp.Spec.Suspend = false })
			}},
		}
	}},
	{name: "failed-edited", variants: []variant{contrary, failedStays, withdrawnItemOut, withdrawnGone},
		steps: func(variant) []step {
			return []step{packing(), failing(), {name: "edit", goal: inReview, do: func(w *world) error {
				return w.edit(func(rp *v1alpha1.ReleasePackage) {
					rp.Spec.PackageName, rp.Spec.PendingItemIDs = "second_try", w.items[1:2]
				})
			}}}
		}},
	{name: "edit-races-approver", variants: []variant{contrary, unpackDeploying}, steps: editRacesApprover},
}

// editRacesApprover lets an approver be faster than an edit: the request to withdraw comes too late.
func editRacesApprover(v variant) []step {
	edit := step{name: "edit", do: editItems, goal: stalled(v1alpha1.ReasonSpecFrozen),
		during: []interruption{{op: simulator.OpUnpack, do: startDeploy}}}
	if v.assumptions.UnpackDeploying == simulator.Accept {
		// Who looks in between sees the deployment, and leaves it alone.
		edit.goal = either(inReview, edit.goal)
	}
	return []step{
		packing(),
		edit,
		{name: "revert", goal: either(inReview, ready(v1alpha1.ReasonDeploying)), do: func(w *world) error {
			if inReview(w) == "" {
				return nil
			}
			return w.edit(func(rp *v1alpha1.ReleasePackage) { rp.Spec.PendingItemIDs = w.items[:1] })
		}},
		{name: "deployed", do: finishDeploy, goal: either(inReview, all(deployed, ready(v1alpha1.ReasonDeployed)))},
	}
}
