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

var neighbourVariants = []variant{contrary, withdrawnGone}

// neighbourScenarios are about packages that are looked at together: one look shows them all, unless it leaves one out.
var neighbourScenarios = []scenario{
	{name: "together-withdrawn", neighbour: true, variants: []variant{contrary, withdrawnGone},
		steps: func(variant) []step {
			return []step{packingBoth(), {name: "one withdrawn", do: withdrawInConsole,
				goal: all(stalled(v1alpha1.ReasonWithdrawn, v1alpha1.ReasonPackageNotFound), ofNeighbour(inReview))}}
		}},
	{name: "together-deployed", neighbour: true, variants: []variant{contrary}, steps: func(variant) []step {
		return []step{
			packingBoth(),
			{name: "one deployed", do: deployAtOnce, goal: all(deployed, ready(v1alpha1.ReasonDeployed), ofNeighbour(inReview))},
			{name: "the other deleted", do: ofNeighbour((*world).remove),
				goal: all(ready(v1alpha1.ReasonDeployed), ofNeighbour(all(gone, withdrawn)))},
		}
	}},
	{name: "together-deploying", neighbour: true, variants: []variant{contrary}, steps: func(variant) []step {
		deploying, afterwards := ready(v1alpha1.ReasonDeploying), all(deployed, ready(v1alpha1.ReasonDeployed))
		return []step{
			packingBoth(),
			{name: "both approved", do: both(startDeploy), goal: all(deploying, ofNeighbour(deploying))},
			{name: "both deployed", do: both(finishDeploy), goal: all(afterwards, ofNeighbour(afterwards))},
		}
	}},
	{name: "together-edited", neighbour: true, variants: neighbourVariants, steps: func(variant) []step {
		return []step{packingBoth(), {name: "edit both", do: both(editItems), goal: all(inReview, ofNeighbour(inReview))}}
	}},
	{name: "together-one-deleted", neighbour: true, variants: neighbourVariants, steps: func(variant) []step {
		return []step{packingBoth(), daysPass(),
			{name: "delete one", do: (*world).remove, goal: all(gone, withdrawn, ofNeighbour(inReview))}}
	}},
	{name: "together-deleted", neighbour: true, variants: neighbourVariants, steps: func(variant) []step {
		return []step{packingBoth(), deletingBoth()}
	}},
	{name: "together-deleted-after-restart", neighbour: true, variants: neighbourVariants, steps: func(variant) []step {
		return []step{packingBoth(), restarting(), deletingBoth()}
	}},
	{name: "together-raced-by-approver", neighbour: true, variants: []variant{contrary, unpackDeploying},
		steps: deletedTogetherAsOneIsApproved},
	{name: "together-teardown-restored", neighbour: true, variants: []variant{contrary}, steps: func(variant) []step {
		missing := reconciling(v1alpha1.ReasonCredentialsNotFound)
		return []step{
			packingBoth(),
			restarting(),
			{name: "delete", goal: all(missing, ofNeighbour(missing)), do: func(w *world) error {
				return errors.Join(w.removeSecret(), both((*world).remove)(w))
			}},
			{name: "restore", do: (*world).createSecret, goal: all(gone, withdrawn, ofNeighbour(all(gone, withdrawn)))},
		}
	}},
}

// both lets users do the same to the object and to its neighbour.
func both(do func(w *world) error) func(w *world) error {
	return func(w *world) error { return errors.Join(do(w), ofNeighbour(do)(w)) }
}

// packingBoth is the step that brings both objects into review.
func packingBoth() step {
	return step{name: "pack both", setup: true, goal: all(inReview, ofNeighbour(inReview)), do: func(w *world) error {
		return errors.Join(connected(w), w.apply(), ofNeighbour(func(w *world) error { return w.apply() })(w))
	}}
}

// deletingBoth is the step in which a user deletes both objects, and nothing is to be left.
func deletingBoth() step {
	return step{name: "delete both", do: both((*world).remove),
		goal: all(gone, withdrawn, ofNeighbour(all(gone, withdrawn)))}
}

// restarting is the step in which a fresh manager follows, which has never looked at anything.
func restarting() step {
	return step{name: "restart", setup: true, do: (*world).restart, goal: all(inReview, ofNeighbour(inReview))}
}

// daysPass is the step after which all that was seen is out of date.
func daysPass() step {
	return step{name: "days pass", setup: true, goal: all(inReview, ofNeighbour(inReview)), do: func(w *world) error {
		w.clock.Step(48 * time.Hour)
		return nil
	}}
}

func deployAtOnce(w *world) error { return ignoreState(w.review(w.console.Deploy)) }

// deletedTogetherAsOneIsApproved lets an approver be faster than a deletion: the look that both share is out of date
// as soon as it is made.
func deletedTogetherAsOneIsApproved(v variant) []step {
	waits := reconciling(v1alpha1.ReasonDeploying)
	if v.assumptions.UnpackDeploying == simulator.Accept {
		waits = either(waits, all(gone, withdrawn))
	}
	deletion := deletingBoth()
	deletion.goal = all(waits, ofNeighbour(all(gone, withdrawn)))
	deletion.during = []interruption{{op: simulator.OpList, afterWork: true, do: startDeploy}}
	return []step{packingBoth(), restarting(), deletion, {name: "deployed", do: finishDeploy, goal: all(gone, withdrawn)}}
}
