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
	"slices"

	"github.com/dataarts-operator/dataarts-operator/internal/simulator"
)

// variant is one reading of the service's documentation.
type variant struct {
	name        string
	assumptions simulator.Assumptions
	// also are faults that this reading makes more of.
	also []fault
	// few are the only faults it meets, if it has any: it is one of many that are tried everywhere.
	few []fault
}

// meets reports whether a reading other than the documented one is tried with a fault at a boundary: where something
// is changed, and at the service alone if it meets only few.
func (v variant) meets(b boundary, f fault) bool {
	if len(v.few) > 0 {
		return b.write && b.op != "" && f.in(v.few)
	}
	return b.write && (f.in(coreFaults) || f.in(v.also))
}

const documentedName = "documented"

var documented = variant{name: documentedName}

// slow are the faults that let a request take effect later than its sender thinks.
var slow = append([]fault{late}, freezing...)

// The other readings, by what they are about.
var (
	rows           = variant{name: "offset-row", assumptions: simulator.Assumptions{Offset: simulator.OffsetRow}}
	exactKeyword   = variant{name: "keyword-exact", assumptions: simulator.Assumptions{Keyword: simulator.MatchExact}}
	packedUnlisted = variant{name: "packed-item-unlisted",
		assumptions: simulator.Assumptions{PackedItem: simulator.Refuse}}
	sharedItems = variant{name: "shared-item", assumptions: simulator.Assumptions{SharedItem: simulator.Accept},
		also: slow}
	uniqueNames = variant{name: "duplicate-name-refused",
		assumptions: simulator.Assumptions{DuplicateName: simulator.Refuse}}
	idsPerWorkspace = variant{name: "ids-per-workspace",
		assumptions: simulator.Assumptions{IDs: simulator.IDsPerWorkspace}}
	longCode = variant{name: "long-code",
		assumptions: simulator.Assumptions{UnknownPackage: simulator.CodeNoTaskLong}}
	unpackAgain     = variant{name: "unpack-again", assumptions: simulator.Assumptions{UnpackAgain: simulator.Accept}}
	unpackDeploying = variant{name: "unpack-deploying",
		assumptions: simulator.Assumptions{UnpackDeploying: simulator.Accept}}
	failedStays = variant{name: "unpack-failed-refused",
		assumptions: simulator.Assumptions{UnpackFailed: simulator.Refuse}}
	failedFrees = variant{name: "failed-frees-items-lag",
		assumptions: simulator.Assumptions{UnpackFailed: simulator.Refuse, FailedItem: simulator.FailedFrees,
			ListLag: lag, ShowLag: lag}}
	withdrawnHidden = variant{name: "withdrawn-unlisted",
		assumptions: simulator.Assumptions{WithdrawnPackage: simulator.PackageUnlisted}}
	withdrawnGone = variant{name: "withdrawn-gone",
		assumptions: simulator.Assumptions{WithdrawnPackage: simulator.PackageGone}}
	withdrawnItemOut = variant{name: "withdrawn-item-gone",
		assumptions: simulator.Assumptions{WithdrawnItem: simulator.ItemGone}}
	shortPages = variant{name: "short-pages",
		assumptions: simulator.Assumptions{MaxLimit: 10, OverLimit: simulator.Refuse}}

	// contrary goes against the documentation's least inventive reading wherever a scenario can still end well.
	contrary = variant{name: "contrary", also: slow, assumptions: simulator.Assumptions{
		Offset: simulator.OffsetRow, Keyword: simulator.MatchExact, PackedItem: simulator.Refuse,
		SharedItem:    simulator.Accept,
		DuplicateName: simulator.Refuse, IDs: simulator.IDsPerWorkspace, UnpackAgain: simulator.Accept,
		UnpackFailed:   simulator.Refuse,
		UnknownPackage: simulator.CodeNoTaskLong, WithdrawnPackage: simulator.PackageUnlisted,
	}}
)

// hidesWithdrawn reports whether no list shows what was withdrawn.
func (v variant) hidesWithdrawn() bool {
	hidden := []simulator.WithdrawnPackage{simulator.PackageUnlisted, simulator.PackageGone}
	return slices.Contains(hidden, v.assumptions.WithdrawnPackage)
}

// fewFaults are those that show how the operator finds out what it does not remember.
var fewFaults = []fault{crashBefore, crashAfter, lostReply}

// reading is a variant that is tried everywhere.
func reading(name string, a simulator.Assumptions) variant {
	return variant{name: name, assumptions: a, few: fewFaults}
}

// hours is by how many seconds the service's clock may be wrong, and lag how many seconds its answers may be behind.
const (
	hours = 8 * 3600
	lag   = 8
)

// What the service may say of a package that it does not know, or has never known, by what it does with those that
// are withdrawn.
var (
	invalidCode = reading("unknown-is-invalid", simulator.Assumptions{UnknownPackage: simulator.CodeInvalidParameter})
	invalidGone = reading("unknown-is-invalid-gone", simulator.Assumptions{
		UnknownPackage: simulator.CodeInvalidParameter, WithdrawnPackage: simulator.PackageGone})
	bareGone = reading("unknown-is-404-gone", simulator.Assumptions{
		UnknownPackage: simulator.NoCode, WithdrawnPackage: simulator.PackageGone})
	unpackInvalidGone = reading("unpack-unknown-is-invalid-gone", simulator.Assumptions{
		UnknownPackage: simulator.CodeInvalidParameter, UnknownShown: simulator.CodeNoTask,
		WithdrawnPackage: simulator.PackageGone})
	showBareHidden = reading("show-unknown-is-404-unlisted", simulator.Assumptions{
		UnknownShown: simulator.NoCode, UnknownPackage: simulator.CodeInvalidParameter,
		WithdrawnPackage: simulator.PackageUnlisted})

	unknownCodes = []variant{invalidCode, invalidGone, bareGone, unpackInvalidGone, showBareHidden}
)

// unknownAccepted takes a request to withdraw what is not known, or not known yet, and does nothing.
var unknownAccepted = reading("unknown-is-accepted-lag", simulator.Assumptions{
	UnpackUnknown: simulator.Accept, WithdrawnPackage: simulator.PackageGone, ListLag: lag, ShowLag: lag})

// Other differences that any story may meet.
var (
	numericIDs  = reading("ids-are-numbers", simulator.Assumptions{IDForm: simulator.IDNumber})
	clockAhead  = reading("clock-ahead", simulator.Assumptions{ClockOffset: hours})
	clockBehind = reading("clock-behind", simulator.Assumptions{ClockOffset: -hours})
	itemsLag    = reading("items-lag", simulator.Assumptions{ItemLag: lag})
	looksLag    = reading("looks-lag", simulator.Assumptions{ListLag: lag, ShowLag: lag})
	namesOnce   = reading("names-only-once", simulator.Assumptions{DuplicateName: simulator.RefuseEver})

	anywhere = []variant{numericIDs, clockAhead, clockBehind, itemsLag, looksLag, namesOnce}
)
