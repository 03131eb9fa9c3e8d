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

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
	"github.com/dataarts-operator/dataarts-operator/internal/poll"
)

// observe gathers what the decision depends on, and no more. What the service or the workspace object refuse becomes
// a problem in p.obs; an error is left for trouble with the API server.
func (r *ReleasePackageReconciler) observe(ctx context.Context, p *pass) error {
	p.obs.Now, p.obs.SettleTime = r.Clock.Now(), r.SettleTime
	need := lifecycle.Needs(p.rp)
	if need == lifecycle.NeedNothing {
		return nil
	}
	connect := r.Workspaces.Connect
	if !p.rp.DeletionTimestamp.IsZero() {
		connect = r.Workspaces.ConnectToUnpack
	}
	conn, err := connect(ctx, p.rp.Namespace, p.rp.Spec.WorkspaceRef)
	if err != nil {
		return p.setProblem(err)
	}
	target := conn.Target()
	p.conn, p.obs.Target, p.obs.PollInterval = conn, &target, conn.PollInterval()
	if pinned := p.rp.Status.Workspace; pinned != nil && *pinned != target {
		return nil // What the package's id means over there is anyone's guess, so nothing is asked.
	}
	if lifecycle.Forced(p.rp) {
		conn.TryNow()
	}
	if err := r.gather(ctx, p, need); err != nil {
		return p.setProblem(err)
	}
	return nil
}

// gather makes the looks and searches that were asked for.
func (r *ReleasePackageReconciler) gather(ctx context.Context, p *pass, need lifecycle.Need) (err error) {
	switch need {
	case lifecycle.NeedPackage:
		err = r.observePackage(ctx, p)
	case lifecycle.NeedSearch:
		return r.search(ctx, p)
	case lifecycle.NeedNothing, lifecycle.NeedConnection:
	}
	if err == nil && !p.unseen && lifecycle.SearchesLate(p.rp, p.obs.Now) {
		err = r.searchLate(ctx, p)
	}
	return err
}

// observePackage takes what looks that others share have shown of the recorded package, where that suffices. Where it
// does not, the pass waits for the next of them. A look of its own is made at a package that is not recorded yet, for
// an object that is gone, and when someone asks for it.
func (r *ReleasePackageReconciler) observePackage(ctx context.Context, p *pass) error {
	if p.rp.Status.ReleasePackageID == "" || p.vanished || lifecycle.Forced(p.rp) {
		return p.look(ctx)
	}
	view, known := r.Workspaces.Poller().Latest(client.ObjectKeyFromObject(p.rp), p.rp.Status.ReleasePackageID)
	needed, age := lifecycle.RequiredFreshness(p.rp), p.obs.Now.Sub(view.Began)
	switch {
	case !known, view.Err != nil && needed.Required && !view.Required:
		p.unseen = needed.Required
	case view.Err != nil:
		p.shared = true
		return view.Err
	case !needed.Required, age <= needed.PreferredAge && !view.Assumed:
		p.setPackage(&view)
	case view.Assumed && p.conn.SpareLook():
		return p.look(ctx)
	case age > needed.MaxAge, view.Assumed: // What is not known everywhere yet may be accepted without effect.
		p.unseen = true
	case p.conn.SpareLook():
		return p.look(ctx)
	default:
		p.setPackage(&view)
	}
	return nil
}

// look asks for one package. That the service has none of that id is an answer, and so may be a refusal; any other
// failure is not.
func (p *pass) look(ctx context.Context) error {
	name := ""
	if p.rp.Status.ReleasePackageID != "" {
		name = p.rp.Status.PackageName
	}
	view := p.conn.Find(ctx, lifecycle.LookID(p.rp), name)
	if view.Err != nil {
		return view.Err
	}
	p.setPackage(&view)
	p.looked = &view
	return nil
}

// setPackage puts a view in the words of the lifecycle. What was seen in a list has no items, which do not change.
func (p *pass) setPackage(view *poll.Observation) {
	p.obs.Gone, p.obs.Hidden, p.obs.Package = view.Gone, nil, nil
	if view.Hidden != nil {
		p.obs.Hidden = &lifecycle.Problem{Reason: v1alpha1.ReasonRefused, Message: refusalFrom(view.Hidden)}
	}
	if view.Package == nil {
		return
	}
	p.obs.Package = packageFrom(view.Package)
	if len(view.Package.Items) == 0 && view.Package.ID == p.rp.Status.ReleasePackageID {
		p.obs.Package.Items = p.rp.Status.Items
	}
}

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
	p.obs.ItemUnpacked = err == nil && anyUnpacked(ids, pending)
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

// setProblem records an error as a problem that conditions tell of. It returns an error that is not one.
func (p *pass) setProblem(err error) error {
	problem := problemOf(err)
	if problem == nil {
		return err
	}
	p.obs.Problem, p.cause = problem, err
	return nil
}

// packageFrom puts what the service shows in the words of the API.
func packageFrom(d *dataarts.PackageDetail) *lifecycle.Package {
	p := &lifecycle.Package{
		ID:           d.ID,
		Name:         d.Name,
		State:        stateFrom(d.Status),
		RawState:     int(d.Status),
		ApplyUserID:  d.ApplyUserID,
		PackedTime:   d.AppliedAt,
		DeployedTime: d.DeployedAt,
		DeployedBy:   d.DeployUserName,
	}
	if d.Deleted {
		p.State = v1alpha1.StateWithdrawn
	}
	if p.DeployedBy == "" {
		p.DeployedBy = d.DeployUserID
	}
	for _, approver := range d.Approvers {
		p.ApproverIDs = append(p.ApproverIDs, approver.ID)
	}
	seen := make(map[string]bool, len(d.Items))
	for i := range d.Items {
		id := d.Items[i].PendingItemID
		if seen[id] {
			continue // The status holds a set of items, whatever the service shows.
		}
		seen[id] = true
		p.Items = append(p.Items, v1alpha1.PackageItem{
			ID:    id,
			Name:  d.Items[i].Name,
			Type:  typeFrom(d.Items[i].TaskType),
			State: stateFrom(d.Items[i].Status),
		})
	}
	return p
}

func stateFrom(s dataarts.DeployStatus) v1alpha1.PackageState {
	switch s {
	case dataarts.StatusPendingReview:
		return v1alpha1.StatePendingReview
	case dataarts.StatusDeploying:
		return v1alpha1.StateDeploying
	case dataarts.StatusDeployed:
		return v1alpha1.StateDeployed
	case dataarts.StatusDeployFailed:
		return v1alpha1.StateDeployFailed
	}
	return v1alpha1.StateUnknown
}

func typeFrom(t dataarts.TaskType) string {
	switch t {
	case dataarts.TaskJob:
		return "Job"
	case dataarts.TaskScript:
		return "Script"
	case dataarts.TaskResource:
		return "Resource"
	}
	return "Unknown"
}
