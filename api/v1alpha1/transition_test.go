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

package v1alpha1_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// Messages of the rules about changes.
const (
	workspaceRefPinned = "spec.workspaceRef cannot change after the package was sent to a workspace; " +
		"create another ReleasePackage for the other workspace"
	adoptionPinned = "spec.releasePackageId cannot be set, changed or removed " +
		"after status.releasePackageId is recorded; create another ReleasePackage to adopt another package"
	packageNameFrozen = "spec.packageName is frozen because the package is deploying or deployed; " +
		"create another ReleasePackage for another release"
	applyUserIDFrozen = "spec.applyUserId is frozen because the package is deploying or deployed; " +
		"create another ReleasePackage for another release"
	pendingItemIDsFrozen = "spec.pendingItemIds are frozen because the package is deploying or deployed; " +
		"create another ReleasePackage for another release"
	approverIDsFrozen = "spec.approverIds are frozen because the package is deploying or deployed; " +
		"create another ReleasePackage for another release"
)

// change is an edit of an object with a past.
type change struct {
	created func(*v1alpha1.ReleasePackage)
	past    func(*v1alpha1.ReleasePackageStatus)
	edit    func(*v1alpha1.ReleasePackage)
}

// make applies the change and returns what the API server says to it.
func (c change) make(ctx context.Context) error {
	GinkgoHelper()
	rp := aReleasePackage(aNamespace(ctx))
	if c.created != nil {
		c.created(rp)
	}
	Expect(api.Create(ctx, rp)).To(Succeed())
	c.past(&rp.Status)
	Expect(api.Status().Update(ctx, rp)).To(Succeed())
	c.edit(rp)
	return api.Update(ctx, rp)
}

func notSent(*v1alpha1.ReleasePackageStatus) {}

// sent is the past of a package whose id is not known.
func sent(st *v1alpha1.ReleasePackageStatus) {
	st.Workspace = &v1alpha1.PinnedWorkspace{
		Endpoint: "https://dayu.cn-north-4.myhuaweicloud.com", ProjectID: "p", WorkspaceID: "w",
	}
	st.Attempt = &v1alpha1.PackAttempt{Number: 1, PackageName: "n", ContentHash: "h", StartTime: metav1.Now()}
}

// in is the past of a package that the service shows in this state.
func in(state v1alpha1.PackageState, reasons ...string) func(*v1alpha1.ReleasePackageStatus) {
	return func(st *v1alpha1.ReleasePackageStatus) {
		sent(st)
		st.Attempt.Outcome = v1alpha1.OutcomePacked
		st.ReleasePackageID, st.State = "13", state
		for _, reason := range reasons {
			st.Conditions = append(st.Conditions, metav1.Condition{
				Type: v1alpha1.ConditionStalled, Status: metav1.ConditionTrue, Reason: reason, LastTransitionTime: metav1.Now()})
		}
	}
}

func adopting(id v1alpha1.ID) func(*v1alpha1.ReleasePackage) {
	return func(rp *v1alpha1.ReleasePackage) { rp.Spec.ReleasePackageID = id }
}

func named(name string) func(*v1alpha1.ReleasePackage) {
	return func(rp *v1alpha1.ReleasePackage) { rp.Spec.PackageName = name }
}

func appliedBy(user v1alpha1.UserID) func(*v1alpha1.ReleasePackage) {
	return func(rp *v1alpha1.ReleasePackage) { rp.Spec.ApplyUserID = user }
}

func withItems(ids ...v1alpha1.ID) func(*v1alpha1.ReleasePackage) {
	return func(rp *v1alpha1.ReleasePackage) { rp.Spec.PendingItemIDs = ids }
}

// longIDs are as many ids as there may be, and as long.
func longIDs(first, step int) []v1alpha1.ID {
	ids := make([]v1alpha1.ID, 100)
	for i := range ids {
		ids[i] = v1alpha1.ID(fmt.Sprintf("%0128d", first+step*i))
	}
	return ids
}

