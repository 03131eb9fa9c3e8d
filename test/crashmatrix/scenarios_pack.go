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

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// connected makes what a ReleasePackage needs besides itself.
func connected(w *world) error { return errors.Join(w.createSecret(), w.createWorkspace()) }

// packing is the step that brings an object into review. In most scenarios it is the setup.
func packing(change ...func(w *world, rp *v1alpha1.ReleasePackage)) step {
	return step{name: "pack", setup: true, goal: inReview, do: func(w *world) error {
		return errors.Join(connected(w), w.apply(change...))
	}}
}

// struck makes faults strike in a step that is the setup elsewhere.
func struck(s step) step {
	s.setup = false
	return s
}

func named(_ *world, rp *v1alpha1.ReleasePackage) { rp.Spec.PackageName = "release_of_may" }

func retaining(_ *world, rp *v1alpha1.ReleasePackage) {
	rp.Spec.DeletionPolicy = v1alpha1.DeletionRetain
}

// adopting lets the object take over a package that a person packs.
func adopting(w *world, rp *v1alpha1.ReleasePackage) {
	id, err := w.packInConsole()
	if err != nil {
		w.judge.broken("packing in the console: %v", err)
	}
	rp.Spec = v1alpha1.ReleasePackageSpec{ReleasePackageID: v1alpha1.ID(id)}
}

// selfApproved names an approver who may not deploy.
func selfApproved(_ *world, rp *v1alpha1.ReleasePackage) {
	rp.Spec.ApproverIDs = []v1alpha1.UserID{developer}
}

func editItems(w *world) error {
	return w.edit(func(rp *v1alpha1.ReleasePackage) { rp.Spec.PendingItemIDs = w.items[1:2] })
}

func startDeploy(w *world) error { return ignoreState(w.review(w.console.StartDeploy)) }

func finishDeploy(w *world) error { return ignoreState(w.review(w.console.FinishDeploy)) }

func failDeploy(w *world) error { return ignoreState(w.review(w.console.FailDeploy)) }

func withdrawInConsole(w *world) error { return ignoreState(w.review(w.console.Withdraw)) }

func vanish(w *world) error { return ignoreState(w.review(w.console.Vanish)) }

// deploying are the steps in which an approver lets a package go and the deployment succeeds.
func deploying(setup bool) []step {
	return []step{
		{name: "approve", setup: setup, do: startDeploy, goal: ready(v1alpha1.ReasonDeploying)},
		{name: "deployed", setup: setup, do: finishDeploy, goal: all(deployed, ready(v1alpha1.ReasonDeployed))},
	}
}

// failing is the step in which a deployment fails.
func failing() step {
	return step{name: "deployment fails", setup: true, goal: stalled(v1alpha1.ReasonDeployFailed),
		do: func(w *world) error {
			return errors.Join(startDeploy(w), failDeploy(w))
		}}
}

var packVariants = []variant{contrary, rows, exactKeyword, packedUnlisted, sharedItems, uniqueNames, idsPerWorkspace,
	shortPages}

