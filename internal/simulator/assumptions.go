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

package simulator

import (
	"errors"
	"fmt"
	"slices"
)

// Assumptions are the choices that the documentation of the service leaves open. The zero value of each
// field is the least inventive reading; the default is named first in its comment.
type Assumptions struct {
	// Offset says what offset counts in both lists: [OffsetPage], as documented, or [OffsetRow].
	Offset OffsetMeaning `json:"offset,omitempty"`
	// MaxLimit is the highest limit when packages are listed; zero means none.
	MaxLimit int `json:"maxLimit,omitempty"`
	// OverLimit applies above MaxLimit: [Refuse], or [Accept] and return MaxLimit rows.
	OverLimit Verdict `json:"overLimit,omitempty"`
	// Keyword says how key_word and item_name match: [MatchContains] or [MatchExact].
	Keyword Match `json:"keyword,omitempty"`
	// PackedItem says whether packed items stay in the pending list, with package_flag 1:
	// [Accept] or [Refuse].
	PackedItem Verdict `json:"packedItem,omitempty"`

	// IDs says whether item and package ids are counted for all workspaces together or for each:
	// [IDsGlobal] or [IDsPerWorkspace].
	IDs IDScope `json:"ids,omitempty"`
	// MissingWorkspace applies to a call without the optional workspace header where the project has
	// a default workspace: [Accept] or [Refuse].
	MissingWorkspace Verdict `json:"missingWorkspace,omitempty"`
	// UnknownWorkspace is the code for a workspace that does not exist: [CodeInvalidParameter] or
	// [CodeNoWorkspace].
	UnknownWorkspace Code `json:"unknownWorkspace,omitempty"`
	// IDForm says how the ids of items and packages are written in answers: [IDText] or [IDNumber].
	IDForm IDForm `json:"idForm,omitempty"`
	// UnknownPackage is the code for a package that does not exist: [CodeNoTask], [CodeNoTaskLong],
	// [CodeInvalidParameter] or [NoCode].
	UnknownPackage Code `json:"unknownPackage,omitempty"`
	// UnknownShown is the code when such a package is to be shown, any of the same. It is that of
	// UnknownPackage unless it is set.
	UnknownShown Code `json:"unknownShown,omitempty"`

	// Approvers says who may be named as an approver: [Reviewers] or [Anyone].
	Approvers Actors `json:"approvers,omitempty"`
	// SelfReview applies to an applicant among their own approvers: [Accept] or [Refuse].
	SelfReview Verdict `json:"selfReview,omitempty"`
	// Applicant applies to an apply_user_id that submitted none of the items: [Accept] or [Refuse].
	Applicant Verdict `json:"applicant,omitempty"`
	// DuplicateName applies to the name of a package that has not been withdrawn: [Accept] or [Refuse];
	// or, with [RefuseEver], to the name of any package there ever was.
	DuplicateName Verdict `json:"duplicateName,omitempty"`
	// SharedItem applies to an item that is in another package: [Refuse] or [Accept].
	SharedItem Verdict `json:"sharedItem,omitempty"`
	// MaxItems and MaxApprovers bound one pack call; zero means no bound.
	MaxItems     int `json:"maxItems,omitempty"`
	MaxApprovers int `json:"maxApprovers,omitempty"`

	// DeployBy says who may deploy: [Approvers], [Reviewers] or [Anyone].
	DeployBy Actors `json:"deployBy,omitempty"`
	// DeployFailed applies to deploying a package whose deployment failed: [Accept] or [Refuse].
	DeployFailed Verdict `json:"deployFailed,omitempty"`

	// UnpackBy says who may unpack: [Anyone], [Reviewers] or [Approvers].
	UnpackBy Actors `json:"unpackBy,omitempty"`
	// UnpackDeploying applies to unpacking in [StateDeploying]: [Refuse] or [Accept].
	UnpackDeploying Verdict `json:"unpackDeploying,omitempty"`
	// UnpackFailed applies to unpacking in [StateFailed]: [Accept] or [Refuse].
	UnpackFailed Verdict `json:"unpackFailed,omitempty"`
	// FailedItem says what becomes of the items of a package whose deployment failed: [FailedKeeps] or [FailedFrees].
	FailedItem FailedItem `json:"failedItem,omitempty"`
	// UnpackAgain applies to a package already withdrawn: [Refuse] as not existing, or [Accept].
	UnpackAgain Verdict `json:"unpackAgain,omitempty"`
	// UnpackUnknown applies to a package that does not exist, or is not shown yet: [Refuse], where only what
	// does not exist is unknown, or [Accept] and do nothing.
	UnpackUnknown Verdict `json:"unpackUnknown,omitempty"`
	// UnpackEmpty applies to an unpack call that names no package: [Refuse] or [Accept].
	UnpackEmpty Verdict `json:"unpackEmpty,omitempty"`
	// MixedUnpack says what a call does when some of its packages cannot be unpacked: [BatchAtomic]
	// or [BatchPartial]. The answer is the first refusal either way.
	MixedUnpack Batch `json:"mixedUnpack,omitempty"`
	// MaxUnpack bounds the packages of one unpack call; zero means no bound.
	MaxUnpack int `json:"maxUnpack,omitempty"`
	// WithdrawnItem says what becomes of the items: [ItemPending] or [ItemGone].
	WithdrawnItem WithdrawnItem `json:"withdrawnItem,omitempty"`
	// WithdrawnPackage says what becomes of the package: [PackageFlagged], [PackageUnlisted] or
	// [PackageGone].
	WithdrawnPackage WithdrawnPackage `json:"withdrawnPackage,omitempty"`

	// ItemLag, ListLag and ShowLag are the seconds until the pending list, the list of packages and the details
	// of one know what was done to packages; ClockOffset is by how many seconds the clock of the service is
	// ahead. See [Limits].
	ItemLag     int `json:"itemLag,omitempty"`
	ListLag     int `json:"listLag,omitempty"`
	ShowLag     int `json:"showLag,omitempty"`
	ClockOffset int `json:"clockOffset,omitempty"`

	// RateWindow says how the rate limit counts: [WindowSecond], [WindowMinute] or [WindowBucket].
	RateWindow RateWindow `json:"rateWindow,omitempty"`
	// OtherCalls are the calls per second of a second caller, who has the keys of each user; see [Limits].
	OtherCalls float64 `json:"otherCalls,omitempty"`
	// RetryAfter is the Retry-After of a throttled call in seconds; zero leaves the header out.
	RetryAfter int `json:"retryAfter,omitempty"`
	// RetryAfterForm says how a Retry-After is written: [RetrySeconds] or [RetryDate].
	RetryAfterForm RetryForm `json:"retryAfterForm,omitempty"`
}

