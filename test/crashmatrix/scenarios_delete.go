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

var deleteVariants = []variant{contrary, longCode, unpackAgain, withdrawnHidden, withdrawnGone, unknownAccepted}

// deletion is the step in which a user deletes the object, and nothing is to be left.
func deletion() step {
	return step{name: "delete", do: (*world).remove, goal: all(gone, withdrawn)}
}

// deleteAfter is a scenario that deletes the object in the state that some steps lead to.
func deleteAfter(setup ...step) func(variant) []step {
	return func(variant) []step { return append(append([]step(nil), setup...), deletion()) }
}

// deleteScenarios are about how a package goes.
var deleteScenarios = []scenario{
	{name: "delete-unpacked", steps: deleteAfter(
		step{name: "apply", do: func(w *world) error { return w.apply() },
			goal: reconciling(v1alpha1.ReasonWorkspaceNotFound)})},
	{name: "delete-in-review", variants: deleteVariants, steps: deleteAfter(packing())},
	{name: "delete-after-days", variants: []variant{contrary, withdrawnGone},
		steps: deleteAfter(packing(), step{name: "days pass", setup: true, goal: inReview,
			do: func(w *world) error {
				w.clock.Step(48 * time.Hour)
				return nil
			}})},
	{name: "delete-adopted", variants: []variant{contrary, withdrawnGone}, steps: func(variant) []step {
		return []step{packing(adopting), {name: "delete", do: (*world).remove, goal: all(gone, nothingLive)}}
	}},
	{name: "delete-deploying", variants: []variant{contrary, unpackDeploying}, steps: func(variant) []step {
		return []step{packing(), deploying(true)[0], waitForDeployment(),
			{name: "deployed", do: finishDeploy, goal: all(gone, deployed)}}
	}},
	{name: "delete-deploying-fails", variants: []variant{contrary, failedStays}, steps: func(variant) []step {
		return []step{packing(), deploying(true)[0], waitForDeployment(),
			{name: "deployment fails", do: failDeploy, goal: all(gone, withdrawn)}}
	}},
	{name: "delete-deployed", steps: func(variant) []step {
		return append(append([]step{packing()}, deploying(true)...),
			step{name: "delete", do: (*world).remove, goal: all(gone, deployed)})
	}},
	{name: "delete-failed", variants: []variant{contrary, failedStays, longCode},
		steps: deleteAfter(packing(), failing())},
	{name: "delete-withdrawn", variants: []variant{withdrawnHidden, withdrawnGone, unknownAccepted},
		steps: deleteAfter(packing(),
			step{name: "withdrawn", setup: true, do: withdrawInConsole,
				goal: stalled(v1alpha1.ReasonWithdrawn, v1alpha1.ReasonPackageNotFound)})},
	{name: "delete-vanished", variants: []variant{longCode, unknownAccepted}, steps: deleteAfter(packing(),
		step{name: "vanished", do: vanish, goal: stalled(v1alpha1.ReasonPackageNotFound)})},
	{name: "delete-retain", steps: func(variant) []step {
		return []step{packing(retaining), {name: "delete", do: (*world).remove, goal: all(gone, oneLeft)}}
	}},
	{name: "delete-retain-late", steps: func(variant) []step {
		// The look shows what could be withdrawn, and the user asks for it to stay before anyone acts on that.
		retain := interruption{op: simulator.OpShow, do: func(w *world) error {
			return errors.Join(failDeploy(w),
				w.edit(func(rp *v1alpha1.ReleasePackage) { rp.Spec.DeletionPolicy = v1alpha1.DeletionRetain }))
		}}
		return []step{packing(), deploying(true)[0], waitForDeployment(),
			{name: "retain", goal: all(gone, oneLeft), during: []interruption{retain}}}
	}},
	{name: "delete-lost-answer", variants: []variant{contrary, packedUnlisted, exactKeyword, withdrawnHidden,
		withdrawnGone, unknownAccepted}, steps: func(variant) []step {
		return []step{deletedDuringPack(interruption{op: simulator.OpPack, afterWork: true, cut: true, do: (*world).remove})}
	}},
	{name: "delete-lost-request", variants: []variant{contrary, packedUnlisted}, steps: func(variant) []step {
		return []step{deletedDuringPack(interruption{op: simulator.OpPack, cut: true, do: (*world).remove})}
	}},
	{name: "delete-lost-request-deployed-elsewhere", variants: []variant{contrary, packedUnlisted, sharedItems},
		steps: func(variant) []step {
			return []step{deletedDuringPack(interruption{op: simulator.OpPack, cut: true, do: deployElsewhere})}
		}},
	{name: "delete-during-pack", variants: []variant{contrary, withdrawnGone}, steps: func(variant) []step {
		return []step{deletedDuringPack(interruption{op: simulator.OpPack, do: (*world).remove})}
	}},
	{name: "delete-during-replacement", variants: []variant{contrary, withdrawnGone, withdrawnItemOut},
		steps: func(variant) []step {
			return []step{packing(), {name: "edit", do: editItems, goal: all(gone, withdrawn), slow: true,
				during: []interruption{{op: simulator.OpUnpack, afterWork: true, do: (*world).remove}}}}
		}},
	{name: "delete-races-approver", variants: []variant{contrary, unpackDeploying}, steps: deleteRacesApprover},
	{name: "teardown", variants: []variant{contrary}, steps: teardown},
	{name: "teardown-restored", variants: []variant{contrary}, steps: func(variant) []step {
		return []step{
			packing(),
			{name: "delete", goal: either(gone, reconciling(v1alpha1.ReasonCredentialsNotFound)), do: func(w *world) error {
				return errors.Join(w.removeSecret(), w.remove())
			}},
			{name: "restore", do: (*world).createSecret, goal: all(gone, withdrawn)},
		}
	}},
}

