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

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

const itemsPerPackage = 3

// team is the engineers and the administrator of one namespace and the approvers of its workspace. The engineers act
// one after another.
type team struct {
	namespace string
	service   *service
	workspace string // the id of the workspace that its workspace object leads to
	api       client.Client
	console   *simulator.Console
	ledger    *ledger
	most      int

	random        *rand.Rand // of the engineers
	reviewing     *rand.Rand // of the approvers
	administering *rand.Rand // of the administrator
	records       []*record  // of the objects that were not deleted
	leaving       []string   // the names of those that were
	serial        int
}

// gatherTeams makes a namespace with a workspace for each team.
func gatherTeams(ctx context.Context, o options, p *plane, s *service, l *ledger) ([]*team, error) {
	var teams []*team
	for i := range o.teams {
		t := &team{
			namespace: fmt.Sprintf("team-%d", i), service: s, workspace: workspaceID(i), api: p.api, ledger: l, most: o.packages,
			console: s.Console(projectID, workspaceID(i)),
			random:  newRandom(o.seed, 10+i), reviewing: newRandom(o.seed, 1000+i), administering: newRandom(o.seed, 2000+i),
		}
		if err := t.settleIn(ctx); err != nil {
			return nil, fmt.Errorf("making namespace %s: %w", t.namespace, err)
		}
		teams = append(teams, t)
	}
	return teams, nil
}

func (t *team) settleIn(ctx context.Context) error {
	if err := t.api.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: t.namespace}}); err != nil {
		return err
	}
	if err := t.setSecret(ctx, rightKeys[0]); err != nil {
		return err
	}
	return t.setWorkspace(ctx, inTheEnd)
}

// work lets the engineers act until season ends. What they have begun they finish, unless ctx ends.
func (t *team) work(ctx, season context.Context) error {
	for pause(season, time.Duration(20+t.random.IntN(200))*time.Millisecond) {
		if err := t.act(ctx); err != nil {
			return fmt.Errorf("%s: %w", t.namespace, err)
		}
	}
	return nil
}

// act does one thing that an engineer does.
func (t *team) act(ctx context.Context) error {
	dice := t.random.IntN(100)
	if len(t.records) == 0 || dice < 40 && len(t.records) < t.most {
		return t.apply(ctx)
	}
	i := t.random.IntN(len(t.records))
	if t.random.IntN(2) == 0 { // People have second thoughts about what they have just done.
		i = len(t.records) - 1 - t.random.IntN(min(3, len(t.records)))
	}
	r := t.records[i]
	switch {
	case dice < 58:
		return t.edit(ctx, r)
	case dice < 62:
		return t.patch(ctx, r, object{"spec": object{"suspend": true}})
	case dice < 69:
		return t.patch(ctx, r, object{"spec": object{"suspend": false}})
	case dice < 75:
		return t.force(ctx, r)
	case dice < 79:
		return t.replace(ctx, r)
	case dice < 82:
		return t.restore(ctx, r)
	case dice < 86:
		return t.hold(ctx, r, dice < 84)
	case dice < 87:
		return t.letGo(ctx)
	}
	t.records = slices.Delete(t.records, i, i+1)
	if dice < 89 {
		return t.abandon(ctx, r)
	}
	return t.remove(ctx, r)
}

// apply creates a ReleasePackage with items of its own. Some take the name of one that is gone.
func (t *team) apply(ctx context.Context) error {
	r := &record{team: t}
	var err error
	if r.name, err = t.newName(ctx); err != nil {
		return err
	}
	item := simulator.NewItem{Name: r.name, SubmitUserID: engineer}
	if r.items, err = t.console.Submit(slices.Repeat([]simulator.NewItem{item}, itemsPerPackage)...); err != nil {
		return err
	}
	r.want = t.wish(r)
	r.wanted = r.want
	rp := &v1alpha1.ReleasePackage{ObjectMeta: metav1.ObjectMeta{Namespace: t.namespace, Name: r.name},
		Spec: v1alpha1.ReleasePackageSpec{
			WorkspaceRef: v1alpha1.WorkspaceReference{Name: workspaceName}, ApplyUserID: engineer,
			PendingItemIDs: as[v1alpha1.ID](r.want.items), ApproverIDs: as[v1alpha1.UserID](r.want.approvers),
		}}
	if t.random.IntN(6) == 0 {
		rp.Spec.PackageName = "nightly" // As many others are called.
	}
	switch t.random.IntN(12) {
	case 0:
		r.retains, rp.Spec.DeletionPolicy = true, v1alpha1.DeletionRetain
	case 1, 2:
		r.deadline, rp.Spec.DeletionDeadline = true, metav1.Duration{Duration: time.Minute}
	}
	t.ledger.add(r)
	err = persist(ctx, func() error { return t.api.Create(ctx, rp) })
	if apierrors.IsAlreadyExists(err) { // The answer to an earlier try was lost.
		err = persist(ctx, func() error { return t.api.Get(ctx, client.ObjectKeyFromObject(rp), rp) })
	}
	if err != nil {
		return fmt.Errorf("creating %s: %w", r.name, err)
	}
	t.ledger.update(func() { r.uid = rp.UID })
	t.records = append(t.records, r)
	return nil
}

