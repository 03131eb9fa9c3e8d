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

package poll

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
)

// Subscription asks for looks at one package, on behalf of one object.
type Subscription struct {
	// Object is who is told, and Workspace the workspace object through which its package is looked at.
	Object, Workspace types.NamespacedName
	// ForDeletion is set while the object is being deleted: see Resolve.
	ForDeletion bool

	// ID and Name are those of the package. A name that is not known is empty.
	ID, Name string

	// After is when to look. A package that goes on waiting is looked at again and again, that long after the latest look.
	After time.Duration
	// Paced means that After is PollInterval, and follows it.
	Paced bool
	// LastKnown is what the object has on record. A look that shows the same is not told.
	LastKnown RemoteState
	// LastError is the text of the error that the object tells of, because of which looks fail.
	LastError string
	// Required means that the object waits for the next look and is told whatever it shows.
	Required bool
	// Observed is what the object has just seen by itself, if anything.
	Observed *Observation
}

// RemoteState is what a look comes down to.
type RemoteState struct {
	Status  dataarts.DeployStatus
	Deleted bool
	// Gone and Hidden are as in Observation.
	Gone, Hidden bool
}

// Observation is what a look showed of a package.
type Observation struct {
	// Began is when the look began.
	Began time.Time
	// Package is nil where the look failed, where it found no package, and where it showed what is known already. What
	// was seen in a list has no items.
	Package *dataarts.PackageDetail
	// Gone means that the service said that there is no such package. Hidden is set instead when it refuses to show the
	// package, with these words, and does not list it either.
	Gone   bool
	Hidden error
	// Err is why the look failed. It says nothing about the package. Required means that the object waited for this look.
	Err      error
	Required bool
	// Assumed means that nobody has looked, so that this is what the service said when it named the package.
	Assumed bool

	// id is the package that was looked at. The sequence orders looks and writes by when they began. Both are empty for
	// what was not seen by a look.
	id       string
	sequence uint64
}

func (v *Observation) state() RemoteState {
	if v.Package == nil {
		return RemoteState{Gone: v.Gone, Hidden: v.Hidden != nil}
	}
	return stateOf(&v.Package.Package)
}

// unchanged reports whether the look showed what is known already.
func (v *Observation) unchanged() bool {
	return *v == Observation{Began: v.Began, id: v.id, sequence: v.sequence}
}

func stateOf(p *dataarts.Package) RemoteState {
	if p.Deleted {
		return RemoteState{Deleted: true} // Whatever its status was.
	}
	return RemoteState{Status: p.Status}
}

// Find looks at one package, for its caller alone. Where the service refuses to show the package, it is looked for in
// the list, if its name is known: what the service answers about an id that it does not know is not documented, so
// that a refusal may mean that.
func (p *Poller) Find(ctx context.Context, s Source, id, name string) Observation {
	return p.find(ctx, s, s.Look, id, name)
}

func (p *Poller) find(
	ctx context.Context, s Source, look func(context.Context, string) (dataarts.PackageDetail, error), id, name string,
) Observation {
	v := Observation{Began: p.clock.Now(), id: id, sequence: p.nextSequence()}
	detail, err := look(ctx, id)
	switch {
	case err == nil:
		v.Package = &detail
	case dataarts.KindOf(err) == dataarts.NotFound:
		v.Gone = true
	case dataarts.MayDeny(err):
		v.findInList(ctx, s, err, name)
	default:
		v.Err = err
	}
	return v
}

func (v *Observation) findInList(ctx context.Context, s Source, refusal error, name string) {
	var found []dataarts.Package
	switch {
	case name != "":
		found, v.Err = s.Search(ctx, name)
	// A package that is yet to be adopted has no name that is known here.
	case dataarts.KindOf(refusal) == dataarts.Unknown:
		_, v.Err = s.ShowsAny(ctx) // If the service answers as it should, it was the service that refused.
	}
	if v.Err != nil {
		return
	}
	for i := range found {
		if found[i].ID == v.id {
			v.Package = &dataarts.PackageDetail{Package: found[i]}
			return
		}
	}
	v.Hidden = refusal
}
