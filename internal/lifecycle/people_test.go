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

package lifecycle_test

import (
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

// events are what people and circumstances can do at any time. Each comes before a pass.
func (w *world) events() map[string]func() {
	return map[string]func(){
		"nothing happens": func() {},
		"nothing happens for long": func() {
			w.tick(
				time.Duration(chance(w, "minutes", 20, 120)) * time.Minute)
		},
		"an approver acts":                       w.console,
		"somebody packs in the console":          w.packInConsole,
		"the service shows a package otherwise":  w.showOtherwise,
		"the service's rights change":            func() { w.refusesToUnpack = !w.refusesToUnpack },
		"another object asks for the same items": w.contest,
		"the workspace object is pointed":        func() { w.moved = !w.moved },
		"a backup is made":                       func() { w.backups = append(w.backups, w.rp.DeepCopy()) },
		"the cluster is restored":                w.restore,
		"the object is created again":            w.createAgain,
		"the object is deleted":                  w.delete,
		"a pass is forced":                       w.force,
		"the object is suspended or resumed":     func() { w.rp.Spec.Suspend = !w.rp.Spec.Suspend; w.rp.Generation++ },
		"the spec is edited":                     w.edit,
		"the spec is edited once more":           w.edit,
		"the spec names a package":               w.choose,
		"the policy is switched":                 w.switchPolicy,
		"the deadline is changed":                w.changeDeadline,
	}
}

// withoutObject are the events that do not need an object.
var withoutObject = []string{
	"nothing happens for long", "an approver acts", "somebody packs in the console", "the cluster is restored",
	"the object is created again",
}

// console lets somebody move a package on.
func (w *world) console() {
	m := w.some()
	if m == nil {
		return
	}
	var next []v1alpha1.PackageState
	switch m.State {
	case v1alpha1.StatePendingReview:
		next = []v1alpha1.PackageState{v1alpha1.StateDeploying, v1alpha1.StateWithdrawn, v1alpha1.StateUnknown}
	case v1alpha1.StateUnknown:
		next = []v1alpha1.PackageState{v1alpha1.StatePendingReview, v1alpha1.StateDeploying, v1alpha1.StateWithdrawn}
	case v1alpha1.StateDeploying:
		next = []v1alpha1.PackageState{v1alpha1.StateDeployFailed, v1alpha1.StateDeployed}
	case v1alpha1.StateDeployed, v1alpha1.StateDeployFailed, v1alpha1.StateWithdrawn:
		return
	}
	w.turn(m, oneOf(w.t, "state", next...))
	m.revoked = m.State == v1alpha1.StateWithdrawn
}

// turn changes the state of a package.
func (w *world) turn(m *made, state v1alpha1.PackageState) {
	w.remember(m)
	m.State = state
	if state == v1alpha1.StateWithdrawn {
		m.afterwards = dropped // An awkward one could be taken for what the next request makes, should that be hidden.
		if !m.awkward {
			m.afterwards = oneOf(w.t, "shown when withdrawn", shown, dropped, hidden, listedOnly)
		}
	}
}

// packInConsole lets somebody pack under the name that the spec gives. A generated one nobody else would think of,
// and what is on its way already nobody packs once more: nothing could tell the two apart.
func (w *world) packInConsole() {
	content := lifecycle.Content{
		PackageName: "job_0948_20250513", ApplyUserID: developer, PendingItemIDs: someItems(w.t),
		ApproverIDs: []string{approver, deputy},
	}
	if w.allFree(content.PendingItemIDs) && !w.onItsWay() {
		w.make(content).byHand = true
	}
}

func someItems(t *rapid.T) []string {
	return oneOf(t, "items", []string{"26", "27"}, []string{"26", "28"}, []string{"29"}, []string{"26", "404"})
}

// showOtherwise lets the service refuse to show a package for some time. It does not where there is another one of
// that name, or will be: that would be taken for a package which is not shown even when no request can be late any
// more.
func (w *world) showOtherwise() {
	m := w.some()
	twin := func(other *made) bool { return other != m && other.Name == m.Name }
	if m != nil && !m.awkward && len(w.late) == 0 && !slices.ContainsFunc(w.packages, twin) {
		w.remember(m)
		m.manner = oneOf(w.t, "shown", shown, dropped, hidden, listedOnly)
	}
}

func (w *world) contest() {
	if w.older != nil {
		w.older = nil
		return
	}
	w.older = aReleasePackage(func(rp *v1alpha1.ReleasePackage) {
		rp.UID, rp.CreationTimestamp = "0a9a3c7f-2b61-4f0e-8a54-5d1f0c6d8e21", metav1.NewTime(now.Add(-time.Hour))
	})
}

// restore brings the object back as it was at some time, long after the latest request. For what it does not know of
// then, it is not answerable.
func (w *world) restore() {
	if len(w.backups) == 0 {
		return
	}
	w.tick(20 * time.Minute)
	w.rp = w.backups[rapid.IntRange(1, len(w.backups)).Draw(w.t, "backup")-1].DeepCopy()
	a := w.rp.Status.Attempt
	for _, m := range w.packages {
		m.revoked = true
		m.mine = w.rp.Status.ReleasePackageID == m.ID ||
			a != nil && m.asked.Equal(a.StartTime.Time) && w.onRecord(m) && (m.awkward || lifecycle.AttemptOpen(w.rp))
	}
}

// createAgain creates the object once more after it has gone: another one of the same name.
func (w *world) createAgain() {
	if w.rp != nil {
		return
	}
	w.objects++
	w.backups = nil
	w.rp = anObject(w.t, w.objects, w.now)
	for _, m := range w.packages {
		m.mine, m.revoked = false, true
	}
}

func anObject(t *rapid.T, number int, created time.Time) *v1alpha1.ReleasePackage {
	rp := aReleasePackage(withoutFinalizer)
	rp.UID, rp.CreationTimestamp = types.UID(fmt.Sprintf("5b0f2c1e-7d0a-4a2c-9d53-%012d", number)), metav1.NewTime(created)
	rp.Spec.ApplyUserID, rp.Spec.ApproverIDs = v1alpha1.UserID(developer),
		[]v1alpha1.UserID{v1alpha1.UserID(approver), v1alpha1.UserID(deputy)}
	rp.Spec.PackageName = oneOf(t, "spec.packageName", "job_0948_20250513", "")
	return rp
}

func (w *world) delete() {
	if w.rp.DeletionTimestamp.IsZero() && rapid.IntRange(0, 2).Draw(w.t, "really, if 1") == 1 {
		w.rp.Generation++
		w.rp.DeletionTimestamp = &metav1.Time{Time: w.now}
	}
}

func (w *world) force() {
	w.tokens++
	w.rp.Annotations = map[string]string{v1alpha1.ReconcileAtAnnotation: fmt.Sprint(w.tokens)}
}

// edit changes what the spec asks for, where the API server allows that.
func (w *world) edit() {
	st := &w.rp.Status
	frozen := st.State == v1alpha1.StateDeploying || st.State == v1alpha1.StateDeployed
	if frozen && !slices.ContainsFunc(st.Conditions, func(c metav1.Condition) bool {
		return c.Reason == v1alpha1.ReasonSpecFrozen || c.Reason == v1alpha1.ReasonSpecDiffers
	}) {
		return
	}
	spec := &w.rp.Spec
	w.rp.Generation++
	switch oneOf(w.t, "field", "items", "approvers", "applicant") {
	case "items":
		spec.PendingItemIDs = nil
		for _, id := range someItems(w.t) {
			spec.PendingItemIDs = append(spec.PendingItemIDs, v1alpha1.ID(id))
		}
	case "approvers":
		spec.ApproverIDs = []v1alpha1.UserID{v1alpha1.UserID(oneOf(w.t, "approver", approver, developer, "jane"))}
	case "applicant":
		spec.ApplyUserID = v1alpha1.UserID(oneOf(w.t, "applicant", developer, colleague))
	}
}

// choose names a package to adopt, where the API server allows that.
func (w *world) choose() {
	if m := w.some(); m != nil && w.rp.Status.ReleasePackageID == "" {
		w.rp.Generation++
		w.rp.Spec.ReleasePackageID = v1alpha1.ID(m.ID)
	}
}

func (w *world) switchPolicy() {
	w.rp.Generation++
	w.rp.Spec.DeletionPolicy = oneOf(w.t, "policy", v1alpha1.DeletionUnpack, v1alpha1.DeletionRetain)
}

func (w *world) changeDeadline() {
	w.rp.Generation++
	w.rp.Spec.DeletionDeadline.Duration = oneOf(w.t, "deadline", 0, time.Minute, time.Hour)
}