func (t *team) newName(ctx context.Context) (string, error) {
	if len(t.leaving) > 0 && t.random.IntN(4) == 0 {
		i := t.random.IntN(len(t.leaving))
		name := t.leaving[i]
		key := types.NamespacedName{Namespace: t.namespace, Name: name}
		err := persist(ctx, func() error { return t.api.Get(ctx, key, &v1alpha1.ReleasePackage{}) })
		switch {
		case apierrors.IsNotFound(err):
			t.leaving = slices.Delete(t.leaving, i, i+1)
			return name, nil
		case err != nil:
			return "", err
		}
	}
	t.serial++
	return fmt.Sprintf("job-%04d", t.serial), nil
}

// wish is any of the items and of the approvers.
func (t *team) wish(r *record) wish {
	return wish{items: t.some(r.items), approvers: t.some(approvers)}
}

// some are one or more of all, in any order.
func (t *team) some(all []string) []string {
	picked := slices.Clone(all)
	t.random.Shuffle(len(picked), func(i, j int) { picked[i], picked[j] = picked[j], picked[i] })
	return picked[:1+t.random.IntN(len(picked))]
}

// edit asks for another content, or for the one before the latest edit. The API server refuses that for a package
// that was released.
func (t *team) edit(ctx context.Context, r *record) error {
	w := t.wish(r)
	if r.edited && t.random.IntN(3) == 0 {
		w = r.wanted
	}
	t.ledger.update(func() { r.edited = true })
	err := t.patch(ctx, r, object{"spec": object{"pendingItemIds": w.items, "approverIds": w.approvers}})
	if apierrors.IsInvalid(err) {
		return nil
	}
	if err == nil {
		t.ledger.update(func() { r.want, r.wanted = w, r.want })
	}
	return err
}

func (t *team) force(ctx context.Context, r *record) error {
	return t.patch(ctx, r, forced(fmt.Sprint(t.random.Uint64())))
}

func forced(token string) object {
	return object{"metadata": object{"annotations": object{v1alpha1.ReconcileAtAnnotation: token}}}
}

// remove deletes an object. Some packages are to stay, and for some that is said while the deletion is under way.
func (t *team) remove(ctx context.Context, r *record) error {
	retain := object{"spec": object{"deletionPolicy": v1alpha1.DeletionRetain}}
	dice := t.random.IntN(20)
	t.ledger.update(func() { r.deleted, r.retains = true, r.retains || dice < 3 })
	if dice < 2 {
		if err := t.patch(ctx, r, retain); err != nil {
			return err
		}
	}
	rp := &v1alpha1.ReleasePackage{ObjectMeta: t.named(r.name)}
	if err := client.IgnoreNotFound(
		persist(ctx, func() error { return t.api.Get(ctx, client.ObjectKeyFromObject(rp), rp) })); err != nil {
		return err
	}
	if !slices.Contains(rp.Finalizers, v1alpha1.UnpackFinalizer) { // Someone has replaced it a moment ago.
		t.ledger.update(func() { r.vanished = append(r.vanished, time.Now()) })
	}
	if err := t.discard(ctx, &v1alpha1.ReleasePackage{ObjectMeta: t.named(r.name)}); err != nil {
		return err
	}
	t.leaving = append(t.leaving, r.name)
	if dice == 2 {
		return client.IgnoreNotFound(t.patch(ctx, r, retain))
	}
	return nil
}

func newRandom(seed uint64, stream int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(stream))) //nolint:gosec // A plan that can be repeated is the point.
}

func as[T ~string](in []string) []T {
	out := make([]T, len(in))
	for i, s := range in {
		out[i] = T(s)
	}
	return out
}
