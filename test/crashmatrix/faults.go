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

// fault is what goes wrong at one boundary.
type fault string

const (
	none fault = ""

	// crashBefore ends the process right before the request, crashAfter when the request is done and before its answer
	// is delivered.
	crashBefore fault = "crash-before"
	crashAfter  fault = "crash-after"
	// crashTwice1 and crashTwice2 are crashAfter, and another crash somewhere in the recovery, where the seed says.
	crashTwice1 fault = "crash-twice-1"
	crashTwice2 fault = "crash-twice-2"

	// failed is an error of the other side before any work.
	failed fault = "error"
	// lostReply does the work and cuts the connection.
	lostReply fault = "lost-reply"
	// conflict lets a user touch the object right before the request.
	conflict fault = "conflict"
	// stale answers with what was there before the latest change.
	stale fault = "stale"

	// refusedLook is a refusal to show a package that is there: what is answered about one that is not, is not documented.
	refusedLook fault = "refused"

	// unavailable is a proxy's page, throttled and unauthorized are the gateway's refusals: nothing is done.
	unavailable  fault = "unavailable"
	throttled    fault = "throttled"
	unauthorized fault = "unauthorized"
	// timedOut, noID and garbage are answers that prove nothing, after the work was done.
	timedOut fault = "timeout"
	noID     fault = "no-id"
	garbage  fault = "garbage"
	// late cuts the connection, and does the work a minute later.
	late fault = "late"
	// hollow is a success that nothing was done for, as a broken gateway may give.
	hollow fault = "hollow"

	// denied is a refusal after the work was done, as of a call for several packages that has withdrawn some of them.
	denied fault = "denied"

	// overtaken freezes the process right before the request for longer than the settle time. Meanwhile a fresh manager
	// takes over. Then the request is done all the same, and the process is gone. With overtakenGoesOn it goes on to the
	// end of its pass.
	overtaken       fault = "overtaken"
	overtakenGoesOn fault = "overtaken-goes-on"
	// overtakenBriefly freezes the process as an election of another leader does: longer than a lease, and well inside
	// the settle time. It goes on to the end of its pass.
	overtakenBriefly fault = "overtaken-briefly"
	// overtakenAfter freezes the process for longer than the settle time when the request is done. Then it goes on to
	// the end of its pass.
	overtakenAfter fault = "overtaken-after"
)

// coreFaults are those that every reading of the service's documentation is tried with.
var coreFaults = []fault{crashBefore, crashAfter, lostReply, failed}

// overtakenFaults are kept apart: a request that is frozen on the wire past the settle time is late for everyone.
// What the operator promises then is that the package is told of, and not that there is none.
var overtakenFaults = []fault{overtaken, overtakenGoesOn}

// freezing are the faults that hold a process and let another one take over: those of the second list before the
// request.
var (
	freezing     = []fault{overtaken, overtakenGoesOn, overtakenBriefly, overtakenAfter}
	frozenBefore = []fault{overtaken, overtakenGoesOn, overtakenBriefly}
)

// faultsOf lists what can go wrong at a boundary. A crash after a read is left out: it is the same as a crash before
// the next request.
func faultsOf(b boundary) []fault {
	if b.op == "" {
		return apiFaults(b)
	}
	all := []fault{crashBefore, failed, unauthorized, overtakenBriefly, overtakenGoesOn}
	switch b.op {
	case simulator.OpPack:
		return append(all, slices.Concat(lostAnswers, []fault{noID})...)
	case simulator.OpUnpack:
		return append(all, slices.Concat(lostAnswers, []fault{denied})...)
	case simulator.OpList:
		return append(all, lostReply, stale)
	case simulator.OpShow:
		return append(all, lostReply, refusedLook)
	case simulator.OpListItems, simulator.OpDeploy:
	}
	return append(all, lostReply)
}

// lostAnswers are what only a request that changes something can meet, or tells from an error.
var lostAnswers = []fault{
	crashAfter, crashTwice1, crashTwice2, lostReply, timedOut, garbage, unavailable, throttled, hollow, late, overtaken,
	overtakenAfter,
}

func apiFaults(b boundary) []fault {
	if b.write {
		all := []fault{crashBefore, crashAfter, crashTwice1, crashTwice2, failed, lostReply, conflict, overtakenBriefly,
			overtakenAfter}
		return append(all, overtakenFaults...)
	}
	switch {
	case b.cached && !b.packaged:
		return []fault{overtakenGoesOn} // A cache always answers, and a crash there is one before the next request.
	case b.cached && b.versions > 1:
		return []fault{crashBefore, stale}
	case b.cached:
		return []fault{crashBefore} // A process that is frozen before it knows anything is as good as a fresh one.
	}
	return []fault{failed, overtakenGoesOn}
}

func (f fault) in(list []fault) bool { return slices.Contains(list, f) }

// strikes are the faults of one run by the number of their boundary. The second crash comes where a source of chance,
// which the seed makes the same each time, says.
func strikesFor(at int, f fault, chance func(n int) int) map[int]fault {
	if !f.in([]fault{crashTwice1, crashTwice2}) {
		return map[int]fault{at: f}
	}
	second := []fault{crashBefore, crashAfter}[chance(2)]
	return map[int]fault{at: crashAfter, at + 1 + chance(recoveryBoundaries): second}
}

// recoveryBoundaries is how far into the recovery the second crash may be.
const recoveryBoundaries = 8
