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
	"slices"

	sdk "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dataartsstudio/v1"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dataartsstudio/v1/model"
)

// PackRequest says what to pack, for whom. All fields are required.
type PackRequest struct {
	PackageName string
	// ApplyUserID is the user who asks for the release: the submitter of the pending items.
	ApplyUserID    string
	PendingItemIDs []string
	ApproverIDs    []string
}

// Pack packs pending items into a package for review and returns its id.
//
// The service knows no idempotency key, so after an error of the Kind Unknown the package may exist: look before
// packing again. This includes an answer of 200 whose id is missing or cannot be read.
func (c *Client) Pack(ctx context.Context, req PackRequest) (string, error) {
	if err := req.check(); err != nil {
		return "", err
	}
	resp, err := invoke(ctx, c, OpPack, (*sdk.DataArtsStudioClient).CreateFactoryPendingItemsPackage,
		&model.CreateFactoryPendingItemsPackageRequest{
			Workspace: c.workspaceID,
			Body: &model.CreateFactoryPendingItemsPackageBody{
				ApplyUserId:     req.ApplyUserID,
				PackageName:     req.PackageName,
				PendingItemList: req.PendingItemIDs,
				ApproverIds:     req.ApproverIDs,
			},
		})
	if err != nil {
		return "", err
	}
	id := deref(resp.ReleasePackageId)
	if checkID(id) != nil {
		return "", unclear(OpPack, "the answer has no usable package id")
	}
	return id, nil
}

// check turns down what the service documents as required, because the SDK would send it all the same.
func (r PackRequest) check() error {
	switch {
	case r.PackageName == "":
		return refuse(OpPack, "the package name is empty")
	case r.ApplyUserID == "":
		return refuse(OpPack, "the applicant is empty")
	case len(r.PendingItemIDs) == 0 || slices.Contains(r.PendingItemIDs, ""):
		return refuse(OpPack, "the pending items are empty or contain an empty id")
	case len(r.ApproverIDs) == 0 || slices.Contains(r.ApproverIDs, ""):
		return refuse(OpPack, "the approvers are empty or contain an empty id")
	}
	return nil
}

// Unpack withdraws packages. An empty list is refused without being sent, since nobody knows what it would mean.
//
// A refusal speaks of the request as a whole. The service does not document which of several ids it is about,
// nor whether the others were withdrawn: a caller that sent more than one id must ask again for each.
func (c *Client) Unpack(ctx context.Context, packageIDs []string) error {
	if len(packageIDs) == 0 {
		return refuse(OpUnpack, "no package ids given")
	}
	for _, id := range packageIDs {
		if err := checkID(id); err != nil {
			return refuse(OpUnpack, "a package id %v", err)
		}
	}
	_, err := invoke(ctx, c, OpUnpack, (*sdk.DataArtsStudioClient).CancelFactoryPackages,
		&model.CancelFactoryPackagesRequest{
			Workspace: &c.workspaceID,
			Body:      &model.CancelFactoryPackagesRequestBody{PackageIds: &packageIDs},
		})
	return err
}
