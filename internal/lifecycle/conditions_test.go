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
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

// verdict is a condition in short, such as "True/PendingReview".
func verdict(status metav1.ConditionStatus, reason string) string {
	return string(status) + "/" + reason
}

const (
	yes     = metav1.ConditionTrue
	no      = metav1.ConditionFalse
	unknown = metav1.ConditionUnknown
)

// expectConditions expects just these conditions, each in short.
func expectConditions(rp *v1alpha1.ReleasePackage, want map[string]string) {
	GinkgoHelper()
	expectSound(rp)
	got := map[string]string{}
	for i := range rp.Status.Conditions {
		c := &rp.Status.Conditions[i]
		got[c.Type] = verdict(c.Status, c.Reason)
	}
	Expect(got).To(Equal(want))
}

// conditions are Ready and Deployed and, if there is any, what the operator is at: its kind and its reason.
func conditions(ready, deployed string, work ...string) map[string]string {
	all := map[string]string{v1alpha1.ConditionReady: ready, v1alpha1.ConditionDeployed: deployed}
	if len(work) == 2 {
		all[work[0]] = verdict(yes, work[1])
	}
	return all
}

// reviewedBy asks for these approvers.
func reviewedBy(ids ...v1alpha1.UserID) with {
	return func(rp *v1alpha1.ReleasePackage) { rp.Spec.ApproverIDs = ids }
}

var problem = lifecycle.Problem{Reason: v1alpha1.ReasonServiceUnavailable, Message: "The service cannot be reached"}

// after is the object after a pass with all that belongs to it.
func after(rp *v1alpha1.ReleasePackage, obs lifecycle.Observation) *v1alpha1.ReleasePackage {
	GinkgoHelper()
	return recorded(rp, obs, decide(rp, obs))
}

