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

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// restoring is the step in which the object comes back from a backup without its status.
func restoring(goal goal) step {
	return step{name: "restore", do: (*world).restore, goal: goal}
}

// restoreScenarios are about objects that lose what protects them, or what the operator has written down.
var restoreScenarios = []scenario{
	{name: "replaced", variants: []variant{contrary}, steps: func(variant) []step {
		return []step{
			packing(),
			{name: "replace", do: (*world).replace, goal: all(protected, inReview)},
			deletion(),
		}
	}},
	{name: "replaced-deleted-at-once", variants: []variant{contrary, withdrawnGone}, steps: func(variant) []step {
		return []step{packing(), {name: "replace and delete", goal: all(gone, withdrawn), do: func(w *world) error {
			return errors.Join(w.replace(), w.remove())
		}}}
	}},
	{name: "replaced-while-deployed", variants: []variant{contrary}, steps: func(variant) []step {
		return append(append([]step{packing()}, deploying(true)...),
			step{name: "replace", do: (*world).replace, goal: all(protected, ready(v1alpha1.ReasonDeployed))})
	}},
	{name: "restored", variants: []variant{contrary, packedUnlisted, withdrawnGone}, steps: func(variant) []step {
		return []step{packing(), restoring(foundAgain), deletion()}
	}},
	{name: "restored-named", variants: []variant{contrary, exactKeyword, uniqueNames}, steps: func(variant) []step {
		return []step{packing(named), restoring(all(inReview, foundAgain))}
	}},
	{name: "recreated", variants: []variant{contrary}, steps: func(variant) []step {
		return []step{packing(), {name: "re-create", do: (*world).recreate, goal: foundAgain}}
	}},
	{name: "recreated-after-failure", variants: []variant{contrary, failedFrees}, steps: recreatedAfterFailure},
	{name: "restored-deployed", variants: []variant{contrary}, steps: func(variant) []step {
		return append(append([]step{packing()}, deploying(true)...), restoring(all(deployed, ready(v1alpha1.ReasonDeployed))))
	}},
	{name: "restored-withdrawn", variants: []variant{withdrawnHidden, withdrawnItemOut}, steps: restoredWithdrawn},
}

// recreatedAfterFailure deletes an object whose package failed, and creates it again: what is packed for it has the
// name and the contents of the failed package, where that is still there. If the manager is replaced before it has put
// a request on record, or the service's clock is wrong, the object seems to be that of before, and a person is told; so
// too where a name may be given only once.
func recreatedAfterFailure(variant) []step {
	alone := func(w *world) string {
		if len(w.packages()) > 1 {
			return "there is another package than that of before"
		}
		return ""
	}
	found := all(alone, stalled(v1alpha1.ReasonWithdrawn, v1alpha1.ReasonDeployFailed, v1alpha1.ReasonRefused))
	return []step{
		packing(named), failing(),
		{name: "delete", setup: true, do: (*world).remove, goal: gone},
		{name: "create again", do: func(w *world) error { return w.apply(named) }, goal: either(inReview, found)},
	}
}

// restoredWithdrawn brings back an object whose package a person has withdrawn: it is not packed again behind their
// back, where the service shows that.
func restoredWithdrawn(v variant) []step {
	known := all(stalled(v1alpha1.ReasonWithdrawn, v1alpha1.ReasonPreflightFailed, v1alpha1.ReasonAmbiguousPackage),
		withdrawn)
	if v.hidesWithdrawn() {
		known = either(known, inReview)
	}
	return []step{
		packing(),
		{name: "withdrawn", setup: true, do: withdrawInConsole,
			goal: stalled(v1alpha1.ReasonWithdrawn, v1alpha1.ReasonPackageNotFound)},
		restoring(either(known, packedAgainUnseen)),
	}
}

// protected is reached when the operator's finalizer is there.
func protected(w *world) string {
	if w.rp == nil || !protects(w.rp) {
		return "the finalizer is not there"
	}
	return ""
}

