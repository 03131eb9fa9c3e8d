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
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// disagreement says where the status and the service differ.
func (w *world) disagreement() string {
	if w.rp == nil {
		return ""
	}
	status := w.rp.Status
	deployed := meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionDeployed)
	switch {
	case lifecycle.AttemptOpen(w.rp) && stalled(v1alpha1.ReasonAmbiguousPackage)(w) != "":
		return "the attempt is still open"
	case deployed != (status.State == v1alpha1.StateDeployed):
		return fmt.Sprintf("Deployed is %t in state %s", deployed, status.State)
	// Then it is not to be seen what the package is.
	case status.ReleasePackageID == "", stalled(v1alpha1.ReasonPackageNotFound)(w) == "":
		return ""
	}
	for _, p := range w.console.Packages() {
		if p.ID != status.ReleasePackageID {
			continue
		}
		if is := stateOf(p); is != status.State {
			return fmt.Sprintf("package %s is %s, but the status says %s", p.ID, is, status.State)
		}
		return ""
	}
	return fmt.Sprintf("the service never had package %s", status.ReleasePackageID)
}

// stateOf is what the status should say of a package.
func stateOf(p simulator.Package) v1alpha1.PackageState {
	if !p.Live() {
		return v1alpha1.StateWithdrawn
	}
	switch p.State {
	case simulator.StateReview:
		return v1alpha1.StatePendingReview
	case simulator.StateDeploying:
		return v1alpha1.StateDeploying
	case simulator.StateDeployed:
		return v1alpha1.StateDeployed
	case simulator.StateFailed:
		return v1alpha1.StateDeployFailed
	}
	return v1alpha1.StateUnknown
}

// unrest starts one more manager and says what that still changes. There should be nothing left to do.
func (w *world) unrest(ctx context.Context) (string, error) {
	w.trace("one more manager should find nothing to do")
	d := &driver{world: w, quiet: map[*object]bool{}}
	writes, packages := w.journal.writesSoFar(), len(w.console.Packages())
	for range 3 * len(w.objects) {
		if err := d.prepare(ctx); err != nil {
			return "", err
		}
		if d.leader.next().due.IsZero() {
			break
		}
		if err := d.work(ctx); err != nil {
			return "", err
		}
	}
	switch {
	case len(w.console.Packages()) != packages:
		return "a fresh manager packs once more at the end", nil
	case w.journal.writesSoFar() != writes:
		return "a fresh manager still writes at the end", nil
	}
	return "", nil
}

// account says in short what exists at the service and what the status says.
func (w *world) account() string {
	var packages []string
	for _, p := range w.console.Packages() {
		packages = append(packages, p.ID+" "+string(stateOf(p)))
	}
	account := fmt.Sprintf("service: [%s]", strings.Join(packages, ", "))
	w.each(func() { account += "; " + w.standing() })
	return account
}

// standing says in short what the status of the object says.
func (w *world) standing() string {
	if w.rp == nil {
		return w.name + " is gone"
	}
	st, attempt := w.rp.Status, "none"
	if a := st.Attempt; a != nil {
		attempt = fmt.Sprintf("%d %s", a.Number, orOpen(a.Outcome))
	}
	var conditions []string
	for i := range st.Conditions {
		c := &st.Conditions[i]
		conditions = append(conditions, fmt.Sprintf("%s=%s/%s", c.Type, c.Status, c.Reason))
	}
	return fmt.Sprintf("status of %s: id=%q state=%q attempt=%s deleting=%t %s", w.name,
		st.ReleasePackageID, st.State, attempt, !w.rp.DeletionTimestamp.IsZero(), strings.Join(conditions, " "))
}

func orOpen(o v1alpha1.AttemptOutcome) string {
	if o == "" {
		return "open"
	}
	return string(o)
}
