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
	"slices"
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

// WantedContent is what the spec asks for.
func WantedContent(rp *v1alpha1.ReleasePackage) Content {
	name := rp.Spec.PackageName
	if name == "" {
		name = generatedName(rp)
	}
	return Content{
		PackageName:    name,
		ApplyUserID:    string(rp.Spec.ApplyUserID),
		PendingItemIDs: plainStrings(rp.Spec.PendingItemIDs),
		ApproverIDs:    plainStrings(rp.Spec.ApproverIDs),
	}
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

// generatedName is the object's name, so that people recognise the package in the console, and 8 characters that no other object
// has, so that a lost one can be found by its name.
func generatedName(rp *v1alpha1.ReleasePackage) string {
	sum := sha256.Sum256([]byte(rp.UID))
	suffix := "-" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:5]))
	name := rp.Name
	if room := v1alpha1.MaxPackageNameLength - len(suffix); len(name) > room {
		name = name[:room]
	}
	return name + suffix
}

func plainStrings[S ~string](in []S) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = string(s)
	}
	return out
}