// foundAgain is reached when the object has recorded the one package that was ever packed for it, whatever its name.
func foundAgain(w *world) string {
	if missing := ready(v1alpha1.ReasonPendingReview)(w); missing != "" {
		return missing
	}
	packages := w.ours()
	if len(packages) != 1 || packages[0].ID != w.rp.Status.ReleasePackageID {
		return "the package from before the restore is not the only one, or not the recorded one"
	}
	return ""
}

// adoptionScenarios are about packages that people have packed.
var adoptionScenarios = []scenario{
	{name: "adopt-other-content", variants: []variant{contrary}, steps: func(variant) []step {
		return []step{struck(packingWith(stalled(v1alpha1.ReasonSpecDiffers), adoptingOther))}
	}},
	{name: "adopt-too-early", variants: []variant{contrary}, steps: func(variant) []step {
		return []step{
			packingWith(stalled(v1alpha1.ReasonPackageNotFound), func(_ *world, rp *v1alpha1.ReleasePackage) {
				rp.Spec = v1alpha1.ReleasePackageSpec{ReleasePackageID: "1"}
			}),
			{name: "a person packs", goal: inReview, do: func(w *world) error {
				id, err := w.packInConsole()
				if id != "1" {
					err = errors.Join(err, errors.New("the first package has another id than 1"))
				}
				return err
			}},
		}
	}},
	{name: "adopt-revoked-deleted", variants: []variant{withdrawnHidden, withdrawnGone}, steps: func(variant) []step {
		return []step{
			packing(adopting),
			{name: "withdrawn", setup: true, do: withdrawInConsole,
				goal: stalled(v1alpha1.ReasonWithdrawn, v1alpha1.ReasonPackageNotFound)},
			{name: "delete", do: (*world).remove, goal: all(gone, nothingLive)},
		}
	}},
}

// packingWith is a step that applies an object, and leads elsewhere than into review.
func packingWith(goal goal, change ...func(w *world, rp *v1alpha1.ReleasePackage)) step {
	s := packing(change...)
	s.goal = goal
	return s
}

// adoptingOther lets the object take over a package that holds something else than its spec says.
func adoptingOther(w *world, rp *v1alpha1.ReleasePackage) {
	adopting(w, rp)
	rp.Spec.ApplyUserID, rp.Spec.PendingItemIDs, rp.Spec.ApproverIDs = developer, w.items[1:2], []v1alpha1.UserID{deployer}
}

// heldScenarios are about objects that others keep.
var heldScenarios = []scenario{
	{name: "held-by-another", variants: []variant{contrary, withdrawnGone}, steps: func(variant) []step {
		return []step{packing(heldByAnother), {name: "delete", do: (*world).remove, goal: all(letGo, withdrawn)}}
	}},
	{name: "held-by-another-unpacked", steps: func(variant) []step {
		return []step{
			{name: "apply", do: func(w *world) error { return w.apply(heldByAnother, suspended) },
				goal: condition(v1alpha1.ConditionReady, v1alpha1.ReasonSuspended)},
			{name: "delete", do: (*world).remove, goal: all(letGo, nothingPacked)},
		}
	}},
}

const foreignFinalizer = "example.com/hold"

// heldByAnother gives the object a finalizer that nobody removes, and a time after which it is to be let go.
func heldByAnother(_ *world, rp *v1alpha1.ReleasePackage) {
	rp.Finalizers = []string{foreignFinalizer}
	rp.Spec.DeletionDeadline = metav1.Duration{Duration: 20 * time.Minute}
}

func suspended(_ *world, rp *v1alpha1.ReleasePackage) { rp.Spec.Suspend = true }

// letGo is reached when the operator does not keep the object any more.
func letGo(w *world) string {
	if w.rp != nil && (w.rp.DeletionTimestamp.IsZero() || protects(w.rp)) {
		return "the object is not let go"
	}
	return ""
}
