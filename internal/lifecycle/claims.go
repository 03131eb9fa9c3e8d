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

// Claim names something of a workspace that one object alone may have: a package or a pending item. It is unique in one workspace only.
type Claim string

// PackageClaim is the claim to a package.
func PackageClaim(id string) Claim { return Claim("package/" + id) }

func itemClaim(id string) Claim { return Claim("item/" + id) }

// String is the claim in words.
func (c Claim) String() string { return strings.Replace(string(c), "/", " ", 1) }

// Claims are all that an object has or wants, each once. A deployed package's items are no one's any more.
func Claims(rp *v1alpha1.ReleasePackage) []Claim {
	claims := append(held(rp), wanted(rp)...)
	slices.Sort(claims)
	return slices.Compact(claims)
}

// held is what an object has, or may have while the outcome of a request is not known, and what it keeps while it replaces its package.
func held(rp *v1alpha1.ReleasePackage) []Claim {
	if !makesWay(rp) || !rp.DeletionTimestamp.IsZero() {
		return packedIn(rp)
	}
	wants, claims := wanted(rp), packedIn(rp)
	for _, had := range itemClaims(rp.Status.Attempt.PendingItemIDs) {
		if slices.Contains(wants, had) && !slices.Contains(claims, had) {
			claims = append(claims, had)
		}
	}
	return claims
}

// Keeps is what stays reserved for an object after a pass: what it has, and while it replaces its package also what the next one is to hold, since
// the check whether it may have that comes before the withdrawal.
func Keeps(rp *v1alpha1.ReleasePackage) []Claim {
	switch {
	case !rp.DeletionTimestamp.IsZero() && !hasFinalizer(rp): // It is let go, and so is what it had. A withdrawn package may still be shown for a while.
		if id := rp.Status.ReleasePackageID; id != "" && rp.Spec.DeletionPolicy != v1alpha1.DeletionRetain {
			return []Claim{PackageClaim(id)}
		}
		return nil
	case makesWay(rp):
		return Claims(rp)
	}
	return held(rp)
}

// AwaitOther is the step instead of one that would take what another object is about to take, or has given back a moment ago.
func AwaitOther(rp *v1alpha1.ReleasePackage, now time.Time) Step {
	return Step{Action: Wait, Reason: v1alpha1.ReasonAlreadyClaimed, After: patience(rp, v1alpha1.ReasonAlreadyClaimed, now), Message: "Another ReleasePackage " +
		"asks for the same items or package at this moment, or has just given them back; the operator looks again"}
}

// makesWay reports whether the operator gave up a package for another one, which it has not packed yet: a request that was not sent, or came
// to nothing, changes nothing.
func makesWay(rp *v1alpha1.ReleasePackage) bool {
	inVain := ended(rp, v1alpha1.OutcomeNotDone, v1alpha1.OutcomeNotFound) && len(rp.Status.WithdrawnPackageIDs) > 0
	return inVain || ended(rp, v1alpha1.OutcomeWithdrawing, v1alpha1.OutcomeWithdrawn, v1alpha1.OutcomeGivenUp)
}

// packedIn is what is in the package of an object, or may be.
func packedIn(rp *v1alpha1.ReleasePackage) []Claim {
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

// wanted is what the spec of an object asks for that it may not have yet.
func wanted(rp *v1alpha1.ReleasePackage) []Claim {
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

// Takes are the claims that a step would make good, so that nobody else may have them: none for most steps.
func Takes(rp *v1alpha1.ReleasePackage, step Step) []Claim {
	switch {
	case packsAnew(step):
		return wanted(rp)
	case step.Action == Adopt && adopts(rp):
		return []Claim{PackageClaim(step.Package.ID)}
	}
	return nil
}

// packsAnew reports whether a step sends a request to pack, or withdraws a package to make way for one.
func packsAnew(step Step) bool {
	return step.Action == Pack || Replaces(step)
}

// Yields reports whether an object must leave a claim to another one of the same workspace: to the one that has it, else to the
// older one. Ages are whole seconds; of two objects of the same age, the first by name goes first.
func Yields(rp, other *v1alpha1.ReleasePackage, claim Claim) bool {
	if rp.UID == other.UID || !slices.Contains(Claims(other), claim) {
		return false
	}
	return rightOver(rp, other, claim) != noRight
}

// right is what gives one of two objects a claim that both have or want.
type right string

const (
	noRight right = ""
	hasIt   right = "has %s"
	older   right = "asked for %s earlier"
	// byName is a convention, for lack of anything better: ages are whole seconds.
	byName right = "asks for %s too; it was created in the same second, and then the first by name goes first"
)

// rightOver is the right that another object has to a claim over this one.
func rightOver(rp, other *v1alpha1.ReleasePackage, claim Claim) right {
	mine, theirs := slices.Contains(held(rp), claim), slices.Contains(held(other), claim)
	switch {
	case theirs && !mine:
		return hasIt
	case mine != theirs:
	case other.CreationTimestamp.Before(&rp.CreationTimestamp):
		return older
	case other.CreationTimestamp.Equal(&rp.CreationTimestamp) && other.Namespace+"/"+other.Name < rp.Namespace+"/"+rp.Name:
		return byName
	}
	return noRight
}

// Yield is the step instead of one that would take what belongs to another.
func Yield(rp, other *v1alpha1.ReleasePackage, claims []Claim) Step {
	words := map[right][]string{}
	for _, claim := range claims {
		by := rightOver(rp, other, claim)
		words[by] = append(words[by], claim.String())
	}
	var parts []string
	for _, by := range []right{hasIt, older, byName} {
		if len(words[by]) > 0 {
			parts = append(parts, fmt.Sprintf(string(by), listed(words[by])))
		}
	}
	wayOut := "delete that object or take it out of one of the two specs"
	if adopts(rp) { // To delete the object would withdraw the very package.
		wayOut = "correct spec.releasePackageId, or set spec.deletionPolicy of that object to Retain and then delete it, so that the package stays"
	}
	return Step{Action: Stall, Reason: v1alpha1.ReasonAlreadyClaimed, Message: fmt.Sprintf(
		"%s %s; %s", nameFor(rp, other), strings.Join(parts, ", and "), wayOut)}
}

// nameFor names an object to the readers of another one, who need not know what there is in other namespaces.
func nameFor(rp, other *v1alpha1.ReleasePackage) string {
	if other.Namespace != rp.Namespace {
		return "A ReleasePackage of another namespace"
	}
	return fmt.Sprintf("ReleasePackage %s/%s", other.Namespace, other.Name)
}
