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
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
)

// Content is what a package is made of: all that a request to pack says, and all that tells one package from another.
type Content struct {
	PackageName    string   `json:"packageName"`
	ApplyUserID    string   `json:"applyUserId"`
	PendingItemIDs []string `json:"pendingItemIds"`
	ApproverIDs    []string `json:"approverIds"`
}

// WantedContent is what the spec asks for, whatever the attempt: of the names that the object gives, it has the first
// one, also where the spec repeats the one that the status shows.
func WantedContent(rp *v1alpha1.ReleasePackage) Content {
	name := rp.Spec.PackageName
	if name == "" || generated(rp, name) {
		name = generatedName(rp, 1)
	}
	return Content{
		PackageName:    name,
		ApplyUserID:    string(rp.Spec.ApplyUserID),
		PendingItemIDs: plainStrings(rp.Spec.PendingItemIDs),
		ApproverIDs:    plainStrings(rp.Spec.ApproverIDs),
	}
}

// Request is what the latest attempt asks for.
func Request(rp *v1alpha1.ReleasePackage) Content {
	content := WantedContent(rp)
	content.PackageName = rp.Status.Attempt.PackageName
	return content
}

// hashOf tells a package from others, as far as the object is concerned: which of its own names it has makes no
// difference.
func hashOf(rp *v1alpha1.ReleasePackage, p *Package) string {
	content := contentOf(p)
	if generated(rp, content.PackageName) {
		content.PackageName = generatedName(rp, 1)
	}
	return content.Hash()
}

// contentOf is what a package at the service is made of.
func contentOf(p *Package) Content {
	items := make([]string, 0, len(p.Items))
	for i := range p.Items {
		items = append(items, p.Items[i].ID)
	}
	return Content{PackageName: p.Name, ApplyUserID: p.ApplyUserID, PendingItemIDs: items, ApproverIDs: p.ApproverIDs}
}

// Hash is the same for the same content, whatever the order of its lists.
func (c Content) Hash() string {
	c.PendingItemIDs = slices.Sorted(slices.Values(c.PendingItemIDs))
	c.ApproverIDs = slices.Sorted(slices.Values(c.ApproverIDs))
	text, err := json.Marshal(c)
	if err != nil {
		return "" // Strings always marshal.
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// generatedName is the object's name, so that people recognise the package in the console, 8 characters that no other
// object has, so that a lost one can be found by its name, and from the second on a number, as the service may not
// take the name of a withdrawn package again.
func generatedName(rp *v1alpha1.ReleasePackage, number int32) string {
	sum := sha256.Sum256([]byte(rp.UID))
	suffix := "-" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:5]))
	if number > 1 {
		suffix += fmt.Sprintf("-%d", number)
	}
	return shortName(rp, len(suffix)) + suffix
}

// shortName is the object's name, cut where the rest would not fit.
func shortName(rp *v1alpha1.ReleasePackage, rest int) string {
	return rp.Name[:min(len(rp.Name), v1alpha1.MaxPackageNameLength-rest)]
}

// numberOf is the number of a name that the object gives, 0 for any other.
func numberOf(rp *v1alpha1.ReleasePackage, name string) int32 {
	number := int32(1)
	if base := generatedName(rp, 1); name != base {
		tail := name[strings.LastIndexByte(name, '-')+1:]
		n, err := strconv.ParseInt(tail, 10, 32)
		if err != nil {
			return 0
		}
		number = int32(n)
	}
	if generatedName(rp, number) != name {
		return 0
	}
	return number
}

// generated reports whether a name is one that only this object gives.
func generated(rp *v1alpha1.ReleasePackage, name string) bool { return numberOf(rp, name) > 0 }

// nextName is the name that the next attempt asks for. What was never sent uses up no number.
func nextName(rp *v1alpha1.ReleasePackage) string {
	was := rp.Status.Attempt
	switch {
	case rp.Spec.PackageName != "":
		return rp.Spec.PackageName
	case was == nil:
		return generatedName(rp, 1)
	case !generated(rp, was.PackageName):
		return generatedName(rp, was.Number+1)
	case was.Outcome == v1alpha1.OutcomeNotDone:
		return was.PackageName
	}
	return generatedName(rp, numberOf(rp, was.PackageName)+1)
}

// SearchNames are the names to search for what the latest attempt has made, or those that were lost before it:
// whether the service's search finds longer names too is not documented. Those that were lost may have names of the
// object's own although the spec has come to give one since.
func SearchNames(rp *v1alpha1.ReleasePackage) []string {
	a := rp.Status.Attempt
	names := []string{a.PackageName}
	number := numberOf(rp, a.PackageName)
	if number == 0 && a.LostBefore > 0 {
		number = a.Number // No name has a higher number than its attempt.
	}
	for n := number - 1; n > 1 && n >= number-a.LostBefore; n-- {
		names = append(names, generatedName(rp, n))
	}
	if number > 1 {
		names = append(names, generatedName(rp, 1))
	}
	return names
}

func plainStrings[S ~string](in []S) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = string(s)
	}
	return out
}
