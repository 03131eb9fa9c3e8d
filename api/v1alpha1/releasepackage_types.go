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

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// UnpackFinalizer keeps a deleted ReleasePackage until its package needs no withdrawing any more.
	UnpackFinalizer = "release.dataarts-operator.io/unpack"

	// ReconcileAtAnnotation forces a pass whenever its value changes. The value is any token, by habit a time. It is
	// echoed in status.lastHandledReconcileAt once that pass has been made.
	ReconcileAtAnnotation = "dataarts-operator.io/reconcile-at"
)

// Bounds of lists in a ReleasePackage, for code that must agree with the schema.
const (
	// MaxIDLength bounds ids of the service, which are short decimal numbers in its examples.
	MaxIDLength = 128
	// MaxPackageNameLength bounds packageName, given or generated. The service documents no limit of its own.
	MaxPackageNameLength = 128
	// MaxWithdrawnPackageIDs bounds the memory of withdrawn packages; the oldest are forgotten first.
	MaxWithdrawnPackageIDs = 10
)

// PackageState is where a package stands in review and deployment, in our words: the service's numbers never appear.
// +kubebuilder:validation:Enum=PendingReview;Deploying;Deployed;DeployFailed;Withdrawn;Unknown
type PackageState string

const (
	// StatePendingReview means that the package waits for an approver (deploy_status 1).
	StatePendingReview PackageState = "PendingReview"
	// StateDeploying means that an approver let it go and the service is at work (deploy_status 5).
	StateDeploying PackageState = "Deploying"
	// StateDeployed means that the service reports success (deploy_status 2). It is final.
	StateDeployed PackageState = "Deployed"
	// StateDeployFailed means that the service reports failure (deploy_status 3).
	StateDeployFailed PackageState = "DeployFailed"
	// StateWithdrawn means that the package was revoked (delete_flag 1), or that the service no longer knows it.
	StateWithdrawn PackageState = "Withdrawn"
	// StateUnknown means that the service reports a number that its API reference does not explain.
	StateUnknown PackageState = "Unknown"
)

// DeletionPolicy says what becomes of the package when its ReleasePackage is deleted.
// +kubebuilder:validation:Enum=Unpack;Retain
type DeletionPolicy string

const (
	// DeletionUnpack withdraws the package, so that its items can be packed again.
	DeletionUnpack DeletionPolicy = "Unpack"
	// DeletionRetain leaves the package as it is and makes no call.
	DeletionRetain DeletionPolicy = "Retain"
)

// AttemptOutcome says how a try to pack ended.
// +kubebuilder:validation:Enum=Packed;Withdrawing;Withdrawn;GivenUp;Refused;NotDone;NotFound
type AttemptOutcome string

const (
	// OutcomePacked means that the service accepted the request and named the package, or that the package was found
	// later.
	OutcomePacked AttemptOutcome = "Packed"
	// OutcomeWithdrawing means that the operator is about to withdraw the package that this attempt made, to pack
	// another, or that it has sent the request and does not know its outcome. A look shows which.
	OutcomeWithdrawing AttemptOutcome = "Withdrawing"
	// OutcomeWithdrawn means that the service accepted the operator's request to withdraw the package that this
	// attempt made. Once a look shows it withdrawn, the next attempt follows, or the object goes.
	OutcomeWithdrawn AttemptOutcome = "Withdrawn"
	// OutcomeGivenUp means that the deployment failed and that the service does not withdraw the package. The next
	// attempt follows.
	OutcomeGivenUp AttemptOutcome = "GivenUp"
	// OutcomeRefused means that the service examined the request and refused it. It is not sent again unchanged.
	OutcomeRefused AttemptOutcome = "Refused"
	// OutcomeNotDone means that provably nothing was packed, for a reason that may pass: the service was not
	// reached, throttled the call or did not accept the credentials.
	OutcomeNotDone AttemptOutcome = "NotDone"
	// OutcomeNotFound means that the outcome stayed unknown until a look after the settle time showed no such
	// package and its items still unpacked.
	OutcomeNotFound AttemptOutcome = "NotFound"
)

