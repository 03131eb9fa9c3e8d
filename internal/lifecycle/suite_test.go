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
	"flag"
	"os"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

// TestMain checks 2,000 cases of each property instead of 100, unless -rapid.checks says otherwise: some stories take
// thousands to come about.
func TestMain(m *testing.M) {
	flag.Parse()
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		if err := checks.Value.Set("2000"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

func TestLifecycle(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "lifecycle")
}

const (
	settleTime   = 2 * time.Minute
	pollInterval = 40 * time.Second

	packageID = "13"
	oldToken  = "yesterday"
	newToken  = "today"
)

var (
	// now is the time of every pass that a spec does not move.
	now = time.Date(2025, 5, 13, 9, 48, 0, 0, time.UTC)

	here      = v1alpha1.PinnedWorkspace{Endpoint: "https://dayu.example.com", ProjectID: "p-1", WorkspaceID: "ws-1"}
	elsewhere = v1alpha1.PinnedWorkspace{Endpoint: "https://dayu.example.com", ProjectID: "p-1", WorkspaceID: "ws-2"}
)

type with func(*v1alpha1.ReleasePackage)

// aReleasePackage is one that asks for a package, is protected, and has none yet. The changes are made in their order.
func aReleasePackage(changes ...with) *v1alpha1.ReleasePackage {
	rp := &v1alpha1.ReleasePackage{
		ObjectMeta: metav1.ObjectMeta{
			Name: "job-0948", Namespace: "data-team", UID: "5b0f2c1e-7d0a-4a2c-9d53-1c4f0f1f6a77", Generation: 1,
			Finalizers: []string{"example.com/other", v1alpha1.UnpackFinalizer},
		},
		Spec: v1alpha1.ReleasePackageSpec{
			WorkspaceRef:   v1alpha1.WorkspaceReference{Kind: "DataArtsWorkspace", Name: "production"},
			PackageName:    "job_0948_20250513",
			ApplyUserID:    "dev1",
			PendingItemIDs: []v1alpha1.ID{"26", "27"},
			ApproverIDs:    []v1alpha1.UserID{"dep1", "dep2"},
			DeletionPolicy: v1alpha1.DeletionUnpack,
		},
	}
	for _, change := range changes {
		change(rp)
	}
	return rp
}

func withoutFinalizer(rp *v1alpha1.ReleasePackage) { rp.Finalizers = rp.Finalizers[:1] }
func retained(rp *v1alpha1.ReleasePackage)         { rp.Spec.DeletionPolicy = v1alpha1.DeletionRetain }

func suspended(rp *v1alpha1.ReleasePackage) {
	rp.Generation++
	rp.Spec.Suspend = true
}

func deleted(rp *v1alpha1.ReleasePackage) {
	rp.Generation++
	rp.DeletionTimestamp = &metav1.Time{Time: now}
}

// finalized was deleted, and is kept by the finalizers of others alone.
func finalized(rp *v1alpha1.ReleasePackage) {
	deleted(rp)
	withoutFinalizer(rp)
	lifecycle.Summarize(rp, lifecycle.AwaitOtherFinalizers(rp), now)
}

// edited asks for another item than before.
func edited(rp *v1alpha1.ReleasePackage) {
	rp.Generation++
	rp.Spec.PendingItemIDs = []v1alpha1.ID{"26", "28"}
}

func forced(rp *v1alpha1.ReleasePackage) {
	rp.Annotations = map[string]string{v1alpha1.ReconcileAtAnnotation: newToken}
	rp.Status.LastHandledReconcileAt = oldToken
}

// adopting names an existing package and asks for none.
func adopting(rp *v1alpha1.ReleasePackage) {
	rp.Spec = v1alpha1.ReleasePackageSpec{
		WorkspaceRef: rp.Spec.WorkspaceRef, ReleasePackageID: packageID, DeletionPolicy: rp.Spec.DeletionPolicy,
	}
}

// attempted has sent a request so long ago and has had no answer.
func attempted(ago time.Duration) with {
	return func(rp *v1alpha1.ReleasePackage) { lifecycle.BeginAttempt(rp, here, now.Add(-ago)) }
}

// ended has sent a request that made nothing.
func ended(outcome v1alpha1.AttemptOutcome) with {
	return func(rp *v1alpha1.ReleasePackage) {
		lifecycle.BeginAttempt(rp, here, now.Add(-time.Hour))
		lifecycle.RecordNotPacked(rp, outcome, "pack: refused: DLF.3051")
	}
}

// lost has sent so many requests, one after the other, that were lost without a trace.
func lost(times int) with {
	return func(rp *v1alpha1.ReleasePackage) {
		for range times {
			ended(v1alpha1.OutcomeNotFound)(rp)
		}
	}
}

// within bounds how long the deletion may take.
func within(deadline time.Duration) with {
	return func(rp *v1alpha1.ReleasePackage) { rp.Spec.DeletionDeadline.Duration = deadline }
}

// packed has a package that it packed itself and saw in a state.
func packed(state v1alpha1.PackageState) with {
	return func(rp *v1alpha1.ReleasePackage) {
		lifecycle.BeginAttempt(rp, here, now.Add(-time.Hour))
		lifecycle.RecordPackAnswer(rp, lifecycle.Answer{PackageID: packageID}, now.Add(-time.Hour))
		rp.Status.State = state
	}
}

// justPacked has packed its package a moment ago.
func justPacked(rp *v1alpha1.ReleasePackage) {
	rp.Status.PackedTime = &metav1.Time{Time: now.Add(-10 * time.Second)}
	rp.Status.RecordedTime = rp.Status.PackedTime
}

// answered is the step after an answer to a request to withdraw the package, and records what it proves.
func answered(rp *v1alpha1.ReleasePackage, obs lifecycle.Observation, step lifecycle.Step,
	answer lifecycle.Answer) lifecycle.Step {
	GinkgoHelper()
	step, look := lifecycle.AfterUnpack(rp, obs, step, answer)
	Expect(look).To(Equal(lifecycle.NoFurtherLook))
	lifecycle.RecordUnpackAnswer(rp, step, obs.Now)
	return step
}

// givenUp has withdrawn its package, or tried to, for another to follow.
func givenUp(rp *v1alpha1.ReleasePackage) {
	answered(rp, seeing(), lifecycle.Step{}, lifecycle.Answer{})
}

// withdrawing was about to withdraw its package for another to follow, and does not know what came of that.
func withdrawing(rp *v1alpha1.ReleasePackage) {
	lifecycle.BeginWithdrawal(rp)
}

// toldOfHiding has told that the service refuses to show its package, toldOfMove that the workspace object points
// elsewhere.
func toldOfHiding(rp *v1alpha1.ReleasePackage) {
	lifecycle.Summarize(rp, lifecycle.Decide(rp, seeing(hiding)), now)
}

// missedFor has looked in vain for the package that it is to adopt, for some time.
func missedFor(d time.Duration) with {
	return func(rp *v1alpha1.ReleasePackage) {
		step := lifecycle.Step{Action: lifecycle.Wait, Reason: v1alpha1.ReasonPackageNotFound, Message: "Not shown yet"}
		lifecycle.Summarize(rp, step, now.Add(-d))
	}
}
func toldOfMove(rp *v1alpha1.ReleasePackage) {
	lifecycle.Summarize(rp, lifecycle.Decide(rp, seeing(movedWorkspace)), now)
}

// notWithdrawable has tried to withdraw its failed package, which the service does not do.
func notWithdrawable(rp *v1alpha1.ReleasePackage) {
	answered(rp, seeing(), lifecycle.Step{Action: lifecycle.Unpack, Reason: v1alpha1.ReasonReplacing}, tooLate)
}

// adopted has taken over the package that it names and saw it in a state.
func adopted(state v1alpha1.PackageState) with {
	return func(rp *v1alpha1.ReleasePackage) {
		adopting(rp)
		p := aPackage(packageID, state)
		lifecycle.RecordAdopted(rp, &p, here, now.Add(-time.Hour))
	}
}

// copying has all that another one has.
func copying(other *v1alpha1.ReleasePackage) with {
	return func(rp *v1alpha1.ReleasePackage) { other.DeepCopyInto(rp) }
}

// aPackage is what aReleasePackage asks for, as the service shows it.
func aPackage(id string, state v1alpha1.PackageState) lifecycle.Package {
	return lifecycle.Package{
		ID: id, Name: "job_0948_20250513", State: state, RawState: 1, ApplyUserID: "dev1",
		ApproverIDs: []string{"dep2", "dep1"},
		Items: []v1alpha1.PackageItem{
			{ID: "27", Name: "job_b", Type: "Job", State: state}, {ID: "26", Name: "job_a", Type: "Script", State: state},
		},
		PackedTime: now.Add(-time.Minute),
	}
}

type sight func(*lifecycle.Observation)

// seeing is what a pass sees besides the object. Unless it says otherwise, that is no more than where the workspace is.
func seeing(sights ...sight) lifecycle.Observation {
	target := here
	obs := lifecycle.Observation{Now: now, SettleTime: settleTime, PollInterval: pollInterval, Target: &target}
	for _, s := range sights {
		s(&obs)
	}
	return obs
}

func thePackage(state v1alpha1.PackageState) sight {
	return func(s *lifecycle.Observation) {
		p := aPackage(packageID, state)
		s.Package = &p
	}
}

// found is the answer to a search.
func found(candidates ...lifecycle.Package) sight {
	return func(s *lifecycle.Observation) { s.Candidates, s.Searched = candidates, true }
}

// at is the time of the pass, so long after now.
func at(d time.Duration) sight {
	return func(s *lifecycle.Observation) { s.Now = now.Add(d) }
}

func gone(s *lifecycle.Observation)         { s.Gone = true }
func itemUnpacked(s *lifecycle.Observation) { s.ItemUnpacked = true }

func itemElsewhere(s *lifecycle.Observation) { s.ItemElsewhere = true }
func nothing(s *lifecycle.Observation)       { s.Target = nil }

// hiding is the answer of a service that refuses to show the package, and does not list it.
func hiding(s *lifecycle.Observation) {
	s.Hidden = &lifecycle.Problem{Reason: v1alpha1.ReasonRefused, Message: "The service refused a look"}
}

func movedWorkspace(s *lifecycle.Observation) {
	target := elsewhere
	s.Target = &target
}

func unavailable(s *lifecycle.Observation) {
	s.Target = nil
	s.Problem = &lifecycle.Problem{Reason: v1alpha1.ReasonServiceUnavailable, Message: "The service cannot be reached"}
}

// decide is Decide, with what has to hold of every decision: it changes nothing, does not depend on chance, and can
// be told of.
func decide(rp *v1alpha1.ReleasePackage, obs lifecycle.Observation) lifecycle.Step {
	GinkgoHelper()
	before := rp.DeepCopy()
	step := lifecycle.Decide(rp, obs)
	Expect(rp).To(Equal(before), "a decision changes nothing")
	Expect(lifecycle.Decide(rp, obs)).To(Equal(step), "the same is decided again")
	expectSound(recorded(rp, obs, step))
	return step
}

// recorded is the object after a pass that took the step, or as it was where the step leaves no record.
func recorded(rp *v1alpha1.ReleasePackage, obs lifecycle.Observation, step lifecycle.Step) *v1alpha1.ReleasePackage {
	GinkgoHelper()
	rp = rp.DeepCopy()
	lifecycle.RecordObservation(rp, obs)
	switch step.Action {
	case lifecycle.Wait, lifecycle.Stall, lifecycle.Unpack:
	case lifecycle.Adopt:
		lifecycle.RecordAdopted(rp, step.Package, here, obs.Now)
		step = lifecycle.Adopted(rp, obs, step)
	case lifecycle.CloseAttempt:
		lifecycle.RecordNotPacked(rp, v1alpha1.OutcomeNotFound, "not found")
	case lifecycle.Pack:
		lifecycle.BeginAttempt(rp, here, obs.Now)
		step = lifecycle.Step{Reason: v1alpha1.ReasonPacking, Message: "Being packed"}
	case lifecycle.AddFinalizer, lifecycle.RemoveFinalizer:
		step = lifecycle.Step{}
	}
	return summarized(rp, step)
}

// summarized is the object with the conditions of the step. The same situation, some time later, changes none of them.
func summarized(rp *v1alpha1.ReleasePackage, step lifecycle.Step) *v1alpha1.ReleasePackage {
	GinkgoHelper()
	rp = rp.DeepCopy()
	lifecycle.Summarize(rp, step, now.Add(300*time.Millisecond))
	again := rp.DeepCopy()
	lifecycle.Summarize(again, step, now.Add(time.Hour))
	Expect(again.Status).To(Equal(rp.Status), "the same situation reads the same")
	return rp
}

// expectSound expects what holds of the conditions at any time.
func expectSound(rp *v1alpha1.ReleasePackage) {
	GinkgoHelper()
	Expect(unsound(rp)).To(BeEmpty())
}

// unsound says what is wrong with the conditions, whatever the situation.
func unsound(rp *v1alpha1.ReleasePackage) string {
	conditions := rp.Status.Conditions
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	deployed := meta.FindStatusCondition(conditions, v1alpha1.ConditionDeployed)
	reconciling := meta.FindStatusCondition(conditions, v1alpha1.ConditionReconciling)
	stalled := meta.FindStatusCondition(conditions, v1alpha1.ConditionStalled)
	switch {
	case ready == nil || deployed == nil:
		return "Ready or Deployed is missing"
	case (deployed.Status == metav1.ConditionTrue) != (rp.Status.State == v1alpha1.StateDeployed):
		return "Deployed is not about the state"
	case reconciling != nil && stalled != nil:
		return "Reconciling and Stalled are both present"
	case ready.Status != metav1.ConditionTrue && reconciling == nil && stalled == nil:
		return "neither ready, nor reconciling, nor stalled"
	case rp.Status.ObservedGeneration != rp.Generation:
		return "the status is about another generation"
	}
	return malformed(rp)
}

// malformed says what is wrong with a condition by itself.
func malformed(rp *v1alpha1.ReleasePackage) string {
	for i := range rp.Status.Conditions {
		c := &rp.Status.Conditions[i]
		aboutUs := c.Type == v1alpha1.ConditionReconciling || c.Type == v1alpha1.ConditionStalled
		switch {
		case aboutUs && c.Status != metav1.ConditionTrue:
			return c.Type + " is present though it is not true"
		case c.Reason == "" || c.Message == "":
			return c.Type + " has no reason or no message"
		case c.ObservedGeneration != rp.Generation:
			return c.Type + " is about another generation"
		case c.LastTransitionTime.Nanosecond() != 0:
			return c.Type + " has a time that the API server cuts"
		}
	}
	return ""
}

// does matches a step by its action and by what the others say.
func does(action lifecycle.Action, others ...types.GomegaMatcher) types.GomegaMatcher {
	return And(append([]types.GomegaMatcher{HaveField("Action", action)}, others...)...)
}

// because matches a step by its reason, and by words of its message.
func because(reason string, words ...string) types.GomegaMatcher {
	return And(HaveField("Reason", reason), HaveField("Message", containsAll(words)))
}

func withoutReason() types.GomegaMatcher {
	return And(HaveField("Reason", ""), HaveField("Message", ""))
}

func comingBackAfter(d time.Duration) types.GomegaMatcher { return HaveField("After", d) }

func notComingBack() types.GomegaMatcher { return HaveField("After", time.Duration(0)) }

// telling matches a step by its event, and by words of that.
func telling(reason string, words ...string) types.GomegaMatcher {
	return HaveField("Event", And(HaveField("Reason", reason), HaveField("Warning", false),
		HaveField("Message", containsAll(words))))
}

func tellingNothing() types.GomegaMatcher { return HaveField("Event", lifecycle.Event{}) }

func containsAll(words []string) types.GomegaMatcher {
	all := []types.GomegaMatcher{BeAssignableToTypeOf("")}
	for _, word := range words {
		all = append(all, ContainSubstring(word))
	}
	return And(all...)
}