var _ = Describe("The conditions", func() {
	const reconciling, stalled = v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled

	unknownYet := verdict("Unknown", v1alpha1.ReasonOutcomeUnknown)
	notPacked, pending := verdict(no, v1alpha1.ReasonNotPacked), verdict(no, v1alpha1.ReasonPendingReview)

	DescribeTable("after a pass", func(rp *v1alpha1.ReleasePackage, obs lifecycle.Observation, want map[string]string) {
		expectConditions(after(rp, obs), want)
	},
		Entry("that sends a request", aReleasePackage(), seeing(),
			conditions(verdict(unknown, v1alpha1.ReasonPacking), unknownYet, reconciling, v1alpha1.ReasonPacking)),
		Entry("that has a problem before anything was sent", aReleasePackage(), seeing(unavailable),
			conditions(verdict(no, v1alpha1.ReasonServiceUnavailable), notPacked, reconciling,
				v1alpha1.ReasonServiceUnavailable)),
		Entry("that finds a request refused", aReleasePackage(ended(v1alpha1.OutcomeRefused)), seeing(nothing),
			conditions(verdict(no, v1alpha1.ReasonRefused), notPacked, stalled, v1alpha1.ReasonRefused)),
		Entry("that looks for a lost package", aReleasePackage(attempted(time.Minute)), seeing(found()),
			conditions(verdict(unknown, v1alpha1.ReasonOutcomeUnknown), unknownYet, reconciling, v1alpha1.ReasonOutcomeUnknown)),
		Entry("that cannot look for a lost package", aReleasePackage(attempted(time.Minute)), seeing(unavailable),
			conditions(verdict(unknown, v1alpha1.ReasonServiceUnavailable), unknownYet, reconciling,
				v1alpha1.ReasonServiceUnavailable)),
		Entry("that cannot tell what became of a request", aReleasePackage(attempted(longSettled)), seeing(found()),
			conditions(verdict(unknown, v1alpha1.ReasonAmbiguousPackage), unknownYet, stalled, v1alpha1.ReasonAmbiguousPackage)),
		Entry("that closes an attempt", aReleasePackage(attempted(justSettled)), seeing(found(), itemUnpacked),
			conditions(notPacked, notPacked, reconciling, v1alpha1.ReasonNotPacked)),
		Entry("that adopts a package in review", aReleasePackage(adopting), seeing(thePackage(v1alpha1.StatePendingReview)),
			conditions(verdict(yes, v1alpha1.ReasonPendingReview), pending)),
		Entry("that adopts a failed package", aReleasePackage(adopting), seeing(thePackage(v1alpha1.StateDeployFailed)),
			conditions(verdict(no, v1alpha1.ReasonDeployFailed), verdict(no, v1alpha1.ReasonDeployFailed), stalled,
				v1alpha1.ReasonDeployFailed)),
		Entry("that finds a lost package withdrawn", aReleasePackage(attempted(justSettled)),
			seeing(found(aPackage(packageID, v1alpha1.StateWithdrawn))),
			conditions(verdict(no, v1alpha1.ReasonWithdrawn), verdict(no, v1alpha1.ReasonWithdrawn), stalled,
				v1alpha1.ReasonWithdrawn)),
		Entry("over a package in review", aReleasePackage(packed(v1alpha1.StatePendingReview)),
			seeing(thePackage(v1alpha1.StatePendingReview)),
			conditions(verdict(yes, v1alpha1.ReasonPendingReview), pending)),
		Entry("over a package that is deploying", aReleasePackage(packed(v1alpha1.StatePendingReview)),
			seeing(thePackage(v1alpha1.StateDeploying)),
			conditions(verdict(yes, v1alpha1.ReasonDeploying), verdict(no, v1alpha1.ReasonDeploying))),
		Entry("over a deployed package", aReleasePackage(packed(v1alpha1.StateDeploying)),
			seeing(thePackage(v1alpha1.StateDeployed)),
			conditions(verdict(yes, v1alpha1.ReasonDeployed), verdict(yes, v1alpha1.ReasonDeployed))),
		Entry("over a failed package", aReleasePackage(packed(v1alpha1.StateDeploying)),
			seeing(thePackage(v1alpha1.StateDeployFailed)),
			conditions(verdict(no, v1alpha1.ReasonDeployFailed), verdict(no, v1alpha1.ReasonDeployFailed), stalled,
				v1alpha1.ReasonDeployFailed)),
		Entry("over a withdrawn package", aReleasePackage(packed(v1alpha1.StatePendingReview)),
			seeing(thePackage(v1alpha1.StateWithdrawn)),
			conditions(verdict(no, v1alpha1.ReasonWithdrawn), verdict(no, v1alpha1.ReasonWithdrawn), stalled,
				v1alpha1.ReasonWithdrawn)),
		Entry("over a vanished package", aReleasePackage(packed(v1alpha1.StatePendingReview)), seeing(gone),
			conditions(verdict(unknown, v1alpha1.ReasonPackageNotFound), verdict(unknown, v1alpha1.ReasonPackageNotFound),
				stalled, v1alpha1.ReasonPackageNotFound)),
		Entry("over a package to adopt that may just not be shown yet", aReleasePackage(adopting), seeing(gone),
			conditions(verdict(no, v1alpha1.ReasonPackageNotFound), notPacked, reconciling, v1alpha1.ReasonPackageNotFound)),
		Entry("over a package to adopt that is not there", aReleasePackage(adopting, missedFor(settleTime)), seeing(gone),
			conditions(verdict(no, v1alpha1.ReasonPackageNotFound), notPacked, stalled, v1alpha1.ReasonPackageNotFound)),
		Entry("over a package in a state that nobody documents", aReleasePackage(packed(v1alpha1.StatePendingReview)),
			seeing(thePackage(v1alpha1.StateUnknown)),
			conditions(verdict(unknown, v1alpha1.ReasonUnknownState), verdict(unknown, v1alpha1.ReasonUnknownState), stalled,
				v1alpha1.ReasonUnknownState)),
		Entry("over a package that the service does not show", aReleasePackage(packed(v1alpha1.StatePendingReview)),
			seeing(hiding),
			conditions(verdict(unknown, v1alpha1.ReasonPackageNotFound), verdict(unknown, v1alpha1.ReasonPackageNotFound),
				stalled, v1alpha1.ReasonPackageNotFound)),
		Entry("over a request that was lost too often", aReleasePackage(lost(3)), seeing(nothing),
			conditions(verdict(no, v1alpha1.ReasonOutcomeUnknown), notPacked, stalled, v1alpha1.ReasonOutcomeUnknown)),
		Entry("over an edited package in review", aReleasePackage(packed(v1alpha1.StatePendingReview), edited),
			seeing(thePackage(v1alpha1.StatePendingReview)),
			conditions(verdict(no, v1alpha1.ReasonReplacing), verdict(no, v1alpha1.ReasonReplacing), reconciling,
				v1alpha1.ReasonReplacing)),
		Entry("over an edited package that was deployed", aReleasePackage(packed(v1alpha1.StateDeployed), edited),
			seeing(nothing),
			conditions(verdict(no, v1alpha1.ReasonSpecFrozen), verdict(yes, v1alpha1.ReasonDeployed), stalled,
				v1alpha1.ReasonSpecFrozen)),
		Entry("that may not look because the workspace moved", aReleasePackage(packed(v1alpha1.StatePendingReview)),
			seeing(movedWorkspace),
			conditions(verdict(unknown, v1alpha1.ReasonWorkspaceChanged), pending, stalled, v1alpha1.ReasonWorkspaceChanged)),
		Entry("that withdraws a package for its deletion", aReleasePackage(packed(v1alpha1.StatePendingReview), deleted),
			seeing(thePackage(v1alpha1.StatePendingReview)),
			conditions(verdict(no, v1alpha1.ReasonUnpacking), verdict(no, v1alpha1.ReasonUnpacking), reconciling,
				v1alpha1.ReasonUnpacking)),
		Entry("that waits for a deployment before its deletion",
			aReleasePackage(packed(v1alpha1.StatePendingReview), deleted),
			seeing(thePackage(v1alpha1.StateDeploying)),
			conditions(verdict(no, v1alpha1.ReasonDeploying), verdict(no, v1alpha1.ReasonDeploying), reconciling,
				v1alpha1.ReasonDeploying)),
		Entry("that has a problem with its deletion", aReleasePackage(packed(v1alpha1.StatePendingReview), deleted),
			seeing(unavailable),
			conditions(verdict(no, v1alpha1.ReasonServiceUnavailable), pending, reconciling, v1alpha1.ReasonServiceUnavailable)),
		Entry("that leaves a deletion to others", aReleasePackage(finalized), seeing(nothing),
			conditions(verdict(no, v1alpha1.ReasonReleased), notPacked, stalled, v1alpha1.ReasonReleased)),
		Entry("over a suspended object that has no package", aReleasePackage(suspended), seeing(nothing),
			conditions(verdict(no, v1alpha1.ReasonSuspended), notPacked, stalled, v1alpha1.ReasonSuspended)),
		Entry("over a suspended object with a package in review",
			aReleasePackage(packed(v1alpha1.StatePendingReview), suspended), seeing(nothing),
			conditions(verdict(yes, v1alpha1.ReasonSuspended), pending)),
		Entry("over a suspended object with a failed package", aReleasePackage(packed(v1alpha1.StateDeployFailed), suspended),
			seeing(nothing),
			conditions(verdict(no, v1alpha1.ReasonSuspended), verdict(no, v1alpha1.ReasonDeployFailed), stalled,
				v1alpha1.ReasonSuspended)),
	)

	DescribeTable("a problem leaves Ready as it was", func(rp *v1alpha1.ReleasePackage, obs lifecycle.Observation) {
		rp = after(rp, obs)
		was := meta.FindStatusCondition(rp.Status.Conditions, v1alpha1.ConditionReady)
		rp = summarized(rp, lifecycle.Blocked(rp, problem))
		expectSound(rp)
		is := meta.FindStatusCondition(rp.Status.Conditions, v1alpha1.ConditionReady)
		Expect(is.Status).To(Equal(was.Status))
		Expect(is.LastTransitionTime).To(Equal(was.LastTransitionTime))
		if was.Status == yes {
			Expect(is).To(Equal(was))
		}
		work := meta.FindStatusCondition(rp.Status.Conditions, reconciling)
		Expect(work).To(And(HaveField("Reason", problem.Reason), HaveField("Message", HavePrefix(problem.Message))))
	},
		Entry("of a package in review", aReleasePackage(packed(v1alpha1.StatePendingReview)),
			seeing(thePackage(v1alpha1.StatePendingReview))),
		Entry("of a package that is deploying", aReleasePackage(packed(v1alpha1.StateDeploying)),
			seeing(thePackage(v1alpha1.StateDeploying))),
		Entry("of a failed package", aReleasePackage(packed(v1alpha1.StateDeployFailed)),
			seeing(thePackage(v1alpha1.StateDeployFailed))),
		Entry("of a package in a state that nobody documents", aReleasePackage(packed(v1alpha1.StateUnknown)),
			seeing(thePackage(v1alpha1.StateUnknown))),
		Entry("of a package that is being replaced", aReleasePackage(packed(v1alpha1.StatePendingReview), edited),
			seeing(thePackage(v1alpha1.StatePendingReview))),
		Entry("of a package that differs from the spec for good", aReleasePackage(packed(v1alpha1.StateDeploying), edited),
			seeing(thePackage(v1alpha1.StateDeploying))),
		Entry("of a package whose answer was lost", aReleasePackage(attempted(time.Minute)), seeing(found())),
	)

	DescribeTable("a suspension leaves Ready as it was", func(rp *v1alpha1.ReleasePackage, obs lifecycle.Observation,
		want string) {
		rp = after(rp, obs)
		suspended(rp)
		rp = after(rp, seeing(nothing))
		Expect(meta.FindStatusCondition(rp.Status.Conditions, v1alpha1.ConditionReady)).To(
			And(HaveField("Status", metav1.ConditionStatus(want)), HaveField("Reason", v1alpha1.ReasonSuspended)))
	},
		Entry("of a package in review", aReleasePackage(packed(v1alpha1.StatePendingReview)),
			seeing(thePackage(v1alpha1.StatePendingReview)), "True"),
		Entry("of a package whose answer was lost", aReleasePackage(attempted(time.Minute)), seeing(found()), "Unknown"),
		Entry("of a package that differs from the spec for good", aReleasePackage(packed(v1alpha1.StateDeployed), edited),
			seeing(nothing), "False"),
	)

	DescribeTable("warn of a package that nobody but its applicant may deploy",
		func(rp *v1alpha1.ReleasePackage, want types.GomegaMatcher) {
			rp = after(rp, seeing(thePackage(rp.Status.State)))
			ready := meta.FindStatusCondition(rp.Status.Conditions, v1alpha1.ConditionReady)
			Expect(ready.Message).To(want)
			Expect(ready.Status).To(Equal(yes), "it is advice")
		},
		Entry("that the object packed", aReleasePackage(reviewedBy("dev1"), packed(v1alpha1.StatePendingReview)),
			ContainSubstring("only approver is the applicant")),
		Entry("not of one with another approver", aReleasePackage(reviewedBy("dep1"), packed(v1alpha1.StatePendingReview)),
			Not(ContainSubstring("applicant"))),
		Entry("not of one with another approver beside",
			aReleasePackage(reviewedBy("dev1", "dep1"), packed(v1alpha1.StatePendingReview)),
			Not(ContainSubstring("applicant"))),
		Entry("not of one that is deployed", aReleasePackage(reviewedBy("dev1"), packed(v1alpha1.StateDeployed)),
			Not(ContainSubstring("applicant"))),
		Entry("not of an adopted one that others may deploy", aReleasePackage(adopted(v1alpha1.StatePendingReview)),
			Not(ContainSubstring("applicant"))),
	)

	It("warn of an adopted package that nobody but its applicant may deploy, as the service shows it", func() {
		rp := after(aReleasePackage(adopted(v1alpha1.StatePendingReview)),
			seeing(thePackage(v1alpha1.StatePendingReview), func(s *lifecycle.Observation) {
				s.Package.ApproverIDs = []string{"dev1"}
			}))
		Expect(meta.FindStatusCondition(rp.Status.Conditions, v1alpha1.ConditionReady).Message).To(
			ContainSubstring("only approver is the applicant"))
	})

	It("say when something last changed, and about which generation they are", func() {
		rp := aReleasePackage(packed(v1alpha1.StatePendingReview))
		lifecycle.Summarize(rp, lifecycle.Step{}, now)
		first := rp.DeepCopy()

		rp.Generation = 7
		lifecycle.Summarize(rp, lifecycle.Step{}, now.Add(time.Hour))
		Expect(rp.Status.ObservedGeneration).To(Equal(int64(7)))
		for i := range rp.Status.Conditions {
			Expect(rp.Status.Conditions[i].ObservedGeneration).To(Equal(int64(7)))
			Expect(rp.Status.Conditions[i].LastTransitionTime).To(Equal(first.Status.Conditions[i].LastTransitionTime))
		}

		rp.Status.State = v1alpha1.StateDeployed
		lifecycle.Summarize(rp, lifecycle.Step{}, now.Add(2*time.Hour))
		Expect(meta.FindStatusCondition(rp.Status.Conditions, v1alpha1.ConditionReady).LastTransitionTime.Time).To(Equal(now))
		Expect(meta.FindStatusCondition(rp.Status.Conditions, v1alpha1.ConditionDeployed).LastTransitionTime.Time).To(
			Equal(now.Add(2 * time.Hour)))
	})

	It("about the operator go when they are not true any more", func() {
		rp := aReleasePackage(packed(v1alpha1.StatePendingReview))
		for _, obs := range []lifecycle.Observation{seeing(unavailable), seeing(thePackage(v1alpha1.StateWithdrawn)),
			seeing(thePackage(v1alpha1.StatePendingReview))} {
			rp = after(rp, obs)
			expectSound(rp)
		}
		expectConditions(rp, conditions(verdict(yes, v1alpha1.ReasonPendingReview), pending))
	})

	It("keep conditions that others have added", func() {
		rp := aReleasePackage(packed(v1alpha1.StatePendingReview))
		theirs := metav1.Condition{Type: "Audited", Status: yes, Reason: "Fine", LastTransitionTime: metav1.NewTime(now)}
		meta.SetStatusCondition(&rp.Status.Conditions, theirs)
		lifecycle.Summarize(rp, lifecycle.Step{}, now)
		Expect(meta.FindStatusCondition(rp.Status.Conditions, "Audited")).To(HaveValue(Equal(theirs)))
	})
})