// WorkspaceReference names the workspace object that a package belongs to.
type WorkspaceReference struct {
	// kind of the workspace object.
	// +optional
	// +kubebuilder:default=DataArtsWorkspace
	// +kubebuilder:validation:Enum=DataArtsWorkspace
	Kind string `json:"kind,omitempty"`

	// name of the workspace object, in the namespace of the ReleasePackage.
	// +optional
	// +kubebuilder:default=default
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`
}

// ID is an identifier that the service made: of a pending item or of a package.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=128
// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_-]+$')",message="an id of the service has letters, digits, '-' and '_' only; copy it from the console or from the service's answer"
type ID string

// UserID is an IAM user id, as the workspace's user list shows it.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=64
// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_.@-]+$')",message="a user id has letters, digits, '-', '_', '.' and '@' only; use the IAM user id (32 hexadecimal digits in most accounts), not a display name"
type UserID string

// ReleasePackageSpec is the package that is wanted.
//
// +kubebuilder:validation:XValidation:rule="has(self.releasePackageId) || (has(self.applyUserId) && has(self.pendingItemIds) && has(self.approverIds))",message="set applyUserId, pendingItemIds and approverIds to pack a new package, or releasePackageId to adopt an existing one"
type ReleasePackageSpec struct {
	// workspaceRef names the workspace to pack in. It cannot change once the package was sent to a workspace.
	// +optional
	// +kubebuilder:default={}
	WorkspaceRef WorkspaceReference `json:"workspaceRef,omitzero"`

	// packageName is the name of the package at the service. Left out, it is the name of this object, 8 characters
	// derived from its UID and, from the second package on, a number; status.packageName shows it. The service may
	// not take a name twice, even if the first package was withdrawn. A change while the package waits for review
	// replaces the package; once it is deploying or deployed the name is frozen.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^\\\\s\\\\pC]([^\\\\pC]*[^\\\\s\\\\pC])?$')",message="packageName must not begin or end with a space or hold control characters"
	PackageName string `json:"packageName,omitempty"`

	// applyUserId is the IAM id of the user in whose name the items are packed: the submitter that the pending items
	// show. A change while the package waits for review replaces the package; once it is deploying or deployed the
	// id is frozen.
	// +optional
	ApplyUserID UserID `json:"applyUserId,omitempty"`

	// pendingItemIds are the pending items to pack: each is one submitted version of a job or script. They are
	// strings, so numbers need quotes in YAML. There are 100 at most, as in the console's release action (User Guide
	// "Releasing a Job Task"). Each id is there once; their order says nothing. A change while the package waits for
	// review replaces the package; once it is deploying or deployed the ids are frozen. Who applies the list owns
	// all of it, so that the package holds just what it says.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:XValidation:rule="self.all(x, self.exists_one(y, x == y))",message="pendingItemIds must hold each id once; take the repeated one out"
	PendingItemIDs []ID `json:"pendingItemIds,omitempty"`

	// approverIds are the IAM ids of the users who may deploy the package: workspace admins or deployers. Each id is
	// there once; their order says nothing. A change while the package waits for review replaces the package; once
	// it is deploying or deployed the ids are frozen. Who applies the list owns all of it.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:XValidation:rule="self.all(x, self.exists_one(y, x == y))",message="approverIds must hold each id once; take the repeated one out"
	ApproverIDs []UserID `json:"approverIds,omitempty"`

	// releasePackageId adopts this existing package of the workspace instead of packing a new one. The four fields
	// above may then be left out. Where they differ from the package, that is reported and never acted upon.
	// releasePackageId cannot be set, changed or removed once status.releasePackageId is recorded.
	// +optional
	ReleasePackageID ID `json:"releasePackageId,omitempty"`

	// deletionPolicy says what becomes of the package when this object is deleted: Unpack withdraws it, Retain
	// leaves it. It may change at any time, also while the deletion is under way.
	// +optional
	// +kubebuilder:default=Unpack
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// deletionDeadline is how long a deletion may take, from 1m to 720h, such as 24h. After it the object is let go,
	// although its package may be left at the service. An event, a line in the operator's log and a counter tell of
	// that package. Left out, a deletion takes as long as it takes. It may change at any time, also while the
	// deletion is under way.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') && duration(self) >= duration('1m') && duration(self) <= duration('720h')",message="deletionDeadline is a duration from 1m to 720h, such as 24h"
	DeletionDeadline metav1.Duration `json:"deletionDeadline,omitzero"`

	// suspend stops every call to the service but those that a deletion needs.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// PinnedWorkspace is the place at the service where the package is. It is recorded before the package is sent, and
// later calls go there or nowhere.
type PinnedWorkspace struct {
	// endpoint is the service's address.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Endpoint string `json:"endpoint,omitempty"`

	// projectId is the cloud project.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	ProjectID string `json:"projectId,omitempty"`

	// workspaceId is the DataArts Studio workspace.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	WorkspaceID string `json:"workspaceId,omitempty"`
}

// PackAttempt is one try to pack. It is recorded before the request is sent and is open until the outcome is known.
// While one is open, no other is begun.
type PackAttempt struct {
	// number counts the tries of this object, from 1.
	// +required
	// +kubebuilder:validation:Minimum=1
	Number int32 `json:"number,omitempty"`

	// packageName is the name that was sent.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	PackageName string `json:"packageName,omitempty"`

	// contentHash stands for what was sent: name (without its number, where it was generated), applicant, items and
	// approvers.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	ContentHash string `json:"contentHash,omitempty"`

	// pendingItemIds are the items that were sent.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	PendingItemIDs []string `json:"pendingItemIds,omitempty"`

	// generation is the generation of the spec that was sent.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Generation int64 `json:"generation,omitempty"`

	// lostBefore counts tries before this one whose package, made too late, may still turn up. It begins with the
	// first that ended as NotFound since the object last had a package. Tries that were never sent do not count.
	// +optional
	// +kubebuilder:validation:Minimum=0
	LostBefore int32 `json:"lostBefore,omitempty"`

	// lostInRow counts the tries right before this one that ended as NotFound. Tries that were never sent do not
	// count and do not end the row. A forced pass begins to count anew.
	// +optional
	// +kubebuilder:validation:Minimum=0
	LostInRow int32 `json:"lostInRow,omitempty"`

	// startTime is when the try was recorded, by the operator's clock.
	// +required
	StartTime metav1.Time `json:"startTime,omitzero"`

	// outcome says how the try ended. Absent while that is not known.
	// +optional
	Outcome AttemptOutcome `json:"outcome,omitempty"`

	// message is the service's refusal or another explanation of the outcome.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`
}

