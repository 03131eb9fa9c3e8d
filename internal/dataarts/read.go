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
	"context"
	"math"
	"time"

	sdk "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dataartsstudio/v1"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dataartsstudio/v1/model"
)

// ListOptions narrow a list of packages. Zero fields do not narrow it.
type ListOptions struct {
	// NameKeyword selects packages whose name contains it. The search is the service's and fuzzy: compare names yourself.
	NameKeyword string
	States      []DeployStatus
	// AppliedAfter and AppliedBefore are sent in milliseconds. Whether the service includes the bounds is not documented.
	AppliedAfter  time.Time
	AppliedBefore time.Time
	// Limit is the size of a page; 0 leaves it to the service, whose default is 10.
	Limit int
	// Offset is documented as the number of the page, counted from 0.
	Offset int
}

// PendingItemOptions narrow a list of pending items. Zero fields do not narrow it.
type PendingItemOptions struct {
	ItemName       string
	SubmitUserName string
	// Limit is the size of a page, at most 100; 0 leaves it to the service, whose default is 10.
	Limit int
	// Offset is documented as the number of the page, counted from 0.
	Offset int
}

// List returns one page of packages, newest application first, exactly as the service gave it: it may hold
// deleted packages.
func (c *Client) List(ctx context.Context, opts ListOptions) (Page[Package], error) {
	body, err := opts.body()
	if err != nil {
		return Page[Package]{}, err
	}
	resp, err := invoke(ctx, c, OpList, (*sdk.DataArtsStudioClient).ListFactoryReleasePackages,
		&model.ListFactoryReleasePackagesRequest{Workspace: &c.workspaceID, Body: body})
	if err != nil {
		return Page[Package]{}, err
	}
	if !wholePage(resp.Data, resp.Total) {
		return Page[Package]{}, unclear(OpList, "the answer is not a page of packages")
	}
	page := Page[Package]{Total: int(*resp.Total)}
	for _, data := range deref(resp.Data) {
		p := packageFromList(data)
		if checkID(p.ID) != nil {
			return Page[Package]{}, unclear(OpList, "the answer has a package without a usable id")
		}
		page.Rows = append(page.Rows, p)
	}
	return page, nil
}

func (o ListOptions) body() (*model.ListReleasePackagesRequestBody, error) {
	if !validPage(o.Limit, o.Offset) {
		return nil, refuse(OpList, "limit or offset out of range")
	}
	body := &model.ListReleasePackagesRequestBody{
		KeyWord:        optional(o.NameKeyword),
		ApplyBeginTime: optional(unixMilli(o.AppliedAfter)),
		ApplyEndTime:   optional(unixMilli(o.AppliedBefore)),
		Limit:          optional(int32(o.Limit)),  //nolint:gosec // validPage
		Offset:         optional(int32(o.Offset)), //nolint:gosec // validPage
	}
	if len(o.States) == 0 {
		return body, nil
	}
	states := make([]int32, 0, len(o.States))
	for _, s := range o.States {
		if s < 0 || s > math.MaxInt32 {
			return nil, refuse(OpList, "state %d out of range", s)
		}
		states = append(states, int32(s))
	}
	body.DeployStatusFilter = &states
	return body, nil
}

// Show returns a package and its items. How the service answers for an id that it does not know is not
// documented, so only an error of the Kind NotFound says that there is no such package; any other failure says
// nothing about it.
func (c *Client) Show(ctx context.Context, packageID string) (PackageDetail, error) {
	if err := checkID(packageID); err != nil {
		return PackageDetail{}, refuse(OpShow, "the package id %v", err)
	}
	resp, err := invoke(ctx, c, OpShow, (*sdk.DataArtsStudioClient).ShowFactoryPackageDetail,
		&model.ShowFactoryPackageDetailRequest{Workspace: &c.workspaceID, PackageId: packageID})
	if err != nil {
		return PackageDetail{}, err
	}
	if resp.ReleasePackage == nil || deref(resp.ReleasePackage.PackageId) != packageID {
		return PackageDetail{}, unclear(OpShow, "the answer is not about the package that was asked for")
	}
	detail := PackageDetail{Package: packageFromDetail(*resp.ReleasePackage)}
	// Callers tell packages apart by their items, so a package must not look empty because a part of the answer
	// is missing.
	if resp.TaskDetails == nil && !detail.Deleted {
		return PackageDetail{}, unclear(OpShow, "the answer does not say what is in the package")
	}
	for _, data := range deref(resp.TaskDetails) {
		item := itemFrom(data)
		if item.PendingItemID == "" {
			return PackageDetail{}, unclear(OpShow, "the answer has an item without an id")
		}
		detail.Items = append(detail.Items, item)
	}
	return detail, nil
}

// ListPendingItems returns one page of what can be packed, exactly as the service gave it.
func (c *Client) ListPendingItems(ctx context.Context, opts PendingItemOptions) (Page[PendingItem], error) {
	if !validPage(opts.Limit, opts.Offset) {
		return Page[PendingItem]{}, refuse(OpListPendingItems, "limit or offset out of range")
	}
	resp, err := invoke(ctx, c, OpListPendingItems, (*sdk.DataArtsStudioClient).ListFactoryPendingItems,
		&model.ListFactoryPendingItemsRequest{
			Workspace:      c.workspaceID,
			ItemName:       optional(opts.ItemName),
			SubmitUserName: optional(opts.SubmitUserName),
			Limit:          optional(int32(opts.Limit)),  //nolint:gosec // validPage
			Offset:         optional(int32(opts.Offset)), //nolint:gosec // validPage
		})
	if err != nil {
		return Page[PendingItem]{}, err
	}
	if !wholePage(resp.Data, resp.Total) {
		return Page[PendingItem]{}, unclear(OpListPendingItems, "the answer is not a page of pending items")
	}
	page := Page[PendingItem]{Total: int(*resp.Total)}
	for _, data := range deref(resp.Data) {
		item := pendingItemFrom(data)
		if item.ID == "" {
			return Page[PendingItem]{}, unclear(OpListPendingItems, "the answer has an item without an id")
		}
		page.Rows = append(page.Rows, item)
	}
	return page, nil
}

func validPage(limit, offset int) bool {
	return limit >= 0 && limit <= math.MaxInt32 && offset >= 0 && offset <= math.MaxInt32
}

// wholePage reports whether an answer is a page at all. One without its parts, such as {}, must not pass for an
// empty page: the packages would seem to be gone.
func wholePage[T any](data *[]T, total *int32) bool {
	return total != nil && *total >= 0 && (data != nil || *total == 0)
}
