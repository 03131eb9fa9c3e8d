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
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// floor is the least that could be called an operator: for each package that is applied it makes the same writes and
// the same call, one after the other, with as many workers. It has no queue, no cache, no budget and no doubts.
type floor struct {
	world   *world
	api     client.Client
	service *http.Client
}

func newFloor(w *world) (*floor, error) {
	api, err := client.New(w.plane.floorConfig, client.Options{Scheme: w.plane.scheme})
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{MaxIdleConnsPerHost: w.workers}
	return &floor{world: w, api: api, service: &http.Client{Transport: transport, Timeout: callTimeout}}, nil
}

// run applies a package for each item and works on those that are there, as the operator does. It returns when all
// are packed.
func (f *floor) run(ctx context.Context, items []string) error {
	applied := make(chan *v1alpha1.ReleasePackage, len(items))
	applying := make(chan error, 1)
	go func() {
		applying <- f.world.apply(ctx, items, func(rp *v1alpha1.ReleasePackage) { applied <- rp })
		close(applied)
	}()
	err := each(ctx, f.world.workers, f.world.workers, func(ctx context.Context, _ int) error {
		for rp := range applied {
			if err := f.pack(ctx, rp); err != nil {
				return fmt.Errorf("the floor: packing %s: %w", rp.Name, err)
			}
		}
		return nil
	})
	return errors.Join(err, <-applying)
}

// pack does for one package what the operator has to do: the finalizer, the attempt, the call, the outcome, an event.
func (f *floor) pack(ctx context.Context, rp *v1alpha1.ReleasePackage) error {
	before := rp.DeepCopy()
	controllerutil.AddFinalizer(rp, v1alpha1.UnpackFinalizer)
	if err := f.api.Patch(ctx, rp, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
		return err
	}
	f.attempt(rp)
	if err := f.writeStatus(ctx, rp, v1alpha1.ReleasePackageStatus{}); err != nil {
		return err
	}
	attempted := rp.Status.DeepCopy()
	id, err := f.send(ctx, rp)
	if err != nil {
		return err
	}
	outcome(rp, id)
	if err := f.writeStatus(ctx, rp, *attempted); err != nil {
		return err
	}
	return f.tell(ctx, rp)
}

func (f *floor) attempt(rp *v1alpha1.ReleasePackage) {
	name := fmt.Sprintf("%s-%.8s", rp.Name, rp.UID)
	rp.Status.ObservedGeneration, rp.Status.PackageName = rp.Generation, name
	rp.Status.Workspace = &v1alpha1.PinnedWorkspace{Endpoint: f.world.service.Service, ProjectID: projectID,
		WorkspaceID: workspaceID}
	rp.Status.Attempt = &v1alpha1.PackAttempt{
		Number: 1, PackageName: name, ContentHash: string(rp.UID), Generation: rp.Generation, StartTime: metav1.Now(),
		PendingItemIDs: []string{string(rp.Spec.PendingItemIDs[0])},
	}
	conditions(rp, metav1.ConditionFalse, v1alpha1.ReasonPacking, v1alpha1.ConditionReady, v1alpha1.ConditionDeployed)
	conditions(rp, metav1.ConditionTrue, v1alpha1.ReasonPacking, v1alpha1.ConditionReconciling)
}

func outcome(rp *v1alpha1.ReleasePackage, id string) {
	rp.Status.Attempt.Outcome, rp.Status.ReleasePackageID = v1alpha1.OutcomePacked, id
	rp.Status.State, rp.Status.PackedTime = v1alpha1.StatePendingReview, new(metav1.Now())
	conditions(rp, metav1.ConditionTrue, v1alpha1.ReasonPendingReview, v1alpha1.ConditionReady)
	conditions(rp, metav1.ConditionFalse, v1alpha1.ReasonPendingReview, v1alpha1.ConditionDeployed)
	apimeta.RemoveStatusCondition(&rp.Status.Conditions, v1alpha1.ConditionReconciling)
}

func conditions(rp *v1alpha1.ReleasePackage, status metav1.ConditionStatus, reason string, kinds ...string) {
	for _, kind := range kinds {
		apimeta.SetStatusCondition(&rp.Status.Conditions, metav1.Condition{
			Type: kind, Status: status, Reason: reason, ObservedGeneration: rp.Generation,
			Message: "Package " + rp.Status.PackageName + " is where this condition says that it is",
		})
	}
}

// writeStatus writes what differs from before, on condition that nobody wrote the object since.
func (f *floor) writeStatus(ctx context.Context, rp *v1alpha1.ReleasePackage,
	before v1alpha1.ReleasePackageStatus) error {
	base := rp.DeepCopy()
	base.Status = before
	return f.api.Status().Patch(ctx, rp, client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{}))
}

// send packs, and returns the id of the package.
func (f *floor) send(ctx context.Context, rp *v1alpha1.ReleasePackage) (string, error) {
	body, err := json.Marshal(map[string]any{
		"apply_user_id": rp.Spec.ApplyUserID, "package_name": rp.Status.PackageName,
		"pending_item_list": rp.Spec.PendingItemIDs, "approver_ids": rp.Spec.ApproverIDs,
	})
	if err != nil {
		return "", err
	}
	url := f.world.service.Service + "/v2/" + projectID + "/factory/pending-items/package"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json;charset=UTF-8")
	req.Header.Set("X-Auth-Token", floorToken)
	req.Header["workspace"] = []string{workspaceID}
	text, err := send(f.service, req)
	if err != nil {
		return "", err
	}
	var answer struct {
		ID string `json:"release_package_id"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return "", err
	}
	return answer.ID, nil
}

func (f *floor) tell(ctx context.Context, rp *v1alpha1.ReleasePackage) error {
	return f.api.Create(ctx, &eventsv1.Event{
		ObjectMeta:          metav1.ObjectMeta{Namespace: rp.Namespace, Name: rp.Name + ".packed"},
		EventTime:           metav1.NewMicroTime(time.Now()),
		ReportingController: "bench-floor", ReportingInstance: "bench-floor-1", Action: "Reconcile", Type: "Normal",
		Reason:    v1alpha1.EventPacked,
		Note:      "Packed " + rp.Status.PackageName + " as package " + rp.Status.ReleasePackageID,
		Regarding: reference(rp),
	})
}

func reference(rp *v1alpha1.ReleasePackage) corev1.ObjectReference {
	return corev1.ObjectReference{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: "ReleasePackage", Namespace: rp.Namespace, Name: rp.Name,
		UID: rp.UID,
	}
}