// Verdict is what the service does with a case that could go either way.
type Verdict string

// The verdicts.
const (
	Accept     Verdict = "accept"
	Refuse     Verdict = "refuse"
	RefuseEver Verdict = "refuse-ever"
)

// OffsetMeaning is what an offset counts.
type OffsetMeaning string

// Offset counts pages of limit rows, or single rows.
const (
	OffsetPage OffsetMeaning = "page"
	OffsetRow  OffsetMeaning = "row"
)

// Match is how a search word is compared with a name.
type Match string

// A name matches when it contains the word, or only when it equals the word.
const (
	MatchContains Match = "contains"
	MatchExact    Match = "exact"
)

// IDScope is where an id is unique.
type IDScope string

// Ids are counted once for the whole service, or from one in every workspace.
const (
	IDsGlobal       IDScope = "global"
	IDsPerWorkspace IDScope = "workspace"
)

// IDForm is how an id is written in an answer.
type IDForm string

// Ids are JSON strings, as documented for all operations but one, or JSON numbers.
const (
	IDText   IDForm = "text"
	IDNumber IDForm = "number"
)

// Actors are the people who may do something.
type Actors string

// The approvers are those named in a package; the reviewers are those of the workspace.
const (
	Anyone    Actors = "anyone"
	Reviewers Actors = "reviewers"
	Approvers Actors = "approvers"
)

// Batch is how a call that names several packages treats a refusal among them.
type Batch string

// Either nothing is done, or everything that can be.
const (
	BatchAtomic  Batch = "atomic"
	BatchPartial Batch = "partial"
)

// FailedItem is what becomes of the items of a package whose deployment failed.
type FailedItem string

// Items stay in the package until it is withdrawn, or are in no package at once.
const (
	FailedKeeps FailedItem = "packed"
	FailedFrees FailedItem = "pending"
)

// WithdrawnItem is what becomes of the items of a withdrawn package.
type WithdrawnItem string

// Items return to the pending list, or have to be submitted again.
const (
	ItemPending WithdrawnItem = "pending"
	ItemGone    WithdrawnItem = "gone"
)

