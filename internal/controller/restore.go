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

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

// mostContents bounds the looks into packages of other names in one pass. The next pass goes on with others.
const mostContents = 20

// origins remembers which of the objects that have not packed yet came with our finalizer, as those from a backup do.
// The zero value is ready for use.
type origins struct {
	mu   sync.Mutex
	seen map[types.NamespacedName]origin
}

type origin struct {
	uid      types.UID
	restored bool
}

// restored reports whether an object comes from a backup, as far as its first sight told.
func (o *origins) restored(rp *v1alpha1.ReleasePackage) bool {
	return o.note(rp, lifecycle.CameWithFinalizer(rp))
}

// note takes down what the first sight of an object tells, and returns what that was.
func (o *origins) note(rp *v1alpha1.ReleasePackage, restored bool) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	key := client.ObjectKeyFromObject(rp)
	if known, ok := o.seen[key]; ok && known.uid == rp.UID {
		return known.restored
	}
	if o.seen == nil {
		o.seen = map[types.NamespacedName]origin{}
	}
	o.seen[key] = origin{rp.UID, restored}
	return restored
}

func (o *origins) forget(object types.NamespacedName) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.seen, object)
}

// takeExisting finds a package that is what would be packed, where something speaks for one: the items, an object
// that is older than what it knows of, or one that has our finalizer from elsewhere. Where the items cannot be seen,
// what is in flight under a name of its own does. What holds some of the items is told of.
func (r *ReleasePackageReconciler) takeExisting(ctx context.Context, p *pass,
	found *lifecycle.Preflight) (lifecycle.Step, bool, error) {
	unseen := p.pending == nil && p.rp.Status.Attempt == nil
	unknown := unseen && lifecycle.MayHaveLostStatus(p.rp, p.obs.Now)
	existing := lifecycle.Existing{
		NoneListed: found.NoneListed(p.rp),
		Restored:   p.restored,
	}
	if !found.ItemsTaken() && !unseen && !existing.Restored {
		return lifecycle.Step{}, false, nil
	}
	p.ownOnly = unseen && !unknown && !existing.Restored
	holders, standing := r.findings.standing(p.rp, *found, p.obs.Now)
	if standing {
		existing.Packages = slices.Clone(holders)
	}
	err := r.findExisting(ctx, p, &existing, (found.ItemsTaken() || unseen) && !standing)
	if err != nil {
		step, err := p.blockedBy(err)
		return step, true, err
	}
	if step, ok := lifecycle.TakeExisting(p.rp, existing, p.obs.PollInterval); ok {
		step, err = r.reserveAdopted(ctx, p, step)
		return step, true, err
	}
	if !standing {
		r.keepFinding(p, *found, existing.Packages)
	}
	found.HeldBy(p.rp, existing.Packages, p.pending != nil)
	return lifecycle.Step{}, false, nil
}

// reserveAdopted reserves the package that a step adopts, if it adopts one. It returns the step, or another one where
// another object goes first.
func (r *ReleasePackageReconciler) reserveAdopted(ctx context.Context, p *pass,
	step lifecycle.Step) (lifecycle.Step, error) {
	if step.Action != lifecycle.Adopt {
		return step, nil
	}
	instead, err := r.reserve(ctx, p, []lifecycle.Claim{lifecycle.PackageClaim(step.Package.ID)})
	return stepOr(instead, step), err
}

// keepFinding remembers which packages were found, if all were looked into that may hold the items.
func (r *ReleasePackageReconciler) keepFinding(p *pass, found lifecycle.Preflight, packages []lifecycle.Package) {
	if !p.partly && p.pending != nil {
		r.findings.note(p.rp, found, packages, p.obs.Now)
	}
}

// findExisting looks for packages in flight, if some of the items are not free, and for those that have come to an
// end, by name.
func (r *ReleasePackageReconciler) findExisting(ctx context.Context, p *pass, existing *lifecycle.Existing,
	taken bool) error {
	if taken {
		packages, done, err := r.holders(ctx, p)
		existing.Packages = packages
		if done || err != nil || p.ownOnly {
			return err
		}
	}
	if !existing.NoneListed && !existing.Restored && p.pending != nil {
		return nil
	}
	named, err := r.candidates(ctx, p, []string{lifecycle.SearchWord(p.rp)}, func(listed *lifecycle.Package) bool {
		return r.mayBeOwn(p, existing, listed)
	})
	existing.Packages = append(existing.Packages, named...)
	if err != nil || slices.ContainsFunc(named, func(one lifecycle.Package) bool { return lifecycle.Fits(p.rp, &one) }) {
		return err
	}
	return r.findRecent(ctx, p, existing)
}