// packScenarios are about how a package comes to be.
var packScenarios = []scenario{
	{name: "pack", variants: packVariants, steps: func(variant) []step { return []step{struck(packing())} }},
	{name: "pack-named", variants: []variant{contrary, exactKeyword, uniqueNames},
		steps: func(variant) []step { return []step{struck(packing(named))} }},
	{name: "pack-refused", variants: []variant{contrary, packedUnlisted}, steps: func(variant) []step {
		first := struck(packing(selfApproved))
		first.goal = all(stalled(v1alpha1.ReasonRefused), nothingPacked)
		return []step{first, {name: "correct", goal: inReview, do: func(w *world) error {
			return w.edit(func(rp *v1alpha1.ReleasePackage) { rp.Spec.ApproverIDs = []v1alpha1.UserID{deployer} })
		}}}
	}},
	{name: "pack-workspace-late", variants: []variant{contrary}, steps: func(variant) []step {
		return []step{
			{name: "apply", do: func(w *world) error { return w.apply() },
				goal: all(reconciling(v1alpha1.ReasonWorkspaceNotFound), nothingPacked)},
			{name: "connect", do: connected, goal: inReview},
		}
	}},
	{name: "pack-lost-then-deployed", variants: []variant{contrary, packedUnlisted, exactKeyword},
		steps: func(variant) []step {
			first := struck(packing())
			first.goal = all(deployed, ready(v1alpha1.ReasonDeployed))
			first.during = []interruption{{op: simulator.OpPack, afterWork: true, cut: true, do: func(w *world) error {
				return w.review(w.console.Deploy)
			}}}
			return []step{first}
		}},
	{name: "pack-lost-long-ago", variants: []variant{contrary, packedUnlisted, sharedItems}, steps: packLostLongAgo},
	{name: "pack-lost-then-withdrawn", variants: []variant{withdrawnItemOut}, steps: func(v variant) []step {
		first := struck(packing())
		first.goal = stalled(v1alpha1.ReasonWithdrawn)
		if v.hidesWithdrawn() {
			first.goal = either(first.goal, inReview) // Nothing at the service tells that there was a package.
		}
		if v.assumptions.WithdrawnItem == simulator.ItemGone {
			first.goal = stalled(v1alpha1.ReasonWithdrawn, v1alpha1.ReasonAmbiguousPackage)
		}
		first.goal = either(first.goal, packedAgainUnseen)
		first.during = []interruption{{op: simulator.OpPack, afterWork: true, cut: true, do: withdrawInConsole}}
		return []step{first}
	}},
	{name: "adopt", variants: []variant{contrary}, steps: func(variant) []step {
		first := struck(packing(adopting))
		first.goal = all(inReview, nothingPacked)
		return []step{first}
	}},
	{name: "deploy", variants: []variant{contrary}, steps: func(variant) []step {
		return append([]step{packing()}, deploying(false)...)
	}},
	{name: "suspend", variants: []variant{contrary}, steps: func(variant) []step {
		suspend := func(on bool) func(w *world) error {
			return func(w *world) error { return w.edit(func(rp *v1alpha1.ReleasePackage) { rp.Spec.Suspend = on }) }
		}
		return []step{
			packing(),
			{name: "suspend", do: suspend(true), goal: ready(v1alpha1.ReasonSuspended)},
			{name: "resume", do: suspend(false), goal: inReview},
		}
	}},
	{name: "withdrawn-forced", variants: []variant{contrary, withdrawnHidden, withdrawnGone, withdrawnItemOut},
		steps: func(v variant) []step {
			after := goal(inReview)
			if v.assumptions.WithdrawnItem == simulator.ItemGone {
				after = itemsGone
			}
			return []step{
				packing(),
				{name: "withdrawn", do: withdrawInConsole,
					goal: all(stalled(v1alpha1.ReasonWithdrawn, v1alpha1.ReasonPackageNotFound), withdrawn)},
				{name: "force", do: (*world).force, goal: after},
			}
		}},
}

// packedAgainUnseen is reached where the service refused to show what somebody has withdrawn, so that it could not be
// told from others.
var packedAgainUnseen = all(struckBy(refusedLook), inReview)

// packLostLongAgo loses the answer to the request to pack, and nobody looks until the settle time is over. Where the
// list does not show the package then, only its items tell of it: a person has to ask for another look.
func packLostLongAgo(variant) []step {
	lost := struck(packing())
	lost.during = []interruption{{op: simulator.OpPack, afterWork: true, cut: true, do: func(w *world) error {
		w.clock.Step(frozenFor)
		return nil
	}}}
	puzzled := all(struckBy(stale), stalled(v1alpha1.ReasonAmbiguousPackage))
	lost.goal = either(inReview, puzzled)
	return []step{lost, {name: "ask for another look", goal: inReview, do: func(w *world) error {
		if puzzled(w) != "" {
			return nil
		}
		return w.force()
	}}}
}