func withApprovers(ids ...v1alpha1.UserID) func(*v1alpha1.ReleasePackage) {
	return func(rp *v1alpha1.ReleasePackage) { rp.Spec.ApproverIDs = ids }
}

func inWorkspace(name string) func(*v1alpha1.ReleasePackage) {
	return func(rp *v1alpha1.ReleasePackage) { rp.Spec.WorkspaceRef.Name = name }
}

func withContent(rp *v1alpha1.ReleasePackage) {
	edits := []func(*v1alpha1.ReleasePackage){named("other"), appliedBy("other"), withItems("1"), withApprovers("other")}
	for _, edit := range edits {
		edit(rp)
	}
}

func withPolicies(rp *v1alpha1.ReleasePackage) {
	rp.Spec.DeletionPolicy, rp.Spec.Suspend = v1alpha1.DeletionRetain, true
	rp.Spec.DeletionDeadline.Duration = time.Hour
}

// refusedChanges are edits by the rule that refuses them. The guard of the schema looks here too.
var refusedChanges = map[string]map[string]change{
	workspaceRefPinned: {
		"of a package that was sent":    {past: sent, edit: inWorkspace("other")},
		"of a package in review":        {past: in(v1alpha1.StatePendingReview), edit: inWorkspace("other")},
		"although the spec was not set": {created: inWorkspace(""), past: sent, edit: inWorkspace("other")},
	},
	adoptionPinned: {
		"by setting it":  {past: in(v1alpha1.StatePendingReview), edit: adopting("14")},
		"by changing it": {created: adopting("13"), past: in(v1alpha1.StatePendingReview), edit: adopting("14")},
		"by removing it": {created: adopting("13"), past: in(v1alpha1.StatePendingReview), edit: adopting("")},
	},
	packageNameFrozen: {
		"of a deploying package": {past: in(v1alpha1.StateDeploying), edit: named("other")},
		"of a deployed package":  {past: in(v1alpha1.StateDeployed), edit: named("other")},
		"by removing it":         {past: in(v1alpha1.StateDeployed), edit: named("")},
		"by setting it":          {created: named(""), past: in(v1alpha1.StateDeployed), edit: named("other")},
		"in spite of another stall": {past: in(v1alpha1.StateDeployed, v1alpha1.ReasonWorkspaceChanged),
			edit: named("other")},
		"of a deployed package of theirs": {created: adopting("13"), past: in(v1alpha1.StateDeployed), edit: named("other")},
	},
	applyUserIDFrozen: {
		"of a deploying package": {past: in(v1alpha1.StateDeploying), edit: appliedBy("other")},
		"of a deployed package":  {past: in(v1alpha1.StateDeployed), edit: appliedBy("other")},
		"by removing it":         {created: adopting("13"), past: in(v1alpha1.StateDeployed), edit: appliedBy("")},
	},
	pendingItemIDsFrozen: {
		"of a deploying package": {past: in(v1alpha1.StateDeploying), edit: withItems("26")},
		"of a deployed package":  {past: in(v1alpha1.StateDeployed), edit: withItems("26", "27", "28")},
		"in place of another":    {past: in(v1alpha1.StateDeployed), edit: withItems("26", "28")},
		"by removing them":       {created: adopting("13"), past: in(v1alpha1.StateDeployed), edit: withItems()},
	},
	approverIDsFrozen: {
		"of a deploying package": {past: in(v1alpha1.StateDeploying), edit: withApprovers("other")},
		"of a deployed package":  {past: in(v1alpha1.StateDeployed), edit: withApprovers("other")},
		"by removing them":       {created: adopting("13"), past: in(v1alpha1.StateDeployed), edit: withApprovers()},
	},
}

