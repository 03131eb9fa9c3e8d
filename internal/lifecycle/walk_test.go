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
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

// TestNoLifeBreaksAPromise lives random lives of one object in a world of its own, where answers are lost, requests
// are late, people interfere and change their minds, and the cluster is restored. Whatever happens, nothing is packed
// twice and nothing is left behind, and once people stop and the service answers, every life comes to an end.
func TestNoLifeBreaksAPromise(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := &world{t: t, now: now, rp: anObject(t, 0, now), withdrawsFailed: oneOf(t, "failed packages are withdrawn", true,
			false),
			otherWords:     oneOf(t, "what is not known is refused in other words", false, true),
			acceptsUnknown: oneOf(t, "what is not known is accepted", false, true)}
		actions := map[string]func(*rapid.T){}
		for name, event := range w.events() {
			actions[name] = func(t *rapid.T) {
				if w.rp == nil && !slices.Contains(withoutObject, name) {
					t.Skip()
				}
				w.tick(w.someTime("seconds later", settleTime/3))
				event()
				w.pass()
			}
		}
		t.Repeat(actions)
		w.comeToAnEnd()
	})
}

// pass makes one pass and returns when the next one is due. It checks all that has to hold of each.
func (w *world) pass() time.Duration {
	w.watched = false
	if w.rp == nil || lifecycle.SettledAfterFailure(w.rp) {
		return 0
	}
	defer w.checkWay(lifecycle.Classify(w.rp))
	p := &pass{forced: lifecycle.Forced(w.rp), restored: lifecycle.CameWithFinalizer(w.rp)}
	w.look(p)
	if p.unseen {
		return w.await()
	}
	step := w.decide(p.obs)
	if step.Action == lifecycle.AddFinalizer {
		w.rp.Finalizers = append(w.rp.Finalizers, v1alpha1.UnpackFinalizer)
		step = w.decide(p.obs)
	}
	p.kept = w.rp.DeepCopy()
	lifecycle.RecordObservation(w.rp, p.obs)
	step = w.permit(p, step)
	step = w.act(p, step)
	if chance(w, "recording", "works", "works", "works", "works", "works", "works", "works", "fails") == "fails" {
		w.rp = p.kept
		w.account()
		return time.Second
	}
	if step.Action == lifecycle.RemoveFinalizer || !w.rp.DeletionTimestamp.IsZero() &&
		!slices.Contains(w.rp.Finalizers, v1alpha1.UnpackFinalizer) {
		w.rp = nil
		return 0
	}
	if !step.Blocked && step.Reason != v1alpha1.ReasonSuspended {
		lifecycle.MarkHandled(w.rp)
	}
	lifecycle.Summarize(w.rp, step, w.now)
	w.account()
	w.checkStatus(step)
	due := p.due(w.rp, step, w.now)
	w.watched = w.waitsForNews(step)
	if due == 0 && !lifecycle.Settled(w.rp) {
		w.t.Fatalf("no pass is due, though the object is not settled: %+v", step)
	}
	return due
}

// checkWay checks that the diagrams show the way on which a pass has led the object.
func (w *world) checkWay(from lifecycle.Situation) {
	to := noObject
	if w.rp != nil {
		to = lifecycle.Classify(w.rp)
	}
	if from != to && !drawn[from][to] {
		w.t.Fatalf("a pass led from %s to %s, which no diagram shows", from, to)
	}
}

// decide is the decision about what is seen. It changes nothing, and does not depend on the order in which the
// service lists things.
func (w *world) decide(obs lifecycle.Observation) lifecycle.Step {
	before := w.rp.DeepCopy()
	step := lifecycle.Decide(w.rp, obs)
	if !reflect.DeepEqual(before, w.rp) {
		w.t.Fatalf("the decision %+v changed the object", step)
	}
	turned := obs
	turned.Candidates = slices.Clone(obs.Candidates)
	slices.Reverse(turned.Candidates)
	if again := lifecycle.Decide(w.rp, turned); again.Action != step.Action || again.Reason != step.Reason ||
		again.Message != step.Message {
		w.t.Fatalf("the same is seen and told of in another way: %+v and %+v", step, again)
	}
	if wrong := brokenPromise(w.rp, obs, step); wrong != "" {
		w.t.Fatalf("%s: %+v", wrong, step)
	}
	return step
}