// PackageItem is one item of the package as the service shows it.
type PackageItem struct {
	// id of the pending item.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	ID string `json:"id,omitempty"`

	// name of the job, script or resource.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Name string `json:"name,omitempty"`

	// type is Job, Script, Resource, or Unknown for a number that the API reference does not explain.
	// +optional
	// +kubebuilder:validation:Enum=Job;Script;Resource;Unknown
	Type string `json:"type,omitempty"`

	// state of this item alone; one may fail while others succeed.
	// +optional
	State PackageState `json:"state,omitempty"`
}

// ReleasePackageStatus is what the operator saw last and did last.
type ReleasePackageStatus struct {
	// observedGeneration is the generation of the spec that this status is about.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// releasePackageId is the service's id of the package.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	ReleasePackageID string `json:"releasePackageId,omitempty"`

	// packageName is the package's name at the service.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	PackageName string `json:"packageName,omitempty"`

	// state of the package in review and deployment.
	// +optional
	State PackageState `json:"state,omitempty"`

	// workspace is where the package is, or where one was sent.
	// +optional
	Workspace *PinnedWorkspace `json:"workspace,omitempty"`

	// attempt is the latest try to pack. It has no outcome while that is not known.
	// +optional
	Attempt *PackAttempt `json:"attempt,omitempty"`

	// withdrawnPackageIds are the latest ten earlier packages of this object, withdrawn or failed, that a later
	// attempt replaced. None of them is ever taken for the current one.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=10
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	WithdrawnPackageIDs []string `json:"withdrawnPackageIds,omitempty"`

	// packedTime is when the package was packed: by the operator's clock if the operator packed it, else as the
	// service shows it, unless that time is in the future.
	// +optional
	PackedTime *metav1.Time `json:"packedTime,omitempty"`

	// recordedTime is when the operator recorded releasePackageId, by its own clock.
	// +optional
	RecordedTime *metav1.Time `json:"recordedTime,omitempty"`

	// unpackedTime is when the service accepted the operator's latest request to withdraw the package, or had
	// nothing to withdraw, by the operator's clock. Absent before that, and once a look shows the package after all.
	// +optional
	UnpackedTime *metav1.Time `json:"unpackedTime,omitempty"`

	// missingTime is since when, by the operator's clock, the service neither shows nor lists the package and refuses
	// to withdraw it. Absent if it is otherwise, and where the pending list tells what became of the package.
	// +optional
	MissingTime *metav1.Time `json:"missingTime,omitempty"`

	// deployedTime is when the service finished the deployment, by its own clock. If that time is in the future, it
	// is when the operator saw the end of the deployment.
	// +optional
	DeployedTime *metav1.Time `json:"deployedTime,omitempty"`

	// deployedBy is the user who deployed the package: the name that the service shows, else the id.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	DeployedBy string `json:"deployedBy,omitempty"`

	// applyUserId is the IAM id of the user in whose name the package was packed, as the service shows it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	ApplyUserID string `json:"applyUserId,omitempty"`

	// approverIds are the IAM ids of the users who may deploy the package, as the service shows them.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	ApproverIDs []string `json:"approverIds,omitempty"`

	// items are the package's contents as the service shows them, in its order. They are filled at the first look at
	// the package.
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MaxItems=1000
	Items []PackageItem `json:"items,omitempty"`

	// nextAttemptTime is when the operator tries again what it cannot do now; the conditions tell why. Absent while
	// nothing is in the way, and where the next try follows within seconds.
	// +optional
	NextAttemptTime *metav1.Time `json:"nextAttemptTime,omitempty"`

	// lastHandledReconcileAt echoes the annotation dataarts-operator.io/reconcile-at of the latest forced pass that
	// was made.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`

	// conditions are Ready and Deployed, about the package, and Reconciling and Stalled, about the operator's work.
	// The last two are present only while true, and never together.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// ReleasePackage is a release package of DataArts Studio: pending items that wait together for one approver's
// deployment.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=relpkg,categories=dataarts
// +kubebuilder:printcolumn:name="Package-ID",type=string,JSONPath=`.status.releasePackageId`
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.state`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Package-Name",type=string,priority=1,JSONPath=`.status.packageName`
// +kubebuilder:printcolumn:name="Workspace",type=string,priority=1,JSONPath=`.spec.workspaceRef.name`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.status) || !has(oldSelf.status.workspace) || self.spec.workspaceRef == oldSelf.spec.workspaceRef",message="spec.workspaceRef cannot change after the package was sent to a workspace; create another ReleasePackage for the other workspace",fieldPath=".spec.workspaceRef"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.status) || !has(oldSelf.status.releasePackageId) || (has(self.spec.releasePackageId) == has(oldSelf.spec.releasePackageId) && (!has(self.spec.releasePackageId) || self.spec.releasePackageId == oldSelf.spec.releasePackageId))",message="spec.releasePackageId cannot be set, changed or removed after status.releasePackageId is recorded; create another ReleasePackage to adopt another package",fieldPath=".spec.releasePackageId"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.status) || !has(oldSelf.status.state) || !(oldSelf.status.state in ['Deploying', 'Deployed']) || (has(oldSelf.status.conditions) && oldSelf.status.conditions.exists(c, c.reason in ['SpecFrozen', 'SpecDiffers'])) || (has(self.spec.packageName) == has(oldSelf.spec.packageName) && (!has(self.spec.packageName) || self.spec.packageName == oldSelf.spec.packageName))",message="spec.packageName is frozen because the package is deploying or deployed; create another ReleasePackage for another release",fieldPath=".spec.packageName"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.status) || !has(oldSelf.status.state) || !(oldSelf.status.state in ['Deploying', 'Deployed']) || (has(oldSelf.status.conditions) && oldSelf.status.conditions.exists(c, c.reason in ['SpecFrozen', 'SpecDiffers'])) || (has(self.spec.applyUserId) == has(oldSelf.spec.applyUserId) && (!has(self.spec.applyUserId) || self.spec.applyUserId == oldSelf.spec.applyUserId))",message="spec.applyUserId is frozen because the package is deploying or deployed; create another ReleasePackage for another release",fieldPath=".spec.applyUserId"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.status) || !has(oldSelf.status.state) || !(oldSelf.status.state in ['Deploying', 'Deployed']) || (has(oldSelf.status.conditions) && oldSelf.status.conditions.exists(c, c.reason in ['SpecFrozen', 'SpecDiffers'])) || (has(self.spec.pendingItemIds) == has(oldSelf.spec.pendingItemIds) && (!has(self.spec.pendingItemIds) || (size(self.spec.pendingItemIds) == size(oldSelf.spec.pendingItemIds) && self.spec.pendingItemIds.all(id, id in oldSelf.spec.pendingItemIds))))",message="spec.pendingItemIds are frozen because the package is deploying or deployed; create another ReleasePackage for another release",fieldPath=".spec.pendingItemIds"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.status) || !has(oldSelf.status.state) || !(oldSelf.status.state in ['Deploying', 'Deployed']) || (has(oldSelf.status.conditions) && oldSelf.status.conditions.exists(c, c.reason in ['SpecFrozen', 'SpecDiffers'])) || (has(self.spec.approverIds) == has(oldSelf.spec.approverIds) && (!has(self.spec.approverIds) || (size(self.spec.approverIds) == size(oldSelf.spec.approverIds) && self.spec.approverIds.all(id, id in oldSelf.spec.approverIds))))",message="spec.approverIds are frozen because the package is deploying or deployed; create another ReleasePackage for another release",fieldPath=".spec.approverIds"
type ReleasePackage struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is the package that is wanted.
	// +required
	Spec ReleasePackageSpec `json:"spec,omitzero"`

	// status is what the operator saw last and did last.
	// +optional
	Status ReleasePackageStatus `json:"status,omitzero"`
}

// ReleasePackageList is a list of ReleasePackages.
//
// +kubebuilder:object:root=true
type ReleasePackageList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []ReleasePackage `json:"items"`
}