var _ = Describe("Events", func() {
	warning := func(reason string) types.GomegaMatcher {
		return And(HaveField("Reason", reason), HaveField("Warning", true), HaveField("Message", Not(BeEmpty())))
	}
	normal := func(reason string) types.GomegaMatcher {
		return And(HaveField("Reason", reason), HaveField("Warning", false),
			HaveField("Message", ContainSubstring(packageID)))
	}

	DescribeTable("tell of a change once", func(rp *v1alpha1.ReleasePackage, obs lifecycle.Observation, want ...any) {
		then := after(rp, obs)
		Expect(lifecycle.Events(rp, then)).To(HaveExactElements(want...))
		Expect(lifecycle.Events(then, after(then, obs))).To(BeEmpty(), "the next pass sees the same")
	},
		Entry("that a package is let go", aReleasePackage(packed(v1alpha1.StatePendingReview)),
			seeing(thePackage(v1alpha1.StateDeploying)), normal(v1alpha1.ReasonDeploying)),
		Entry("that a package is deployed", aReleasePackage(packed(v1alpha1.StateDeploying)),
			seeing(thePackage(v1alpha1.StateDeployed)), normal(v1alpha1.ReasonDeployed)),
		Entry("that a deployment failed", aReleasePackage(packed(v1alpha1.StateDeploying)),
			seeing(thePackage(v1alpha1.StateDeployFailed)), warning(v1alpha1.ReasonDeployFailed)),
		Entry("that a package was withdrawn", aReleasePackage(packed(v1alpha1.StatePendingReview)),
			seeing(thePackage(v1alpha1.StateWithdrawn)), warning(v1alpha1.ReasonWithdrawn)),
		Entry("that a package has vanished", aReleasePackage(packed(v1alpha1.StatePendingReview)), seeing(gone),
			warning(v1alpha1.ReasonPackageNotFound)),
		Entry("that a state is not documented", aReleasePackage(packed(v1alpha1.StatePendingReview)),
			seeing(thePackage(v1alpha1.StateUnknown)), warning(v1alpha1.ReasonUnknownState)),
		Entry("that an edit came too late", aReleasePackage(packed(v1alpha1.StateDeployed), edited), seeing(nothing),
			warning(v1alpha1.ReasonSpecFrozen)),
		Entry("that an edit and a deployment crossed", aReleasePackage(packed(v1alpha1.StatePendingReview), edited),
			seeing(thePackage(v1alpha1.StateDeploying)),
			normal(v1alpha1.ReasonDeploying), warning(v1alpha1.ReasonSpecFrozen)),
		Entry("that the service is away", aReleasePackage(packed(v1alpha1.StatePendingReview)), seeing(unavailable),
			warning(v1alpha1.ReasonServiceUnavailable)),
		Entry("that an answer was lost", aReleasePackage(attempted(time.Second)), seeing(found()),
			warning(v1alpha1.ReasonOutcomeUnknown)),
		Entry("that a person has to choose", aReleasePackage(attempted(longSettled)), seeing(found()),
			warning(v1alpha1.ReasonAmbiguousPackage)),
		Entry("that a request was refused", aReleasePackage(ended(v1alpha1.OutcomeRefused)), seeing(nothing),
			warning(v1alpha1.ReasonRefused)),
		Entry("that a request was lost too often", aReleasePackage(lost(3)), seeing(nothing),
			warning(v1alpha1.ReasonOutcomeUnknown)),
		Entry("that an adopted package is another than the spec describes",
			aReleasePackage(adopted(v1alpha1.StatePendingReview), edited),
			seeing(thePackage(v1alpha1.StatePendingReview)), warning(v1alpha1.ReasonSpecDiffers)),
		Entry("that the workspace moved", aReleasePackage(packed(v1alpha1.StatePendingReview)), seeing(movedWorkspace),
			warning(v1alpha1.ReasonWorkspaceChanged)),
		Entry("but not of work that goes as it should: replacing",
			aReleasePackage(packed(v1alpha1.StatePendingReview), edited),
			seeing(thePackage(v1alpha1.StatePendingReview))),
		Entry("but not of work that goes as it should: unpacking",
			aReleasePackage(packed(v1alpha1.StatePendingReview), deleted),
			seeing(thePackage(v1alpha1.StatePendingReview))),
		Entry("but not of a suspension", aReleasePackage(suspended), seeing(nothing)),
		Entry("but not of a package that waits as before", aReleasePackage(packed(v1alpha1.StatePendingReview)),
			seeing(thePackage(v1alpha1.StatePendingReview))),
	)

	DescribeTable("tell of what was adopted at once, and only once",
		func(rp *v1alpha1.ReleasePackage, first, second lifecycle.Observation, want ...any) {
			then := after(rp, first)
			Expect(lifecycle.Events(rp, then)).To(HaveExactElements(want...))
			Expect(lifecycle.Events(then, after(then, second))).To(BeEmpty())
		},
		Entry("a failed package is adopted", aReleasePackage(adopting),
			seeing(thePackage(v1alpha1.StateDeployFailed)), seeing(thePackage(v1alpha1.StateDeployFailed)),
			warning(v1alpha1.ReasonDeployFailed)),
		Entry("a package in a state that nobody documents is adopted", aReleasePackage(adopting),
			seeing(thePackage(v1alpha1.StateUnknown)), seeing(thePackage(v1alpha1.StateUnknown)),
			warning(v1alpha1.ReasonUnknownState)),
		Entry("a lost package is found withdrawn", aReleasePackage(attempted(justSettled)),
			seeing(found(aPackage(packageID, v1alpha1.StateWithdrawn))), seeing(thePackage(v1alpha1.StateWithdrawn)),
			warning(v1alpha1.ReasonWithdrawn)),
	)

	It("leave it to the pass after a step for the record to tell of the situation", func() {
		then := after(aReleasePackage(attempted(justSettled)), seeing(found(), itemUnpacked))
		Expect(lifecycle.Events(aReleasePackage(attempted(justSettled)), then)).To(BeEmpty())
		Expect(lifecycle.Events(then, after(then, seeing()))).To(BeEmpty())
	})

	It("tell of another problem, and of the same one when it comes back", func() {
		inReview := aReleasePackage(packed(v1alpha1.StatePendingReview))
		away := after(inReview, seeing(unavailable))
		throttled := summarized(away,
			lifecycle.Blocked(away, lifecycle.Problem{Reason: v1alpha1.ReasonThrottled,
				Message: "The service asks for fewer calls"}))
		Expect(lifecycle.Events(away, throttled)).To(HaveExactElements(warning(v1alpha1.ReasonThrottled)))

		fine := after(throttled, seeing(thePackage(v1alpha1.StatePendingReview)))
		Expect(lifecycle.Events(throttled, fine)).To(BeEmpty())
		Expect(lifecycle.Events(fine, after(fine, seeing(unavailable)))).To(
			HaveExactElements(warning(v1alpha1.ReasonServiceUnavailable)))
	})
})
