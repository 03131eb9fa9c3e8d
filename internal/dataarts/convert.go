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

package dataarts

import (
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dataartsstudio/v1/model"
)

// deleted is the one value of delete_flag that is documented to mean it. Others are not taken for it,
// since a package that is wrongly thought to be gone would be packed again.
const deleted = 1

// packageFromList and packageFromDetail differ in nothing but the names that the SDK gives to the same thing.
func packageFromList(d model.ListReleasePackagesRespData) Package {
	approvers := make([]User, 0, len(d.PackageApprovers))
	for _, a := range d.PackageApprovers {
		approvers = append(approvers, User{ID: deref(a.UserId), Name: deref(a.UserName)})
	}
	return Package{
		ID:             deref(d.PackageId),
		Name:           deref(d.PackageName),
		Status:         DeployStatus(deref(d.DeployStatus)),
		Deleted:        deref(d.DeleteFlag) == deleted,
		ApplyUserID:    deref(d.ApplyUserId),
		ApplyUserName:  deref(d.ApplyUserName),
		AppliedAt:      timeFrom(d.ApplyTimestamp),
		DeployUserID:   deref(d.DeployUserId),
		DeployUserName: deref(d.DeployUserName),
		DeployedAt:     timeFrom(d.DeployTimestamp),
		Approvers:      approvers,
		ProjectID:      deref(d.ProjectId),
		WorkspaceID:    deref(d.WorkspaceId),
	}
}

func packageFromDetail(d model.ShowPackageDetailRespReleasePackage) Package {
	approvers := make([]model.ListReleasePackagesRespPackageApprovers, 0, len(d.PackageApprovers))
	for _, a := range d.PackageApprovers {
		approvers = append(approvers, model.ListReleasePackagesRespPackageApprovers(a))
	}
	return packageFromList(model.ListReleasePackagesRespData{
		PackageId:        d.PackageId,
		PackageName:      d.PackageName,
		DeployStatus:     d.DeployStatus,
		DeleteFlag:       d.DeleteFlag,
		ApplyUserId:      d.ApplyUserId,
		ApplyUserName:    d.ApplyUserName,
		ApplyTimestamp:   d.ApplyTimestamp,
		DeployUserId:     d.DeployUserId,
		DeployUserName:   d.DeployUserName,
		DeployTimestamp:  d.DeployTimestamp,
		PackageApprovers: approvers,
		ProjectId:        d.ProjectId,
		WorkspaceId:      d.WorkspaceId,
	})
}

func itemFrom(d model.ShowPackageDetailRespTaskDetails) Item {
	return Item{
		PendingItemID:   deref(d.PendingItemId),
		Name:            deref(d.ItemName),
		TaskID:          deref(d.TaskId),
		ScriptID:        deref(d.ScriptId),
		TaskType:        TaskType(deref(d.TaskType)),
		ChangeType:      ChangeType(deref(d.UpdateType)),
		Status:          DeployStatus(deref(d.DeployStatus)),
		PendingVersion:  int(deref(d.PendingVersion)),
		DeployedVersion: int(deref(d.DeployedVersion)),
		SubmitUserID:    deref(d.SubmitUserId),
		SubmitUserName:  deref(d.SubmitUserName),
		SubmittedAt:     timeFrom(d.SubmitTimestamp),
	}
}

func pendingItemFrom(d model.ListFactoryPendingItemsRespData) PendingItem {
	return PendingItem{
		ID:              deref(d.PendingItemId),
		Name:            deref(d.ItemName),
		TaskID:          deref(d.TaskId),
		TaskType:        TaskType(deref(d.TaskType)),
		ChangeType:      ChangeType(deref(d.UpdateType)),
		PackageFlag:     packageFlagFrom(d.PackageFlag),
		PendingVersion:  int(deref(d.PendingVersion)),
		DeployedVersion: int(deref(d.DeployedVersion)),
		SubmitUserID:    deref(d.SubmitUserId),
		SubmitUserName:  deref(d.SubmitUserName),
		SubmittedAt:     timeFrom(d.SubmitTimestamp),
		ProjectID:       deref(d.ProjectId),
	}
}

// packageFlagFrom keeps a flag that the service left out from reading as "not packed".
func packageFlagFrom(flag *int32) int {
	if flag == nil {
		return PackageFlagUnknown
	}
	return int(*flag)
}

// lastMilli is the last millisecond of the year 9999, beyond which a time can no longer be written as JSON.
const lastMilli = 253402300799999

// timeFrom converts a timestamp in milliseconds. What is missing or cannot be a time becomes the zero time.
func timeFrom(milli *int64) time.Time {
	if m := deref(milli); m > 0 && m <= lastMilli {
		return time.UnixMilli(m).UTC()
	}
	return time.Time{}
}

// unixMilli is the counterpart of timeFrom: the zero time becomes 0.
func unixMilli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// deref returns what p points to, or the zero value: the SDK spells every field that may be missing as a pointer.
func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// optional is the counterpart of deref: the zero value is left out.
func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
