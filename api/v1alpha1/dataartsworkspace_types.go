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

// Keys of the Secret that spec.credentials.secretRef names. It has accessKey and secretKey, with securityToken when
// the key is temporary, or it has token.
const (
	SecretKeyAccessKey     = "accessKey"
	SecretKeySecretKey     = "secretKey"
	SecretKeySecurityToken = "securityToken"
	SecretKeyToken         = "token"
)

// SecretReference names a Secret in the namespace of the workspace object.
type SecretReference struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`
}

// WorkspaceCredentials say as whom the service is called.
type WorkspaceCredentials struct {
	// secretRef names a Secret with the keys accessKey and secretKey (and securityToken when the key is temporary),
	// or with the key token: a project-scoped IAM token, which is valid for 24 hours. A change of the Secret takes
	// effect within a minute.
	// +required
	SecretRef SecretReference `json:"secretRef,omitzero"`
}

// DataArtsWorkspaceSpec says where a workspace is and how to call it.
//
// +kubebuilder:validation:XValidation:rule="has(self.region) != has(self.endpoint)",message="set exactly one of region and endpoint"
type DataArtsWorkspaceSpec struct {
	// region is the region of the service, such as cn-north-4; the endpoint follows from it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]+(-[a-z0-9]+)*$')",message="region is a region id such as cn-north-4: lower-case letters, digits and single hyphens"
	Region string `json:"region,omitempty"`

	// endpoint is the address of the service, scheme and host only, where no region says it. Plain http and
	// loopback hosts are refused unless the operator was started with --allow-insecure-endpoints.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['https', 'http'] && url(self).getHostname() != '' && url(self).getEscapedPath() == '' && url(self).getQuery().size() == 0 && !self.contains('@') && !self.contains('#')",message="endpoint is a scheme and a host, such as https://dayu.cn-north-4.myhuaweicloud.com: no path, query, fragment or user"
	Endpoint string `json:"endpoint,omitempty"`

	// projectId is the id of the cloud project that the workspace belongs to.
	// +required
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_-]+$')",message="projectId has letters, digits, '-' and '_' only; copy it from My Credentials in the console"
	ProjectID string `json:"projectId,omitempty"`

	// workspaceId is the id of the DataArts Studio workspace, which must be in enterprise mode.
	// +required
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_-]+$')",message="workspaceId has letters, digits, '-' and '_' only; copy it from the workspace's details in the console"
	WorkspaceID string `json:"workspaceId,omitempty"`

	// credentials say as whom the service is called.
	// +required
	Credentials WorkspaceCredentials `json:"credentials,omitzero"`

	// caBundle holds PEM certificates, in base64, that are trusted for the endpoint, instead of the system's.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=262144
	CABundle []byte `json:"caBundle,omitempty"`

	// proxyURL is the proxy to call through. The operator's own environment is not consulted.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['https', 'http'] && url(self).getHostname() != '' && !self.contains('@')",message="proxyURL is an http or https address such as http://proxy.example.com:3128, without user and password"
	ProxyURL string `json:"proxyURL,omitempty"`

	// timeout bounds one call to the service, from 1s to 1m.
	// +optional
	// +kubebuilder:default="30s"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') && duration(self) >= duration('1s') && duration(self) <= duration('1m')",message="timeout is a duration from 1s to 1m, such as 30s"
	Timeout metav1.Duration `json:"timeout,omitzero"`

	// pollInterval is how often a package that waits for review is looked at, from 1s to 24h. Left out, packages are
	// looked at as often as that keeps within 5 % of the calls that these credentials allow, at best every 5s and at
	// least every 10m; see status.pollInterval.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ms|s|m|h))+$') && duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="pollInterval is a duration from 1s to 24h, such as 1m"
	PollInterval metav1.Duration `json:"pollInterval,omitzero"`

	// requestsPerSecond bounds the calls made as the user of these credentials. Workspaces with the same endpoint
	// and credentials share them, and the lowest of their numbers holds. The service allows a user 10 a second in
	// all (API Reference "DataArts Factory API (V2) Overview"). Set less where others call as the same user.
	// +optional
	// +kubebuilder:default=10
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	RequestsPerSecond int32 `json:"requestsPerSecond,omitempty"`
}

// DataArtsWorkspaceStatus says whether the workspace can be called and how much goes on in it.
type DataArtsWorkspaceStatus struct {
	// observedGeneration is the generation of the spec that this status is about.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// endpoint is the address that is called.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Endpoint string `json:"endpoint,omitempty"`

	// packages is how many ReleasePackages refer to this workspace.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Packages int32 `json:"packages"`

	// inFlight is how many of them are on their way: not yet packed, in review, deploying or being withdrawn, and
	// not stalled.
	// +optional
	// +kubebuilder:validation:Minimum=0
	InFlight int32 `json:"inFlight"`

	// pollInterval is how often the packages in review are looked at, as spec.pollInterval says or, without it, rounded up
	// to a time that does not change with each package.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	PollInterval *metav1.Duration `json:"pollInterval,omitempty"`

	// throttledUntil is when calls are made again. They are held back until then, because the service answered 429:
	// there were too many. Absent if there is no such pause, or one of two seconds at most.
	// +optional
	ThrottledUntil *metav1.Time `json:"throttledUntil,omitempty"`

	// conditions hold Ready: whether the service answers for this workspace with these credentials.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// DataArtsWorkspace is a DataArts Studio workspace that release packages are packed in.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=daws,categories=dataarts
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Packages",type=integer,JSONPath=`.status.packages`
// +kubebuilder:printcolumn:name="In-Flight",type=integer,JSONPath=`.status.inFlight`
// +kubebuilder:printcolumn:name="Poll-Interval",type=string,priority=1,JSONPath=`.status.pollInterval`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Endpoint",type=string,priority=1,JSONPath=`.status.endpoint`
// +kubebuilder:printcolumn:name="Workspace-ID",type=string,priority=1,JSONPath=`.spec.workspaceId`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
type DataArtsWorkspace struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec says where the workspace is and how to call it.
	// +required
	Spec DataArtsWorkspaceSpec `json:"spec,omitzero"`

	// status says whether the workspace can be called.
	// +optional
	Status DataArtsWorkspaceStatus `json:"status,omitzero"`
}

// DataArtsWorkspaceList is a list of DataArtsWorkspaces.
//
// +kubebuilder:object:root=true
type DataArtsWorkspaceList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []DataArtsWorkspace `json:"items"`
}
