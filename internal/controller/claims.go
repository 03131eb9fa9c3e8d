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

package controller

import (
	"context"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

// claimIndex finds ReleasePackages by the packages and items that they have or want, in whatever workspace.
const claimIndex = "claims"

func claimIndexOf(obj client.Object) []string {
	rp, ok := obj.(*v1alpha1.ReleasePackage)
	if !ok {
		return nil
	}
	var keys []string
	for _, claim := range lifecycle.Claims(rp) {
		keys = append(keys, string(claim))
	}
	return keys
}

// claimants are the other ReleasePackages that have a claim in the workspace of this pass. They are for reading only.
func (r *ReleasePackageReconciler) claimants(ctx context.Context, p *pass,
	claim lifecycle.Claim) ([]v1alpha1.ReleasePackage, error) {
	list := &v1alpha1.ReleasePackageList{}
	err := r.List(ctx, list, client.MatchingFields{claimIndex: string(claim)}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return nil, err
	}
	var others []v1alpha1.ReleasePackage
	for i := range list.Items {
		other := &list.Items[i]
		if other.UID == p.rp.UID {
			continue
		}
		same, err := r.inWorkspace(ctx, other, p.conn.Target())
		if err != nil {
			return nil, err
		}
		if same {
			others = append(others, *other)
		}
	}
	return others, nil
}

// inWorkspace reports whether a ReleasePackage is, or would be, packed at this place. Several workspace objects may
// lead there.
func (r *ReleasePackageReconciler) inWorkspace(ctx context.Context, rp *v1alpha1.ReleasePackage,
	place v1alpha1.PinnedWorkspace) (bool, error) {
	target := rp.Status.Workspace
	if target == nil {
		var err error
		if target, err = r.Workspaces.Target(ctx, rp.Namespace, rp.Spec.WorkspaceRef); err != nil {
			return false, err
		}
	}
	return target != nil && *target == place, nil
}

// takenByAnother reports whether another ReleasePackage has recorded a package as its own, or had until it vanished.
func (r *ReleasePackageReconciler) takenByAnother(ctx context.Context, p *pass, id string) (bool, error) {
	if r.vanished.holder(p.rp.UID, p.conn.Target(), lifecycle.PackageClaim(id)) != nil {
		return true, nil
	}
	others, err := r.claimants(ctx, p, lifecycle.PackageClaim(id))
	return slices.ContainsFunc(others,
		func(other v1alpha1.ReleasePackage) bool { return other.Status.ReleasePackageID == id }), err
}

// conflict is the first ReleasePackage that the claims have to be left to, and which of them; nil if they are free.
func (r *ReleasePackageReconciler) conflict(ctx context.Context, p *pass,
	claims []lifecycle.Claim) (*v1alpha1.ReleasePackage, []lifecycle.Claim, error) {
	var first *v1alpha1.ReleasePackage
	var contested []lifecycle.Claim
	for _, claim := range claims {
		others, err := r.claimants(ctx, p, claim)
		if err != nil {
			return nil, nil, err
		}
		for i := range others {
			if other := &others[i]; lifecycle.MustYield(p.rp, other, claim) && (first == nil || first.UID == other.UID) {
				first, contested = other, append(contested, claim)
			}
		}
	}
	return first, contested, nil
}

// waiters finds the ReleasePackages that had to leave something to the one that changed, or is gone.
func (r *ReleasePackageReconciler) waiters(ctx context.Context, obj client.Object) []reconcile.Request {
	list := &v1alpha1.ReleasePackageList{}
	if err := r.List(ctx, list, client.MatchingFields{yieldIndex: yielding}, client.UnsafeDisableDeepCopy); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Listing the packages that wait for a claim failed", "changed",
			client.ObjectKeyFromObject(obj))
		return nil
	}
	return requestsFor(list.Items, func(rp *v1alpha1.ReleasePackage) bool { return rp.UID != obj.GetUID() })
}

// yieldIndex finds the ReleasePackages that wait for another to leave them something.
const (
	yieldIndex = "yields"
	yielding   = "true"
)

