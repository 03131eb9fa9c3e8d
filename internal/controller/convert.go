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
	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

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
