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

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

// search gathers all packages that the latest attempt may have made, the one that a person has chosen and, once they
// are needed, the items that it was to pack.
func (r *ReleasePackageReconciler) search(ctx context.Context, p *pass) error {
	if r.searches.stands(p.rp, p.obs.Now) {
		p.obs.Searched = true
		return nil
	}
	found, err := r.candidates(ctx, p, lifecycle.SearchNames(p.rp), func(listed *lifecycle.Package) bool {
		return lifecycle.Plausible(p.rp, listed)
	})
	if err != nil {
		return err
	}
	p.obs.Candidates, p.obs.Searched = found, true
	if lifecycle.AttemptOpen(p.rp) && len(found) == 0 {
		r.searches.note(p.rp, p.obs.Now)
	}
	if lifecycle.LookID(p.rp) != "" {
		if err := p.look(ctx); err != nil {
			return err
		}
	}
	if !lifecycle.NeedsItems(p.rp, p.obs) {
		return nil
	}
	ids := p.rp.Status.Attempt.PendingItemIDs
	pending, err := p.conn.PendingSince(ctx, ids, p.rp.Status.Attempt.StartTime.Add(p.obs.SettleTime))
	if err != nil {
		return err
	}
	if p.obs.ItemUnpacked = anyUnpacked(ids, pending); !p.obs.ItemUnpacked {
		p.obs.ItemElsewhere, err = r.itemElsewhere(ctx, p)
	}
	return err
}

// searchLate gathers what the latest attempt may have made besides the recorded package, which others look at.
func (r *ReleasePackageReconciler) searchLate(ctx context.Context, p *pass) error {
	return r.searchFor(ctx, p, func(listed *lifecycle.Package) bool { return listed.ID != p.rp.Status.ReleasePackageID })
}

func (r *ReleasePackageReconciler) searchFor(ctx context.Context, p *pass, wanted func(*lifecycle.Package) bool) error {
	found, err := r.candidates(ctx, p, lifecycle.SearchNames(p.rp), func(listed *lifecycle.Package) bool {
		return lifecycle.Plausible(p.rp, listed) && wanted(listed)
	})
	if err == nil {
		p.obs.Candidates, p.obs.Searched = found, true
	}
	return err
}

// candidates are the packages that a search for names finds, with their items, and that are plausible as they are
// listed.
func (r *ReleasePackageReconciler) candidates(
	ctx context.Context, p *pass, names []string, plausible func(*lifecycle.Package) bool,
) ([]lifecycle.Package, error) {
	var listed []dataarts.Package
	for _, name := range names {
		found, err := p.conn.Search(ctx, name)
		if err != nil {
			return nil, err
		}
		listed = append(listed, found...)
	}
	var all []lifecycle.Package
	known := map[string]bool{}
	for i := range listed {
		if known[listed[i].ID] || !plausible(packageFrom(&dataarts.PackageDetail{Package: listed[i]})) {
			continue
		}
		known[listed[i].ID] = true
		found, err := r.candidate(ctx, p, listed[i])
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// candidate is a listed package with its items, or none if it is not to be had: another object has it, or the service
// does not show it any more, so that it is withdrawn anyway and cannot be told from others.
func (r *ReleasePackageReconciler) candidate(ctx context.Context, p *pass,
	listed dataarts.Package) ([]lifecycle.Package, error) {
	taken, err := r.takenByAnother(ctx, p, listed.ID)
	if err != nil || taken {
		return nil, err
	}
	detail, err := p.conn.Look(ctx, listed.ID)
	if dataarts.KindOf(err) == dataarts.NotFound || listed.Deleted && dataarts.MayDeny(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []lifecycle.Package{*packageFrom(&detail)}, nil
}

// anyUnpacked reports whether an item is listed, and in no package. An item that is not listed proves nothing.
func anyUnpacked(ids []string, pending map[string]dataarts.PendingItem) bool {
	return slices.ContainsFunc(ids, func(id string) bool {
		item, listed := pending[id]
		return listed && item.PackageFlag == 0
	})
}
