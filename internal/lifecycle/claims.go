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

package lifecycle

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// Claim names a package or a pending item. In one workspace, only one object may hold it.
type Claim string

// PackageClaim is the claim to the package of an id.
func PackageClaim(id string) Claim { return Claim("package/" + id) }

func itemClaim(id string) Claim { return Claim("item/" + id) }

// String is the claim in words.
func (c Claim) String() string { return strings.Replace(string(c), "/", " ", 1) }

// Claims are all that an object holds or wants, each once. Nobody holds the items of a deployed package.
func Claims(rp *v1alpha1.ReleasePackage) []Claim {
	claims := append(heldClaims(rp), wantedClaims(rp)...)
	slices.Sort(claims)
	return slices.Compact(claims)
}

// heldClaims are those that an object holds. An open attempt holds its items. An object that replaces its package keeps
// the items that the next package is to hold too.
func heldClaims(rp *v1alpha1.ReleasePackage) []Claim {
	if !isReplacing(rp) || !rp.DeletionTimestamp.IsZero() {
		return packedClaims(rp)
	}
	wants, claims := wantedClaims(rp), packedClaims(rp)
	for _, had := range itemClaims(rp.Status.Attempt.PendingItemIDs) {
		if slices.Contains(wants, had) && !slices.Contains(claims, had) {
			claims = append(claims, had)
		}
	}
	return claims
}

// ClaimsToKeep are those that stay reserved for an object after a pass: what it holds and, while it replaces its
// package, what the next package is to hold. Whether it may have that was checked before the withdrawal.
func ClaimsToKeep(rp *v1alpha1.ReleasePackage) []Claim {
	switch {
	case !rp.DeletionTimestamp.IsZero() && !hasFinalizer(rp):
		// The object gives up its items. A withdrawn package may still be shown for a while.
		if id := rp.Status.ReleasePackageID; id != "" && rp.Spec.DeletionPolicy != v1alpha1.DeletionRetain {
			return []Claim{PackageClaim(id)}
		}
		return nil
	case isReplacing(rp):
		return Claims(rp)
	}
	return heldClaims(rp)
}

// AwaitReservation is the step to take while another object has reserved a claim: it is about to take it, or gave it
// back a moment ago.
func AwaitReservation(rp *v1alpha1.ReleasePackage, now time.Time) Step {
	reason := v1alpha1.ReasonAlreadyClaimed
	return Step{Action: Wait, Reason: reason, After: lookDelay(rp, reason, now), Message: "Another ReleasePackage " +
		"asks for the same items or package at this moment, or has just given them back; the operator looks again"}
}

// isReplacing reports whether the operator gave up a package for another one that it has not packed yet. A request that
// was not sent, or packed nothing, does not end that.
func isReplacing(rp *v1alpha1.ReleasePackage) bool {
	inVain := ended(rp, v1alpha1.OutcomeNotDone, v1alpha1.OutcomeNotFound) && len(rp.Status.WithdrawnPackageIDs) > 0
	return inVain || ended(rp, v1alpha1.OutcomeWithdrawing, v1alpha1.OutcomeWithdrawn, v1alpha1.OutcomeGivenUp)
}

// packedClaims are the package of an object and the items that are, or may be, in it.
func packedClaims(rp *v1alpha1.ReleasePackage) []Claim {
	st := &rp.Status
	switch {
	case Finalized(rp):
		return nil
	case AttemptOpen(rp):
		return itemClaims(st.Attempt.PendingItemIDs)
	case st.ReleasePackageID == "" || st.State == v1alpha1.StateWithdrawn:
		return nil
	case st.State == v1alpha1.StateDeployed:
		return []Claim{PackageClaim(st.ReleasePackageID)}
	}
	claims := []Claim{PackageClaim(st.ReleasePackageID)}
	if st.Attempt != nil {
		claims = append(claims, itemClaims(st.Attempt.PendingItemIDs)...)
	}
	for i := range st.Items {
		claims = append(claims, itemClaim(st.Items[i].ID))
	}
	return claims
}

