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

import "time"

// DeployStatus is how far a package, or an item in it, has come on its way to production.
// The service's number is kept even if it is none of the documented ones; 0 means that it named none.
type DeployStatus int

// The documented statuses.
const (
	StatusPendingReview DeployStatus = 1
	StatusDeployed      DeployStatus = 2
	StatusDeployFailed  DeployStatus = 3
	StatusDeploying     DeployStatus = 5
)

// TaskType is the type of what an item releases.
type TaskType int

// The documented task types.
const (
	TaskJob      TaskType = 1
	TaskScript   TaskType = 2
	TaskResource TaskType = 3
)

// ChangeType is what an item does to its task in production.
type ChangeType int

// The documented change types.
const (
	ChangeAdd    ChangeType = 1
	ChangeUpdate ChangeType = 2
	ChangeDelete ChangeType = 3
)

// User is a user of the workspace.
type User struct {
	ID   string
	Name string
}

// Package is a release package. Times are zero where the service gave none.
type Package struct {
	ID     string
	Name   string
	Status DeployStatus
	// Deleted marks a package that the service still shows although it is gone.
	Deleted        bool
	ApplyUserID    string
	ApplyUserName  string
	AppliedAt      time.Time
	DeployUserID   string
	DeployUserName string
	DeployedAt     time.Time
	Approvers      []User
	// ProjectID is the service's compound of project and workspace id, not the project id of the Config.
	ProjectID   string
	WorkspaceID string
}

// PackageDetail is a package with what is in it.
type PackageDetail struct {
	Package
	Items []Item
}

// Item is one task in a package.
type Item struct {
	PendingItemID string
	Name          string
	TaskID        string
	// ScriptID is only set for scripts.
	ScriptID        string
	TaskType        TaskType
	ChangeType      ChangeType
	Status          DeployStatus
	PendingVersion  int
	DeployedVersion int
	SubmitUserID    string
	SubmitUserName  string
	SubmittedAt     time.Time
}

// PackageFlagUnknown stands for a package flag that the service left out, which proves nothing.
const PackageFlagUnknown = -1

// PendingItem is a submitted version of a task that can be packed.
type PendingItem struct {
	ID         string
	Name       string
	TaskID     string
	TaskType   TaskType
	ChangeType ChangeType
	// PackageFlag is 0 while the item is not packed, and PackageFlagUnknown where the service did not say.
	// Other values are not documented.
	PackageFlag     int
	PendingVersion  int
	DeployedVersion int
	// SubmitUserID is what a package of this item is applied for as: PackRequest.ApplyUserID.
	SubmitUserID   string
	SubmitUserName string
	SubmittedAt    time.Time
	// ProjectID is the service's compound of tenant and workspace id, not the project id of the Config.
	ProjectID string
}
