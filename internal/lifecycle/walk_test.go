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
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

// TestOneLivePackage walks through random lives of one object in a world of its own, where answers are lost, requests are late, people
// interfere and users change their minds. At no time do two live packages exist, and none is left behind.
func TestOneLivePackage(t *testing.T) {
	t.Parallel()
	for range 300 {
		seed := rand.Uint64()
		if wrong := newWorld(seed).walk(); wrong != "" {
			t.Fatalf("seed %d: %s", seed, wrong)
		}
	}
}

// world is the service, its people and one object.
type world struct {
	r        *rand.Rand
	now      time.Time
	rp       *v1alpha1.ReleasePackage
	packages []*lifecycle.Package
	late     []lateRequest
	tokens   int
}

// lateRequest is a request to pack that arrives after its sender gave up on it.
type lateRequest struct {
	content lifecycle.Content
	arrives time.Time
}

func newWorld(seed uint64) *world {
	return &world{r: rand.New(rand.NewPCG(seed, 0)), now: now, rp: aReleasePackage(unprotected)}
}

// walk lives one life and says what went wrong in it.
func (w *world) walk() string {
	for range 300 {
		w.now = w.now.Add(time.Duration(w.r.Int64N(int64(settleTime / 3))))
		w.deliverLate()
		w.interfere()
		action, wrong := w.pass()
		if wrong == "" && w.live() > 1 {
			wrong = "two packages are live"
		}
		if wrong == "" && action == lifecycle.Release && w.rp.Spec.DeletionPolicy != v1alpha1.DeletionRetain && w.live()+len(w.late) > 0 {
			wrong = "a package is left behind"
		}
		if wrong != "" {
			return fmt.Sprintf("%s after %s\nobject %+v\npackages %+v", wrong, w.now.Sub(now), w.rp, w.packages)
		}
		if action == lifecycle.Release {
			return ""
		}
	}
	return ""
}

// interfere lets people do what they can do at any time.
func (w *world) interfere() {
	rp := w.rp
	frozen := rp.Status.State == v1alpha1.StateDeploying || rp.Status.State == v1alpha1.StateDeployed
	switch w.r.IntN(20) {
	case 0:
		if !frozen {
			rp.Generation++
			rp.Spec.PendingItemIDs = oneOf(w.r, []v1alpha1.ID{"26", "27"}, []v1alpha1.ID{"26", "28"})
		}
	case 1:
		w.tokens++
		rp.Annotations = map[string]string{v1alpha1.ReconcileAtAnnotation: fmt.Sprint(w.tokens)}
	case 2:
		rp.Spec.Suspend = !rp.Spec.Suspend
	case 3:
		rp.Spec.DeletionPolicy = oneOf(w.r, v1alpha1.DeletionUnpack, v1alpha1.DeletionUnpack, v1alpha1.DeletionRetain)
	case 4:
		if w.r.IntN(5) == 0 {
			rp.DeletionTimestamp = &metav1.Time{Time: w.now}
		}
	case 5, 6:
		w.console()
	}
}

// console lets somebody move a package on.
func (w *world) console() {
	for _, p := range w.packages {
		switch p.State {
		case v1alpha1.StatePendingReview:
			p.State = oneOf(w.r, v1alpha1.StateDeploying, v1alpha1.StateWithdrawn)
		case v1alpha1.StateDeploying:
			p.State = oneOf(w.r, v1alpha1.StateDeployed, v1alpha1.StateDeployFailed)
		case v1alpha1.StateDeployed, v1alpha1.StateDeployFailed, v1alpha1.StateWithdrawn, v1alpha1.StateUnknown:
		}
	}
}

func (w *world) live() int {
	n := 0
	for _, p := range w.packages {
		if p.State == v1alpha1.StatePendingReview || p.State == v1alpha1.StateDeploying {
			n++
		}
	}
	return n
}

// pass makes one pass like the controller does, with a service that fails now and then.
func (w *world) pass() (lifecycle.Action, string) {
	seen := w.look()
	step := lifecycle.Decide(w.rp, seen)
	if step.Action == lifecycle.Protect {
		w.rp.Finalizers = append(w.rp.Finalizers, v1alpha1.UnpackFinalizer)
		step = lifecycle.Decide(w.rp, seen)
	}
	if wrong := brokenPromise(w.rp, seen, step); wrong != "" {
		return step.Action, wrong
	}
	lifecycle.RecordSeen(w.rp, seen)
	switch step.Action {
	case lifecycle.Adopt:
		lifecycle.RecordAdopted(w.rp, step.Package, here)
	case lifecycle.CloseAttempt:
		lifecycle.RecordNotPacked(w.rp, v1alpha1.OutcomeNotFound, "not found")
	case lifecycle.Pack:
		step = w.pack()
	case lifecycle.Unpack:
		if step = w.unpack(step); step.Action == lifecycle.Release {
			return step.Action, ""
		}
	case lifecycle.Release:
		return step.Action, ""
	case lifecycle.Wait, lifecycle.Stall, lifecycle.Protect:
	}
	if seen.Problem == nil && step.Reason != v1alpha1.ReasonSuspended {
		lifecycle.MarkHandled(w.rp)
	}
	lifecycle.Summarize(w.rp, step, w.now)
	if w.rp.Status.ReleasePackageID != "" && lifecycle.AttemptOpen(w.rp) {
		return step.Action, "an id and an open attempt stand together"
	}
	return step.Action, unsound(w.rp)
}