// wantedClaims are what the spec of an object asks for. It may not hold all of that yet.
func wantedClaims(rp *v1alpha1.ReleasePackage) []Claim {
	switch {
	case !rp.DeletionTimestamp.IsZero(), rp.Status.State == v1alpha1.StateDeployed:
		return nil
	case adopts(rp):
		return []Claim{PackageClaim(string(rp.Spec.ReleasePackageID))}
	}
	return itemClaims(plainStrings(rp.Spec.PendingItemIDs))
}

func itemClaims(ids []string) []Claim {
	claims := make([]Claim, len(ids))
	for i, id := range ids {
		claims[i] = itemClaim(id)
	}
	return claims
}

// RequiredClaims are those that an object has to hold before a step is done. Most steps require none.
func RequiredClaims(rp *v1alpha1.ReleasePackage, step Step) []Claim {
	switch {
	case leadsToPacking(step):
		return wantedClaims(rp)
	case step.Action == Adopt && adopts(rp):
		return []Claim{PackageClaim(step.Package.ID)}
	}
	return nil
}

// leadsToPacking reports whether a step sends a request to pack, or withdraws a package to make way for one.
func leadsToPacking(step Step) bool {
	return step.Action == Pack || Replaces(step)
}

// MustYield reports whether an object must leave a claim to another one of the same workspace. The one that holds it
// goes first, then the older one. Of two objects of the same age, which counts in seconds, the first by name goes
// first.
func MustYield(rp, other *v1alpha1.ReleasePackage, claim Claim) bool {
	if rp.UID == other.UID || !slices.Contains(Claims(other), claim) {
		return false
	}
	return precedenceOver(rp, other, claim) != noPrecedence
}

// precedence is why one of two objects goes first where both claim the same. It is a sentence with room for the claims.
type precedence string

const (
	noPrecedence precedence = ""
	holdsIt      precedence = "has %s"
	older        precedence = "asked for %s earlier"
	// byName is a convention, as ages are whole seconds.
	byName precedence = "asks for %s too; it was created in the same second, and then the first by name goes first"
)

// precedenceOver is why another object goes before this one, or noPrecedence.
func precedenceOver(rp, other *v1alpha1.ReleasePackage, claim Claim) precedence {
	mine, theirs := slices.Contains(heldClaims(rp), claim), slices.Contains(heldClaims(other), claim)
	switch {
	case theirs && !mine:
		return holdsIt
	case mine != theirs:
	case other.CreationTimestamp.Before(&rp.CreationTimestamp):
		return older
	case other.CreationTimestamp.Equal(&rp.CreationTimestamp) && other.Namespace+"/"+other.Name < rp.Namespace+"/"+rp.Name:
		return byName
	}
	return noPrecedence
}

// AlreadyClaimed is the step to take where another object goes first.
func AlreadyClaimed(rp, other *v1alpha1.ReleasePackage, claims []Claim) Step {
	words := map[precedence][]string{}
	for _, claim := range claims {
		by := precedenceOver(rp, other, claim)
		words[by] = append(words[by], claim.String())
	}
	var parts []string
	for _, by := range []precedence{holdsIt, older, byName} {
		if len(words[by]) > 0 {
			parts = append(parts, fmt.Sprintf(string(by), listed(words[by])))
		}
	}
	wayOut := "delete that object or take it out of one of the two specs"
	if adopts(rp) { // With any other policy, a deletion would withdraw the package.
		wayOut = "correct spec.releasePackageId, or set spec.deletionPolicy of that object to Retain and then delete it, " +
			"so that the package stays"
	}
	return Step{Action: Stall, Reason: v1alpha1.ReasonAlreadyClaimed, Message: fmt.Sprintf(
		"%s %s; %s", nameFor(rp, other), strings.Join(parts, ", and "), wayOut)}
}

// nameFor names an object in a message of another one. Whoever reads that may not know objects of other namespaces.
func nameFor(rp, other *v1alpha1.ReleasePackage) string {
	if other.Namespace != rp.Namespace {
		return "A ReleasePackage of another namespace"
	}
	return fmt.Sprintf("ReleasePackage %s/%s", other.Namespace, other.Name)
}
