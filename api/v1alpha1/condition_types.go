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

// Conditions of a ReleasePackage. A DataArtsWorkspace has Ready alone.
const (
	// ConditionReady is about the package: True while it exists at the service as specified.
	ConditionReady = "Ready"
	// ConditionDeployed is True once the service reports that the deployment succeeded.
	ConditionDeployed = "Deployed"
	// ConditionReconciling is about the operator. It is present, and True, only while a pass is due to make progress.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is about the operator. It is present, and True, only while nothing will happen until
	// someone acts. Its message says what to do.
	ConditionStalled = "Stalled"
)

// Reasons that say where the package stands.
const (
	// ReasonNotPacked: no package exists yet, and nothing is in the way.
	ReasonNotPacked = "NotPacked"
	// ReasonPacking: an attempt is recorded and the request is on its way.
	ReasonPacking = "Packing"
	// ReasonPendingReview: the package waits for an approver.
	ReasonPendingReview = "PendingReview"
	// ReasonDeploying: an approver let the package go; the service is deploying it.
	ReasonDeploying = "Deploying"
	// ReasonDeployed: the service reports that the deployment succeeded.
	ReasonDeployed = "Deployed"
	// ReasonDeployFailed: the service reports that the deployment failed. An edit or a forced reconcile packs again.
	ReasonDeployFailed = "DeployFailed"
	// ReasonWithdrawn: someone revoked the package. An edit or a forced reconcile packs again.
	ReasonWithdrawn = "Withdrawn"
	// ReasonPackageNotFound: the service says that a package with the recorded or adopted id does not exist.
	ReasonPackageNotFound = "PackageNotFound"
	// ReasonUnknownState: the service reports a state number that its API reference does not explain.
	ReasonUnknownState = "UnknownState"
	// ReasonReplacing: the package in review is being withdrawn because the spec changed; it is packed anew afterwards.
	ReasonReplacing = "Replacing"
	// ReasonUnpacking: the object is being deleted and its package withdrawn.
	ReasonUnpacking = "Unpacking"
	// ReasonReleased: the object was deleted and the operator has nothing left to do for it. The finalizers of
	// others keep it.
	ReasonReleased = "Released"
	// ReasonSuspended: spec.suspend stops all work but deletion.
	ReasonSuspended = "Suspended"
)

// Reasons that say what is in the way.
const (
	// ReasonOutcomeUnknown: the answer to a pack request was lost. The operator looks for the package and sends
	// nothing meanwhile.
	ReasonOutcomeUnknown = "OutcomeUnknown"
	// ReasonAmbiguousPackage: the outcome of a pack request cannot be told from what the service shows. A person
	// has to choose.
	ReasonAmbiguousPackage = "AmbiguousPackage"
	// ReasonRefused: the service refused to pack, or to show a package. Nothing was packed.
	ReasonRefused = "Refused"
	// ReasonPreflightFailed: a look before packing found what the service would refuse. Nothing was sent.
	ReasonPreflightFailed = "PreflightFailed"
	// ReasonAlreadyClaimed: another ReleasePackage has the package or an item, or is older and wants it too.
	ReasonAlreadyClaimed = "AlreadyClaimed"
	// ReasonWriteRefused: the API server refuses to let the operator write the object, as an admission policy does.
	ReasonWriteRefused = "WriteRefused"
	// ReasonUnpackRefused: the service refused to withdraw the package.
	ReasonUnpackRefused = "UnpackRefused"
	// ReasonSpecFrozen: the package was deployed before an edit could replace it, so the spec differs from what
	// was deployed.
	ReasonSpecFrozen = "SpecFrozen"
	// ReasonSpecDiffers: an adopted package is another than the spec describes. It is left as it is.
	ReasonSpecDiffers = "SpecDiffers"
	// ReasonWorkspaceNotFound: the workspace object that spec.workspaceRef names does not exist.
	ReasonWorkspaceNotFound = "WorkspaceNotFound"
	// ReasonWorkspaceChanged: the workspace object now points elsewhere than the package was sent to.
	ReasonWorkspaceChanged = "WorkspaceChanged"
	// ReasonWorkspaceInvalid: the workspace object's spec cannot be used. Its endpoint may not be allowed, or its
	// timeout may be too close to the operator's settle time.
	ReasonWorkspaceInvalid = "WorkspaceInvalid"
	// ReasonCredentialsNotFound: the Secret is missing.
	ReasonCredentialsNotFound = "CredentialsNotFound"
	// ReasonCredentialsInvalid: the Secret lacks a key or holds a value that cannot be used.
	ReasonCredentialsInvalid = "CredentialsInvalid"
	// ReasonCredentialsRejected: the service does not accept the credentials, or they lack the permission.
	ReasonCredentialsRejected = "CredentialsRejected"
	// ReasonServiceUnavailable: the service cannot be reached, failed, or answered in a way that cannot be understood.
	ReasonServiceUnavailable = "ServiceUnavailable"
	// ReasonThrottled: the service asks for fewer calls.
	ReasonThrottled = "Throttled"
)

// Reasons of a DataArtsWorkspace's Ready condition besides those above.
const (
	// ReasonAvailable: the service answered a call with these credentials for this workspace.
	ReasonAvailable = "Available"
)

// Reasons of events, in the past tense, besides those that a condition shares.
const (
	// EventPacked: a package was packed, and its id recorded.
	EventPacked = "Packed"
	// EventAdopted: an existing package was taken over. It is the one that the spec names, or one that a lost
	// answer had left behind.
	EventAdopted = "Adopted"
	// EventUnpacked: the package was withdrawn, by this operator.
	EventUnpacked = "Unpacked"
	// EventOrphaned: the object was let go at spec.deletionDeadline, though its package may be left at the service.
	EventOrphaned = "Orphaned"
	// EventReleased: the object was let go; the message says what is left at the service.
	EventReleased = "Released"
)
