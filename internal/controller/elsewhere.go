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

package controller

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dataarts-operator/dataarts-operator/api/v1alpha1"
	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/lifecycle"
)

// looked remembers which packages do not hold the items of an open attempt: what a package holds does not change. The
// zero value is ready for use.
type looked struct {
	mu   sync.Mutex
	made map[types.NamespacedName]lookedAt
}

type lookedAt struct {
	uid      types.UID
	attempt  int32
	packages map[string]bool
}

// note takes down that a package holds none of the items.
func (l *looked) note(rp *v1alpha1.ReleasePackage, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := client.ObjectKeyFromObject(rp)
	at, ok := l.made[key]
	if !ok || at.uid != rp.UID || at.attempt != rp.Status.Attempt.Number {
		at = lookedAt{rp.UID, rp.Status.Attempt.Number, map[string]bool{}}
	}
	if l.made == nil {
		l.made = map[types.NamespacedName]lookedAt{}
	}
	at.packages[id] = true
	l.made[key] = at
}

// has reports whether a package is known to hold none of the items.
func (l *looked) has(rp *v1alpha1.ReleasePackage, id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.made[client.ObjectKeyFromObject(rp)]
	return at.uid == rp.UID && at.attempt == rp.Status.Attempt.Number && at.packages[id]
}

func (l *looked) forget(object types.NamespacedName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.made, object)
}

// itemElsewhere reports whether the service shows a package that holds an item of the open attempt, and that the
// attempt cannot have made.
func (r *ReleasePackageReconciler) itemElsewhere(ctx context.Context, p *pass) (bool, error) {
	looks := 0
	for _, list := range []func(context.Context) ([]dataarts.Package, error){p.conn.InFlight, p.conn.Recent} {
		listed, err := list(ctx)
		if err != nil {
			return false, err
		}
		for _, one := range r.mayHoldItems(p, listed) {
			if looks == mostContents {
				return false, nil // The next pass goes on with others.
			}
			looks++
			detail, err := p.conn.Look(ctx, one.ID)
			switch {
			case dataarts.MayDeny(err), dataarts.KindOf(err) == dataarts.NotFound:
				continue // It has gone meanwhile.
			case err != nil:
				return false, err
			case lifecycle.HoldsAttempted(p.rp, packageFrom(&detail)):
				return true, nil
			}
			r.looked.note(p.rp, one.ID)
		}
	}
	return false, nil
}

// mayHoldItems are the listed packages that have not been looked into yet, are not what the attempt may have made, and
// hold their items for good: one that failed may have them free again, and they be in what the attempt made.
// Those that are named like the object's own come first, and then those that were packed at about the same time.
func (r *ReleasePackageReconciler) mayHoldItems(p *pass, listed []dataarts.Package) []lifecycle.Package {
	var found []lifecycle.Package
	for i := range listed {
		one := packageFrom(&dataarts.PackageDetail{Package: listed[i]})
		ended := one.State == v1alpha1.StateWithdrawn || one.State == v1alpha1.StateDeployFailed
		if ended || lifecycle.Plausible(p.rp, one) || r.looked.has(p.rp, one.ID) {
			continue
		}
		found = append(found, *one)
	}
	other := func(one *lifecycle.Package) int {
		if lifecycle.NamedAs(p.rp, one.Name) {
			return 0
		}
		return 1
	}
	start := p.rp.Status.Attempt.StartTime.Time
	slices.SortStableFunc(found, func(a, b lifecycle.Package) int {
		return cmp.Or(cmp.Compare(other(&a), other(&b)),
			cmp.Compare(a.PackedTime.Sub(start).Abs(), b.PackedTime.Sub(start).Abs()))
	})
	return found
}