var _ = Describe("A change that cannot take effect", func() {
	for _, message := range slices.Sorted(maps.Keys(refusedChanges)) {
		for _, name := range slices.Sorted(maps.Keys(refusedChanges[message])) {
			c := refusedChanges[message][name]
			It("is refused "+name+": "+message, func(ctx SpecContext) {
				Expect(causesOf(c.make(ctx))).To(ContainElement(And(
					HaveField("Field", strings.Fields(message)[0]), HaveField("Message", ContainSubstring(message)))))
			})
		}
	}
})

var _ = Describe("A change that can take effect", func() {
	DescribeTable("is accepted", func(ctx SpecContext, c change) { Expect(c.make(ctx)).To(Succeed()) },
		Entry("anything, before a package was sent", change{past: notSent, edit: func(rp *v1alpha1.ReleasePackage) {
			withContent(rp)
			inWorkspace("other")(rp)
			adopting("13")(rp)
		}}),
		Entry("to adopt, while an outcome is not known", change{past: sent, edit: adopting("13")}),
		Entry("of the content, while an outcome is not known", change{past: sent, edit: withContent}),
		Entry("of the content in review", change{past: in(v1alpha1.StatePendingReview), edit: withContent}),
		Entry("of the content after a failure", change{past: in(v1alpha1.StateDeployFailed), edit: withContent}),
		Entry("of the content after a withdrawal", change{past: in(v1alpha1.StateWithdrawn), edit: withContent}),
		Entry("of policies in review", change{past: in(v1alpha1.StatePendingReview), edit: withPolicies}),
		Entry("of policies while deploying", change{past: in(v1alpha1.StateDeploying), edit: withPolicies}),
		Entry("of policies once deployed", change{past: in(v1alpha1.StateDeployed), edit: withPolicies}),
		Entry("of the order of items once deployed", change{past: in(v1alpha1.StateDeployed), edit: withItems("27", "26")}),
		Entry("of the order of as many items as there may be, once deployed", change{
			created: withItems(longIDs(0, 1)...), past: in(v1alpha1.StateDeployed), edit: withItems(longIDs(99, -1)...)}),
		Entry("of metadata once deployed", change{past: in(v1alpha1.StateDeployed), edit: func(rp *v1alpha1.ReleasePackage) {
			rp.Labels = map[string]string{"team": "data"}
			rp.Finalizers = []string{v1alpha1.UnpackFinalizer}
		}}),
		Entry("back from an edit that came too late",
			change{past: in(v1alpha1.StateDeployed, v1alpha1.ReasonSpecFrozen), edit: withContent}),
		Entry("back to what an adopted package is, while it deploys", change{
			created: adopting("13"), past: in(v1alpha1.StateDeploying, v1alpha1.ReasonSpecDiffers), edit: withContent}),
		Entry("back to what an adopted package is, once it is deployed", change{
			created: adopting("13"), past: in(v1alpha1.StateDeployed, v1alpha1.ReasonSpecDiffers), edit: withContent}),
		Entry("back to nothing that an adopted package could differ from", change{
			created: adopting("13"), past: in(v1alpha1.StateDeployed, v1alpha1.ReasonSpecDiffers),
			edit: func(rp *v1alpha1.ReleasePackage) {
				named("")(rp)
				appliedBy("")(rp)
				withItems()(rp)
				withApprovers()(rp)
			}}),
	)

	It("is accepted in the status of a frozen object", func(ctx SpecContext) {
		rp := aReleasePackage(aNamespace(ctx))
		Expect(api.Create(ctx, rp)).To(Succeed())
		for _, past := range []func(*v1alpha1.ReleasePackageStatus){
			in(v1alpha1.StateDeploying), in(v1alpha1.StateDeployed), in(v1alpha1.StateUnknown), notSent,
		} {
			rp.Status = v1alpha1.ReleasePackageStatus{}
			past(&rp.Status)
			Expect(api.Status().Update(ctx, rp)).To(Succeed())
		}
	})
})