func yieldIndexOf(obj client.Object) []string {
	if rp, ok := obj.(*v1alpha1.ReleasePackage); ok && readyReason(rp.Status.Conditions) == v1alpha1.ReasonAlreadyClaimed {
		return []string{yielding}
	}
	return nil
}

// claimsFreed lets through what may leave something to others.
func claimsFreed() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc:  func(event.CreateEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			was, ok1 := e.ObjectOld.(*v1alpha1.ReleasePackage)
			is, ok2 := e.ObjectNew.(*v1alpha1.ReleasePackage)
			if !ok1 || !ok2 {
				return false
			}
			left := lifecycle.Claims(is)
			return slices.ContainsFunc(lifecycle.Claims(was), func(c lifecycle.Claim) bool { return !slices.Contains(left, c) })
		},
	}
}

// reservationTime is how long a claim stays reserved for an object after the pass that made it good, or prepared
// that: until the cache shows it.
const reservationTime = 2 * time.Minute

// reservations keep two objects that are reconciled at the same moment from taking the same, before the cache shows
// either that the other has it. They belong to an object, and not to whatever has its name. The zero value is ready
// for use.
type reservations struct {
	mu   sync.Mutex
	made map[reservationKey]reservation
	// by has the keys of each object, so that giving them up takes no search.
	by map[types.UID][]reservationKey
	// swept is when what is over was last cleared away.
	swept time.Time
}

type reservationKey struct {
	place v1alpha1.PinnedWorkspace
	claim lifecycle.Claim
}

// reservation lasts as long as the pass that makes it, however long that takes, and then until its time is over.
type reservation struct {
	by    types.UID
	until time.Time
}

func (r reservation) over(now time.Time) bool { return !r.until.IsZero() && now.After(r.until) }

// take reserves all claims for the pass of an object, or none if one of them is reserved for another object.
func (r *reservations) take(by types.UID, place v1alpha1.PinnedWorkspace, claims []lifecycle.Claim,
	now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expire(now)
	for _, claim := range claims {
		if held, ok := r.made[reservationKey{place, claim}]; ok && held.by != by && !held.over(now) {
			return false
		}
	}
	for _, claim := range claims {
		key := reservationKey{place, claim}
		if held, ok := r.made[key]; !ok || held.by != by {
			r.by[by] = append(r.by[by], key)
		}
		r.made[key] = reservation{by: by}
	}
	return true
}

// heldByOther reports whether a claim is reserved for another object.
func (r *reservations) heldByOther(by types.UID, place v1alpha1.PinnedWorkspace, claim lifecycle.Claim,
	now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	held, ok := r.made[reservationKey{place, claim}]
	return ok && held.by != by && !held.over(now)
}

// expire clears away what is over, now and then.
func (r *reservations) expire(now time.Time) {
	if r.made == nil {
		r.made, r.by = map[reservationKey]reservation{}, map[types.UID][]reservationKey{}
	}
	if now.Sub(r.swept) < reservationTime/4 {
		return
	}
	r.swept = now
	for key, held := range r.made {
		if held.over(now) {
			delete(r.made, key)
		}
	}
	for by := range r.by {
		r.tidy(by)
	}
}

// tidy forgets the keys of an object that are not its own any more. Its caller holds the lock.
func (r *reservations) tidy(by types.UID) {
	keys := slices.DeleteFunc(r.by[by], func(key reservationKey) bool { return r.made[key].by != by })
	if len(keys) == 0 {
		delete(r.by, by)
		return
	}
	r.by[by] = keys
}

// settle ends the pass of an object: what it keeps stays reserved until the cache shows that, and the rest is free at
// once.
func (r *reservations) settle(by types.UID, now time.Time, keeps func(lifecycle.Claim) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, key := range r.by[by] {
		switch {
		case r.made[key].by != by:
		case keeps(key.claim):
			r.made[key] = reservation{by, now.Add(reservationTime)}
		default:
			delete(r.made, key)
		}
	}
	r.tidy(by)
}

// leave frees at once what was kept for an object that is gone, but not what a pass of it is still at.
func (r *reservations) leave(by types.UID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, key := range r.by[by] {
		if held := r.made[key]; held.by == by && !held.until.IsZero() {
			delete(r.made, key)
		}
	}
	r.tidy(by)
}
