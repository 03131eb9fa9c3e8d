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

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
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
		connect = r.Workspaces.ConnectForDeletion
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

// setProblem records an error as a problem that conditions tell of. It returns an error that is not one.
func (p *pass) setProblem(err error) error {
	problem := problemOf(err)
	if problem == nil {
		return err
	}
	p.obs.Problem, p.cause = problem, err
	return nil
}