// act does the step like the controller does, with a service that fails now and then.
func (w *world) act(p *pass, step lifecycle.Step) lifecycle.Step {
	switch step.Action {
	case lifecycle.Adopt:
		lifecycle.RecordAdopted(w.rp, step.Package, here, w.now)
		w.find(step.Package.ID).named, w.assumed = w.now, true
		step = lifecycle.Adopted(w.rp, p.obs, step)
	case lifecycle.CloseAttempt:
		lifecycle.RecordNotPacked(w.rp, v1alpha1.OutcomeNotFound, "not found")
	case lifecycle.Pack:
		w.checkPack(p)
		step = w.pack(p)
	case lifecycle.Unpack:
		if lifecycle.Replaces(step) {
			lifecycle.BeginWithdrawal(w.rp)
			p.kept = w.rp.DeepCopy()
		}
		step = w.unpack(p, step)
	case lifecycle.Wait, lifecycle.Stall, lifecycle.AddFinalizer, lifecycle.RemoveFinalizer:
	}
	if step.Action == lifecycle.RemoveFinalizer {
		w.checkRelease(p)
	}
	return step
}

// checkPack checks that nothing is packed twice.
func (w *world) checkPack(p *pass) {
	content, st := lifecycle.WantedContent(w.rp), &w.rp.Status
	if m := w.mine(); m != nil {
		w.t.Fatalf("a request to pack is sent though package %s is live", m.ID)
	}
	if w.onItsWay() {
		w.t.Fatalf("a request to pack is sent though another is on its way")
	}
	givenUp := st.Attempt != nil && st.Attempt.Outcome == v1alpha1.OutcomeGivenUp
	if p.listed && !p.forced && !givenUp && !w.allFree(content.PendingItemIDs) {
		w.t.Fatalf("a request to pack %v is sent though they are listed as packed", content.PendingItemIDs)
	}
	lostStatus := st.Attempt == nil && w.now.Sub(w.rp.CreationTimestamp.Time) > 15*time.Minute
	for _, m := range w.packages {
		if lostStatus && m.live() && w.mannerOf(m, w.now) == shown && m.content().Hash() == content.Hash() {
			w.t.Fatalf("a request to pack is sent though package %s is just that", m.ID)
		}
	}
}

// checkRelease checks that nothing is left behind, unless it was to be.
func (w *world) checkRelease(p *pass) {
	left, bounded := lifecycle.DeletionTimeLeft(w.rp, w.now)
	if w.rp.Spec.DeletionPolicy == v1alpha1.DeletionRetain || bounded && left <= 0 || p.tooLate {
		return
	}
	if m := w.mine(); m != nil {
		w.t.Fatalf("the object is let go though package %s is live", m.ID)
	}
	if w.onItsWay() {
		w.t.Fatalf("the object is let go though a request is on its way")
	}
}

// mine is a live package that the object is answerable for.
func (w *world) mine() *made {
	if i := slices.IndexFunc(w.packages, func(m *made) bool { return m.mine && m.live() }); i >= 0 {
		return w.packages[i]
	}
	return nil
}

// onItsWay reports whether a request of this object may arrive that has not before. It does not count where somebody
// packed just the same by hand: nothing tells that from what the request would make.
func (w *world) onItsWay() bool {
	return slices.ContainsFunc(w.late, func(l lateRequest) bool {
		return !l.again && !l.tooLate && l.object == w.objects && !slices.ContainsFunc(w.packages, func(m *made) bool {
			return m.byHand && m.content().Hash() == l.content.Hash()
		})
	})
}

// onRecord reports whether the status tells of a package, or leads to it.
func (w *world) onRecord(m *made) bool {
	if id := w.rp.Status.ReleasePackageID; id != "" {
		return id == m.ID
	}
	a := w.rp.Status.Attempt
	return a != nil && (a.Outcome == "" || a.Outcome == v1alpha1.OutcomeRefused) &&
		lifecycle.Plausible(w.rp, &m.Package) && w.contentOf(m).Hash() == a.ContentHash
}

// contentOf is what a package is made of, whichever of the object's own names it has.
func (w *world) contentOf(m *made) lifecycle.Content {
	content := m.content()
	if own := lifecycle.WantedContent(w.rp).PackageName; w.rp.Spec.PackageName == "" && strings.HasPrefix(m.Name, own) {
		content.PackageName = own
	}
	return content
}

