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
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// scenario is a story of users, approvers and the operator.
type scenario struct {
	name string
	// variants are the other readings of the service's documentation that could change the story, besides the documented
	// one.
	variants []variant
	// not are the names of readings that are tried everywhere but here.
	not []string
	// neighbour adds another object, so that there are packages to look at together.
	neighbour bool
	steps     func(v variant) []step
}

// step is something that people do, and what must come of it before they do the next thing.
type step struct {
	name string
	// setup marks a step that only leads to what the scenario is about. Faults in it are another scenario's affair.
	setup bool
	do    func(w *world) error
	// slow marks a step that may take many passes though nothing goes wrong: what the operator sees has to stay the same
	// for the settle time.
	slow bool
	// during is what happens when the operator reaches the service.
	during []interruption
	goal   goal
}

// readings are all variants that a scenario is told under.
func (s *scenario) readings() []variant {
	all := slices.Concat([]variant{documented}, s.variants, unknownCodes, anywhere)
	return slices.DeleteFunc(all, func(v variant) bool { return slices.Contains(s.not, v.name) })
}

// goal says what is missing, and nothing once it is reached.
type goal func(w *world) string

// all is reached when every one of some goals is.
func all(goals ...goal) goal {
	return func(w *world) string {
		for _, g := range goals {
			if missing := g(w); missing != "" {
				return missing
			}
		}
		return ""
	}
}

// either is reached when one of two goals is.
func either(a, b goal) goal {
	return func(w *world) string {
		missing, other := a(w), b(w)
		if missing == "" || other == "" {
			return ""
		}
		return missing + ", nor " + other
	}
}

// ready is reached when the package exists as the latest spec says.
func ready(reason string) goal {
	return func(w *world) string {
		rp := w.rp
		if rp == nil {
			return "the object is gone"
		}
		c := meta.FindStatusCondition(rp.Status.Conditions, v1alpha1.ConditionReady)
		switch {
		case rp.Status.ObservedGeneration != rp.Generation:
			return "the latest edit is not observed"
		case c == nil || c.Status != metav1.ConditionTrue || c.Reason != reason:
			return fmt.Sprintf("Ready is not True with %s", reason)
		case meta.IsStatusConditionTrue(rp.Status.Conditions, v1alpha1.ConditionReconciling):
			return "the operator is still at it"
		}
		return ""
	}
}

// inReview is reached when one package with exactly what the spec asks for waits for its approvers.
func inReview(w *world) string {
	if missing := ready(v1alpha1.ReasonPendingReview)(w); missing != "" {
		return missing
	}
	for _, p := range w.console.Packages() {
		if p.ID != w.rp.Status.ReleasePackageID {
			continue
		}
		wanted, is := lifecycle.WantedContent(w.rp), lifecycle.Content{
			PackageName: p.Name, ApplyUserID: p.Applicant, PendingItemIDs: p.Items, ApproverIDs: p.Approvers,
		}
		if w.rp.Spec.PackageName == "" {
			wanted.PackageName = w.rp.Status.PackageName
		}
		switch {
		case !p.Live() || p.State != simulator.StateReview:
			return "the recorded package is not in review"
		case w.rp.Spec.ReleasePackageID == "" && wanted.Hash() != is.Hash():
			return "the recorded package is not what the spec asks for"
		}
		return ""
	}
	return "the recorded package does not exist"
}

// gone is reached when the object has gone.
func gone(w *world) string {
	if w.rp != nil {
		return "the object is still there"
	}
	return ""
}

// withdrawn is reached when the operator has left nothing at the service that somebody could still deploy.
func withdrawn(w *world) string {
	for _, p := range w.packages() {
		if w.counts(p) && !w.excused(p.ID) {
			return fmt.Sprintf("package %s is still there", p.ID)
		}
	}
	return ""
}

// deployed is reached when the one package that there is, is in production.
func deployed(w *world) string {
	packages := w.ours()
	if len(packages) != 1 || packages[0].State != simulator.StateDeployed || !packages[0].Live() {
		return "there is no one package that is deployed"
	}
	return ""
}

// nothingPacked is reached as long as the operator has never packed.
func nothingPacked(w *world) string {
	if n := len(w.ours()); n > 0 {
		return fmt.Sprintf("the operator has packed %d packages", n)
	}
	return ""
}

// stalled is reached when the operator waits for someone, for one of some reasons.
func stalled(reasons ...string) goal { return condition(v1alpha1.ConditionStalled, reasons...) }

// reconciling is reached when the operator says what it is at.
func reconciling(reasons ...string) goal { return condition(v1alpha1.ConditionReconciling, reasons...) }

func condition(kind string, reasons ...string) goal {
	return func(w *world) string {
		if w.rp == nil {
			return "the object is gone"
		}
		c := meta.FindStatusCondition(w.rp.Status.Conditions, kind)
		if c == nil || !slices.Contains(reasons, c.Reason) || c.ObservedGeneration != w.rp.Generation {
			return fmt.Sprintf("%s is not there with %v", kind, reasons)
		}
		return ""
	}
}

// struckBy is reached only in runs with a fault.
func struckBy(f fault) goal {
	return func(w *world) string {
		if slices.Contains(slices.Collect(maps.Values(w.settings.strikes)), f) {
			return ""
		}
		return "nothing explains it"
	}
}

// afterRestart is reached only where a manager has taken over from another.
func afterRestart(w *world) string {
	if !w.restarted() {
		return "the manager has all it needs in memory"
	}
	return ""
}

// itemsGone is reached when the operator says that it cannot pack again what it has withdrawn: the items are lost
// with the package and have to be submitted again. If the request's answer was lost too, it cannot tell that from
// items that are packed.
var itemsGone = all(stalled(v1alpha1.ReasonRefused, v1alpha1.ReasonPreflightFailed, v1alpha1.ReasonAmbiguousPackage),
	withdrawn)
