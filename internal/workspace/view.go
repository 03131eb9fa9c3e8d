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

package workspace

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/dataarts-operator/dataarts-operator/internal/dataarts"
	"github.com/dataarts-operator/dataarts-operator/internal/quota"
)

// Watch asks for looks at one package, on behalf of one object.
type Watch struct {
	// Object is who is told, and Workspace the workspace object through which it looks.
	Object, Workspace types.NamespacedName
	// ToUnpack is set while the object is being deleted: see ConnectToUnpack.
	ToUnpack bool

	// ID and Name are those of the package. A name that is not known is empty.
	ID, Name string

	// After is when to look. A package that goes on waiting is looked at again and again, that long after the latest look.
	After time.Duration
	// Known is what the object has on record: a look that shows the same is not worth telling.
	Known Outlook
	// Trouble is the text of the error that the object tells of, because of which looks fail.
	Trouble string
	// Awaited tells that the object waits for the next look, whatever it shows.
	Awaited bool
	// Seen is what the service has said at this moment, if anything.
	Seen *View
}

// Outlook is what a look comes down to.
type Outlook struct {
	Status  dataarts.DeployStatus
	Deleted bool
	// Gone and Hidden are as in View.
	Gone, Hidden bool
}

// View is what a look showed of a package.
type View struct {
	// Began is when the look began.
	Began time.Time
	// Package is nil where the look failed, where it found no package, and where it showed what is known already. What was seen in a list has
	// no items.
	Package *dataarts.PackageDetail
	// Gone tells that the service said that there is no such package. Hidden is set instead when it refuses to show the package, with these
	// words, and does not list it either.
	Gone   bool
	Hidden error
	// Err is why the look failed. It says nothing about the package. Awaited tells that the object waited for it.
	Err     error
	Awaited bool

	// id is the package that was looked at, and turn tells whether the look began before or after others, and before or after a request to change
	// it. They are empty for what was not seen by a look.
	id   string
	turn uint64
	// assumed is what Assumed reports.
	assumed bool
}

func (v *View) outlook() Outlook {
	if v.Package == nil {
		return Outlook{Gone: v.Gone, Hidden: v.Hidden != nil}
	}
	return outlookOf(&v.Package.Package)
}

// unchanged reports whether the view shows what is known already.
func (v *View) unchanged() bool { return *v == View{Began: v.Began, id: v.id, turn: v.turn} }

// Assumed reports whether nobody has looked, so that this is what the service said when it named the package.
func (v *View) Assumed() bool { return v.assumed }

func outlookOf(p *dataarts.Package) Outlook {
	if p.Deleted {
		return Outlook{Deleted: true} // Whatever its status was.
	}
	return Outlook{Status: p.Status}
}

// spareLooks is how many looks at single packages may be made in a row although a recent view of them is known, and spareEvery how long it takes
// until there is another one.
const (
	spareLooks = 2
	spareEvery = 10 * time.Second
)

// SpareLook reports whether the budget allows for a look at one package although a recent view of it is known. It does where few ask.
func (c *Connection) SpareLook() bool { return c.spare.AllowN(c.clock.Now(), 1) }

// Find makes a look at one package of its own. Where the service refuses to show it, it is looked for in the list, if its name is known: what the
// service answers about an id that it does not know is not documented, so that a refusal may mean that.
func (c *Connection) Find(ctx context.Context, id, name string) View {
	return c.find(ctx, c.Look, id, name)
}

type lookAtOne func(ctx context.Context, id string) (dataarts.PackageDetail, error)

func (c *Connection) find(ctx context.Context, look lookAtOne, id, name string) View {
	v := View{Began: c.clock.Now(), id: id, turn: c.observer.nextTurn()}
	detail, err := look(ctx, id)
	switch {
	case err == nil:
		v.Package = &detail
	case dataarts.KindOf(err) == dataarts.NotFound:
		v.Gone = true
	case dataarts.MayDeny(err):
		c.findInList(ctx, &v, err, id, name)
	default:
		v.Err = err
	}
	return v
}

func (c *Connection) findInList(ctx context.Context, v *View, refusal error, id, name string) {
	var found []dataarts.Package
	switch {
	case name != "":
		found, v.Err = c.Search(ctx, name)
	case dataarts.KindOf(refusal) == dataarts.Unknown: // A package that is yet to be adopted has no name that is known here.
		_, v.Err = c.list(ctx, c.series(quota.Lookup), dataarts.ListOptions{}) // That the service answers as it should tells that it was it who refused.
	}
	if v.Err != nil {
		return
	}
	for i := range found {
		if found[i].ID == id {
			v.Package = &dataarts.PackageDetail{Package: found[i]}
			return
		}
	}
	v.Hidden = refusal
}