// account makes the object answerable for the package that it has on record, and checks that it did not lose another.
func (w *world) account() {
	for _, m := range w.packages {
		switch {
		case m.ID == w.rp.Status.ReleasePackageID:
			m.mine = !m.leftBehind
		case !m.mine, !m.live(), w.onRecord(m):
		case w.rp.Spec.ReleasePackageID != "":
			m.mine = false // A person chose another.
		default:
			w.t.Fatalf("package %s is live and not on record any more", m.ID)
		}
	}
}

// checkStatus checks what holds of the status at any time.
func (w *world) checkStatus(step lifecycle.Step) {
	if w.rp.Status.ReleasePackageID != "" && lifecycle.AttemptOpen(w.rp) {
		w.t.Fatalf("an id and an open attempt stand together")
	}
	blames := step.Reason == v1alpha1.ReasonWithdrawn || step.Reason == v1alpha1.ReasonPackageNotFound
	if m := w.find(w.rp.Status.ReleasePackageID); step.Action == lifecycle.Stall && blames && m != nil &&
		m.State == v1alpha1.StateWithdrawn && !m.revoked {
		w.t.Fatalf("it takes its own withdrawal for someone else's: %+v", step)
	}
	if wrong := unsound(w.rp); wrong != "" {
		w.t.Fatalf("%s: %+v", wrong, w.rp.Status.Conditions)
	}
	again := w.rp.DeepCopy()
	lifecycle.Summarize(again, step, w.now.Add(time.Hour))
	if !reflect.DeepEqual(again.Status, w.rp.Status) {
		w.t.Fatalf("the same situation reads otherwise some time later: %+v and %+v", w.rp.Status.Conditions,
			again.Status.Conditions)
	}
}

// comeToAnEnd makes the passes that are due, and no others, after people stopped and the service answers. They have
// to come to an end.
func (w *world) comeToAnEnd() {
	w.calmDown()
	for began := w.now; w.now.Sub(began) < 3*time.Hour; {
		var before *v1alpha1.ReleasePackage
		if w.rp != nil {
			before = w.rp.DeepCopy()
		}
		due := w.pass()
		switch {
		case w.rp == nil:
			return
		case w.ended() && (reflect.DeepEqual(before.Status, w.rp.Status) || w.watched && !w.news()):
			w.checkEnd()
			return
		case due == 0 && !w.ended():
			w.t.Fatalf("nothing is due, and it is not at its end: %+v", w.rp.Status.Conditions)
		}
		w.tick(max(due, time.Second))
		for w.watched && !w.news() && w.now.Sub(began) < 3*time.Hour {
			w.tick(max(due, time.Second)) // A look that shows what is on record leads to no pass.
		}
	}
	w.t.Fatalf("it does not come to an end: %+v", w.rp.Status.Conditions)
}

// checkEnd checks that the object does not miss a package that everyone can see.
func (w *world) checkEnd() {
	m := w.find(w.rp.Status.ReleasePackageID)
	missed := slices.ContainsFunc(w.rp.Status.Conditions,
		func(c metav1.Condition) bool { return c.Reason == v1alpha1.ReasonPackageNotFound })
	if missed && m != nil && m.live() && w.mannerOf(m, w.now) == shown && !w.moved {
		w.t.Fatalf("it misses package %s, which is shown: %+v", m.ID, w.rp.Status.Conditions)
	}
}

// calmDown ends what is under way, and lets every call succeed from now on.
func (w *world) calmDown() {
	for _, m := range w.packages {
		m.manner = shown
		switch m.State {
		case v1alpha1.StateDeploying:
			w.turn(m, oneOf(w.t, "end", v1alpha1.StateDeployed, v1alpha1.StateDeployFailed))
		case v1alpha1.StateUnknown:
			w.turn(m, v1alpha1.StatePendingReview)
		case v1alpha1.StatePendingReview, v1alpha1.StateDeployed, v1alpha1.StateDeployFailed, v1alpha1.StateWithdrawn:
		}
	}
	w.truthful = true
}

// ended reports whether the object waits for nobody but people.
func (w *world) ended() bool {
	stalled := meta.FindStatusCondition(w.rp.Status.Conditions, v1alpha1.ConditionStalled)
	if w.rp.DeletionTimestamp.IsZero() {
		return stalled != nil || meta.IsStatusConditionTrue(w.rp.Status.Conditions, v1alpha1.ConditionReady)
	}
	return stalled != nil && slices.Contains([]string{
		v1alpha1.ReasonAmbiguousPackage, v1alpha1.ReasonUnpackRefused, v1alpha1.ReasonWorkspaceChanged,
	}, stalled.Reason)
}