// look answers what the object needs, truly or not at all.
func (w *world) look() lifecycle.Seen {
	need := lifecycle.Needs(w.rp)
	seen := seeing()
	if need != lifecycle.NeedNothing && w.r.IntN(10) == 0 {
		seen = seeing(unavailable)
		need = lifecycle.NeedNothing
	}
	seen.Now = w.now
	switch need {
	case lifecycle.NeedPackage:
		seen.Gone = true
		for _, p := range w.packages {
			if p.ID == lifecycle.LookID(w.rp) {
				shown := *p
				seen.Gone, seen.Package = false, &shown
			}
		}
	case lifecycle.NeedSearch:
		for _, p := range w.packages {
			if lifecycle.Plausible(w.rp, p) {
				seen.Candidates = append(seen.Candidates, *p)
			}
		}
		seen.Searched = true
		seen.ItemsUnpacked = lifecycle.NeedsItems(w.rp, seen) && w.live() == 0
	case lifecycle.NeedNothing, lifecycle.NeedConnection:
	}
	return seen
}

// pack sends a request that may be accepted, refused, lost on either way or late.
func (w *world) pack() lifecycle.Step {
	lifecycle.BeginAttempt(w.rp, here, w.now)
	content := lifecycle.WantedContent(w.rp)
	switch w.r.IntN(10) {
	case 0: // Stopped before it was sent.
		return lifecycle.OutcomeUnknown(w.rp)
	case 1: // Throttled.
		lifecycle.RecordNotPacked(w.rp, v1alpha1.OutcomeNotDone, "throttled")
		return lifecycle.Blocked(w.rp, lifecycle.Problem{Reason: v1alpha1.ReasonThrottled, Message: "throttled"})
	case 2: // Held up on its way.
		w.late = append(w.late, lateRequest{content, w.now.Add(time.Duration(w.r.Int64N(int64(settleTime))))})
		lifecycle.RecordOutcomeUnknown(w.rp, "timed out")
		return lifecycle.OutcomeUnknown(w.rp)
	case 3: // Done, but the answer was lost.
		w.receive(content)
		return lifecycle.OutcomeUnknown(w.rp)
	}
	id := w.receive(content)
	if id == "" {
		lifecycle.RecordNotPacked(w.rp, v1alpha1.OutcomeRefused, "refused")
		return lifecycle.PackRefused(w.rp)
	}
	lifecycle.RecordPacked(w.rp, id, w.now)
	return lifecycle.Step{}
}

// unpack sends a request that may be lost on either way. Somebody may let the package go in the same moment.
func (w *world) unpack(step lifecycle.Step) lifecycle.Step {
	lost := lifecycle.Blocked(w.rp, lifecycle.Problem{Reason: v1alpha1.ReasonServiceUnavailable, Message: "timed out"})
	fate := w.r.IntN(8)
	if fate == 0 {
		return lost
	}
	if fate == 1 {
		w.console()
	}
	for _, p := range w.packages {
		if p.ID != w.rp.Status.ReleasePackageID {
			continue
		}
		if p.State != v1alpha1.StatePendingReview && p.State != v1alpha1.StateWithdrawn {
			return lifecycle.UnpackTooLate(w.rp, step)
		}
		p.State = v1alpha1.StateWithdrawn
	}
	if fate == 2 {
		return lost
	}
	lifecycle.Unpacked(w.rp)
	return step
}

func (w *world) deliverLate() {
	w.late = slices.DeleteFunc(w.late, func(l lateRequest) bool {
		if w.now.Before(l.arrives) {
			return false
		}
		w.receive(l.content)
		return true
	})
}

// receive packs what was asked for and returns its id. One request in ten is refused.
func (w *world) receive(content lifecycle.Content) string {
	if w.r.IntN(10) == 0 {
		return ""
	}
	p := &lifecycle.Package{
		ID: fmt.Sprint(len(w.packages) + 1), Name: content.PackageName, State: v1alpha1.StatePendingReview,
		ApplyUserID: content.ApplyUserID, ApproverIDs: content.ApproverIDs, PackedTime: w.now,
	}
	for _, id := range content.PendingItemIDs {
		p.Items = append(p.Items, v1alpha1.PackageItem{ID: id})
	}
	w.packages = append(w.packages, p)
	return p.ID
}