// waitForDeployment is the step in which a user deletes what is being deployed: the operator waits for the end of that.
func waitForDeployment() step {
	return step{name: "delete", do: (*world).remove, goal: reconciling(v1alpha1.ReasonDeploying)}
}

// deletedDuringPack is the step in which a user deletes the object while it is being packed.
func deletedDuringPack(it interruption) step {
	s := struck(packing())
	s.during, s.goal = []interruption{it}, all(gone, withdrawn)
	return s
}

// deployElsewhere lets a person release the item with a package of their own while the operator's request is under
// way, and delete the object.
func deployElsewhere(w *world) error {
	id, err := w.packInConsole()
	return errors.Join(err, w.console.Deploy(id), w.remove())
}

// deleteRacesApprover lets an approver be faster than a deletion: the request to withdraw comes too late.
func deleteRacesApprover(v variant) []step {
	waits := reconciling(v1alpha1.ReasonDeploying)
	if v.assumptions.UnpackDeploying == simulator.Accept {
		waits = either(waits, all(gone, withdrawn))
	}
	return []step{
		packing(),
		{name: "delete", do: (*world).remove, goal: waits, during: []interruption{{op: simulator.OpUnpack, do: startDeploy}}},
		{name: "deployed", do: finishDeploy, goal: all(gone, withdrawn)},
	}
}

// teardown deletes everything in a namespace at once, credentials first. What the manager has in memory must do; a
// fresh one cannot know them, and has to say so until the user gives the package up.
func teardown(variant) []step {
	missing := reconciling(v1alpha1.ReasonWorkspaceNotFound, v1alpha1.ReasonCredentialsNotFound)
	return []step{
		packing(),
		{name: "tear down", goal: either(all(gone, withdrawn), all(afterRestart, missing)), do: func(w *world) error {
			return errors.Join(w.removeSecret(), w.removeWorkspace(), w.remove())
		}},
		{name: "give up", goal: gone, do: func(w *world) error {
			if w.rp == nil {
				return nil
			}
			return w.edit(func(rp *v1alpha1.ReleasePackage) { rp.Spec.DeletionPolicy = v1alpha1.DeletionRetain })
		}},
	}
}

// nothingLive is reached when no package at all is left, whoever made it.
func nothingLive(w *world) string {
	for _, p := range w.packages() {
		if p.Live() {
			return "package " + p.ID + " is still there"
		}
	}
	return ""
}

// oneLeft is reached when one package of the operator's is left in review.
func oneLeft(w *world) string {
	n := 0
	for _, p := range w.ours() {
		if w.counts(p) {
			n++
		}
	}
	if n != 1 {
		return "not exactly one package is left"
	}
	return ""
}
