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
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// restoreAge is the age from which an object without an attempt may have had one that a restore of the cluster has
// lost.
const restoreAge = 15 * time.Minute

// MayHaveLostStatus reports whether an object is old enough to have packed before, though its status knows of
// nothing: that is what a restored cluster looks like.
func MayHaveLostStatus(rp *v1alpha1.ReleasePackage, now time.Time) bool {
	return rp.Status.Attempt == nil && now.Sub(rp.CreationTimestamp.Time) > restoreAge
}

// CameWithFinalizer reports whether an object of which nothing at all is on record has our finalizer. At first sight,
// that means that it comes from a backup: it may have had a package.
func CameWithFinalizer(rp *v1alpha1.ReleasePackage) bool {
	return hasFinalizer(rp) && rp.Status.ObservedGeneration == 0 && len(rp.Status.Conditions) == 0 &&
		rp.Status.Attempt == nil &&
		rp.Status.ReleasePackageID == "" && !adopts(rp)
}

// SearchWord finds the packages that the object, or one of its name in a backup, has named.
func SearchWord(rp *v1alpha1.ReleasePackage) string {
	if rp.Spec.PackageName != "" {
		return rp.Spec.PackageName
	}
	if word := rp.Name + "-"; strings.HasPrefix(generatedName(rp, math.MaxInt32), word) {
		return word
	}
	return shortName(rp, len("-12345678-2147483647")) // Short enough for every number.
}

// ownShape is the end of a generated name.
var ownShape = regexp.MustCompile(`-[a-z2-7]{8}(-[1-9][0-9]*)?$`)

// NamedAs reports whether a package has the name that the spec gives, or one that an object of this name has given: a
// restored object has another UID than the one that packed.
func NamedAs(rp *v1alpha1.ReleasePackage, name string) bool {
	if rp.Spec.PackageName != "" {
		return name == rp.Spec.PackageName
	}
	end := ownShape.FindStringIndex(name)
	if end == nil {
		return false
	}
	begins := name[:end[0]]
	cut := begins == shortName(rp, len(name)-end[0]) && len(name) == v1alpha1.MaxPackageNameLength
	return begins == rp.Name || cut
}

// Wants reports whether a package holds at least one of the items that the spec asks for.
func Wants(rp *v1alpha1.ReleasePackage, p *Package) bool { return len(wantedIn(rp, p)) > 0 }

func wantedIn(rp *v1alpha1.ReleasePackage, p *Package) []string {
	var ids []string
	for i := range p.Items {
		if id := p.Items[i].ID; slices.Contains(rp.Spec.PendingItemIDs, v1alpha1.ID(id)) {
			ids = append(ids, id)
		}
	}
	return ids
}

// HasWanted reports whether a package holds the items that the spec asks for and no others, so that it may fit.
func HasWanted(rp *v1alpha1.ReleasePackage, p *Package) bool {
	items := contentOf(p).PendingItemIDs
	slices.Sort(items)
	return slices.Equal(slices.Compact(items),
		slices.Compact(slices.Sorted(slices.Values(plainStrings(rp.Spec.PendingItemIDs)))))
}

// Fits reports whether a package is what would be packed: the same items for the same applicant and approvers and, if
// the spec gives a name, the same name.
func Fits(rp *v1alpha1.ReleasePackage, p *Package) bool {
	content := contentOf(p)
	if rp.Spec.PackageName == "" || generated(rp, content.PackageName) {
		content.PackageName = generatedName(rp, 1)
	}
	return content.Hash() == WantedContent(rp).Hash()
}

// Existing is what was found of packages before something is packed for an object.
type Existing struct {
	// Packages are those that may be what the spec asks for, and those that hold some of it. Another object has none of
	// them.
	Packages []Package
	// NoneListed says that none of the items is in the pending list, as after a deployment.
	NoneListed bool
	// Restored says that the object comes from a backup, so that a package which someone withdrew may have been its own.
	Restored bool
}

// TakeExisting is the step instead of packing where a package is what would be packed: a restored cluster has
// forgotten what it packed. One that has the object's name goes before others.
func TakeExisting(rp *v1alpha1.ReleasePackage, found Existing, poll time.Duration) (Step, bool) {
	others := slices.DeleteFunc(slices.Clone(found.Packages), func(p Package) bool {
		return p.ID == rp.Status.ReleasePackageID || slices.Contains(rp.Status.WithdrawnPackageIDs, p.ID)
	})
	fitting := slices.DeleteFunc(slices.Clone(others), func(p Package) bool { return !Fits(rp, &p) })
	if named := slices.DeleteFunc(slices.Clone(fitting), func(p Package) bool { return !NamedAs(rp, p.Name) }); len(
		named) > 0 {
		fitting = named
	}
	in := func(states ...v1alpha1.PackageState) []Package {
		return slices.DeleteFunc(slices.Clone(fitting), func(p Package) bool { return !slices.Contains(states, p.State) })
	}
	inUse := in(v1alpha1.StatePendingReview, v1alpha1.StateDeploying, v1alpha1.StateDeployFailed, v1alpha1.StateUnknown)
	deployed, withdrawn := in(v1alpha1.StateDeployed), in(v1alpha1.StateWithdrawn)
	strange := slices.DeleteFunc(live(others), func(p Package) bool {
		return p.State == v1alpha1.StateDeployed || !generated(rp, p.Name) || Fits(rp, &p)
	})
	switch {
	case len(inUse) == 1:
		return adopt(rp, &inUse[0], "which has the contents that the spec asks for", poll), true
	case len(inUse) > 1:
		return ambiguous(rp, fmt.Sprintf("Packages %s all are what the spec asks for", idsOf(inUse))), true
	case len(strange) > 0:
		return ambiguous(rp, fmt.Sprintf(
				"Packages %s have the name that this object gives, which no one else uses, but other contents", idsOf(strange))),
			true
	case found.NoneListed && len(deployed) == 1:
		return adopt(rp, &deployed[0], "which has the contents that the spec asks for, and is deployed", poll), true
	case found.NoneListed && len(deployed) > 1:
		return ambiguous(rp, fmt.Sprintf("Packages %s all are what the spec asks for, and all are deployed",
			idsOf(deployed))), true
	case found.Restored && len(withdrawn) > 0:
		latest := slices.MaxFunc(withdrawn, func(a, b Package) int { return a.PackedTime.Compare(b.PackedTime) })
		return adopt(rp, &latest, "which has the contents that the spec asks for, and was withdrawn", poll), true
	}
	return Step{}, false
}