// WithdrawnPackage is what becomes of a withdrawn package.
type WithdrawnPackage string

// A withdrawn package is listed and shown with delete_flag 1, only shown, or no longer exists.
const (
	PackageFlagged  WithdrawnPackage = "flagged"
	PackageUnlisted WithdrawnPackage = "unlisted"
	PackageGone     WithdrawnPackage = "gone"
)

// RateWindow is the time in which calls are counted.
type RateWindow string

// The rate limit is so many calls in each second of the clock, or sixty times as many in each minute of it, or
// a second's worth of calls that comes back evenly as it is used up.
const (
	WindowSecond RateWindow = "second"
	WindowMinute RateWindow = "minute"
	WindowBucket RateWindow = "bucket"
)

// RetryForm is one of the two ways in which HTTP lets a server write Retry-After.
type RetryForm string

// Retry-After is a number of seconds, or a date of the service's clock.
const (
	RetrySeconds RetryForm = "seconds"
	RetryDate    RetryForm = "date"
)

// unknownCodes are what may say that a package does not exist.
var unknownCodes = []Code{CodeNoTask, CodeNoTaskLong, CodeInvalidParameter, NoCode}

// complete sets each unset choice to its default and refuses values that mean nothing.
func (a *Assumptions) complete() error {
	if min(a.MaxLimit, a.MaxItems, a.MaxApprovers, a.MaxUnpack) < 0 {
		return errors.New("bounds in assumptions must not be negative")
	}
	if a.OtherCalls < 0 || min(a.RetryAfter, a.ItemLag, a.ListLag, a.ShowLag) < 0 {
		return errNegative
	}
	return errors.Join(
		choose("offset", &a.Offset, OffsetPage, OffsetRow),
		choose("overLimit", &a.OverLimit, Refuse, Accept),
		choose("keyword", &a.Keyword, MatchContains, MatchExact),
		choose("packedItem", &a.PackedItem, Accept, Refuse),
		choose("ids", &a.IDs, IDsGlobal, IDsPerWorkspace),
		choose("missingWorkspace", &a.MissingWorkspace, Accept, Refuse),
		choose("unknownWorkspace", &a.UnknownWorkspace, CodeInvalidParameter, CodeNoWorkspace),
		choose("idForm", &a.IDForm, IDText, IDNumber),
		choose("unknownPackage", &a.UnknownPackage, unknownCodes...),
		choose("unknownShown", &a.UnknownShown, append([]Code{a.UnknownPackage}, unknownCodes...)...),
		choose("approvers", &a.Approvers, Reviewers, Anyone),
		choose("selfReview", &a.SelfReview, Accept, Refuse),
		choose("applicant", &a.Applicant, Accept, Refuse),
		choose("duplicateName", &a.DuplicateName, Accept, Refuse, RefuseEver),
		choose("sharedItem", &a.SharedItem, Refuse, Accept),
		choose("deployBy", &a.DeployBy, Approvers, Reviewers, Anyone),
		choose("deployFailed", &a.DeployFailed, Accept, Refuse),
		choose("unpackBy", &a.UnpackBy, Anyone, Reviewers, Approvers),
		choose("unpackDeploying", &a.UnpackDeploying, Refuse, Accept),
		choose("unpackFailed", &a.UnpackFailed, Accept, Refuse),
		choose("unpackAgain", &a.UnpackAgain, Refuse, Accept),
		choose("unpackUnknown", &a.UnpackUnknown, Refuse, Accept),
		choose("unpackEmpty", &a.UnpackEmpty, Refuse, Accept),
		choose("mixedUnpack", &a.MixedUnpack, BatchAtomic, BatchPartial),
		choose("failedItem", &a.FailedItem, FailedKeeps, FailedFrees),
		choose("withdrawnItem", &a.WithdrawnItem, ItemPending, ItemGone),
		choose("rateWindow", &a.RateWindow, WindowSecond, WindowMinute, WindowBucket),
		choose("retryAfterForm", &a.RetryAfterForm, RetrySeconds, RetryDate),
		choose("withdrawnPackage", &a.WithdrawnPackage, PackageFlagged, PackageUnlisted, PackageGone),
	)
}

// choose sets an empty field to the first of the allowed values.
func choose[T ~string](name string, field *T, allowed ...T) error {
	if *field == "" {
		*field = allowed[0]
	}
	if !slices.Contains(allowed, *field) {
		return fmt.Errorf("assumption %s: %q is none of %q", name, *field, allowed)
	}
	return nil
}