// findRecent looks through the latest packages for one that is named like the object's own: the service's search may
// find whole names only.
func (r *ReleasePackageReconciler) findRecent(ctx context.Context, p *pass, existing *lifecycle.Existing) error {
	listed, err := p.conn.Recent(ctx)
	if err != nil {
		return err
	}
	for i := range listed {
		if !r.mayBeOwn(p, existing, packageFrom(&dataarts.PackageDetail{Package: listed[i]})) {
			continue
		}
		one, err := r.candidate(ctx, p, listed[i])
		if err != nil {
			p.doubtLists(err)
			return err
		}
		existing.Packages = append(existing.Packages, one...)
	}
	return nil
}

// mayBeOwn reports whether a listed package that is not known yet is named like the object's own, and not one that
// was withdrawn a moment ago.
func (r *ReleasePackageReconciler) mayBeOwn(p *pass, existing *lifecycle.Existing, listed *lifecycle.Package) bool {
	lately := listed.State == v1alpha1.StateWithdrawn &&
		r.reserved.heldByOther(p.rp.UID, p.conn.Target(), lifecycle.PackageClaim(listed.ID), p.obs.Now)
	known := slices.ContainsFunc(existing.Packages, func(one lifecycle.Package) bool { return one.ID == listed.ID })
	return lifecycle.NamedAs(p.rp, listed.Name) && !lately && !known
}

// doubtLists has the shared lists read anew for the next pass, if the service may not have a package any more that
// they hold.
func (p *pass) doubtLists(err error) {
	if dataarts.MayDeny(err) {
		p.conn.InvalidateLists()
	}
}

// holders are the packages in flight that hold something of what the spec asks for, and that no object has. Those
// that are named like the object's own come first: if one of them fits, that is all.
func (r *ReleasePackageReconciler) holders(ctx context.Context,
	p *pass) (found []lifecycle.Package, done bool, err error) {
	listed, err := p.conn.InFlight(ctx)
	if err != nil {
		return nil, false, err
	}
	looks := 0
	for _, own := range []bool{true, false} {
		for i := range listed {
			if lifecycle.NamedAs(p.rp, listed[i].Name) != own || listed[i].ID == p.rp.Status.ReleasePackageID {
				continue
			}
			if _, known := p.conn.KnownItems(listed[i].ID); !own && !known {
				if looks == mostContents {
					p.partly = true
					continue
				}
				looks++
			}
			one, err := r.holder(ctx, p, &listed[i])
			if err != nil {
				return nil, false, err
			}
			found = append(found, one...)
		}
		if slices.ContainsFunc(found, func(one lifecycle.Package) bool { return lifecycle.Fits(p.rp, &one) }) {
			return found, true, nil
		}
		if p.ownOnly {
			break
		}
	}
	return found, false, nil
}

// holder is a package if it holds something of what the spec asks for, or has a name of the object's own, and no
// object has it.
func (r *ReleasePackageReconciler) holder(ctx context.Context, p *pass,
	listed *dataarts.Package) ([]lifecycle.Package, error) {
	id, own := listed.ID, lifecycle.NamedAs(p.rp, listed.Name)
	one, known := p.knownHolder(listed)
	if !known || own || lifecycle.HasWanted(p.rp, one) {
		detail, err := p.conn.Contents(ctx, id)
		switch {
		case dataarts.KindOf(err) == dataarts.NotFound, dataarts.MayDeny(err) && !own:
			return nil, nil // It has gone meanwhile, or is none of the object's business.
		case err != nil:
			p.doubtLists(err)
			return nil, err
		}
		one = packageFrom(&detail)
	}
	if !own && !lifecycle.Wants(p.rp, one) {
		return nil, nil
	}
	if taken, err := r.takenByAnother(ctx, p, id); err != nil || taken {
		return nil, err
	}
	return []lifecycle.Package{*one}, nil
}

// knownHolder is a listed package with the ids of its items, if they are known. It shows whether another look is
// worth its call.
func (p *pass) knownHolder(listed *dataarts.Package) (*lifecycle.Package, bool) {
	ids, known := p.conn.KnownItems(listed.ID)
	one := packageFrom(&dataarts.PackageDetail{Package: *listed})
	for _, id := range ids {
		one.Items = append(one.Items, v1alpha1.PackageItem{ID: id})
	}
	return one, known
}
